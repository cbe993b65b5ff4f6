//! What subscriptions and workers have in common: where they are in a topic, and how they wait.

use std::{collections::HashSet, sync::Arc, time::Duration};

use eventlog::Log;
use kernel::{AppError, From, PARTITIONS, Poison, Recorded, Row, Statement, StreamId};
use store::{Store, system};
use tokio::{
    sync::{mpsc, oneshot, watch},
    time::Instant,
};
use tokio_util::sync::CancellationToken;

use crate::{
    batcher::app_error,
    service::{Inlet, Shared},
};

/// A batch without effects commits its position this late: repeating it would change nothing.
pub(crate) const LAZY: Duration = Duration::from_secs(10);
/// Events taken from the log at once.
pub(crate) const CHUNK: usize = 512;

/// What an operator can ask of a running consumer.
pub(crate) enum Control {
    /// Handle parked events again, in order.
    Redrive {
        reply: oneshot::Sender<Result<u64, AppError>>,
    },
    /// Rebuild the projection it feeds.
    Rebuild {
        reply: oneshot::Sender<Result<(), AppError>>,
    },
}

/// A consumer's surroundings.
#[derive(Clone)]
pub(crate) struct Surround {
    pub shared: Arc<Shared>,
    pub inlet: Inlet,
    pub store: Arc<dyn Store>,
    pub log: Arc<dyn Log>,
    pub stop: CancellationToken,
}

/// Where a consumer is in a topic.
pub(crate) struct Progress {
    pub name: Arc<str>,
    pub topic: Arc<str>,
    epoch: i64,
    /// What the database says.
    committed: i64,
    /// What has been handled.
    pub position: i64,
    head: watch::Receiver<i64>,
    /// When the database was last brought up to date.
    saved: Instant,
}

impl Progress {
    /// Reads the position, or makes it for a new consumer.
    pub async fn start(
        around: &Surround,
        name: &str,
        topic: &'static str,
        from: From,
    ) -> Result<Self, AppError> {
        let head = around
            .log
            .watch(topic)
            .map_err(|e| AppError::Internal(e.to_string()))?;
        let newest = *head.borrow();
        let (epoch, position) = match stored(around, name, topic).await? {
            Some((_, position)) if position > newest => {
                // Going on would skip, in silence, as many new events as are missing.
                let text = format!(
                    "{name} is at position {position} of {topic}, which ends at {newest}: {topic} was restored \
                     to an earlier moment than this service; restore both together"
                );
                return Err(AppError::Unavailable(text));
            }
            Some(found) => found,
            None => {
                let position = if from == From::Now { newest } else { 0 };
                let create = |partition| system::create_position(name, topic, partition, position);
                around
                    .inlet
                    .write((0..PARTITIONS).map(create).collect())
                    .await?;
                (0, position)
            }
        };
        Ok(Self {
            name: name.into(),
            topic: topic.into(),
            epoch,
            committed: position,
            position,
            head,
            saved: Instant::now(),
        })
    }

    /// Goes back to what the database says: after a failure it is not known what was written.
    pub async fn reload(&mut self, around: &Surround) -> Result<(), AppError> {
        if let Some((epoch, position)) = stored(around, &self.name, &self.topic).await? {
            self.epoch = epoch;
            self.committed(position);
        }
        Ok(())
    }

    /// Whether a position that moved without effects has waited long enough to be saved.
    pub fn overdue(&self) -> bool {
        self.dirty() && self.saved.elapsed() >= LAZY
    }

    /// Whether the database is behind.
    pub fn dirty(&self) -> bool {
        self.committed != self.position
    }

    /// Whether everything that was there has been handled.
    pub fn caught_up(&self) -> bool {
        self.position >= *self.head.borrow()
    }

    /// The statement that moves the position to `to`, for the commit of the effects.
    pub fn moved_to(&self, to: i64) -> Statement {
        system::move_positions(&self.name, &self.topic, self.epoch, self.committed, to)
    }

    /// Notes that the move was committed.
    pub fn committed(&mut self, to: i64) {
        self.committed = to;
        self.position = to;
        self.saved = Instant::now();
    }

    /// Commits a position that moved without effects.
    pub async fn flush(&mut self, around: &Surround) -> Result<(), AppError> {
        if self.dirty() {
            let to = self.position;
            around.inlet.write(vec![self.moved_to(to)]).await?;
            self.committed(to);
        }
        Ok(())
    }

    /// The next events.
    pub async fn read(&self, around: &Surround, after: i64) -> Vec<Arc<Recorded>> {
        match around.log.read(&self.topic, after, CHUNK).await {
            Ok(events) => events,
            Err(error) => {
                tracing::warn!(subscription = %self.name, topic = %self.topic, %error, "cannot read the log; will try again");
                tokio::time::sleep(Duration::from_millis(500)).await;
                Vec::new()
            }
        }
    }

    /// Waits until there may be something behind `after`, or `timeout` has passed.
    pub async fn wait(&mut self, after: i64, timeout: Duration) {
        let _ = tokio::time::timeout(timeout, self.head.wait_for(|head| *head > after)).await;
    }

    /// Streams with parked events.
    pub async fn parked(&self, around: &Surround) -> Result<HashSet<StreamId>, AppError> {
        let rows = query(around, system::parked_streams(&self.name, &self.topic)).await?;
        Ok(rows
            .iter()
            .map(|row| StreamId::from_name(&row.get::<String>(0)))
            .collect())
    }

    /// Positions of this consumer's parked events behind `after`, oldest first; some of them.
    pub async fn parked_positions(
        &self,
        around: &Surround,
        after: i64,
    ) -> Result<Vec<i64>, AppError> {
        let some = system::parked_positions(&self.name, &self.topic, after, CHUNK as i64);
        let rows = query(around, some).await?;
        Ok(rows.iter().map(|row| row.get(0)).collect())
    }

    /// The parked event at `position`.
    pub async fn parked_event(
        &self,
        around: &Surround,
        position: i64,
    ) -> Result<Option<Arc<Recorded>>, AppError> {
        let read = around.log.read(&self.topic, position - 1, 1).await;
        let read = read.map_err(|e| AppError::Unavailable(e.to_string()))?;
        Ok(read.into_iter().find(|event| event.position == position))
    }
}

/// Epoch and position of a consumer, if it has been here before.
async fn stored(
    around: &Surround,
    name: &str,
    topic: &str,
) -> Result<Option<(i64, i64)>, AppError> {
    let rows = query(around, system::positions(name, topic)).await?;
    let lowest = rows.iter().min_by_key(|row| row.get::<i64>(2));
    Ok(lowest.map(|row| (row.get(1), row.get(2))))
}

pub(crate) async fn query(around: &Surround, statement: Statement) -> Result<Vec<Row>, AppError> {
    let rows = around
        .store
        .query(vec![statement])
        .await
        .map_err(|e| app_error(&e))?;
    Ok(rows.into_iter().next().unwrap_or_default())
}

/// Tells starting code when a consumer has caught up for the first time.
pub(crate) type CaughtUp = watch::Sender<bool>;

/// A running consumer, as the operator's port sees it.
#[derive(Clone)]
pub(crate) struct Handle {
    pub name: Arc<str>,
    pub topic: Arc<str>,
    pub control: mpsc::Sender<Control>,
    pub caught_up: watch::Receiver<bool>,
}

/// Runs what a service wrote; if it panics, that is a reason to park the event, not to end the loop.
pub(crate) fn guarded<T>(work: impl FnOnce() -> Result<T, Poison>) -> Result<T, Poison> {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(work))
        .unwrap_or_else(|_| Err(Poison("the handler panicked".into())))
}
