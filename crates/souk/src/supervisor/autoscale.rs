//! How many processes of a service there should be: a pure decision from what was measured.

use std::{fmt, str::FromStr, time::Duration};

/// A process that uses more of one core than this is busy, percent.
const BUSY: f64 = 70.0;
/// Processes are taken away only if those that stay would use less than this, percent.
const IDLE: f64 = 45.0;
/// More commands waiting than this, for each process: it cannot keep up.
const QUEUED: f64 = 200.0;
/// Further behind the news of others than this, events: the same.
const BEHIND: f64 = 1000.0;
/// It must have been busy so long before there are more.
const UP_AFTER: Duration = Duration::from_secs(4);
/// It must have been idle so long before there are fewer.
const DOWN_AFTER: Duration = Duration::from_secs(30);
/// After a change nothing is decided for so long: a new process must warm up, and what it took
/// over must show.
const COOL_DOWN: Duration = Duration::from_secs(10);

/// From how many processes to how many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    /// At least so many.
    pub least: usize,
    /// At most so many.
    pub most: usize,
}

/// What a service did lately.
#[derive(Clone, Copy, Debug, Default)]
pub struct Measured {
    /// Its processes that are ready.
    pub processes: usize,
    /// The average use of a core by one of them, percent.
    pub cpu: f64,
    /// Commands that wait to be decided, in all of them.
    pub queue: f64,
    /// Events that wait to be handled, in the one that is furthest behind.
    pub behind: f64,
}

impl Measured {
    fn busy(&self) -> bool {
        let each = self.queue / self.processes.max(1) as f64;
        self.cpu > BUSY || self.behind > BEHIND || each > QUEUED
    }

    /// Whether one process less would still have little to do.
    fn idle(&self) -> bool {
        let fewer = self.processes.saturating_sub(1).max(1) as f64;
        let then = self.cpu * self.processes as f64 / fewer;
        then < IDLE && self.behind < BEHIND / 2.0 && self.queue / fewer < QUEUED / 2.0
    }
}

/// Decides for one service. Time is given from outside.
#[derive(Clone, Debug)]
pub struct Scaler {
    range: Range,
    busy_since: Option<Duration>,
    idle_since: Option<Duration>,
    quiet_until: Duration,
}

impl Scaler {
    /// Keeps a service within `range`.
    pub fn new(range: Range) -> Self {
        Self {
            range,
            busy_since: None,
            idle_since: None,
            quiet_until: Duration::ZERO,
        }
    }

    /// The wanted number of processes, if it should change. `now` never goes back.
    pub fn decide(&mut self, now: Duration, measured: &Measured) -> Option<usize> {
        let there = measured.processes;
        let since = |flag: bool, since: Option<Duration>| flag.then(|| since.unwrap_or(now));
        self.busy_since = since(measured.busy(), self.busy_since);
        self.idle_since = since(!measured.busy() && measured.idle(), self.idle_since);
        if there == 0 || now < self.quiet_until {
            return None; // It starts, or is about to be started again.
        }
        let lasted = |since: Option<Duration>, long: Duration| {
            since.is_some_and(|since| now.saturating_sub(since) >= long)
        };
        let wanted = if there < self.range.least || there > self.range.most {
            there.clamp(self.range.least, self.range.most)
        } else if lasted(self.busy_since, UP_AFTER) {
            (there + self.step(measured)).min(self.range.most)
        } else if lasted(self.idle_since, DOWN_AFTER) {
            (there - 1).max(self.range.least)
        } else {
            there
        };
        if wanted == there {
            return None;
        }
        self.quiet_until = now + COOL_DOWN;
        self.busy_since = None;
        self.idle_since = None;
        Some(wanted)
    }

    /// How many more: twice as many if it is far behind, else one.
    fn step(&self, measured: &Measured) -> usize {
        let each = measured.queue / measured.processes.max(1) as f64;
        let far_behind = measured.behind > 10.0 * BEHIND || each > 10.0 * QUEUED;
        if far_behind { measured.processes } else { 1 }
    }
}

/// `orders=1..4` on the command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// The service.
    pub service: String,
    /// How many of it.
    pub range: Range,
}

impl FromStr for Rule {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is not like `orders=1..4`");
        let (service, range) = text.split_once('=').ok_or_else(wrong)?;
        let (least, most) = range.split_once("..").ok_or_else(wrong)?;
        let least: usize = least.trim().parse().map_err(|_| wrong())?;
        let most: usize = most.trim().parse().map_err(|_| wrong())?;
        if least == 0 || most < least || most > super::plan::MOST {
            return Err(format!(
                "{least}..{most}: at least 1, at most {}, and the second not below the first",
                super::plan::MOST
            ));
        }
        Ok(Self {
            service: service.trim().to_owned(),
            range: Range { least, most },
        })
    }
}

impl fmt::Display for Measured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:.0} % CPU each, {:.0} commands waiting, {:.0} events behind",
            self.cpu, self.queue, self.behind
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn at(processes: usize, cpu: f64) -> Measured {
        Measured {
            processes,
            cpu,
            ..Measured::default()
        }
    }

    fn scaler(least: usize, most: usize) -> Scaler {
        Scaler::new(Range { least, most })
    }

    /// Runs a load (percent of a core in all) for so many seconds; answers every change.
    fn run(
        scaler: &mut Scaler,
        mut there: usize,
        load: impl Fn(u32) -> f64,
        seconds: u32,
    ) -> Vec<(u32, usize)> {
        let mut changes = Vec::new();
        for second in 0..seconds {
            let cpu = (load(second) / there as f64).min(100.0);
            if let Some(wanted) = scaler.decide(SECOND * second, &at(there, cpu)) {
                changes.push((second, wanted));
                there = wanted;
            }
        }
        changes
    }

    #[test]
    fn a_busy_service_gets_more_and_an_idle_one_fewer() {
        let mut scaler = scaler(1, 4);
        let load = |second| if second < 60 { 180.0 } else { 5.0 };
        let changes = run(&mut scaler, 1, load, 300);
        let counts: Vec<usize> = changes.iter().map(|change| change.1).collect();
        assert_eq!(counts, [2, 3, 2, 1], "{changes:?}");
        assert!(changes[0].0 <= 5 && changes[2].0 >= 60 + 30, "{changes:?}");
    }

    #[test]
    fn a_short_peak_changes_nothing() {
        let changes = run(
            &mut scaler(1, 4),
            1,
            |s| if s % 10 < 3 { 100.0 } else { 20.0 },
            300,
        );
        assert!(changes.is_empty(), "{changes:?}");
    }

    #[test]
    fn a_service_that_is_behind_gets_more_even_if_it_only_waits() {
        let mut scaler = scaler(1, 8);
        let behind = Measured {
            processes: 2,
            behind: 50_000.0,
            ..Measured::default()
        };
        let decided = (0..10).find_map(|s| scaler.decide(SECOND * s, &behind));
        assert_eq!(decided, Some(4));
    }

    #[test]
    fn rules_are_read_and_nonsense_is_refused() {
        let rule: Rule = "orders=1..4".parse().unwrap();
        assert_eq!(rule.range, Range { least: 1, most: 4 });
        for nonsense in [
            "orders",
            "orders=4",
            "orders=0..2",
            "orders=4..2",
            "orders=1..x",
            "orders=1..9999",
        ] {
            assert!(nonsense.parse::<Rule>().is_err(), "{nonsense}");
        }
    }

    proptest! {
        #[test]
        fn it_stays_within_its_range_and_keeps_the_cool_down(
            least in 1usize..4,
            more in 0usize..5,
            samples in prop::collection::vec((0.0f64..120.0, 0.0f64..5000.0, 0.0f64..20_000.0, 1u64..5), 1..200),
        ) {
            let mut scaler = scaler(least, least + more);
            let (mut there, mut now, mut changed) = (least, Duration::ZERO, None::<Duration>);
            for (cpu, queue, behind, pause) in samples {
                now += SECOND * u32::try_from(pause).unwrap();
                let measured = Measured { processes: there, cpu, queue, behind };
                let Some(wanted) = scaler.decide(now, &measured) else { continue };
                prop_assert!(wanted >= least && wanted <= least + more && wanted != there);
                prop_assert!(changed.is_none_or(|at| now - at >= COOL_DOWN));
                if measured.busy() { prop_assert!(wanted > there); } else { prop_assert!(wanted < there); }
                changed = Some(now);
                there = wanted;
            }
        }

        #[test]
        fn a_steady_load_leads_to_a_steady_number(load in 0.0f64..500.0, start in 1usize..6) {
            let mut scaler = scaler(1, 6);
            let changes = run(&mut scaler, start, |_| load, 1200);
            // Long enough to settle; after that nothing moves any more.
            prop_assert!(changes.iter().all(|(second, _)| *second < 400), "{changes:?}");
        }
    }
}
