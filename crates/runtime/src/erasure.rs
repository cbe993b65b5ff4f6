//! Erasing a person beneath the services: the key first, then what is held in memory, then what
//! database files keep of what was overwritten.

use std::{
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use eventlog::Log;
use kernel::{AppError, PersonId};
use store::Store;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use crate::{KeyVault, batcher::app_error, service::Inlet};

/// How often a process looks whether others erased somebody. (The key ring itself looks as often.)
const LOOK: Duration = Duration::from_secs(1);

/// Erases persons on behalf of a whole process.
pub(crate) struct Eraser {
    keyring: Arc<dyn KeyVault>,
    log: Arc<dyn Log>,
    services: RwLock<Vec<(Inlet, Arc<dyn Store>)>>,
}

impl Eraser {
    pub fn new(keyring: Arc<dyn KeyVault>, log: Arc<dyn Log>) -> Arc<Self> {
        Arc::new(Self {
            keyring,
            log,
            services: RwLock::default(),
        })
    }

    /// A service of this process that holds states, and a database.
    pub fn add(&self, inlet: Inlet, store: Arc<dyn Store>) {
        let services = self.services.write();
        let mut services = services.unwrap_or_else(PoisonError::into_inner);
        services.push((inlet, store));
    }

    /// Deletes a person's key for good, then [`sweep`](Self::sweep)s. May be repeated.
    pub async fn erase(&self, person: PersonId) -> Result<(), AppError> {
        let erased = self.keyring.clone().erase(person).await;
        erased.map_err(|e| AppError::Unavailable(e.to_string()))?;
        self.sweep().await
    }

    /// Drops what is held in memory, and sees to it that no database file keeps what was
    /// overwritten.
    async fn sweep(&self) -> Result<(), AppError> {
        self.log.forget();
        let services = self.services.read();
        let services = services.unwrap_or_else(PoisonError::into_inner).clone();
        for (inlet, store) in services {
            // Whatever a batcher was deciding while the key went is committed after this.
            inlet.write(Vec::new()).await?;
            store.scrub().await.map_err(|e| app_error(&e))?;
        }
        self.log.forget();
        Ok(())
    }

    /// Sweeps whenever another process that shares the key ring erased somebody.
    pub async fn follow(self: Arc<Self>, stop: CancellationToken) {
        let mut looks = interval(LOOK);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut seen = self.keyring.erasures();
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                _ = looks.tick() => {}
            }
            let now = self.keyring.erasures();
            if now == seen {
                continue;
            }
            match self.sweep().await {
                Ok(()) => seen = now,
                Err(error) => tracing::warn!(%error, "sweeping after an erasure is tried again"),
            }
        }
    }
}
