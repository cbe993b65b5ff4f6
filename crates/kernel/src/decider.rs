//! Deciders: the rules of one kind of stream, as two pure functions.

use std::any::Any;

use serde::{Serialize, de::DeserializeOwned};

use crate::{DecodeError, Event, Rejection};

/// The rules of one kind of stream. No I/O, no clock, no randomness, no async: time, ids and
/// looked-up facts arrive in the command.
pub trait Decider: Send + Sync + 'static {
    /// First part of the stream's name (`order` in `order-ord_…`); no dash.
    const CATEGORY: &'static str;
    /// A snapshot is kept every so many events, for streams that grow without end. `None` for
    /// streams with a short life.
    const SNAPSHOT_EVERY: Option<i64> = None;
    /// What the rules need to know, folded from the events. Serialised only into snapshots:
    /// change its shape together with [`Decider::SNAPSHOT_VERSION`].
    type State: Default + Clone + Send + Sync + Serialize + DeserializeOwned + 'static;
    /// Raise when the shape or meaning of the state changes; older snapshots are then ignored.
    const SNAPSHOT_VERSION: i64 = 1;
    /// What can be asked of the stream.
    type Command;
    /// What can happen to it.
    type Event: Event;

    /// What happens if `command` meets `state`: events (none when there is nothing to do), or why not.
    fn decide(state: &Self::State, command: &Self::Command) -> Result<Vec<Self::Event>, Rejection>;

    /// The state after `event`. Total: it never refuses what has happened.
    fn evolve(state: &mut Self::State, event: &Self::Event);
}

/// A decider's state with its type erased, as the runtime's cache holds it.
pub trait ErasedState: Send + Sync {
    /// A copy to work on.
    fn copy(&self) -> Box<dyn ErasedState>;
    /// Folds a stored event in.
    fn fold(&mut self, kind: &str, data: &str) -> Result<(), DecodeError>;
    /// The state as `D::State`.
    fn as_any(&self) -> &dyn Any;
    /// The state as `D::State`, to evolve.
    fn as_any_mut(&mut self) -> &mut dyn Any;
    /// The snapshot text.
    fn snapshot(&self) -> Result<String, serde_json::Error>;
    /// Takes over a snapshot.
    fn restore(&mut self, snapshot: &str) -> Result<(), serde_json::Error>;
}

struct Held<D: Decider>(D::State);

impl<D: Decider> ErasedState for Held<D> {
    fn copy(&self) -> Box<dyn ErasedState> {
        Box::new(Held::<D>(self.0.clone()))
    }

    fn fold(&mut self, kind: &str, data: &str) -> Result<(), DecodeError> {
        D::evolve(&mut self.0, &D::Event::decode(kind, data)?);
        Ok(())
    }

    fn as_any(&self) -> &dyn Any {
        &self.0
    }

    fn as_any_mut(&mut self) -> &mut dyn Any {
        &mut self.0
    }

    fn snapshot(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string(&self.0)
    }

    fn restore(&mut self, snapshot: &str) -> Result<(), serde_json::Error> {
        self.0 = serde_json::from_str(snapshot)?;
        Ok(())
    }
}

/// What the runtime knows of a decider.
#[derive(Clone, Copy)]
pub struct DeciderSpec {
    /// [`Decider::CATEGORY`].
    pub category: &'static str,
    /// [`Decider::SNAPSHOT_EVERY`].
    pub snapshot_every: Option<i64>,
    /// [`Decider::SNAPSHOT_VERSION`].
    pub snapshot_version: i64,
    /// The state before any event.
    pub initial: fn() -> Box<dyn ErasedState>,
    /// Wire names of its events.
    pub types: &'static [&'static str],
}

impl DeciderSpec {
    /// The description of `D`.
    pub fn of<D: Decider>() -> Self {
        Self {
            category: D::CATEGORY,
            snapshot_every: D::SNAPSHOT_EVERY,
            snapshot_version: D::SNAPSHOT_VERSION,
            initial: || Box::new(Held::<D>(D::State::default())),
            types: D::Event::TYPES,
        }
    }
}
