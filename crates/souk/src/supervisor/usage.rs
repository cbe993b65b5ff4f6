//! What a process uses: processor time and memory from `/proc` (Linux; elsewhere unknown), and what
//! waits in it from its own metrics.

use std::time::Instant;

/// What the kernel counts processor time in, per second; the same on every Linux.
const TICKS: f64 = 100.0;

/// A look at a process.
#[derive(Clone, Copy, Debug)]
struct Look {
    at: Instant,
    ticks: u64,
}

/// Watches one process.
#[derive(Debug, Default)]
pub struct Meter {
    pid: u32,
    last: Option<Look>,
}

/// What was found.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Usage {
    /// Percent of one core since the look before.
    pub cpu: Option<f64>,
    /// Memory in use, bytes.
    pub memory: Option<u64>,
    /// Commands that wait to be decided.
    pub queue: Option<f64>,
    /// Events that wait to be handled, in the subscription that is furthest behind.
    pub behind: Option<f64>,
}

impl Meter {
    /// Looks at the process.
    pub fn look(&mut self, pid: u32) -> Usage {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
        let ticks = ticks(&stat);
        let at = Instant::now();
        let before = self.last.filter(|_| self.pid == pid);
        self.pid = pid;
        self.last = ticks.map(|ticks| Look { at, ticks });
        let cpu = before.zip(ticks).and_then(|(before, ticks)| {
            let seconds = at.duration_since(before.at).as_secs_f64();
            let spent = ticks.saturating_sub(before.ticks) as f64 / TICKS;
            (seconds > 0.0).then(|| 100.0 * spent / seconds)
        });
        Usage {
            cpu,
            memory: resident(&status),
            ..Usage::default()
        }
    }
}

/// utime and stime, the 14th and 15th field of `/proc/PID/stat`; the second is the program's name
/// in brackets and may contain anything (proc(5)).
fn ticks(stat: &str) -> Option<u64> {
    let (_, behind) = stat.rsplit_once(')')?;
    let mut fields = behind.split_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some(user + system)
}

/// `VmRSS:   12345 kB`
fn resident(status: &str) -> Option<u64> {
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kilobytes: u64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kilobytes * 1024)
}

/// The sum of a gauge's samples in Prometheus' text format; `None` without any.
pub fn sum(metrics: &str, name: &str) -> Option<f64> {
    samples(metrics, name).reduce(|a, b| a + b)
}

/// The largest of a gauge's samples.
pub fn largest(metrics: &str, name: &str) -> Option<f64> {
    samples(metrics, name).reduce(f64::max)
}

fn samples<'a>(metrics: &'a str, name: &'a str) -> impl Iterator<Item = f64> + 'a {
    metrics.lines().filter_map(move |line| {
        let rest = line.strip_prefix(name)?;
        let value = match rest.strip_prefix('{') {
            // A label's value may contain blanks, and behind the braces comes the value.
            Some(labels) => labels.rsplit_once('}')?.1,
            None => rest.strip_prefix(' ')?,
        };
        let value: f64 = value.split_whitespace().next()?.parse().ok()?;
        value.is_finite().then_some(value)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_with_a_strange_name_is_measured_too() {
        let stat = "42 (a ) 1 b) S 1 42 42 0 -1 4194304 100 0 0 0 150 50 0 0 20 0 4 0 100 0 0";
        assert_eq!(ticks(stat), Some(200));
        assert_eq!(ticks(""), None);
        assert_eq!(resident("Name:\tx\nVmRSS:\t  2048 kB\n"), Some(2 << 20));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn our_own_process_can_be_measured() {
        let usage = Meter::default().look(std::process::id());
        assert!(usage.memory.is_some_and(|bytes| bytes > 1 << 16));
    }

    #[test]
    fn metrics_are_read() {
        let text = "# TYPE a gauge\na{x=\"1\"} 2\na{x=\"b } c\"} 3.5\na_total 9\nb 7\nb NaN\n";
        assert_eq!(sum(text, "a"), Some(5.5));
        assert_eq!(largest(text, "a"), Some(3.5));
        assert_eq!(sum(text, "b"), Some(7.0));
        assert_eq!(sum(text, "c"), None);
    }
}
