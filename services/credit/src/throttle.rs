//! Slows guessing of codes down, by client address. A code has 75 random bits, so that guessing is
//! hopeless anyway; this keeps it from costing us. In memory: a restart forgives.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use kernel::Timestamp;

/// Wrong codes that cost nothing: people mistype, and an office shares an address.
const FREE: u32 = 20;
/// Longest pause, in seconds.
const LONGEST: i64 = 15 * 60;
/// After this many quiet seconds all is forgotten.
const MEMORY: i64 = 60 * 60;
/// Most addresses remembered.
const LIMIT: usize = 50_000;

#[derive(Clone, Copy)]
struct Tally {
    wrong: u32,
    last: Timestamp,
}

/// Counts wrong codes.
#[derive(Default)]
pub struct Throttle {
    tallies: Mutex<HashMap<String, Tally>>,
}

impl Throttle {
    /// Counts a question before its answer is known, so that a hundred at once are a hundred.
    ///
    /// # Errors
    /// The seconds until the next one is allowed.
    pub fn begin(&self, address: &str, now: Timestamp) -> Result<(), u64> {
        let mut tallies = self.tallies.lock().unwrap_or_else(PoisonError::into_inner);
        if tallies.len() >= LIMIT && !tallies.contains_key(address) {
            tallies.retain(|_, tally| !stale(tally, now) && tally.wrong > FREE);
            if tallies.len() >= LIMIT {
                tallies.clear();
            }
        }
        let fresh = Tally {
            wrong: 0,
            last: now,
        };
        let tally = tallies.entry(address.to_owned()).or_insert(fresh);
        if stale(tally, now) {
            *tally = fresh;
        }
        let wait = wait(tally, now);
        if wait > 0 {
            return Err(wait.unsigned_abs());
        }
        tally.wrong = tally.wrong.saturating_add(1);
        tally.last = now;
        Ok(())
    }

    /// The code was a card's: the address gets that question back, and no more.
    pub fn right(&self, address: &str) {
        let mut tallies = self.tallies.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(tally) = tallies.get_mut(address) {
            tally.wrong = tally.wrong.saturating_sub(1);
        }
    }
}

fn stale(tally: &Tally, now: Timestamp) -> bool {
    now.0 - tally.last.0 > MEMORY * 1_000_000
}

/// Seconds until the next question; 0 or less: now.
fn wait(tally: &Tally, now: Timestamp) -> i64 {
    let Some(beyond) = tally.wrong.checked_sub(FREE) else {
        return 0;
    };
    let pause = (1i64 << beyond.min(30)).min(LONGEST);
    let left = tally.last.plus_seconds(pause).0 - now.0;
    left.div_euclid(1_000_000) + i64::from(left.rem_euclid(1_000_000) > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_700_000_000_000_000);

    #[test]
    fn wrong_codes_cost_longer_and_longer_pauses_up_to_a_limit() {
        let throttle = Throttle::default();
        let passed = (0..100).filter(|_| throttle.begin("a", NOW).is_ok());
        assert_eq!(passed.count(), FREE as usize);
        let mut now = NOW;
        let mut longest = 0;
        for _ in 0..15 {
            let pause = throttle.begin("a", now).expect_err("a pause");
            assert!(pause >= longest);
            longest = pause;
            now = now.plus_seconds(pause as i64);
            throttle.begin("a", now).expect("the pause is over");
        }
        assert_eq!(longest, LONGEST as u64);
        assert!(throttle.begin("b", NOW).is_ok());
        let later = now.plus_seconds(MEMORY + 1);
        assert!((0..FREE).all(|_| throttle.begin("a", later).is_ok()));
    }

    #[test]
    fn a_right_code_costs_nothing_and_forgives_nothing_else() {
        let throttle = Throttle::default();
        for _ in 0..FREE - 1 {
            throttle.begin("a", NOW).expect("free");
        }
        for _ in 0..100 {
            throttle.begin("a", NOW).expect("free");
            throttle.right("a");
        }
        throttle.begin("a", NOW).expect("the last free one");
        assert!(throttle.begin("a", NOW).is_err());
    }

    #[test]
    fn memory_is_bounded() {
        let throttle = Throttle::default();
        for i in 0..LIMIT + 10 {
            throttle.begin(&i.to_string(), NOW).expect("free");
        }
        let tallies = throttle.tallies.lock().expect("not poisoned");
        assert!(tallies.len() <= LIMIT);
    }
}
