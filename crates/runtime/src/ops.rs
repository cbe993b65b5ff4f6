//! The operator's port: what the binary's `/api/ops` routes and commands stand on.

use std::{collections::HashMap, sync::Arc, time::Duration};

use eventlog::Log;
use kernel::{AppError, Clock, Ids, KeyRing, PersonId, Projection, Recorded, Timestamp};
use serde::Serialize;
use store::{Store, system};
use tokio::sync::{oneshot, watch};

use crate::{
    KeyVault,
    batcher::app_error,
    caused::TIMERS,
    consumer::{Control, Handle, Standing},
    erasure::Eraser,
    item::Item,
    lock::Lock,
    rebuild::{Rebuild, Sink},
    service::Inlet,
    tenancy::Tenancy,
};

/// What operating needs of one service.
#[derive(Clone)]
pub(crate) struct ServiceOps {
    pub store: Arc<dyn Store>,
    pub inlet: Inlet,
    pub keys: Arc<dyn KeyRing>,
    pub handles: Vec<Handle>,
    pub projections: Vec<Projection>,
    pub clock: Arc<dyn Clock>,
    pub timer_hint: watch::Sender<Timestamp>,
    pub tenancy: Tenancy,
    /// Among several instances: how the right to change tables is had.
    pub locking: Option<Locking>,
}

/// What is needed to be the only one among several instances that changes tables.
#[derive(Clone)]
pub(crate) struct Locking {
    pub slot: String,
    pub ids: Arc<dyn Ids>,
    pub timeout: Duration,
}

/// An event that could not be handled.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DeadLetter {
    /// The service that could not handle it.
    pub service: String,
    /// Its subscription or worker.
    pub subscription: String,
    /// Where the event is from.
    pub topic: String,
    /// Its position there.
    pub position: i64,
    /// Its stream; later events of it wait too.
    pub stream: String,
    /// Its type.
    pub kind: String,
    /// Why.
    pub reason: String,
    /// When, microseconds UTC.
    pub parked_at: i64,
}

/// Why an operator's order was not carried out.
#[derive(Debug, thiserror::Error)]
pub enum OpsError {
    /// No such service, subscription or projection.
    #[error("there is no {0}")]
    Unknown(String),
    /// It failed.
    #[error(transparent)]
    Failed(#[from] AppError),
}

/// The operator's port.
#[derive(Clone)]
pub struct Ops {
    services: HashMap<&'static str, ServiceOps>,
    log: Arc<dyn Log>,
    keyring: Arc<dyn KeyVault>,
    eraser: Arc<Eraser>,
}

impl Ops {
    pub(crate) fn new(
        services: HashMap<&'static str, ServiceOps>,
        log: Arc<dyn Log>,
        keyring: Arc<dyn KeyVault>,
        eraser: Arc<Eraser>,
    ) -> Self {
        Self {
            services,
            log,
            keyring,
            eraser,
        }
    }

    /// Erases a person: deletes their key for good, drops what is held in memory, and sees to it
    /// that no database file keeps what was overwritten. The erasure was recorded as an event
    /// before; may be repeated.
    pub async fn erase(&self, person: &PersonId) -> Result<(), OpsError> {
        Ok(self.eraser.erase(person.clone()).await?)
    }

    /// The key ring.
    pub fn keyring(&self) -> &Arc<dyn KeyVault> {
        &self.keyring
    }

    /// Names of the services, sorted.
    pub fn services(&self) -> Vec<&'static str> {
        let mut names: Vec<_> = self.services.keys().copied().collect();
        names.sort_unstable();
        names
    }

    fn service(&self, name: &str) -> Result<&ServiceOps, OpsError> {
        self.services
            .get(name)
            .ok_or_else(|| OpsError::Unknown(format!("service {name}")))
    }

    /// Events of a topic behind a position.
    pub async fn events(
        &self,
        topic: &str,
        after: i64,
        limit: usize,
    ) -> Result<Vec<Arc<Recorded>>, OpsError> {
        self.service(topic)?;
        let read = self.log.read(topic, after, limit).await;
        Ok(read.map_err(|e| AppError::Unavailable(e.to_string()))?)
    }

    /// The position of the newest event of a topic.
    pub fn head(&self, topic: &str) -> Result<i64, OpsError> {
        let head = self
            .log
            .watch(topic)
            .map_err(|e| OpsError::Unknown(e.to_string()))?;
        let position = *head.borrow();
        Ok(position)
    }

    /// All dead letters, service by service, oldest first.
    pub async fn dead_letters(&self) -> Result<Vec<DeadLetter>, OpsError> {
        let mut found = Vec::new();
        for name in self.services() {
            let rows = self
                .service(name)?
                .store
                .query(vec![system::dead_letters()])
                .await;
            for row in rows.map_err(|e| app_error(&e))?.into_iter().flatten() {
                found.push(DeadLetter {
                    service: name.to_owned(),
                    subscription: row.get(0),
                    topic: row.get(1),
                    position: row.get(2),
                    stream: row.get(3),
                    kind: row.get(4),
                    reason: row.get(5),
                    parked_at: row.get(6),
                });
            }
        }
        Ok(found)
    }

    /// Handles a service's dead letters again, in order; answers how many are done. With
    /// `subscription`, only that one's. Any instance may do it, whoever holds the partitions.
    pub async fn redrive(
        &self,
        service: &str,
        subscription: Option<&str>,
    ) -> Result<u64, OpsError> {
        let ops = self.service(service)?;
        let handles = ops.handles.iter();
        let chosen: Vec<&Handle> = handles
            .filter(|handle| subscription.is_none_or(|name| *handle.name == *name))
            .collect();
        let timers = subscription.is_none_or(|name| name == TIMERS);
        if chosen.is_empty() && !timers {
            return Err(OpsError::Unknown(format!(
                "subscription {}",
                subscription.unwrap_or_default()
            )));
        }
        let mut done = 0;
        for handle in chosen {
            let (reply, answer) = oneshot::channel();
            order(handle, Control::Redrive { reply }).await?;
            done += answer.await.map_err(|_| stopping())??;
        }
        if timers {
            done += ops.redrive_timers().await?;
        }
        Ok(done)
    }

    /// The projections of a service.
    pub fn projections(&self, service: &str) -> Result<Vec<&'static str>, OpsError> {
        Ok(self
            .service(service)?
            .projections
            .iter()
            .map(|projection| projection.name)
            .collect())
    }

    /// Rebuilds a projection from the log, beside the tables that answer meanwhile. Any instance
    /// may do it, one at a time, while all of them go on.
    pub async fn rebuild(&self, service: &str, projection: &str) -> Result<(), OpsError> {
        let ops = self.service(service)?;
        let found = ops
            .projections
            .iter()
            .find(|known| known.name == projection);
        let found = found.ok_or_else(|| OpsError::Unknown(format!("projection {projection}")))?;
        Ok(ops.rebuild(found, self.log.as_ref()).await?)
    }

    /// Names of the leases that this process holds of a service; `None` where there are none,
    /// because it owns the database alone.
    pub fn leases(&self, service: &str) -> Result<Option<Vec<String>>, OpsError> {
        let tenancy = &self.service(service)?.tenancy;
        let held = tenancy.held().leases;
        Ok(tenancy.token().map(|_| held.iter().cloned().collect()))
    }

    /// Where each consumer is: service, name, topic, whether it has caught up since the start.
    pub fn consumers(&self) -> Vec<(&'static str, String, String, bool)> {
        let mut all = Vec::new();
        for name in self.services() {
            for handle in &self.services[name].handles {
                all.push((
                    name,
                    handle.name.to_string(),
                    handle.topic.to_string(),
                    *handle.standing.borrow() == Standing::CaughtUp,
                ));
            }
        }
        all
    }
}

impl ServiceOps {
    async fn rebuild(&self, projection: &Projection, log: &dyn Log) -> Result<(), AppError> {
        let store = self.store.as_ref();
        let lock = match &self.locking {
            None => None,
            Some(Locking { slot, ids, timeout }) => {
                // A name of its own: only who starts in a slot follows whoever was in it.
                let slot = format!("rebuild in {slot}");
                let lock = Lock::acquire(self.store.clone(), &slot, ids.next(), *timeout).await;
                Some(lock.map_err(|e| app_error(&e))?)
            }
        };
        let mut rebuild = Box::new(Rebuild::begin(projection, store, lock).await?);
        let sink = Sink::Inlet(&self.inlet);
        rebuild.approach(store, log, &self.keys, &sink).await?;
        self.inlet
            .send(|reply| Item::Switch { rebuild, reply })
            .await
    }

    /// Makes parked timers due again, now.
    async fn redrive_timers(&self) -> Result<u64, AppError> {
        let (mut done, now) = (0, self.clock.now());
        loop {
            let letters = self.store.query(vec![system::letters_of(TIMERS)]).await;
            let letters = letters
                .map_err(|e| app_error(&e))?
                .pop()
                .unwrap_or_default();
            if letters.is_empty() {
                return Ok(done);
            }
            let mut statements = Vec::new();
            for letter in &letters {
                let (topic, key): (String, String) = (letter.get(0), letter.get(2));
                statements.push(system::unpark(TIMERS, &topic, letter.get(1)));
                statements.push(system::postpone_timer(&key, now));
            }
            self.inlet.write(statements).await?;
            done += letters.len() as u64;
            self.timer_hint.send_modify(|earliest| *earliest = now);
        }
    }
}

async fn order(handle: &Handle, control: Control) -> Result<(), AppError> {
    handle.control.send(control).await.map_err(|_| stopping())
}

fn stopping() -> AppError {
    AppError::Unavailable("the service is stopping".into())
}
