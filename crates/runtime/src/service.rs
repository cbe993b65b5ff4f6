//! What the tasks of one service share.

use std::{sync::Arc, time::Duration};

use kernel::{AppError, Clock, Ids, KeyRing, Statement};
use metrics::{Counter, Gauge, Histogram, counter, gauge, histogram};
use tokio::sync::{mpsc, oneshot};

use crate::{KeyVault, item::Item};

/// Clock, ids, keys and metrics of one service.
pub(crate) struct Shared {
    pub topic: Arc<str>,
    pub clock: Arc<dyn Clock>,
    pub ids: Arc<dyn Ids>,
    pub keyring: Arc<dyn KeyVault>,
    /// Whether this process alone writes the service's database: then what is cached is true and
    /// versions of streams that were only read need no check.
    pub sole_owner: bool,
    pub metrics: CommitMetrics,
}

impl Shared {
    pub fn keys(&self) -> Arc<dyn KeyRing> {
        self.keyring.clone().ring()
    }
}

/// Counters of the write path.
pub(crate) struct CommitMetrics {
    commits: Counter,
    events: Counter,
    batch: Histogram,
    seconds: Histogram,
    queue: Gauge,
    lost: Counter,
}

impl CommitMetrics {
    pub fn of(service: &'static str) -> Self {
        Self {
            commits: counter!("souk_commits_total", "service" => service),
            events: counter!("souk_events_total", "service" => service),
            batch: histogram!("souk_commit_events", "service" => service),
            seconds: histogram!("souk_commit_seconds", "service" => service),
            queue: gauge!("souk_batch_queue", "service" => service),
            lost: counter!("souk_lost_races_total", "service" => service),
        }
    }

    /// How many items wait for the next batch.
    pub fn waiting(&self, items: usize) {
        self.queue.set(items as f64);
    }

    /// A batch met a stream that another instance had moved on.
    pub fn lost_race(&self) {
        self.lost.increment(1);
    }

    /// A batch is durable; `took` is how long whoever waits for it waited for the database.
    pub fn committed(&self, events: usize, took: Duration) {
        self.commits.increment(1);
        self.events.increment(events as u64);
        self.batch.record(events as f64);
        self.seconds.record(took.as_secs_f64());
    }
}

/// The way into a service's batcher.
#[derive(Clone)]
pub(crate) struct Inlet(pub mpsc::Sender<Item>);

impl Inlet {
    /// Hands an item over and waits until it is committed or refused.
    pub async fn send<T>(
        &self,
        make: impl FnOnce(oneshot::Sender<Result<T, AppError>>) -> Item,
    ) -> Result<T, AppError> {
        let (reply, answer) = oneshot::channel();
        let stopped = || AppError::Unavailable("the service is stopping".into());
        self.0.send(make(reply)).await.map_err(|_| stopped())?;
        answer.await.map_err(|_| stopped())?
    }

    /// Writes the runtime's own statements.
    pub async fn write(&self, statements: Vec<Statement>) -> Result<(), AppError> {
        self.write_as(statements, false).await
    }

    /// The same with a condition among them, which may fail.
    pub async fn write_if(&self, statements: Vec<Statement>) -> Result<(), AppError> {
        self.write_as(statements, true).await
    }

    async fn write_as(
        &self,
        statements: Vec<Statement>,
        conditional: bool,
    ) -> Result<(), AppError> {
        let item = |reply| Item::Write {
            statements,
            conditional,
            reply,
        };
        self.send(item).await
    }
}
