//! The newest events of a topic in memory, decoded once for all readers.

use std::{collections::VecDeque, sync::Arc};

use kernel::Recorded;

/// About how many bytes a topic keeps in memory for its readers.
const KEEP_BYTES: usize = 8 * 1024 * 1024;

/// Events without gaps, up to the newest.
#[derive(Default)]
pub(crate) struct Ring {
    events: VecDeque<Arc<Recorded>>,
    bytes: usize,
}

/// About how much memory an event takes, payload and all that hangs on it.
pub(crate) fn size(event: &Recorded) -> usize {
    2 * event.data.len() + 300
}

impl Ring {
    /// The events after `after`, if they are all still here.
    pub fn after(&self, after: i64, limit: usize) -> Option<Vec<Arc<Recorded>>> {
        let first = self.events.front()?.position;
        // Positions have no gaps, so the place in the queue follows from the position.
        let skip = usize::try_from(after + 1 - first).ok()?;
        Some(self.events.iter().skip(skip).take(limit).cloned().collect())
    }

    /// Adds the newest event.
    pub fn push(&mut self, event: &Arc<Recorded>) {
        // Something may have been committed without being announced here (an answer that got
        // lost); what is kept must stay without gaps.
        if self
            .events
            .back()
            .is_some_and(|last| last.position + 1 != event.position)
        {
            self.forget();
        }
        self.bytes += size(event);
        self.events.push_back(event.clone());
        while self.bytes > KEEP_BYTES && self.events.len() > 1 {
            self.bytes -= self.events.pop_front().map_or(0, |event| size(&event));
        }
    }

    /// Drops everything.
    pub fn forget(&mut self) {
        self.events.clear();
        self.bytes = 0;
    }
}
