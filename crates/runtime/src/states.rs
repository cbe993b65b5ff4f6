//! The cache of stream states: what makes deciding a matter of memory.

use std::collections::{HashMap, hash_map::Entry};

use kernel::{DeciderSpec, ErasedState, KeyRing, States, StreamId, with_keys};
use std::sync::Arc;
use store::LoadedStream;

/// How many states each of the two generations holds.
const GENERATION: usize = 4_096;

pub(crate) type Held = (Box<dyn ErasedState>, i64);

/// States with their versions, in two generations: what was not used while a whole generation of
/// others was goes away.
pub(crate) struct StateCache {
    specs: HashMap<&'static str, DeciderSpec>,
    young: HashMap<StreamId, Held>,
    old: HashMap<StreamId, Held>,
}

impl StateCache {
    pub fn new(specs: &[DeciderSpec]) -> Self {
        let specs = specs.iter().map(|spec| (spec.category, *spec)).collect();
        Self {
            specs,
            young: HashMap::new(),
            old: HashMap::new(),
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
        match self.young.entry(stream) {
            Entry::Occupied(mut entry) => drop(entry.insert(held)),
            Entry::Vacant(entry) => drop(entry.insert(held)),
        }
    }

    /// Lets the older generation go when the younger is full. Called between batches only, so
    /// that no state disappears while it is used.
    pub fn age(&mut self) {
        if self.young.len() > GENERATION {
            self.old = std::mem::take(&mut self.young);
        }
    }

    /// Forgets everything: after a conflict nothing cached can be trusted.
    pub fn clear(&mut self) {
        self.young.clear();
        self.old.clear();
    }

    /// Folds a loaded stream.
    pub fn fold(&mut self, loaded: LoadedStream, keys: &Arc<dyn KeyRing>) -> Result<(), String> {
        let Some(mut state) = self.initial(loaded.stream.category()) else {
            return Err(format!(
                "no decider for streams of category {}",
                loaded.stream.category()
            ));
        };
        let version = with_keys(keys, || -> Result<i64, String> {
            let mut version = 0;
            if let Some((at, text)) = &loaded.snapshot {
                state
                    .restore(text)
                    .map_err(|e| format!("snapshot of {}: {e}", loaded.stream))?;
                version = *at;
            }
            for (kind, data) in &loaded.events {
                state
                    .fold(kind, data)
                    .map_err(|e| format!("stream {}: {e}", loaded.stream))?;
                version += 1;
            }
            Ok(version)
        })?;
        self.put(loaded.stream, (state, version));
        Ok(())
    }
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
