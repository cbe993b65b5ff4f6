//! An instance that can be stopped before it reaches its database.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use eventlog::LogHead;
use kernel::{BoxFuture, Recorded};
use store::{
    Batch, Committed, HeldHead, LoadStream, LoadedStream, Rows, Statement, Store, StoreError,
};
use tokio::sync::watch;

/// Stops an instance as SIGSTOP would: nothing of it reaches the database until it goes on, and
/// then what was on its way arrives.
#[derive(Clone)]
pub struct Gate {
    shut: Arc<watch::Sender<Shut>>,
    waiting: Arc<AtomicUsize>,
    loaded: Arc<AtomicUsize>,
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
            loaded: Arc::default(),
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

    /// How many streams were loaded through it.
    pub fn loaded(&self) -> usize {
        self.loaded.load(Ordering::SeqCst)
    }

    async fn pass(&self, what: Shut) {
        self.waiting.fetch_add(1, Ordering::SeqCst);
        let _ = self.shut.subscribe().wait_for(|shut| *shut < what).await;
        self.waiting.fetch_sub(1, Ordering::SeqCst);
    }
}

/// One instance's way to a database.
pub struct Gated {
    pub store: Arc<dyn Store>,
    pub gate: Gate,
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
        self.gate.loaded.fetch_add(streams.len(), Ordering::SeqCst);
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
            let what = match ddl.contains("RENAME") {
                true => Shut::Switches,
                false => Shut::Writes,
            };
            self.gate.pass(what).await;
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
