//! The events: written through the one write primitive, so that the new place gives each its
//! position, which must be the old one.

use std::sync::OnceLock;

use indicatif::ProgressBar;
use kernel::Recorded;
use store::{Batch, Store as _};

use super::Pair;
use crate::failure::{Context as _, Failure, Result};

const CHUNK: usize = 1_000;
const CHUNK_BYTES: usize = 4 << 20;

/// Copies what the new place does not have yet.
pub async fn events(pair: &Pair, progress: &ProgressBar) -> Result<()> {
    let mut at = pair.to.head().await.context(pair.service)?.position;
    loop {
        let events = pair.from.read_log(at, CHUNK, CHUNK_BYTES).await;
        let events = events.context(pair.service)?;
        let Some(last) = events.last().map(|event| event.position) else {
            return Ok(());
        };
        let batch = Batch {
            events: events.iter().map(unplaced).collect(),
            ..Batch::default()
        };
        let committed = pair.to.commit(batch).await.context(pair.service)?.events;
        let same = |(old, new): (&Recorded, &std::sync::Arc<Recorded>)| {
            (old.position, old.prev, old.partition) == (new.position, new.prev, new.partition)
        };
        if committed.len() != events.len() || !events.iter().zip(&committed).all(same) {
            return Err(Failure::new(format!(
                "{}: events behind position {at} got other places; does somebody else write to the new databases?",
                pair.service
            )));
        }
        at = last;
        progress.set_position(at.unsigned_abs());
    }
}

/// The event as it was handed to the store the first time.
fn unplaced(event: &Recorded) -> Recorded {
    Recorded {
        position: 0,
        prev: 0,
        partition: 0,
        typed: OnceLock::new(),
        ..event.clone()
    }
}
