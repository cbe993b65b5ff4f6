//! What is written together.

use std::sync::Arc;

use kernel::{Recorded, Statement, StreamId};

/// Everything that one commit writes. In order: versions are checked, events appended, statements run.
#[derive(Default)]
pub struct Batch {
    /// New events with stream and version; positions, `prev` and partitions are filled in by the
    /// store. Version n asserts that the stream is at n-1.
    pub events: Vec<Recorded>,
    /// Streams that were read but not written, with the version they were read at.
    pub asserted: Vec<(StreamId, i64)>,
    /// Read models, timers, positions, idempotency records, snapshots, dead letters. A condition is
    /// a statement that fails (see [`system`](crate::system)).
    pub statements: Vec<Statement>,
}

impl Batch {
    /// Whether there is nothing to write or check.
    pub fn is_empty(&self) -> bool {
        self.events.is_empty() && self.asserted.is_empty() && self.statements.is_empty()
    }
}

/// What a commit wrote.
#[derive(Debug, Default)]
pub struct Committed {
    /// The events with their positions.
    pub events: Vec<Arc<Recorded>>,
}

/// A stream to load.
#[derive(Debug, Clone)]
pub struct LoadStream {
    /// Which.
    pub stream: StreamId,
    /// The snapshot shape that is understood; others are ignored. `None`: no snapshots.
    pub shape: Option<i64>,
}

/// A loaded stream.
#[derive(Debug, Clone)]
pub struct LoadedStream {
    /// Which.
    pub stream: StreamId,
    /// A snapshot: its version and text.
    pub snapshot: Option<(i64, String)>,
    /// Events after the snapshot: wire name and payload.
    pub events: Vec<(String, String)>,
}

/// The head of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogHead {
    /// Position of the last event; 0 when there is none.
    pub position: i64,
    /// New after every restore: a consumer that is ahead of it must stop. `POSITION@ID` tells where
    /// the restored log ended.
    pub incarnation: String,
}

impl LogHead {
    /// Up to which position this incarnation tells the same as the one before it: from there on
    /// events are others. For an incarnation that does not say, its end now.
    pub fn restored_at(&self) -> i64 {
        let told = self.incarnation.split_once('@');
        let told = told.and_then(|(position, _)| position.parse().ok());
        told.unwrap_or(self.position)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_incarnation_may_tell_where_it_began() {
        let restored_at = |incarnation: &str| {
            let incarnation = incarnation.to_owned();
            LogHead {
                position: 9,
                incarnation,
            }
            .restored_at()
        };
        assert_eq!(restored_at("5@7d5a"), 5);
        for silent in ["", "7d5a", "x@y", "@", "5"] {
            assert_eq!(restored_at(silent), 9, "{silent}");
        }
    }
}
