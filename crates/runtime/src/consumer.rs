//! What subscriptions and workers have in common: where they are in a topic, and how they wait.

use std::{collections::HashSet, sync::Arc, time::Duration};

use eventlog::Log;
use kernel::{AppError, From, PARTITIONS, Recorded, Row, Statement, StreamId};
use store::{Store, system};
use tokio::sync::{mpsc, oneshot, watch};
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
        let rows = query(around, system::positions(name, topic)).await?;
        let (epoch, position) = match rows.iter().map(|row| row.get::<i64>(2)).min() {
            Some(position) => (rows.first().map_or(0, |row| row.get(1)), position),
            None => {
                let position = if from == From::Now { *head.borrow() } else { 0 };
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
        })
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

    /// Positions of this consumer's parked events, oldest first.
    pub async fn parked_positions(&self, around: &Surround) -> Result<Vec<i64>, AppError> {
        let rows = query(around, system::dead_letters()).await?;
        let mine =
            |row: &&Row| row.get::<String>(0) == *self.name && row.get::<String>(1) == *self.topic;
        Ok(rows.iter().filter(mine).map(|row| row.get(2)).collect())
    }
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
