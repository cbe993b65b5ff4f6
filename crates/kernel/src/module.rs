//! What a service is made of, as data. A service describes itself; the runtime runs it.

use std::sync::Arc;

use crate::{
    AnyCommand, App, BoxFuture, Decider, DeciderSpec, DecodeError, Recorded, Statement, Timestamp,
};

/// Everything of a service but its HTTP routes. Built in the service's `lib.rs`, which reads as
/// its table of contents.
pub struct Module {
    /// The service's name, which is also its topic.
    pub name: &'static str,
    /// Its deciders, by category.
    pub deciders: Vec<DeciderSpec>,
    /// Forward-only portable SQL, applied in order; a script once released never changes.
    /// Tables of projections are not here: they belong to [`Projection::schema`].
    pub migrations: &'static [&'static str],
    /// Its read models.
    pub projections: Vec<Projection>,
    /// What it listens to.
    pub subscriptions: Vec<Subscription>,
    /// What to do when its timers fall due.
    pub timers: Vec<TimerHandler>,
    /// Its side effects.
    pub workers: Vec<Worker>,
    /// Feeds for live pages and caches.
    pub broadcasts: Vec<Broadcast>,
    /// What to do with events of programs outside of Souk.
    pub inbound: Vec<InboundHandler>,
}

impl Module {
    /// An empty service.
    pub fn new(name: &'static str) -> Self {
        Self {
            name,
            deciders: Vec::new(),
            migrations: &[],
            projections: Vec::new(),
            subscriptions: Vec::new(),
            timers: Vec::new(),
            workers: Vec::new(),
            broadcasts: Vec::new(),
            inbound: Vec::new(),
        }
    }

    /// Adds a decider.
    pub fn decider<D: Decider>(mut self) -> Self {
        self.deciders.push(DeciderSpec::of::<D>());
        self
    }

    /// Sets the migrations.
    pub fn migrations(mut self, scripts: &'static [&'static str]) -> Self {
        self.migrations = scripts;
        self
    }

    /// Adds a projection.
    pub fn projection(mut self, projection: Projection) -> Self {
        self.projections.push(projection);
        self
    }

    /// Adds a subscription.
    pub fn subscription(mut self, subscription: Subscription) -> Self {
        self.subscriptions.push(subscription);
        self
    }

    /// Says what a due timer of `kind` leads to.
    pub fn timer(
        mut self,
        kind: &'static str,
        handle: impl Fn(&Timer) -> Result<Box<dyn AnyCommand>, Poison> + Send + Sync + 'static,
    ) -> Self {
        self.timers.push(TimerHandler {
            kind,
            handle: Arc::new(handle),
        });
        self
    }

    /// Says what an event of `kind` from a program outside of Souk leads to: a command, made from
    /// its JSON, which is committed once however often the event comes. The event is part of the
    /// published language: its type is in `contracts`, with a golden file.
    pub fn inbound(
        mut self,
        kind: &'static str,
        handle: impl Fn(&str) -> Result<Box<dyn AnyCommand>, Poison> + Send + Sync + 'static,
    ) -> Self {
        self.inbound.push(InboundHandler {
            kind,
            handle: Arc::new(handle),
        });
        self
    }

    /// Adds a worker.
    pub fn worker(mut self, worker: Worker) -> Self {
        self.workers.push(worker);
        self
    }

    /// Adds a live feed.
    pub fn broadcast(mut self, broadcast: Broadcast) -> Self {
        self.broadcasts.push(broadcast);
        self
    }
}

/// An event could not be handled: it is parked as a dead letter, visible and redrivable. The text
/// must hold no personal data.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{0}")]
pub struct Poison(pub String);

impl std::convert::From<DecodeError> for Poison {
    fn from(error: DecodeError) -> Self {
        Self(error.to_string())
    }
}

impl std::convert::From<crate::Rejection> for Poison {
    fn from(rejection: crate::Rejection) -> Self {
        Self(rejection.to_string())
    }
}

/// Where a projection's events come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// The service's own events: statements commit with them, so clients read their own writes.
    Own,
    /// Other services' events: statements commit with the position. Events of different
    /// partitions must commute.
    Topics(&'static [&'static str]),
}

/// Turns one event into statements.
pub type Apply =
    Arc<dyn Fn(&Recorded, &mut Vec<Statement>) -> Result<(), DecodeError> + Send + Sync>;

/// A read model: pure functions from events to statements.
#[derive(Clone)]
pub struct Projection {
    /// Its name, unique in the service.
    pub name: &'static str,
    /// Raise when the schema or the statements change: it is then rebuilt from the log beside the
    /// old one, and switched.
    pub version: i64,
    /// The tables it owns. Only its own statements may write them. Every index name in the schema
    /// begins with its table's name.
    pub tables: &'static [&'static str],
    /// `CREATE TABLE` and `CREATE INDEX` statements, portable, separated by semicolons.
    pub schema: &'static str,
    /// Whose events it reads.
    pub source: Source,
    /// The projection itself. Must not use [`Recorded::position`].
    pub apply: Apply,
}

impl Projection {
    /// A projection of the service's own events.
    pub fn own(
        name: &'static str,
        version: i64,
        tables: &'static [&'static str],
        schema: &'static str,
        apply: impl Fn(&Recorded, &mut Vec<Statement>) -> Result<(), DecodeError>
        + Send
        + Sync
        + 'static,
    ) -> Self {
        Self {
            name,
            version,
            tables,
            schema,
            source: Source::Own,
            apply: Arc::new(apply),
        }
    }

    /// The same, of other services' events.
    pub fn of_topics(mut self, topics: &'static [&'static str]) -> Self {
        self.source = Source::Topics(topics);
        self
    }
}

/// Where a subscription that has no position yet begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum From {
    /// With the first event ever.
    Beginning,
    /// With what happens after it was added: the choice for outside effects.
    Now,
}

/// What an event leads to in the service that hears it.
#[derive(Default)]
pub struct Reaction {
    /// Commands, decided in order and committed with the position. A rejection of one parks the
    /// event: a refusal that the business knows must be an event, not a rejection.
    pub commands: Vec<Box<dyn AnyCommand>>,
    /// Read-model statements.
    pub statements: Vec<Statement>,
}

impl Reaction {
    /// Nothing to do.
    pub fn none() -> Self {
        Self::default()
    }

    /// One command.
    pub fn command(command: impl AnyCommand + 'static) -> Self {
        Self {
            commands: vec![Box::new(command)],
            statements: Vec::new(),
        }
    }
}

/// Turns an event into a reaction.
pub type React = Arc<dyn Fn(&Recorded) -> Result<Reaction, Poison> + Send + Sync>;

/// A durable, named listener: each event of its topics changes this service once.
#[derive(Clone)]
pub struct Subscription {
    /// Its name, unique in the service, for ever.
    pub name: &'static str,
    /// The services it listens to.
    pub topics: &'static [&'static str],
    /// Where it begins.
    pub from: From,
    /// Whether one instance must hold all partitions, because its commands meet on shared streams.
    pub exclusive: bool,
    /// What an event leads to: pure.
    pub react: React,
}

impl Subscription {
    /// A subscription from the beginning.
    pub fn new(
        name: &'static str,
        topics: &'static [&'static str],
        react: impl Fn(&Recorded) -> Result<Reaction, Poison> + Send + Sync + 'static,
    ) -> Self {
        Self {
            name,
            topics,
            from: From::Beginning,
            exclusive: false,
            react: Arc::new(react),
        }
    }

    /// Makes it exclusive.
    pub fn exclusive(mut self) -> Self {
        self.exclusive = true;
        self
    }
}

/// A durable timer: a row committed with the events that set it.
#[derive(Clone, Debug, PartialEq)]
pub struct Timer {
    /// Unique in the service; setting it again moves it. By convention `kind:id`.
    pub key: String,
    /// When it falls due, microseconds UTC.
    pub due: Timestamp,
    /// Which handler it is for.
    pub kind: String,
    /// JSON for the handler; no personal data.
    pub data: String,
}

/// Turns a due timer into a command.
pub type OnTimer = Arc<dyn Fn(&Timer) -> Result<Box<dyn AnyCommand>, Poison> + Send + Sync>;

/// What to do when a timer of a kind falls due: the command commits with the timer's removal.
#[derive(Clone)]
pub struct TimerHandler {
    /// The kind.
    pub kind: &'static str,
    /// The command.
    pub handle: OnTimer,
}

/// Turns the JSON of an event from outside into a command.
pub type OnInbound = Arc<dyn Fn(&str) -> Result<Box<dyn AnyCommand>, Poison> + Send + Sync>;

/// What to do with events of one kind from programs outside of Souk.
#[derive(Clone)]
pub struct InboundHandler {
    /// The wire name, such as `inventory.stock.counted.v1`.
    pub kind: &'static str,
    /// The command.
    pub handle: OnInbound,
}

/// A side effect did not succeed.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum WorkerError {
    /// Try again later, with backoff; the position waits.
    #[error("will be tried again: {0}")]
    Retry(String),
    /// Never going to work: parked as a dead letter.
    #[error("{0}")]
    Poison(String),
}

/// Performs one event's side effect and records its result by executing a command.
pub type Perform =
    Arc<dyn Fn(App, Arc<Recorded>) -> BoxFuture<'static, Result<(), WorkerError>> + Send + Sync>;

/// A doer of side effects: event → call to the outside (with an idempotency key from business
/// ids) → command that records the result. Runs at least once per event; events of one stream in
/// order, of different streams in parallel.
#[derive(Clone)]
pub struct Worker {
    /// Its name, unique among the service's subscriptions and workers.
    pub name: &'static str,
    /// The topics it listens to (often its own service's).
    pub topics: &'static [&'static str],
    /// Wire names it acts on; others only move its position.
    pub types: &'static [&'static str],
    /// Where it begins.
    pub from: From,
    /// How many effects may be under way at once.
    pub concurrency: usize,
    /// The effect.
    pub perform: Perform,
}

/// Hears one event.
pub type Listen = Arc<dyn Fn(&Arc<Recorded>) + Send + Sync>;

/// A feed without a record: every instance sees events from the moment it listens (or from the
/// beginning, for caches). For live pages and caches only.
#[derive(Clone)]
pub struct Broadcast {
    /// Its name.
    pub name: &'static str,
    /// The topics.
    pub topics: &'static [&'static str],
    /// Where it begins, at every start.
    pub from: From,
    /// Called in order for each event; must be quick and must not block.
    pub listen: Listen,
}

impl Broadcast {
    /// A feed of `topics`.
    pub fn new(
        name: &'static str,
        topics: &'static [&'static str],
        from: From,
        listen: impl Fn(&Arc<Recorded>) + Send + Sync + 'static,
    ) -> Self {
        Self {
            name,
            topics,
            from,
            listen: Arc::new(listen),
        }
    }
}
