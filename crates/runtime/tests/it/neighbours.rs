//! Several runtimes over the same databases and one log, in one process: what instances of a
//! service are to each other, without a database server or a broker.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use eventlog::{Broker, Delivery, Inbound, Log, LogError, LogHead};
use kernel::{BoxFuture, Clock, Module, Recorded};
use runtime::{
    KeyVault, Neighbours, Placement, RandomIds, Runtime, RuntimeConfig, SqliteKeyRing, SystemClock,
};
use store::{
    Batch, Committed, HeldHead, LoadStream, LoadedStream, Rows, Statement, Store, StoreError,
    Stores, postgres, sqlite,
};
use tokio::sync::{mpsc, oneshot, watch};

/// So short that tests need not wait, so long that a busy machine does not look dead.
pub const LEASE_TIMEOUT: Duration = Duration::from_millis(1_500);

/// Databases and a log that outlive the runtimes over them.
pub struct World {
    databases: Databases,
    stores: HashMap<&'static str, Arc<dyn Store>>,
    pub log: Arc<SharedLog>,
    keyring: Arc<dyn KeyVault>,
    /// What instances hear from outside.
    pub broker: Arc<Outside>,
    _folder: tempfile::TempDir,
}

/// Where the databases are.
enum Databases {
    /// In files of this process: all instances share the one store that may be open.
    Files,
    /// On a server: each instance has connections of its own.
    Server(scratch::Postgres),
}

impl World {
    /// New databases in files.
    pub fn new(services: &[&'static str]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let open = |service: &'static str| {
            let config = sqlite::Config {
                path: folder.path().join(format!("{service}.db")),
                topic: service,
                readers: 2,
            };
            let store = sqlite::SqliteStore::open(config, "one").expect("a store");
            (service, Arc::new(store) as Arc<dyn Store>)
        };
        let stores = services.iter().map(|service| open(service)).collect();
        Self::over(Databases::Files, stores, folder)
    }

    /// New databases on a PostgreSQL server of their own.
    pub async fn on_a_server(services: &[&'static str]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let place = folder.path().join("postgres");
        let started = tokio::task::spawn_blocking(move || {
            let options = scratch::PostgresOptions {
                fsync: false,
                ..scratch::PostgresOptions::default()
            };
            scratch::Postgres::start(&place, options)
        });
        let server = started.await.expect("no panic");
        let server = server.expect("PostgreSQL starts (Debian: apt install postgresql)");
        let mut stores = HashMap::new();
        for service in services {
            stores.insert(*service, connect(&server, service).await);
        }
        Self::over(Databases::Server(server), stores, folder)
    }

    fn over(
        databases: Databases,
        stores: HashMap<&'static str, Arc<dyn Store>>,
        folder: tempfile::TempDir,
    ) -> Self {
        let topic = |(service, store): (&&'static str, &Arc<dyn Store>)| {
            let topic = Topic {
                store: store.clone(),
                head: watch::channel(0).0,
                restored: Mutex::default(),
            };
            ((*service).to_owned(), topic)
        };
        let log = SharedLog {
            topics: stores.iter().map(topic).collect(),
            silent: AtomicBool::new(false),
        };
        let ids = Arc::new(RandomIds);
        let ring = SqliteKeyRing::open(&folder.path().join("keyring.db"), ids);
        Self {
            databases,
            stores,
            log: Arc::new(log),
            keyring: Arc::new(ring.expect("a key ring")),
            broker: Arc::default(),
            _folder: folder,
        }
    }

    /// A new instance's way to a service's database.
    async fn connect(&self, service: &'static str) -> Arc<dyn Store> {
        match &self.databases {
            Databases::Files => self.stores[service].clone(),
            Databases::Server(server) => connect(server, service).await,
        }
    }

    /// Starts an instance in `slot`, with a gate before its commits.
    pub async fn start(&self, slot: &str, modules: Vec<Module>) -> (Runtime, Gate) {
        self.start_with(slot, modules, Arc::new(SystemClock)).await
    }

    /// The same with another clock.
    pub async fn start_with(
        &self,
        slot: &str,
        modules: Vec<Module>,
        clock: Arc<dyn Clock>,
    ) -> (Runtime, Gate) {
        let (started, gate) = self.try_start(slot, modules, clock).await;
        (started.unwrap_or_else(|error| panic!("{error}")), gate)
    }

    /// The same, if it starts.
    pub async fn try_start(
        &self,
        slot: &str,
        modules: Vec<Module>,
        clock: Arc<dyn Clock>,
    ) -> (Result<Runtime, runtime::StartError>, Gate) {
        let gate = Gate::default();
        let mut gated = HashMap::new();
        for service in self.stores.keys() {
            let store = Gated {
                store: self.connect(service).await,
                gate: gate.clone(),
            };
            gated.insert(*service, Arc::new(store) as Arc<dyn Store>);
        }
        let log = self.log.clone() as Arc<dyn Log>;
        let neighbours = Neighbours {
            log: Box::new(move |_| Box::pin(async move { Ok(log) })),
            slot: slot.to_owned(),
            lease_timeout: LEASE_TIMEOUT,
            topics: self.stores.keys().map(|s| (*s).to_owned()).collect(),
            broker: Some(self.broker.clone()),
        };
        let config = RuntimeConfig {
            stores: Arc::new(Handed(gated)),
            keyring: self.keyring.clone(),
            clock,
            ids: Arc::new(RandomIds),
            placement: Placement::Shared(neighbours),
        };
        (Runtime::start(config, modules).await, gate)
    }

    /// Changes a database behind its instances' backs.
    pub async fn write(&self, service: &str, statement: Statement) {
        let batch = Batch {
            statements: vec![statement],
            ..Batch::default()
        };
        let written = self.stores[service].commit(batch).await;
        written.unwrap_or_else(|error| panic!("{error}"));
    }

    /// The number in the first column of the first row; 0 without one.
    pub async fn number(&self, service: &str, statement: Statement) -> i64 {
        let rows = self.stores[service].query(vec![statement]).await;
        let rows = rows.unwrap_or_else(|error| panic!("{error}"));
        rows[0].first().map_or(0, |row| row.get(0))
    }
}

async fn connect(server: &scratch::Postgres, service: &'static str) -> Arc<dyn Store> {
    let config = postgres::Config {
        url: server.url(&format!("souk_{service}")),
        topic: service,
        readers: 2,
    };
    let store = postgres::PostgresStore::open(config, "one").await;
    Arc::new(store.expect("a store"))
}

/// Databases that others have opened.
struct Handed(HashMap<&'static str, Arc<dyn Store>>);

impl Stores for Handed {
    fn open(
        &self,
        service: &'static str,
        _: String,
    ) -> BoxFuture<'_, Result<Arc<dyn Store>, StoreError>> {
        Box::pin(async move { Ok(self.0[service].clone()) })
    }

    fn sole_owner(&self) -> bool {
        false
    }
}

/// Stops an instance as SIGSTOP would: nothing of it reaches the database until it goes on, and
/// then what was on its way arrives.
#[derive(Clone)]
pub struct Gate {
    shut: Arc<watch::Sender<Shut>>,
    waiting: Arc<AtomicUsize>,
}

/// What does not pass.
#[derive(Clone, Copy, PartialEq, PartialOrd)]
enum Shut {
    Nothing,
    /// Tables that take another one's place.
    Switches,
    /// Commits, and they.
    Writes,
    /// Questions, and they.
    Everything,
}

impl Default for Gate {
    fn default() -> Self {
        Self {
            shut: Arc::new(watch::channel(Shut::Nothing).0),
            waiting: Arc::default(),
        }
    }
}

impl Gate {
    /// Nothing passes.
    pub fn stop(&self) {
        self.shut.send_replace(Shut::Everything);
    }

    /// Questions are still answered.
    pub fn stop_writes(&self) {
        self.shut.send_replace(Shut::Writes);
    }

    /// A rebuilt read model waits before it takes the old one's place.
    pub fn stop_switches(&self) {
        self.shut.send_replace(Shut::Switches);
    }

    pub fn go_on(&self) {
        self.shut.send_replace(Shut::Nothing);
    }

    /// How many wait before it.
    pub fn waiting(&self) -> usize {
        self.waiting.load(Ordering::SeqCst)
    }

    async fn pass(&self, what: Shut) {
        self.waiting.fetch_add(1, Ordering::SeqCst);
        let _ = self.shut.subscribe().wait_for(|shut| *shut < what).await;
        self.waiting.fetch_sub(1, Ordering::SeqCst);
    }
}

/// One instance's way to a database.
struct Gated {
    store: Arc<dyn Store>,
    gate: Gate,
}

impl Store for Gated {
    fn commit(&self, batch: Batch) -> BoxFuture<'_, Result<Committed, StoreError>> {
        Box::pin(async move {
            self.gate.pass(Shut::Writes).await;
            self.store.commit(batch).await
        })
    }

    fn query(&self, statements: Vec<Statement>) -> BoxFuture<'_, Result<Vec<Rows>, StoreError>> {
        Box::pin(async move {
            self.gate.pass(Shut::Everything).await;
            self.store.query(statements).await
        })
    }

    fn load(
        &self,
        streams: Vec<LoadStream>,
    ) -> BoxFuture<'_, Result<Vec<LoadedStream>, StoreError>> {
        self.store.load(streams)
    }

    fn read_log(
        &self,
        after: i64,
        limit: usize,
        max_bytes: usize,
    ) -> BoxFuture<'_, Result<Vec<Recorded>, StoreError>> {
        self.store.read_log(after, limit, max_bytes)
    }

    fn head(&self) -> BoxFuture<'_, Result<LogHead, StoreError>> {
        self.store.head()
    }

    fn migrate(
        &self,
        owner: &'static str,
        scripts: &'static [&'static str],
    ) -> BoxFuture<'_, Result<(), StoreError>> {
        self.store.migrate(owner, scripts)
    }

    fn define(&self, ddl: String, batch: Batch) -> BoxFuture<'_, Result<Committed, StoreError>> {
        Box::pin(async move {
            self.gate
                .pass(if ddl.contains("RENAME") {
                    Shut::Switches
                } else {
                    Shut::Writes
                })
                .await;
            self.store.define(ddl, batch).await
        })
    }

    fn scrub(&self) -> BoxFuture<'_, Result<(), StoreError>> {
        self.store.scrub()
    }

    fn hold(&self) -> BoxFuture<'_, Result<Box<dyn HeldHead>, StoreError>> {
        Box::pin(async move {
            self.gate.pass(Shut::Writes).await;
            self.store.hold().await
        })
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        // The others still need it.
        Box::pin(async {})
    }
}

/// A log over the databases, which tells all runtimes what any of them committed.
pub struct SharedLog {
    topics: HashMap<String, Topic>,
    silent: AtomicBool,
}

struct Topic {
    store: Arc<dyn Store>,
    head: watch::Sender<i64>,
    /// What it says of itself after it was restored.
    restored: Mutex<Option<LogHead>>,
}

impl SharedLog {
    fn topic(&self, topic: &str) -> Result<&Topic, LogError> {
        let found = self.topics.get(topic);
        found.ok_or_else(|| LogError::NoTopic(topic.to_owned()))
    }

    /// Tells nobody anything any more.
    pub fn be_silent(&self) {
        self.silent.store(true, Ordering::SeqCst);
    }

    /// Makes the topic say that it is another log and ends at `position`.
    pub fn restore(&self, topic: &str, incarnation: &str, position: i64) {
        let topic = self.topic(topic).expect("a topic");
        *topic.restored.lock().expect("not poisoned") = Some(LogHead {
            position,
            incarnation: incarnation.to_owned(),
        });
    }
}

impl Log for SharedLog {
    fn read<'a>(
        &'a self,
        topic: &'a str,
        after: i64,
        limit: usize,
    ) -> BoxFuture<'a, Result<Vec<Arc<Recorded>>, LogError>> {
        Box::pin(async move {
            let store = &self.topic(topic)?.store;
            let events = store.read_log(after, limit, 1 << 20).await;
            let events = events.map_err(|e| LogError::Unavailable(e.to_string()))?;
            Ok(events.into_iter().map(Arc::new).collect())
        })
    }

    fn watch(&self, topic: &str) -> Result<watch::Receiver<i64>, LogError> {
        Ok(self.topic(topic)?.head.subscribe())
    }

    fn publish(&self, topic: &str, events: &[Arc<Recorded>]) {
        let (Ok(topic), Some(last)) = (self.topic(topic), events.last()) else {
            return;
        };
        if self.silent.load(Ordering::SeqCst) {
            return;
        }
        // Several publish, in any order.
        topic.head.send_if_modified(|head| {
            let new = last.position > *head;
            *head = last.position.max(*head);
            new
        });
    }

    fn head<'a>(&'a self, topic: &'a str) -> BoxFuture<'a, Result<LogHead, LogError>> {
        Box::pin(async move {
            let topic = self.topic(topic)?;
            let restored = topic.restored.lock().expect("not poisoned").clone();
            if let Some(head) = restored {
                return Ok(head);
            }
            let head = topic.store.head().await;
            head.map_err(|e| LogError::Unavailable(e.to_string()))
        })
    }

    fn forget(&self) {}
}

/// Programs outside of Souk, and a broker that knows nothing but them.
#[derive(Default)]
pub struct Outside {
    ears: Mutex<HashMap<String, Vec<mpsc::Sender<Inbound>>>>,
}

impl Outside {
    /// Says something to the `n`th instance (in the order of their starts) of a service; answers
    /// whether it was acknowledged.
    pub async fn say(
        &self,
        service: &str,
        n: usize,
        (source, id): (&str, &str),
        kind: &str,
        data: &str,
    ) -> bool {
        let ear = self.ears.lock().expect("not poisoned")[service][n].clone();
        let (done, answer) = oneshot::channel();
        let event = Inbound {
            source: source.into(),
            id: id.into(),
            kind: kind.into(),
            data: data.into(),
            done,
        };
        ear.send(event).await.expect("it listens");
        answer.await.expect("an answer")
    }

    /// How many instances of a service listen.
    pub fn listeners(&self, service: &str) -> usize {
        let ears = self.ears.lock().expect("not poisoned");
        ears.get(service).map_or(0, Vec::len)
    }
}

fn nothing<T>() -> Result<T, LogError> {
    Err(LogError::Unavailable("there is no broker".into()))
}

impl Broker for Outside {
    fn publish<'a>(
        &'a self,
        _: &'a str,
        _: &'a str,
        _: &'a [Arc<Recorded>],
    ) -> BoxFuture<'a, Result<(), LogError>> {
        Box::pin(async { nothing() })
    }

    fn announce<'a>(&'a self, _: &'a str, _: &'a LogHead) -> BoxFuture<'a, Result<(), LogError>> {
        Box::pin(async { nothing() })
    }

    fn tail<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Result<mpsc::Receiver<Delivery>, LogError>> {
        Box::pin(async { nothing() })
    }

    fn newest<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Result<Option<LogHead>, LogError>> {
        Box::pin(async { nothing() })
    }

    fn retained<'a>(
        &'a self,
        _: &'a str,
        _: &'a str,
        _: i64,
        _: usize,
    ) -> BoxFuture<'a, Result<Vec<Recorded>, LogError>> {
        Box::pin(async { nothing() })
    }

    fn inbound<'a>(
        &'a self,
        service: &'a str,
    ) -> BoxFuture<'a, Result<mpsc::Receiver<Inbound>, LogError>> {
        Box::pin(async move {
            let (ear, events) = mpsc::channel(4);
            let mut ears = self.ears.lock().expect("not poisoned");
            ears.entry(service.to_owned()).or_default().push(ear);
            Ok(events)
        })
    }
}
