//! How long to wait before a process that ended is started again.

use std::time::Duration;

/// The wait after the first crash.
const FIRST: Duration = Duration::from_millis(100);
/// The longest wait.
const LONGEST: Duration = Duration::from_secs(30);
/// A process that was ready so long ran well: what was before is forgotten.
const RAN_WELL: Duration = Duration::from_secs(3);
/// After so many starts in a row that came to nothing, a process is shown as failing.
const FAILING: u32 = 5;

/// Counts crashes of one process.
#[derive(Debug, Default)]
pub struct Backoff {
    crashes: u32,
    in_vain: u32,
}

impl Backoff {
    /// The process ended by itself. `ready`: how long it had been ready, if it ever was. Answers
    /// the wait before the next start.
    pub fn ended(&mut self, ready: Option<Duration>) -> Duration {
        if ready.is_some_and(|time| time >= RAN_WELL) {
            self.crashes = 0;
        }
        self.in_vain = match ready {
            Some(_) => 0,
            None => self.in_vain.saturating_add(1),
        };
        let doublings = self.crashes.min(20);
        self.crashes = self.crashes.saturating_add(1);
        FIRST.saturating_mul(1 << doublings).min(LONGEST)
    }

    /// Whether it failed to start too many times in a row.
    pub fn failing(&self) -> bool {
        self.in_vain >= FAILING
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_longest() {
        let mut backoff = Backoff::default();
        let waits: Vec<u128> = (0..11).map(|_| backoff.ended(None).as_millis()).collect();
        assert_eq!(waits[..4], [100, 200, 400, 800]);
        assert_eq!(waits[10], 30_000);
    }

    #[test]
    fn a_process_that_ran_well_is_started_again_at_once() {
        let mut backoff = Backoff::default();
        for _ in 0..8 {
            backoff.ended(None);
        }
        assert!(backoff.failing());
        assert_eq!(backoff.ended(Some(RAN_WELL)), FIRST);
        assert!(!backoff.failing());
        // Ready, but not for long: the wait grows, but it can start, so it is not failing.
        for _ in 0..9 {
            backoff.ended(Some(Duration::from_millis(1)));
        }
        assert!(!backoff.failing());
        assert_eq!(backoff.ended(Some(Duration::ZERO)), LONGEST);
    }

    #[test]
    fn five_starts_in_vain_are_failing() {
        let mut backoff = Backoff::default();
        for _ in 0..4 {
            backoff.ended(None);
        }
        assert!(!backoff.failing());
        backoff.ended(None);
        assert!(backoff.failing());
    }
}
