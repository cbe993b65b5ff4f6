//! The cache of stream states: what makes deciding a matter of memory.

use std::{
    collections::HashMap,
    panic::{AssertUnwindSafe, catch_unwind},
};

use kernel::{DeciderSpec, ErasedState, KeyRing, Recorded, States, StreamId, StreamMap, with_keys};
use std::sync::Arc;
use store::LoadedStream;

use crate::begun::Begun;

/// How many states each of the two generations holds.
const GENERATION: usize = 4_096;

pub(crate) type Held = (Box<dyn ErasedState>, i64);

/// States with their versions, in two generations: what was not used while a whole generation of
/// others was goes away.
pub(crate) struct StateCache {
    specs: HashMap<&'static str, DeciderSpec, foldhash::fast::RandomState>,
    young: StreamMap<Held>,
    old: StreamMap<Held>,
    begun: Begun,
}

impl StateCache {
    pub fn new(specs: &[DeciderSpec]) -> Self {
        let specs = specs.iter().map(|spec| (spec.category, *spec)).collect();
        Self {
            specs,
            young: StreamMap::default(),
            old: StreamMap::default(),
            begun: Begun::default(),
        }
    }

    /// The decider of a stream.
    pub fn spec(&self, stream: &StreamId) -> Option<&DeciderSpec> {
        self.specs.get(stream.category())
    }

    /// Whether the stream is held; if so it stays for a while.
    pub fn touch(&mut self, stream: &StreamId) -> bool {
        if self.young.contains_key(stream) {
            return true;
        }
        match self.old.remove(stream) {
            Some(held) => {
                self.put(stream.clone(), held);
                true
            }
            None => false,
        }
    }

    /// Takes a state over, replacing an older one.
    pub fn put(&mut self, stream: StreamId, held: Held) {
        self.old.remove(&stream);
        self.begun.remove(&stream);
        self.young.insert(stream, held);
    }

    /// Lets the older generation go when the younger is full. Called between batches only, so
    /// that no state disappears while it is used.
    pub fn age(&mut self) {
        if self.young.len() > GENERATION {
            self.old = std::mem::take(&mut self.young);
        }
        self.begun.age();
    }

    /// Forgets everything: after a conflict nothing cached can be trusted.
    pub fn clear(&mut self) {
        self.young.clear();
        self.old.clear();
        self.begun.clear();
    }

    /// Forgets a stream.
    pub fn remove(&mut self, stream: &StreamId) {
        self.young.remove(stream);
        self.old.remove(stream);
        self.begun.remove(stream);
    }

    /// A stream that is not held, but of which the log has shown everything.
    pub fn take_begun(&mut self, stream: &StreamId) -> Option<LoadedStream> {
        self.begun.take(stream)
    }

    /// The version a stream is held at, if it is held.
    pub fn version(&self, stream: &StreamId) -> Option<i64> {
        self.find(stream).map(|(_, version)| version)
    }

    /// Takes in an event of the service's own topic, whoever committed it.
    pub fn hear(&mut self, event: &Arc<Recorded>, keys: &Arc<dyn KeyRing>) {
        let held = self.find(&event.stream).is_some();
        if held {
            let one = (event.version, &*event.kind, &*event.data);
            self.follow(&event.stream, one, keys);
        } else if self.spec(&event.stream).is_some() {
            self.begun.follow(event);
        }
    }

    /// Takes in an event that was committed elsewhere, if its stream is held. What does not fit is
    /// forgotten, and loaded again when it is needed.
    pub fn follow(
        &mut self,
        stream: &StreamId,
        (version, kind, data): (i64, &str, &str),
        keys: &Arc<dyn KeyRing>,
    ) {
        let held = self.young.get_mut(stream);
        let Some((state, at)) = held.or_else(|| self.old.get_mut(stream)) else {
            return;
        };
        if version <= *at {
            return;
        }
        let folded = version == *at + 1
            && catch_unwind(AssertUnwindSafe(|| {
                with_keys(keys, || state.fold(kind, data)).is_ok()
            }))
            .unwrap_or(false);
        match folded {
            true => *at = version,
            false => self.remove(stream),
        }
    }

    /// Folds a loaded stream.
    pub fn fold(&mut self, loaded: LoadedStream, keys: &Arc<dyn KeyRing>) -> Result<(), Unusable> {
        let stream = &loaded.stream;
        let Some(mut state) = self.initial(stream.category()) else {
            let category = stream.category();
            let text = format!("no decider for streams of category {category}");
            return Err(Unusable::Stream(text));
        };
        // Rules that panic on a history must not take the whole service down.
        let folded = catch_unwind(AssertUnwindSafe(|| {
            with_keys(keys, || {
                let mut version = 0;
                if let Some((at, text)) = &loaded.snapshot {
                    let restored = state.restore(text);
                    restored.map_err(|e| Unusable::Snapshot(e.to_string()))?;
                    version = *at;
                }
                for (kind, data) in &loaded.events {
                    let folded = state.fold(kind, data);
                    folded.map_err(|e| Unusable::Stream(format!("stream {stream}: {e}")))?;
                    version += 1;
                }
                Ok(version)
            })
        }));
        let panicked = |_| Unusable::Stream(format!("the rules panicked on stream {stream}"));
        let version = folded.map_err(panicked)??;
        self.put(loaded.stream, (state, version));
        Ok(())
    }
}

/// Why a loaded stream could not be folded.
pub(crate) enum Unusable {
    /// Its snapshot cannot be read; the events may still be.
    Snapshot(String),
    /// An event of it cannot be read, or nobody knows its kind.
    Stream(String),
}

impl States for StateCache {
    fn find(&self, stream: &StreamId) -> Option<(&dyn ErasedState, i64)> {
        let held = self.young.get(stream).or_else(|| self.old.get(stream));
        held.map(|(state, version)| (state.as_ref(), *version))
    }

    fn initial(&self, category: &str) -> Option<Box<dyn ErasedState>> {
        self.specs.get(category).map(|spec| (spec.initial)())
    }
}
