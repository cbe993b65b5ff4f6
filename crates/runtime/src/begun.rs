//! Streams that other instances began a moment ago. Whoever follows the log has all their events
//! and need not ask the database for them; but most are never needed here, so they are kept as
//! they came, and folded by those who need them.

use std::sync::Arc;

use kernel::{Recorded, StreamId, StreamMap};
use store::LoadedStream;

/// How many streams each of the two generations holds.
const GENERATION: usize = 2_048;
/// A stream that has grown to more events than this is loaded like any other.
const LONGEST: usize = 32;

/// Whole streams, from their first events on.
#[derive(Default)]
pub(crate) struct Begun {
    young: StreamMap<Vec<Arc<Recorded>>>,
    old: StreamMap<Vec<Arc<Recorded>>>,
}

impl Begun {
    /// Takes in an event as the log has it. Those of a stream of which an earlier one was not seen
    /// are of no use.
    pub fn follow(&mut self, event: &Arc<Recorded>) {
        let stream = &event.stream;
        if event.version == 1 {
            self.young.insert(stream.clone(), vec![event.clone()]);
            return;
        }
        let held = self.young.get_mut(stream);
        let Some(events) = held.or_else(|| self.old.get_mut(stream)) else {
            return;
        };
        let last = events.last().map_or(0, |event| event.version);
        if event.version <= last {
            return;
        }
        match event.version == last + 1 && events.len() < LONGEST {
            true => events.push(event.clone()),
            false => self.remove(stream),
        }
    }

    /// Hands a stream over.
    pub fn take(&mut self, stream: &StreamId) -> Option<LoadedStream> {
        let young = self.young.remove(stream);
        let old = self.old.remove(stream);
        let text = |event: &Arc<Recorded>| (event.kind.to_string(), event.data.to_string());
        Some(LoadedStream {
            stream: stream.clone(),
            snapshot: None,
            events: young.or(old)?.iter().map(text).collect(),
        })
    }

    /// Forgets a stream.
    pub fn remove(&mut self, stream: &StreamId) {
        self.young.remove(stream);
        self.old.remove(stream);
    }

    /// Lets the older generation go when the younger is full.
    pub fn age(&mut self) {
        if self.young.len() > GENERATION {
            self.old = std::mem::take(&mut self.young);
        }
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.young.clear();
        self.old.clear();
    }
}
