//! Several runtimes over the same databases and one log, in one process: what instances of a
//! service are to each other, without a database server or a broker.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use eventlog::{Log, LogError, LogHead};
use kernel::{BoxFuture, Clock, Module, Recorded};
use runtime::{
    KeyVault, Neighbours, Placement, RandomIds, Runtime, RuntimeConfig, SqliteKeyRing, SystemClock,
};
use store::{Batch, Statement, Store, StoreError, Stores, postgres, sqlite};
use tokio::sync::watch;

use crate::{
    gate::{Gate, Gated},
    outside::Outside,
};

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

    fn incarnation(&self, topic: &str) -> Option<Arc<str>> {
        let topic = self.topic(topic).ok()?;
        let restored = topic.restored.lock().expect("not poisoned");
        let restored = restored.as_ref();
        Some(restored.map_or("one", |head| &head.incarnation).into())
    }

    fn forget(&self) {}
}
