//! The processes of a service at one time, and which of them gets a request.

use std::sync::Arc;

use tokio::time::Instant;
use web::Balance;

use super::{
    balance::{self, Candidate},
    endpoint::Endpoint,
    health::Condition,
};

/// The processes of a service.
#[derive(Default)]
pub struct Members {
    /// These take the requests.
    pub primary: Vec<Arc<Endpoint>>,
    /// These do while none of the others is well.
    pub backup: Vec<Arc<Endpoint>>,
    /// How requests are spread.
    pub balance: Balance,
}

impl Members {
    /// All of them.
    pub fn all(&self) -> impl Iterator<Item = &Arc<Endpoint>> {
        self.primary.iter().chain(&self.backup)
    }

    /// The process for a request that has been at `tried` before: one that is well, or, when there
    /// is none, one that may be: probes and breakers guess, and a wrong guess must not keep people
    /// out. Those that are about to stop come last.
    pub fn choose(
        &self,
        turn: usize,
        key: Option<u64>,
        tried: &[Arc<Endpoint>],
    ) -> Option<Arc<Endpoint>> {
        let now = Instant::now();
        let pick = |among: &[Arc<Endpoint>], conditions: &[Condition]| {
            let fits = |endpoint: &&Arc<Endpoint>| {
                conditions.contains(&endpoint.condition(now))
                    && !tried.iter().any(|been| Arc::ptr_eq(been, endpoint))
            };
            let candidate = |(place, endpoint): (usize, &Arc<Endpoint>)| Candidate {
                place,
                hash: endpoint.hash,
                under_way: endpoint.under_way(),
            };
            let places = among.iter().enumerate();
            let candidates: Vec<_> = places
                .filter(|(_, endpoint)| fits(endpoint))
                .map(candidate)
                .collect();
            let place = balance::choose(self.balance, &candidates, turn, key)?;
            among.get(place).cloned()
        };
        let doubtful = [Condition::Ejected, Condition::Unwell];
        for conditions in [&[Condition::Well][..], &doubtful, &[Condition::Draining]] {
            let found = pick(&self.primary, conditions).or_else(|| pick(&self.backup, conditions));
            if found.is_some() {
                return found;
            }
        }
        None
    }

    /// How many are well, ejected, unwell, draining.
    pub fn count(&self) -> [u32; 4] {
        let now = Instant::now();
        let mut numbers = [0; 4];
        for endpoint in self.all() {
            numbers[match endpoint.condition(now) {
                Condition::Well => 0,
                Condition::Ejected => 1,
                Condition::Unwell => 2,
                Condition::Draining => 3,
            }] += 1;
        }
        numbers
    }
}
