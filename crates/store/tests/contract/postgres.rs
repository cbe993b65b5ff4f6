//! The PostgreSQL adapter under the suite: one server for all tests, a database for each.

use std::sync::{
    Arc, Mutex, PoisonError, Weak,
    atomic::{AtomicU64, Ordering},
};

use kernel::BoxFuture;
use scratch::{Postgres, PostgresOptions};
use store::{
    Store, StoreError,
    postgres::{Config, PostgresStore},
};

use crate::Place;

/// A server, and the folder it is in, for as long as a test needs it.
pub struct Server {
    // Before the folder: the server must have ended when that is deleted.
    pub postgres: Mutex<Postgres>,
    _folder: tempfile::TempDir,
}

impl Server {
    /// A server of one's own, to be stopped and killed.
    pub fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let options = PostgresOptions {
            fsync: false,
            ..PostgresOptions::default()
        };
        let postgres = Postgres::start(&folder.path().join("postgres"), options);
        Self {
            postgres: Mutex::new(postgres.expect("PostgreSQL starts")),
            _folder: folder,
        }
    }

    /// The server that tests share which leave it alone.
    fn shared() -> Arc<Self> {
        static SHARED: Mutex<Weak<Server>> = Mutex::new(Weak::new());
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        shared.upgrade().unwrap_or_else(|| {
            let server = Arc::new(Self::start());
            *shared = Arc::downgrade(&server);
            server
        })
    }

    pub fn url(&self, database: &str) -> String {
        self.with(|postgres| postgres.url(database))
    }

    pub fn with<T>(&self, work: impl FnOnce(&mut Postgres) -> T) -> T {
        work(&mut self.postgres.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// A database that is not there yet.
pub struct Database {
    pub server: Arc<Server>,
    pub url: String,
}

impl Database {
    pub async fn new() -> Self {
        let server = tokio::task::spawn_blocking(Server::shared).await;
        Self::on(server.expect("a server"))
    }

    pub fn on(server: Arc<Server>) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let name = format!("test_{}", NEXT.fetch_add(1, Ordering::Relaxed));
        let url = server.url(&name);
        Self { server, url }
    }

    pub async fn try_open(&self) -> Result<PostgresStore, StoreError> {
        open_at(&self.url).await
    }
}

pub async fn open_at(url: &str) -> Result<PostgresStore, StoreError> {
    let config = Config {
        url: url.to_owned(),
        topic: "test",
        readers: 3,
    };
    PostgresStore::open(config, "first").await
}

impl Place for Database {
    fn open(&self) -> BoxFuture<'_, Arc<dyn Store>> {
        Box::pin(async { Arc::new(self.try_open().await.expect("opens")) as Arc<dyn Store> })
    }
}
