//! How much may be tried again: a share of what is asked, so that retries cannot multiply the load
//! of a service that is in trouble.

use std::sync::atomic::{AtomicU64, Ordering};

/// One request earns so many thousandths of a retry.
const EARNED: u64 = 200;
/// What a retry costs.
const COST: u64 = 1_000;
/// Most that is saved: a hundred retries.
const MOST: u64 = 100 * COST;

/// A bucket of retries.
pub struct Budget(AtomicU64);

impl Default for Budget {
    /// Ten retries, so that rare requests can be tried again too.
    fn default() -> Self {
        Self(AtomicU64::new(10 * COST))
    }
}

impl Budget {
    /// A request was made.
    pub fn earn(&self) {
        let more = |saved: u64| (saved < MOST).then(|| (saved + EARNED).min(MOST));
        // Nothing changes while it is full.
        let _ = self
            .0
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, more);
    }

    /// Takes one retry out, if there is one.
    pub fn spend(&self) -> bool {
        let less = |saved: u64| saved.checked_sub(COST);
        let spent = self
            .0
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
        spent.is_ok()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn retries_are_a_fifth_of_the_requests(requests in 0_u64..2_000, each in 1_u64..4) {
            let budget = Budget::default();
            let mut retries = 0;
            for _ in 0..requests {
                budget.earn();
                for _ in 0..each { retries += u64::from(budget.spend()); }
            }
            prop_assert!(retries <= 10 + requests / 5);
            prop_assert!(requests < 50 || retries >= requests / 5);
        }

        #[test]
        fn calm_times_save_no_more_than_a_hundred(requests in 0_u64..5_000) {
            let budget = Budget::default();
            for _ in 0..requests { budget.earn(); }
            let mut retries = 0;
            while budget.spend() { retries += 1; }
            prop_assert!(retries <= 100);
        }
    }
}
