//! A lease for those who change tables: one at a time among all instances, started or starting.

use std::{sync::Arc, time::Duration};

use store::{Batch, Statement, Store, StoreError, sharing};
use tokio::{task::JoinHandle, time::Instant};

use crate::sightings::Sightings;

/// The lease's name.
const NAME: &str = "tables";

/// The right to change tables; renewed until it is dropped.
pub(crate) struct Lock {
    store: Arc<dyn Store>,
    token: String,
    renewing: JoinHandle<()>,
}

impl Lock {
    /// Waits until nobody else who lives has it. Whoever was in the same slot before does not live.
    pub async fn acquire(
        store: Arc<dyn Store>,
        slot: &str,
        fresh_id: String,
        timeout: Duration,
    ) -> Result<Self, StoreError> {
        let token = format!("{slot}#{fresh_id}");
        let interval = timeout / 10;
        let mut sightings = Sightings::new(timeout, interval);
        write(&*store, vec![sharing::create_lease(NAME)]).await?;
        loop {
            let found = store.query(vec![sharing::leases()]).await?;
            let rows = found.into_iter().flatten();
            let lease = rows.map(|row| (row.get::<String>(0), row.get::<String>(1), row.get(2)));
            let (_, holder, epoch) = lease
                .into_iter()
                .find(|(name, _, _)| name == NAME)
                .unwrap_or_default();
            sightings.look(std::iter::once((holder.as_str(), epoch)), Instant::now());
            let predecessor = holder
                .strip_prefix(slot)
                .is_some_and(|rest| rest.starts_with('#'));
            if holder.is_empty() || predecessor || !sightings.lives(&holder) {
                let take = sharing::take_lease(NAME, &token, &holder, epoch);
                match write(&*store, take.to_vec()).await {
                    Ok(()) => break,
                    // Somebody was faster.
                    Err(StoreError::Condition(_)) => {}
                    Err(error) => return Err(error),
                }
            }
            tokio::time::sleep(interval).await;
        }
        let renewing = tokio::spawn(renew(store.clone(), token.clone(), timeout / 5));
        Ok(Self {
            store,
            token,
            renewing,
        })
    }

    /// Fails if somebody else has it by now.
    pub fn assert(&self) -> Statement {
        sharing::assert_lease(NAME, &self.token)
    }

    /// Gives it back.
    pub async fn release(self) {
        self.renewing.abort();
        let back = vec![sharing::release_lease(NAME, &self.token)];
        if let Err(error) = write(&*self.store, back).await {
            tracing::warn!(%error, "could not say that the tables are ready; others find out");
        }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        self.renewing.abort();
    }
}

async fn renew(store: Arc<dyn Store>, token: String, every: Duration) {
    loop {
        tokio::time::sleep(every).await;
        let _ = write(&*store, vec![sharing::renew_lease(NAME, &token)]).await;
    }
}

async fn write(store: &dyn Store, statements: Vec<Statement>) -> Result<(), StoreError> {
    let batch = Batch {
        statements,
        ..Batch::default()
    };
    store.commit(batch).await.map(drop)
}
