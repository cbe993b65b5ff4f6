//! The event log: what services read each other's events from, over topics and partitions.
//!
//! Two drivers of [`Log`]: [`local`], a view over the producers' own tables for services that share
//! a process, and [`remote`], for services in processes of their own, over a [`Broker`] (fast,
//! trusted with nothing) and a [`History`] (the producers' own stores, always right).

mod announcement;
mod assembly;
pub mod cloudevents;
pub mod feed;
#[cfg(feature = "kafka")]
pub mod kafka;
pub mod local;
pub mod nats;
mod outbox;
mod relay;
pub mod remote;
mod ring;

use std::sync::Arc;

use kernel::{BoxFuture, Recorded};
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

pub use local::LocalLog;
pub use remote::{OwnTopic, RemoteLog};
pub use store::LogHead;

/// The log could not be read; try again later.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LogError {
    /// No such topic is known here.
    #[error("there is no topic {0}")]
    NoTopic(String),
    /// The producer's history cannot be read now.
    #[error("the log is unavailable: {0}")]
    Unavailable(String),
    /// The log is another one than the reader knew, and ends before the reader's place: it was
    /// restored to an earlier moment. Going on would skip, in silence, as many new events.
    #[error("{topic} was restored to an earlier moment: it ends at {head} now")]
    Restored {
        /// Which.
        topic: String,
        /// Where it ends now.
        head: i64,
    },
}

/// Reads topics. Order holds per partition.
pub trait Log: Send + Sync {
    /// Events of `topic` after position `after`, in position order, at most `limit`.
    fn read<'a>(
        &'a self,
        topic: &'a str,
        after: i64,
        limit: usize,
    ) -> BoxFuture<'a, Result<Vec<Arc<Recorded>>, LogError>>;

    /// The position of the newest event, changing as events arrive: what wakes readers.
    fn watch(&self, topic: &str) -> Result<watch::Receiver<i64>, LogError>;

    /// Makes newly committed events of `topic` known to its readers. Called in commit order.
    fn publish(&self, topic: &str, events: &[Arc<Recorded>]);

    /// The newest event and the incarnation of a topic. Waits until that is known: across the
    /// network the producer may be down just now.
    fn head<'a>(&'a self, topic: &'a str) -> BoxFuture<'a, Result<LogHead, LogError>>;

    /// Which log of the topic is being read, where it can become another one while this process
    /// runs, and is known.
    fn incarnation(&self, _topic: &str) -> Option<Arc<str>> {
        None
    }

    /// Drops what is held in memory, decoded personal data above all: somebody was erased.
    fn forget(&self);

    /// What the holder of a service's lease `relay` does until it is told to stop: announces once
    /// a second how far the log of `topic` reaches, and publishes what did not come back from the
    /// broker. Nothing where there is no broker.
    fn relay<'a>(&'a self, _topic: &'a str, stop: CancellationToken) -> BoxFuture<'a, ()> {
        Box::pin(async move { stop.cancelled().await })
    }
}

/// The history of topics, read from their producers' own stores: one of the two requests that the
/// runtime makes beneath the services. It may be down; then a reader that lags waits.
pub trait History: Send + Sync {
    /// The newest event and the incarnation of the log.
    fn head<'a>(&'a self, topic: &'a str) -> BoxFuture<'a, Result<LogHead, LogError>>;

    /// Events behind `after` in position order, without gaps: at most `limit`, and about
    /// `max_bytes` of payload, but at least one if there is one. Fails when the log's incarnation
    /// is not `incarnation` any more.
    fn read<'a>(
        &'a self,
        topic: &'a str,
        incarnation: &'a str,
        after: i64,
        limit: usize,
        max_bytes: usize,
    ) -> BoxFuture<'a, Result<Vec<Recorded>, LogError>>;
}

/// What a broker brings.
#[derive(Debug)]
pub enum Delivery {
    /// An event; perhaps again, perhaps out of order, perhaps with others missing before it.
    Event {
        /// Which.
        event: Arc<Recorded>,
        /// The incarnation of the log it is from.
        incarnation: Arc<str>,
    },
    /// How far the log reaches, as its producers say once a second: so a lost tail shows.
    Head(LogHead),
    /// The connection was lost and is there again: something may have been missed.
    Reconnected,
}

/// A message broker: it carries events fast. What it loses, repeats or reorders is mended from the
/// producer's own store, so it is trusted with nothing.
pub trait Broker: Send + Sync {
    /// Hands events of one topic over; done when the broker has them. Repeats are dropped by the
    /// event's id where the broker can.
    fn publish<'a>(
        &'a self,
        topic: &'a str,
        incarnation: &'a str,
        events: &'a [Arc<Recorded>],
    ) -> BoxFuture<'a, Result<(), LogError>>;

    /// Tells every reader of the topic how far it reaches.
    fn announce<'a>(
        &'a self,
        topic: &'a str,
        head: &'a LogHead,
    ) -> BoxFuture<'a, Result<(), LogError>>;

    /// What is published on `topic` from now on, for as long as the receiver is kept; it connects
    /// again by itself.
    fn tail<'a>(
        &'a self,
        topic: &'a str,
    ) -> BoxFuture<'a, Result<mpsc::Receiver<Delivery>, LogError>>;

    /// The newest event that the broker still has of the topic, and its incarnation.
    fn newest<'a>(&'a self, topic: &'a str) -> BoxFuture<'a, Result<Option<LogHead>, LogError>>;

    /// What the broker still has of the topic in this incarnation behind position `after`, in
    /// position order without gaps; empty when that is no longer (or not yet) there. For when the
    /// producer is down.
    fn retained<'a>(
        &'a self,
        topic: &'a str,
        incarnation: &'a str,
        after: i64,
        limit: usize,
    ) -> BoxFuture<'a, Result<Vec<Recorded>, LogError>>;

    /// Events that programs outside of Souk send to `service`. All its instances share them.
    fn inbound<'a>(
        &'a self,
        service: &'a str,
    ) -> BoxFuture<'a, Result<mpsc::Receiver<Inbound>, LogError>>;
}

/// A CloudEvent from a program outside of Souk.
#[derive(Debug)]
pub struct Inbound {
    /// Who says so: with `id`, what repeats are known by.
    pub source: String,
    /// Its id there.
    pub id: String,
    /// Its type, such as `inventory.stock.counted.v1`.
    pub kind: String,
    /// JSON.
    pub data: String,
    /// To be called when it is committed (`true`), or when it must be delivered again.
    pub done: tokio::sync::oneshot::Sender<bool>,
}
