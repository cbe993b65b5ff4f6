//! For tests of services: given / when / then on deciders, commands over several streams without
//! a store, golden files, and stand-ins for the clock, the ids and the key ring.

use std::{
    any::Any,
    collections::HashMap,
    path::Path,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
};

use crate::{
    Answer, AnyCommand, App, AppError, BoxFuture, Clock, Command, Decider, DeciderSpec, Engine,
    ErasedState, Event, Ids, KeyRing, KeyRingError, PersonId, Rejection, Rows, Statement, States,
    StreamId, Submission, Timestamp, UnitOfWork, Work, with_keys,
};

/// `given::<Order>(events).when(command)`, then compare.
pub fn given<D: Decider>(events: impl IntoIterator<Item = D::Event>) -> Given<D> {
    let mut state = D::State::default();
    events
        .into_iter()
        .for_each(|event| D::evolve(&mut state, &event));
    Given { state }
}

/// A decider with a past.
pub struct Given<D: Decider> {
    /// The state after the given events.
    pub state: D::State,
}

impl<D: Decider> Given<D> {
    /// Decides `command`; on success the events are folded in, so steps can be chained.
    pub fn when(&mut self, command: D::Command) -> Result<Vec<D::Event>, Rejection> {
        let events = D::decide(&self.state, &command)?;
        events
            .iter()
            .for_each(|event| D::evolve(&mut self.state, event));
        Ok(events)
    }
}

/// A command's output with its type erased.
pub type AnyOutput = Box<dyn Any + Send + Sync>;

/// A service's streams in memory, to run multi-stream [`Command`]s in tests.
pub struct World {
    specs: HashMap<&'static str, DeciderSpec>,
    streams: HashMap<StreamId, (Box<dyn ErasedState>, i64)>,
    /// The present.
    pub now: Timestamp,
}

impl States for World {
    fn find(&self, stream: &StreamId) -> Option<(&dyn ErasedState, i64)> {
        self.streams
            .get(stream)
            .map(|(state, version)| (state.as_ref(), *version))
    }

    fn initial(&self, category: &str) -> Option<Box<dyn ErasedState>> {
        self.specs.get(category).map(|spec| (spec.initial)())
    }
}

impl World {
    /// Streams of these deciders.
    pub fn new(specs: impl IntoIterator<Item = DeciderSpec>) -> Self {
        let specs = specs
            .into_iter()
            .map(|spec| (spec.category, spec))
            .collect();
        Self {
            specs,
            streams: HashMap::new(),
            now: Timestamp(1_700_000_000_000_000),
        }
    }

    /// Runs `command` as the batcher would, with its events applied on success.
    ///
    /// # Panics
    /// When the command reads a stream of a decider that is not part of this world.
    pub fn run<C: Command>(&mut self, command: &C) -> Result<(C::Output, Work), Rejection> {
        let (output, work) = self.run_any(command)?;
        let output = output
            .downcast()
            .unwrap_or_else(|_| panic!("a command answered with another type"));
        Ok((*output, work))
    }

    /// Like [`run`](Self::run), for a command whose type is not known.
    ///
    /// # Panics
    /// When the command reads a stream of a decider that is not part of this world.
    pub fn run_any(&mut self, command: &dyn AnyCommand) -> Result<(AnyOutput, Work), Rejection> {
        let mut wanted = command.streams();
        loop {
            for stream in wanted.drain(..) {
                let initial = self.initial(stream.category());
                let initial = initial.unwrap_or_else(|| panic!("no decider for {stream}"));
                self.streams.entry(stream).or_insert((initial, 0));
            }
            let keys = plain_keys();
            let (result, mut work) = with_keys(&keys, || {
                let mut unit = UnitOfWork::new(self, self.now);
                let result = command.handle_any(&mut unit);
                (result, unit.finish())
            });
            if !work.missing.is_empty() {
                wanted = std::mem::take(&mut work.missing);
                continue;
            }
            let output = result?;
            for (stream, changed) in &work.changed {
                self.streams
                    .insert(stream.clone(), (changed.0.copy(), changed.1));
            }
            return Ok((output, work));
        }
    }

    /// The state of a stream.
    pub fn state<D: Decider>(&self, id: &str) -> D::State {
        let found = self.find(&StreamId::new(D::CATEGORY, id));
        found
            .and_then(|(state, _)| state.as_any().downcast_ref::<D::State>().cloned())
            .unwrap_or_default()
    }
}

/// Wire names of what a unit of work decided, in order.
pub fn kinds(work: &Work) -> Vec<&'static str> {
    work.events.iter().map(|event| event.kind).collect()
}

/// Checks that every event type of `E` has a golden file `<wire name>.json` in `folder`, that it
/// can be read, and that writing it again gives the same JSON. Old versions stay readable for ever.
///
/// # Panics
/// When a file is missing or reads differently.
pub fn assert_golden<E: Event>(folder: impl AsRef<Path>) {
    for kind in E::TYPES {
        let path = folder.as_ref().join(format!("{kind}.json"));
        let text = std::fs::read_to_string(&path)
            .unwrap_or_else(|e| panic!("{kind} needs a golden file {}: {e}", path.display()));
        let again = with_keys(&plain_keys(), || {
            let event = E::decode(kind, &text).unwrap_or_else(|e| panic!("{e}"));
            event.encode().unwrap_or_else(|e| panic!("{kind}: {e}"))
        });
        let parse = |t: &str| {
            serde_json::from_str::<serde_json::Value>(t).unwrap_or_else(|e| panic!("{kind}: {e}"))
        };
        assert_eq!(
            parse(&again),
            parse(&text),
            "{kind} is not written as its golden file says"
        );
    }
}

/// Writes an event's golden file (with the test key ring), for a new event version.
///
/// # Panics
/// When the file cannot be written.
pub fn write_golden<E: Event>(folder: impl AsRef<Path>, event: &E) {
    let text = with_keys(&plain_keys(), || event.encode()).unwrap_or_else(|e| panic!("{e}"));
    let value: serde_json::Value = serde_json::from_str(&text).unwrap_or_else(|e| panic!("{e}"));
    let path = folder.as_ref().join(format!("{}.json", event.wire_name()));
    let text = format!("{value:#}\n");
    std::fs::write(&path, text).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
}

/// A key ring that "seals" by reversing the bytes: readable golden files, never for production.
pub fn plain_keys() -> Arc<dyn KeyRing> {
    Arc::new(PlainKeys)
}

struct PlainKeys;

impl KeyRing for PlainKeys {
    fn seal(&self, _: &PersonId, plain: &[u8]) -> Result<Vec<u8>, KeyRingError> {
        Ok(plain.iter().rev().copied().collect())
    }

    fn open(&self, _: &PersonId, sealed: &[u8]) -> Result<Option<Vec<u8>>, KeyRingError> {
        Ok(Some(sealed.iter().rev().copied().collect()))
    }

    fn blind(&self, purpose: &str, value: &str) -> String {
        let letters: String = value
            .chars()
            .rev()
            .filter(char::is_ascii_alphanumeric)
            .collect();
        format!("{purpose}{letters}")
    }
}

/// A clock that stands still until it is moved.
#[derive(Debug)]
pub struct FixedClock(pub AtomicI64);

impl Clock for FixedClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::SeqCst))
    }
}

/// A clock that stands still until it is moved, and wakes what waits for a time when it is.
#[derive(Default)]
pub struct ManualClock {
    now: AtomicI64,
    wake: Mutex<Vec<Box<dyn Fn() + Send + Sync>>>,
}

impl ManualClock {
    /// A clock that shows `now`.
    pub fn at(now: Timestamp) -> Self {
        Self {
            now: AtomicI64::new(now.0),
            wake: Mutex::default(),
        }
    }

    /// Moves it forward (or back).
    ///
    /// # Panics
    /// When something that was woken panicked before.
    pub fn advance(&self, micros: i64) {
        self.now.fetch_add(micros, Ordering::SeqCst);
        let wake = self.wake.lock().expect("nobody panicked here");
        wake.iter().for_each(|wake| wake());
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.now.load(Ordering::SeqCst))
    }

    fn on_jump(&self, wake: Box<dyn Fn() + Send + Sync>) {
        if let Ok(mut all) = self.wake.lock() {
            all.push(wake);
        }
    }
}

/// Ids that count.
#[derive(Debug, Default)]
pub struct CountingIds(AtomicU64);

impl Ids for CountingIds {
    fn next(&self) -> String {
        format!("{:032x}", self.0.fetch_add(1, Ordering::SeqCst) + 1)
    }

    fn secret(&self) -> [u8; 32] {
        [self.0.fetch_add(1, Ordering::SeqCst) as u8; 32]
    }
}

/// A runtime without a store, to drive a service's HTTP handlers and workers in tests: commands run
/// one after another on a [`World`]. It keeps no read models and no idempotency records.
pub struct MemoryEngine {
    world: Mutex<World>,
    clock: FixedClock,
    ids: CountingIds,
    keys: Arc<dyn KeyRing>,
    done: Mutex<Vec<Work>>,
    forgotten: Mutex<Vec<PersonId>>,
}

impl MemoryEngine {
    /// A runtime for services with these deciders.
    pub fn new(specs: impl IntoIterator<Item = DeciderSpec>) -> Arc<Self> {
        let world = World::new(specs);
        Arc::new(Self {
            clock: FixedClock(AtomicI64::new(world.now.0)),
            world: Mutex::new(world),
            ids: CountingIds::default(),
            keys: plain_keys(),
            done: Mutex::default(),
            forgotten: Mutex::default(),
        })
    }

    /// The handle that handlers take.
    pub fn app(self: &Arc<Self>) -> App {
        App::new(self.clone())
    }

    /// Lets time pass.
    pub fn advance(&self, seconds: i64) {
        let now = self.clock.now().plus_seconds(seconds);
        self.clock.0.store(now.0, Ordering::SeqCst);
    }

    /// Who was to be forgotten so far. (The keys of tests open everything all the same.)
    pub fn forgotten(&self) -> Vec<PersonId> {
        let forgotten = self.forgotten.lock();
        forgotten.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What was committed since this was last asked, a unit of work each.
    pub fn take(&self) -> Vec<Work> {
        std::mem::take(&mut self.done.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Engine for MemoryEngine {
    fn submit(&self, submission: Submission) -> BoxFuture<'_, Result<Answer, AppError>> {
        let mut world = self.world.lock().unwrap_or_else(PoisonError::into_inner);
        world.now = self.clock.now();
        let answer = match world.run_any(submission.command.as_ref()) {
            Err(rejection) => Err(rejection.into()),
            Ok((output, work)) => {
                let mut done = self.done.lock().unwrap_or_else(PoisonError::into_inner);
                done.push(work);
                Ok(match submission.once {
                    Some((_, render)) => Answer::Stored(render(output.as_ref())),
                    None => Answer::Done(output),
                })
            }
        };
        Box::pin(std::future::ready(answer))
    }

    fn query(&self, _: Vec<Statement>) -> BoxFuture<'_, Result<Vec<Rows>, AppError>> {
        let none = AppError::Unavailable("this runtime keeps no read models".into());
        Box::pin(std::future::ready(Err(none)))
    }

    fn clock(&self) -> &dyn Clock {
        &self.clock
    }

    fn ids(&self) -> &dyn Ids {
        &self.ids
    }

    fn keys(&self) -> &Arc<dyn KeyRing> {
        &self.keys
    }

    fn forget(&self, person: PersonId) -> BoxFuture<'_, Result<(), AppError>> {
        let forgotten = self.forgotten.lock();
        forgotten
            .unwrap_or_else(PoisonError::into_inner)
            .push(person);
        Box::pin(std::future::ready(Ok(())))
    }
}
