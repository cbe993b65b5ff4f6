//! What this instance holds, and how consumers hear of it: they are told, let go, and confirm it
//! before a lease is given back.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use kernel::PARTITIONS;
use tokio::sync::{Notify, watch};

use crate::mask::Mask;

/// The lease of a service's timers.
pub(crate) const TIMERS: &str = "timers";
/// The lease of what looks after a service's publications.
pub(crate) const RELAY: &str = "relay";

/// The lease of a partition.
pub(crate) fn partition(partition: u16) -> String {
    format!("partition:{partition}")
}

/// The lease of an exclusive subscription.
pub(crate) fn exclusive(subscription: &str) -> String {
    format!("subscription:{subscription}")
}

/// What is held since when.
#[derive(Clone, Debug, Default)]
pub(crate) struct Held {
    /// Raised with every change.
    pub generation: u64,
    /// Names of leases.
    pub leases: Arc<BTreeSet<String>>,
}

/// What one instance holds of one service. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Tenancy {
    /// Who holds it; `None` where this process alone owns the database: then all is held for ever.
    token: Option<Arc<str>>,
    held: Arc<watch::Sender<Held>>,
    tenants: Arc<Mutex<Vec<watch::Receiver<u64>>>>,
    /// A condition failed: the leases must be looked at again at once.
    suspicion: Arc<Notify>,
}

impl Tenancy {
    /// Everything, for ever.
    pub fn sole() -> Self {
        Self::of(None)
    }

    /// Nothing yet, for the holder `token`.
    pub fn shared(token: &str) -> Self {
        Self::of(Some(token.into()))
    }

    fn of(token: Option<Arc<str>>) -> Self {
        Self {
            token,
            held: Arc::new(watch::channel(Held::default()).0),
            tenants: Arc::default(),
            suspicion: Arc::default(),
        }
    }

    /// The holder's name in the database.
    pub fn token(&self) -> Option<&Arc<str>> {
        self.token.as_ref()
    }

    /// What is held now.
    pub fn held(&self) -> Held {
        self.held.borrow().clone()
    }

    /// Tells everybody what is held from now on; answers the generation to be confirmed.
    pub fn tell(&self, leases: BTreeSet<String>) -> u64 {
        self.held.send_if_modified(|held| {
            let new = *held.leases != leases;
            if new {
                held.generation += 1;
                held.leases = Arc::new(leases);
            }
            new
        });
        self.held.borrow().generation
    }

    /// Waits until every tenant has confirmed `generation` or is gone; `false` after `patience`.
    pub async fn confirmed(&self, generation: u64, patience: Duration) -> bool {
        let tenants = {
            let mut tenants = self.tenants.lock().unwrap_or_else(PoisonError::into_inner);
            tenants.retain(|tenant| tenant.has_changed().is_ok());
            tenants.clone()
        };
        let all = async {
            for mut tenant in tenants {
                // An error: it is gone, and so is what it held.
                let _ = tenant.wait_for(|confirmed| *confirmed >= generation).await;
            }
        };
        tokio::time::timeout(patience, all).await.is_ok()
    }

    /// Somebody whose work depends on leases.
    pub fn tenant(&self) -> Tenant {
        let mut held = self.held.subscribe();
        let seen = held.borrow_and_update().clone();
        let (confirmed, confirms) = watch::channel(seen.generation);
        let mut tenants = self.tenants.lock().unwrap_or_else(PoisonError::into_inner);
        tenants.push(confirms);
        Tenant {
            tenancy: self.clone(),
            held,
            seen,
            confirmed,
        }
    }

    /// Makes the leases be looked at again at once.
    pub fn suspect(&self) {
        self.suspicion.notify_one();
    }

    /// Waits until somebody suspects that the leases are not what they seem.
    pub async fn suspected(&self) {
        self.suspicion.notified().await;
    }
}

/// Somebody whose work depends on leases, with what it goes by.
pub(crate) struct Tenant {
    tenancy: Tenancy,
    held: watch::Receiver<Held>,
    seen: Held,
    confirmed: watch::Sender<u64>,
}

impl Tenant {
    /// The tenancy.
    pub fn tenancy(&self) -> &Tenancy {
        &self.tenancy
    }

    /// Whether something has changed since [`Tenant::turn`].
    pub fn has_changed(&self) -> bool {
        self.held.has_changed().unwrap_or(false)
    }

    /// Waits until something has changed; for ever where nothing can.
    pub async fn changed(&mut self) {
        if self.held.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
        // Noted by `turn` alone.
        self.held.mark_changed();
    }

    /// Goes by what is held now. To be followed by [`Tenant::confirm`] once what is not held any
    /// more has been let go.
    pub fn turn(&mut self) {
        self.seen = self.held.borrow_and_update().clone();
    }

    /// Says that it goes by what it saw last.
    pub fn confirm(&self) {
        self.confirmed.send_replace(self.seen.generation);
    }

    /// Whether a lease is held, as it saw last.
    pub fn holds(&self, lease: &str) -> bool {
        self.tenancy.token.is_none() || self.seen.leases.contains(lease)
    }

    /// The partitions held, as it saw last.
    pub fn partitions(&self) -> Mask {
        if self.tenancy.token.is_none() {
            return Mask::ALL;
        }
        (0..PARTITIONS)
            .filter(|p| self.holds(&partition(*p)))
            .fold(Mask::NONE, |mask, p| mask.with(Mask::of(p)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str]) -> BTreeSet<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[tokio::test(start_paused = true)]
    async fn a_lease_is_given_back_only_when_every_tenant_has_let_go() {
        let tenancy = Tenancy::shared("a#1");
        let (mut one, two) = (tenancy.tenant(), tenancy.tenant());
        let generation = tenancy.tell(names(&["partition:3"]));
        assert!(!one.holds("partition:3") && one.has_changed());
        one.turn();
        assert_eq!(one.partitions(), Mask::of(3));
        one.confirm();
        let patience = Duration::from_secs(1);
        assert!(!tenancy.confirmed(generation, patience).await);
        // One that is gone holds nothing.
        drop(two);
        assert!(tenancy.confirmed(generation, patience).await);
        // Nothing new: nothing to confirm again.
        assert_eq!(tenancy.tell(names(&["partition:3"])), generation);
    }

    #[tokio::test(start_paused = true)]
    async fn a_sole_owner_holds_everything_and_never_changes() {
        let mut tenant = Tenancy::sole().tenant();
        assert_eq!(tenant.partitions(), Mask::ALL);
        assert!(tenant.holds("anything"));
        let waiting = tokio::time::timeout(Duration::from_secs(3600), tenant.changed());
        assert!(waiting.await.is_err());
    }
}
