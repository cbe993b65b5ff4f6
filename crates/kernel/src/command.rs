//! Commands: what a caller or an event asks of a service, over one stream or several at once.

use std::{any::Any, collections::hash_map::Entry, marker::PhantomData, sync::Arc};

use crate::{
    Decider, ErasedState, Event, Rejection, Statement, StreamId, StreamMap, Timer, Timestamp,
};

/// Something asked of a service. It is decided inside the batcher, possibly more than once (after
/// a conflict), so it must be pure: everything it needs is in it or in the states it reads.
pub trait Command: Send + Sync + 'static {
    /// What the caller gets back.
    type Output: Send + Sync + 'static;
    /// The streams it will read or write, so that they are loaded together beforehand. A stream
    /// not named here is loaded when it is asked for, at the price of deciding again.
    fn streams(&self) -> Vec<StreamId>;
    /// Decides. All its events are committed together, or on a rejection none.
    fn handle(&self, work: &mut UnitOfWork<'_>) -> Result<Self::Output, Rejection>;
    /// The same when nobody waits for the output, because an event or a timer asks: worth writing
    /// where the output is costly.
    fn apply(&self, work: &mut UnitOfWork<'_>) -> Result<(), Rejection> {
        self.handle(work).map(drop)
    }
}

/// A [`Command`] with its output type erased.
pub trait AnyCommand: Send + Sync {
    /// See [`Command::streams`].
    fn streams(&self) -> Vec<StreamId>;
    /// See [`Command::handle`].
    fn handle_any(
        &self,
        work: &mut UnitOfWork<'_>,
    ) -> Result<Box<dyn Any + Send + Sync>, Rejection>;
    /// See [`Command::apply`].
    fn apply_any(&self, work: &mut UnitOfWork<'_>) -> Result<(), Rejection> {
        self.handle_any(work).map(drop)
    }
}

impl<C: Command> AnyCommand for C {
    fn streams(&self) -> Vec<StreamId> {
        Command::streams(self)
    }

    fn handle_any(
        &self,
        work: &mut UnitOfWork<'_>,
    ) -> Result<Box<dyn Any + Send + Sync>, Rejection> {
        Ok(Box::new(self.handle(work)?))
    }

    fn apply_any(&self, work: &mut UnitOfWork<'_>) -> Result<(), Rejection> {
        self.apply(work)
    }
}

/// Where a unit of work finds the committed (or earlier in the batch decided) states.
pub trait States {
    /// The state and version of a loaded stream; `None` if it is not loaded.
    fn find(&self, stream: &StreamId) -> Option<(&dyn ErasedState, i64)>;
    /// The state before any event of a category the service declares.
    fn initial(&self, category: &str) -> Option<Box<dyn ErasedState>>;
}

/// A change to the durable timers, committed with the events.
#[derive(Clone, Debug, PartialEq)]
pub enum TimerOp {
    /// Sets the timer, or moves it if its key is known.
    Set(Timer),
    /// Removes it; nothing happens if it is gone.
    Cancel(String),
}

/// An event decided but not yet committed.
pub struct PendingEvent {
    /// Its stream.
    pub stream: StreamId,
    /// Its number in the stream.
    pub version: i64,
    /// Wire name.
    pub kind: &'static str,
    /// Encoded payload.
    pub data: String,
    /// Decoded payload.
    pub typed: Arc<dyn Any + Send + Sync>,
}

/// What a unit of work came to.
#[derive(Default)]
pub struct Work {
    /// Events, in the order they were decided.
    pub events: Vec<PendingEvent>,
    /// Timer changes.
    pub timers: Vec<TimerOp>,
    /// Read-model statements beside the projections.
    pub statements: Vec<Statement>,
    /// Streams it asked for that were not loaded; the runtime loads them and decides again.
    pub missing: Vec<StreamId>,
    /// Versions of the streams it read, before its own events.
    pub read: StreamMap<i64>,
    /// Streams it changed, with their state and version afterwards, and those it was given to
    /// work on ([`UnitOfWork::over`]).
    pub changed: StreamMap<(Box<dyn ErasedState>, i64)>,
    /// An event could not be encoded: nothing may be committed.
    pub broken: Option<String>,
}

/// One command's view of the streams: reads states, collects events, sees its own writes.
pub struct UnitOfWork<'a> {
    states: &'a dyn States,
    now: Timestamp,
    work: Work,
    /// The stream used last: commands mostly stay with one, and its name need not be made again.
    last: Option<StreamId>,
}

impl<'a> UnitOfWork<'a> {
    /// A view over `states` at `now`. For the runtime and for tests.
    pub fn new(states: &'a dyn States, now: Timestamp) -> Self {
        Self::over(states, now, StreamMap::default())
    }

    /// The same, over states that earlier commands of the batch have changed: they are worked on
    /// in place, not copied, so that a hot stream with a large state stays cheap. They come back
    /// in [`Work::changed`]; when the command is refused after it appended something, whoever gave
    /// them must restore those streams.
    pub fn over(
        states: &'a dyn States,
        now: Timestamp,
        changed: StreamMap<(Box<dyn ErasedState>, i64)>,
    ) -> Self {
        let work = Work {
            changed,
            ..Work::default()
        };
        Self {
            states,
            now,
            work,
            last: None,
        }
    }

    /// The moment of the decision: to be put into decider commands.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// What was collected.
    pub fn finish(self) -> Work {
        self.work
    }

    /// The state of stream `id` of decider `D`, with this command's own events folded in.
    pub fn state<D: Decider>(&mut self, id: &str) -> Result<&D::State, Rejection> {
        let stream = self.stream(D::CATEGORY, id);
        self.load(&stream)?;
        let erased = match self.work.changed.get(&stream) {
            Some((state, _)) => state.as_ref(),
            None => self.states.find(&stream).ok_or_else(not_loaded)?.0,
        };
        erased.as_any().downcast_ref().ok_or_else(not_loaded)
    }

    /// How many events the stream has (0: it does not exist yet).
    pub fn version<D: Decider>(&mut self, id: &str) -> Result<i64, Rejection> {
        let stream = self.stream(D::CATEGORY, id);
        self.load(&stream)?;
        Ok(match self.work.changed.get(&stream) {
            Some((_, version)) => *version,
            None => self.states.find(&stream).map_or(0, |(_, version)| version),
        })
    }

    /// Lets `D` decide `command` on stream `id` and takes its events in. Answers how many there were.
    pub fn decide<D: Decider>(
        &mut self,
        id: &str,
        command: &D::Command,
    ) -> Result<usize, Rejection> {
        let events = D::decide(self.state::<D>(id)?, command)?;
        let count = events.len();
        for event in events {
            self.append::<D>(id, event)?;
        }
        Ok(count)
    }

    /// Adds an event to stream `id`.
    pub fn append<D: Decider>(&mut self, id: &str, event: D::Event) -> Result<(), Rejection> {
        let stream = self.stream(D::CATEGORY, id);
        self.load(&stream)?;
        let (state, version) = match self.work.changed.entry(stream.clone()) {
            Entry::Occupied(held) => held.into_mut(),
            Entry::Vacant(place) => {
                let (state, version) = self.states.find(&stream).ok_or_else(not_loaded)?;
                place.insert((state.copy(), version))
            }
        };
        let state = state.as_any_mut().downcast_mut().ok_or_else(not_loaded)?;
        D::evolve(state, &event);
        *version += 1;
        let data = event.encode().unwrap_or_else(|error| {
            self.work.broken = Some(error.to_string());
            String::new()
        });
        let (version, kind) = (*version, event.wire_name());
        self.work.events.push(PendingEvent {
            stream,
            version,
            kind,
            data,
            typed: Arc::new(event),
        });
        Ok(())
    }

    /// Sets or moves a durable timer.
    pub fn set_timer(&mut self, timer: Timer) {
        self.work.timers.push(TimerOp::Set(timer));
    }

    /// Removes a durable timer.
    pub fn cancel_timer(&mut self, key: impl Into<String>) {
        self.work.timers.push(TimerOp::Cancel(key.into()));
    }

    /// Adds a read-model statement that no projection makes; rare.
    pub fn statement(&mut self, statement: Statement) {
        self.work.statements.push(statement);
    }

    fn stream(&mut self, category: &str, id: &str) -> StreamId {
        match &self.last {
            Some(last) if last.id() == id && last.category() == category => last.clone(),
            _ => self.last.insert(StreamId::new(category, id)).clone(),
        }
    }

    fn load(&mut self, stream: &StreamId) -> Result<(), Rejection> {
        if self.work.changed.contains_key(stream) || self.work.read.contains_key(stream) {
            return Ok(());
        }
        match self.states.find(stream) {
            Some((_, version)) => {
                self.work.read.insert(stream.clone(), version);
                Ok(())
            }
            None => {
                self.work.missing.push(stream.clone());
                Err(not_loaded())
            }
        }
    }
}

fn not_loaded() -> Rejection {
    Rejection::conflict(
        "stream-not-loaded",
        "internal: the stream was not loaded or is of another type",
    )
}

/// The commonest command: let `D` decide one thing on one stream.
pub struct Decide<D: Decider> {
    id: String,
    command: D::Command,
    decider: PhantomData<D>,
}

/// The state after a decision.
#[derive(Debug)]
pub struct Decided<S> {
    /// The state with the new events folded in.
    pub state: S,
    /// Its version; 0 when the stream does not exist.
    pub version: i64,
    /// How many events the command led to.
    pub events: usize,
}

impl<D: Decider> Decide<D> {
    /// `command` on the stream of `id`.
    pub fn new(id: impl Into<String>, command: D::Command) -> Self {
        Self {
            id: id.into(),
            command,
            decider: PhantomData,
        }
    }
}

impl<D: Decider> Command for Decide<D>
where
    D::Command: Send + Sync + 'static,
{
    type Output = Decided<D::State>;

    fn streams(&self) -> Vec<StreamId> {
        vec![StreamId::new(D::CATEGORY, &self.id)]
    }

    fn handle(&self, work: &mut UnitOfWork<'_>) -> Result<Self::Output, Rejection> {
        let events = work.decide::<D>(&self.id, &self.command)?;
        let version = work.version::<D>(&self.id)?;
        Ok(Decided {
            state: work.state::<D>(&self.id)?.clone(),
            version,
            events,
        })
    }

    fn apply(&self, work: &mut UnitOfWork<'_>) -> Result<(), Rejection> {
        work.decide::<D>(&self.id, &self.command).map(drop)
    }
}

/// Reads the present state of one stream, after everything committed before.
pub struct Read<D: Decider> {
    id: String,
    decider: PhantomData<D>,
}

impl<D: Decider> Read<D> {
    /// The stream of `id`.
    pub fn new(id: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            decider: PhantomData,
        }
    }
}

impl<D: Decider> Command for Read<D> {
    type Output = Decided<D::State>;

    fn streams(&self) -> Vec<StreamId> {
        vec![StreamId::new(D::CATEGORY, &self.id)]
    }

    fn handle(&self, work: &mut UnitOfWork<'_>) -> Result<Self::Output, Rejection> {
        let version = work.version::<D>(&self.id)?;
        Ok(Decided {
            state: work.state::<D>(&self.id)?.clone(),
            version,
            events: 0,
        })
    }
}
