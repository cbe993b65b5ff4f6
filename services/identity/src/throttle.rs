//! Slows guessing down: per account and per client address, exponentially. In memory: a restart
//! forgives, which costs a guesser more than it gives.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use kernel::Timestamp;

/// How one kind of key is slowed down.
#[derive(Clone, Copy, Debug)]
struct Rule {
    /// Attempts that cost nothing.
    free: u32,
    /// Longest pause, in seconds.
    longest: i64,
}

/// An account's pause stays short, or anyone could lock its owner out.
const ACCOUNT: Rule = Rule {
    free: 5,
    longest: 60,
};
/// An address may be shared by a household or an office, hence more free attempts.
const ADDRESS: Rule = Rule {
    free: 20,
    longest: 15 * 60,
};
/// After this many quiet seconds all is forgotten.
const MEMORY: i64 = 60 * 60;
/// Most keys remembered.
const LIMIT: usize = 50_000;

#[derive(Clone, Copy)]
struct Tally {
    attempts: u32,
    last: Timestamp,
    rule: Rule,
}

impl Tally {
    fn stale(&self, now: Timestamp) -> bool {
        now.0 - self.last.0 > MEMORY * 1_000_000
    }

    /// Seconds from `now` until the next attempt is allowed; 0 or less: now.
    fn wait(&self, now: Timestamp) -> i64 {
        let Some(beyond) = self.attempts.checked_sub(self.rule.free) else {
            return 0;
        };
        let pause = 1i64
            .checked_shl(beyond.min(30))
            .unwrap_or(i64::MAX)
            .min(self.rule.longest);
        let left = self.last.plus_seconds(pause).0 - now.0;
        left.div_euclid(1_000_000) + i64::from(left.rem_euclid(1_000_000) > 0)
    }
}

/// Who is trying.
#[derive(Clone, Debug)]
pub struct Attempt {
    account: Option<String>,
    address: Option<String>,
}

impl Attempt {
    /// An attempt on the account named by `account` (the blind hash of an address, so that it
    /// holds no personal data) from the client at `address`, if that is known.
    pub fn new(account: &str, address: Option<&str>) -> Self {
        Self {
            account: Some(format!("account:{account}")),
            address: address.map(|address| format!("address:{address}")),
        }
    }

    /// Opening an account from the client at `address`. Counted apart from signing in.
    pub fn registering(address: &str) -> Self {
        Self {
            account: None,
            address: Some(format!("register:{address}")),
        }
    }

    fn keys(&self) -> impl Iterator<Item = (&String, Rule)> {
        let account = self.account.iter().map(|key| (key, ACCOUNT));
        account.chain(self.address.iter().map(|key| (key, ADDRESS)))
    }
}

/// Counts attempts.
#[derive(Default)]
pub struct Throttle {
    tallies: Mutex<HashMap<String, Tally>>,
}

impl Throttle {
    /// Counts an attempt before its outcome is known (so that a hundred at once are a hundred), or
    /// says how many seconds to wait.
    ///
    /// # Errors
    /// The seconds until the next attempt is allowed.
    pub fn begin(&self, attempt: &Attempt, now: Timestamp) -> Result<(), u64> {
        let mut tallies = self.tallies.lock().unwrap_or_else(PoisonError::into_inner);
        let waits = attempt.keys().filter_map(|(key, _)| tallies.get(key));
        let wait = waits
            .filter(|tally| !tally.stale(now))
            .map(|tally| tally.wait(now))
            .max();
        if let Some(wait) = wait.filter(|wait| *wait > 0) {
            return Err(wait.unsigned_abs());
        }
        if tallies.len() >= LIMIT {
            forget_some(&mut tallies, now);
        }
        for (key, rule) in attempt.keys() {
            let fresh = Tally {
                attempts: 0,
                last: now,
                rule,
            };
            let tally = tallies.entry(key.clone()).or_insert(fresh);
            if tally.stale(now) {
                *tally = fresh;
            }
            tally.attempts = tally.attempts.saturating_add(1);
            tally.last = now;
        }
        Ok(())
    }

    /// The attempt succeeded: the account starts afresh, and the address gets its attempt back. (Not
    /// more: a guesser with an account of their own would otherwise wash their address clean.)
    pub fn succeeded(&self, attempt: &Attempt) {
        let mut tallies = self.tallies.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(account) = &attempt.account {
            tallies.remove(account);
        }
        if let Some(tally) = attempt.address.as_ref().and_then(|a| tallies.get_mut(a)) {
            tally.attempts = tally.attempts.saturating_sub(1);
        }
    }
}

/// Makes room: first what is stale, then what did least harm.
fn forget_some(tallies: &mut HashMap<String, Tally>, now: Timestamp) {
    tallies.retain(|_, tally| !tally.stale(now));
    if tallies.len() >= LIMIT {
        tallies.retain(|_, tally| tally.attempts > tally.rule.free);
    }
    if tallies.len() >= LIMIT {
        tallies.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_700_000_000_000_000);

    fn fail(throttle: &Throttle, attempt: &Attempt, times: u32) {
        for _ in 0..times {
            throttle.begin(attempt, NOW).expect("still free");
        }
    }

    #[test]
    fn after_the_free_attempts_pauses_double_up_to_a_limit() {
        let throttle = Throttle::default();
        let attempt = Attempt::new("ann", None);
        fail(&throttle, &attempt, ACCOUNT.free);
        let mut now = NOW;
        let mut pauses = Vec::new();
        for _ in 0..9 {
            let pause = throttle.begin(&attempt, now).expect_err("a pause");
            pauses.push(pause);
            now = now.plus_seconds(pause as i64);
            throttle.begin(&attempt, now).expect("the pause is over");
        }
        assert_eq!(pauses, [1, 2, 4, 8, 16, 32, 60, 60, 60]);
    }

    #[test]
    fn attempts_at_the_same_time_all_count() {
        let throttle = Throttle::default();
        let attempt = Attempt::new("ann", Some("192.0.2.1"));
        let passed = (0..100)
            .filter(|_| throttle.begin(&attempt, NOW).is_ok())
            .count();
        assert_eq!(passed, ACCOUNT.free as usize);
    }

    #[test]
    fn one_address_trying_many_accounts_is_slowed_down() {
        let throttle = Throttle::default();
        let passed = (0..100)
            .filter(|i| {
                let attempt = Attempt::new(&format!("account{i}"), Some("192.0.2.1"));
                throttle.begin(&attempt, NOW).is_ok()
            })
            .count();
        assert_eq!(passed, ADDRESS.free as usize);
        let elsewhere = Attempt::new("account1", Some("192.0.2.2"));
        assert!(throttle.begin(&elsewhere, NOW).is_ok());
    }

    #[test]
    fn success_forgives_the_account_but_does_not_wash_the_address() {
        let throttle = Throttle::default();
        let own = Attempt::new("mallory", Some("192.0.2.1"));
        for i in 0..ADDRESS.free {
            let other = Attempt::new(&format!("account{i}"), Some("192.0.2.1"));
            throttle.begin(&other, NOW).expect("free");
            if throttle.begin(&own, NOW).is_ok() {
                throttle.succeeded(&own);
            }
            if i == ADDRESS.free - 2 {
                break;
            }
        }
        let next = Attempt::new("next", Some("192.0.2.1"));
        throttle.begin(&next, NOW).expect("the last free one");
        assert!(throttle.begin(&next, NOW).is_err());
    }

    #[test]
    fn an_hour_of_quiet_forgets() {
        let throttle = Throttle::default();
        let attempt = Attempt::new("ann", None);
        fail(&throttle, &attempt, ACCOUNT.free);
        assert!(throttle.begin(&attempt, NOW).is_err());
        let later = NOW.plus_seconds(MEMORY + 1);
        for _ in 0..ACCOUNT.free {
            throttle.begin(&attempt, later).expect("forgotten");
        }
    }

    #[test]
    fn memory_is_bounded() {
        let throttle = Throttle::default();
        for i in 0..LIMIT + 10 {
            let attempt = Attempt::new(&i.to_string(), None);
            throttle.begin(&attempt, NOW).expect("free");
        }
        let tallies = throttle.tallies.lock().expect("not poisoned");
        assert!(tallies.len() <= LIMIT);
    }
}
