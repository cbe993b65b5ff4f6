//! A circuit breaker: a provider that does not answer is left alone for a while, so that callers
//! do not queue up behind its time-outs. Calls that are not made are "unknown" and asked later.

use std::sync::Mutex;

use kernel::Timestamp;

/// How a breaker behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BreakerConfig {
    /// It opens after so many failures in a row.
    pub failures: u32,
    /// How long it stays open before one call is let through to try, in milliseconds.
    pub cool_off_ms: i64,
}

impl Default for BreakerConfig {
    fn default() -> Self {
        Self {
            failures: 20,
            cool_off_ms: 2_000,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Calls pass; so many have failed in a row.
    Closed(u32),
    /// No call passes until then.
    Open(Timestamp),
    /// One call is trying since then.
    HalfOpen(Timestamp),
}

/// A breaker. Time is told to it; it reads no clock.
#[derive(Debug)]
pub struct Breaker {
    config: BreakerConfig,
    state: Mutex<State>,
}

impl Breaker {
    /// A closed one.
    pub fn new(config: BreakerConfig) -> Self {
        Self {
            config,
            state: Mutex::new(State::Closed(0)),
        }
    }

    fn with<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let mut state = self
            .state
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        change(&mut state)
    }

    /// Whether a call may be made now. Whoever makes it must tell how it went with
    /// [`record`](Self::record); a trial call that never tells is given up after a cool-off.
    pub fn admits(&self, now: Timestamp) -> bool {
        self.with(|state| match *state {
            State::Closed(_) => true,
            State::Open(until) if now < until => false,
            State::HalfOpen(since) if now < since.plus_millis(self.config.cool_off_ms) => false,
            State::Open(_) | State::HalfOpen(_) => {
                *state = State::HalfOpen(now);
                true
            }
        })
    }

    /// Tells how a call went: whether the provider answered at all.
    pub fn record(&self, answered: bool, now: Timestamp) {
        let until = now.plus_millis(self.config.cool_off_ms);
        self.with(|state| {
            *state = match (*state, answered) {
                (_, true) => State::Closed(0),
                (State::Closed(failures), false) if failures + 1 < self.config.failures => {
                    State::Closed(failures + 1)
                }
                (State::Open(until), false) => State::Open(until),
                (_, false) => State::Open(until),
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(millis: i64) -> Timestamp {
        Timestamp(0).plus_millis(millis)
    }

    fn open() -> Breaker {
        let breaker = Breaker::new(BreakerConfig {
            failures: 3,
            cool_off_ms: 100,
        });
        (0..3).for_each(|_| breaker.record(false, at(0)));
        breaker
    }

    #[test]
    fn it_opens_after_failures_in_a_row_only() {
        let breaker = Breaker::new(BreakerConfig {
            failures: 3,
            cool_off_ms: 100,
        });
        for answered in [false, false, true, false, false] {
            breaker.record(answered, at(0));
            assert!(breaker.admits(at(0)));
        }
        breaker.record(false, at(0));
        assert!(!breaker.admits(at(99)));
    }

    #[test]
    fn after_the_cool_off_one_call_tries() {
        let breaker = open();
        assert!(breaker.admits(at(100)));
        assert!(!breaker.admits(at(101)), "one at a time");
        breaker.record(true, at(110));
        assert!(breaker.admits(at(110)) && breaker.admits(at(110)), "closed");
    }

    #[test]
    fn a_failed_trial_opens_it_again() {
        let breaker = open();
        assert!(breaker.admits(at(100)));
        breaker.record(false, at(150));
        assert!(!breaker.admits(at(249)));
        assert!(breaker.admits(at(250)));
    }

    #[test]
    fn a_trial_that_got_lost_does_not_block_for_ever() {
        let breaker = open();
        assert!(breaker.admits(at(100)));
        assert!(breaker.admits(at(200)));
    }
}
