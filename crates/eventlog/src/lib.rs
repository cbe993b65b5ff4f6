//! The event log: what services read each other's events from, over topics and partitions.
//! Drivers: [`local`] now, which is a view over the producers' own tables, so that no second copy
//! is written.

pub mod local;

use std::sync::Arc;

use kernel::{BoxFuture, Recorded};
use tokio::sync::watch;

pub use local::LocalLog;

/// The log could not be read; try again later.
#[derive(Debug, Clone, thiserror::Error)]
pub enum LogError {
    /// No such topic is known here.
    #[error("there is no topic {0}")]
    NoTopic(String),
    /// The producer's history cannot be read now.
    #[error("the log is unavailable: {0}")]
    Unavailable(String),
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

    /// Drops what is held in memory, decoded personal data above all: somebody was erased.
    fn forget(&self);
}
