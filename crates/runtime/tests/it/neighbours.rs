//! Several runtimes over the same databases and one log, in one process: what instances of a
//! service are to each other, without a database server or a broker.

use std::{
    collections::HashMap,
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use eventlog::{Log, LogError, LogHead};
use kernel::{BoxFuture, Clock, Module, Recorded};
use runtime::{
    KeyVault, Neighbours, Placement, RandomIds, Runtime, RuntimeConfig, SqliteKeyRing, SystemClock,
};
use store::{
    Batch, Committed, HeldHead, LoadStream, LoadedStream, Rows, Statement, Store, StoreError,
    Stores, sqlite,
};
use tokio::sync::{OwnedMutexGuard, watch};

/// So short that tests need not wait, so long that a busy machine does not look dead.
pub const LEASE_TIMEOUT: Duration = Duration::from_millis(1_500);

/// Databases and a log that outlive the runtimes over them.
pub struct World {
    stores: HashMap<&'static str, Shared>,
    pub log: Arc<SharedLog>,
    keyring: Arc<dyn KeyVault>,
}

#[derive(Clone)]
struct Shared {
    store: Arc<sqlite::SqliteStore>,
    /// The head of the log: whoever commits or holds has it.
    head: Arc<tokio::sync::Mutex<()>>,
}

impl World {
    /// New databases in `folder`.
    pub fn new(folder: &Path, services: &[&'static str]) -> Self {
        let mut stores = HashMap::new();
        let mut topics = HashMap::new();
        for service in services {
            let config = sqlite::Config {
                path: folder.join(format!("{service}.db")),
                topic: service,
                readers: 2,
            };
            let store = sqlite::SqliteStore::open(config, "one").expect("a store");
            let store = Arc::new(store);
            let topic = Topic {
                store: store.clone(),
                head: watch::channel(0).0,
                restored: Mutex::default(),
            };
            topics.insert((*service).to_owned(), topic);
            let head = Arc::default();
            stores.insert(*service, Shared { store, head });
        }
        let ids = Arc::new(RandomIds);
        let keyring = SqliteKeyRing::open(&folder.join("keyring.db"), ids).expect("a key ring");
        Self {
            stores,
            log: Arc::new(SharedLog { topics }),
            keyring: Arc::new(keyring),
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
        let gated = self.stores.iter().map(|(service, shared)| {
            let gated = Gated {
                shared: shared.clone(),
                gate: gate.clone(),
            };
            (*service, Arc::new(gated) as Arc<dyn Store>)
        });
        let log = self.log.clone() as Arc<dyn Log>;
        let neighbours = Neighbours {
            log: Box::new(move |_| Box::pin(async move { Ok(log) })),
            slot: slot.to_owned(),
            lease_timeout: LEASE_TIMEOUT,
            topics: self.stores.keys().map(|s| (*s).to_owned()).collect(),
            broker: None,
            relay: None,
        };
        let config = RuntimeConfig {
            stores: Arc::new(Handed(gated.collect())),
            keyring: self.keyring.clone(),
            clock,
            ids: Arc::new(RandomIds),
            placement: Placement::Shared(neighbours),
        };
        (Runtime::start(config, modules).await, gate)
    }

    /// The database itself.
    pub fn store(&self, service: &str) -> Arc<dyn Store> {
        self.stores[service].store.clone()
    }

    /// The number in the first column of the first row; 0 without one.
    pub async fn number(&self, service: &str, statement: Statement) -> i64 {
        let rows = self.store(service).query(vec![statement]).await;
        let rows = rows.unwrap_or_else(|error| panic!("{error}"));
        rows[0].first().map_or(0, |row| row.get(0))
    }
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
    open: Arc<watch::Sender<bool>>,
    waiting: Arc<AtomicUsize>,
}

impl Default for Gate {
    fn default() -> Self {
        Self {
            open: Arc::new(watch::channel(true).0),
            waiting: Arc::default(),
        }
    }
}

impl Gate {
    pub fn stop(&self) {
        self.open.send_replace(false);
    }

    pub fn go_on(&self) {
        self.open.send_replace(true);
    }

    /// How many writes wait before it.
    pub fn waiting(&self) -> usize {
        self.waiting.load(Ordering::SeqCst)
    }

    async fn pass(&self) {
        self.waiting.fetch_add(1, Ordering::SeqCst);
        let _ = self.open.subscribe().wait_for(|open| *open).await;
        self.waiting.fetch_sub(1, Ordering::SeqCst);
    }
}

/// One instance's way to a database.
struct Gated {
    shared: Shared,
    gate: Gate,
}

impl Store for Gated {
    fn commit(&self, batch: Batch) -> BoxFuture<'_, Result<Committed, StoreError>> {
        Box::pin(async move {
            self.gate.pass().await;
            let _head = self.shared.head.lock().await;
            self.shared.store.commit(batch).await
        })
    }

    fn query(&self, statements: Vec<Statement>) -> BoxFuture<'_, Result<Vec<Rows>, StoreError>> {
        Box::pin(async move {
            self.gate.pass().await;
            self.shared.store.query(statements).await
        })
    }

    fn load(
        &self,
        streams: Vec<LoadStream>,
    ) -> BoxFuture<'_, Result<Vec<LoadedStream>, StoreError>> {
        self.shared.store.load(streams)
    }

    fn read_log(
        &self,
        after: i64,
        limit: usize,
        max_bytes: usize,
    ) -> BoxFuture<'_, Result<Vec<Recorded>, StoreError>> {
        self.shared.store.read_log(after, limit, max_bytes)
    }

    fn head(&self) -> BoxFuture<'_, Result<LogHead, StoreError>> {
        self.shared.store.head()
    }

    fn migrate(
        &self,
        owner: &'static str,
        scripts: &'static [&'static str],
    ) -> BoxFuture<'_, Result<(), StoreError>> {
        self.shared.store.migrate(owner, scripts)
    }

    fn define(&self, ddl: String, batch: Batch) -> BoxFuture<'_, Result<Committed, StoreError>> {
        Box::pin(async move {
            self.gate.pass().await;
            let _head = self.shared.head.lock().await;
            self.shared.store.define(ddl, batch).await
        })
    }

    fn scrub(&self) -> BoxFuture<'_, Result<(), StoreError>> {
        self.shared.store.scrub()
    }

    fn hold(&self) -> BoxFuture<'_, Result<Box<dyn HeldHead>, StoreError>> {
        Box::pin(async move {
            self.gate.pass().await;
            let head = self.shared.head.clone().lock_owned().await;
            Ok(Box::new(Held {
                _head: head,
                store: self.shared.store.clone(),
            }) as Box<dyn HeldHead>)
        })
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        // The others still need it.
        Box::pin(async {})
    }
}

struct Held {
    _head: OwnedMutexGuard<()>,
    store: Arc<sqlite::SqliteStore>,
}

impl HeldHead for Held {
    fn load(
        &mut self,
        streams: Vec<LoadStream>,
    ) -> BoxFuture<'_, Result<Vec<LoadedStream>, StoreError>> {
        self.store.load(streams)
    }

    fn query(
        &mut self,
        statements: Vec<Statement>,
    ) -> BoxFuture<'_, Result<Vec<Rows>, StoreError>> {
        self.store.query(statements)
    }

    fn commit(self: Box<Self>, batch: Batch) -> BoxFuture<'static, Result<Committed, StoreError>> {
        Box::pin(async move { self.store.commit(batch).await })
    }
}

/// A log over the databases, which tells all runtimes what any of them committed.
pub struct SharedLog {
    topics: HashMap<String, Topic>,
}

struct Topic {
    store: Arc<sqlite::SqliteStore>,
    head: watch::Sender<i64>,
    /// What it says of itself after it was restored.
    restored: Mutex<Option<LogHead>>,
}

impl SharedLog {
    fn topic(&self, topic: &str) -> Result<&Topic, LogError> {
        let found = self.topics.get(topic);
        found.ok_or_else(|| LogError::NoTopic(topic.to_owned()))
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
