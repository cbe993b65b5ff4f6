//! A producer, and its history as others read it.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicBool, Ordering},
};

use eventlog::{History, LogError, LogHead, OwnTopic};
use kernel::{BoxFuture, EventMeta, Recorded, Rows, Statement, StreamId, Timestamp, partition_of};
use store::{Batch, Committed, HeldHead, LoadStream, LoadedStream, Store, StoreError};

/// A producer's database.
pub struct Producer {
    pub store: Arc<dyn Store>,
    next: Mutex<i64>,
}

/// A log in memory: without threads of its own, so that tests can be in virtual time.
struct MemoryStore {
    topic: Arc<str>,
    incarnation: String,
    events: Mutex<Vec<Arc<Recorded>>>,
}

fn none<'a, T>() -> BoxFuture<'a, Result<T, StoreError>> {
    Box::pin(async { Err(StoreError::Unavailable("only a log".into())) })
}

impl Store for MemoryStore {
    fn commit(&self, batch: Batch) -> BoxFuture<'_, Result<Committed, StoreError>> {
        Box::pin(async move {
            tokio::task::yield_now().await;
            let mut log = self.events.lock().expect("the log");
            let mut events = Vec::new();
            for mut event in batch.events {
                event.topic = self.topic.clone();
                event.position = log.len() as i64 + 1;
                event.partition = partition_of(event.stream.as_str());
                let before = log.iter().rev().find(|e| e.partition == event.partition);
                event.prev = before.map_or(0, |before| before.position);
                log.push(Arc::new(event));
                events.extend(log.last().cloned());
            }
            Ok(Committed { events })
        })
    }

    fn read_log(
        &self,
        after: i64,
        limit: usize,
        _max_bytes: usize,
    ) -> BoxFuture<'_, Result<Vec<Recorded>, StoreError>> {
        Box::pin(async move {
            tokio::task::yield_now().await;
            let log = self.events.lock().expect("the log");
            let behind = log.iter().skip(after as usize).take(limit);
            Ok(behind.map(|event| (**event).clone()).collect())
        })
    }

    fn head(&self) -> BoxFuture<'_, Result<LogHead, StoreError>> {
        Box::pin(async move {
            Ok(LogHead {
                position: self.events.lock().expect("the log").len() as i64,
                incarnation: self.incarnation.clone(),
            })
        })
    }

    fn query(&self, _: Vec<Statement>) -> BoxFuture<'_, Result<Vec<Rows>, StoreError>> {
        none()
    }

    fn load(&self, _: Vec<LoadStream>) -> BoxFuture<'_, Result<Vec<LoadedStream>, StoreError>> {
        none()
    }

    fn migrate(
        &self,
        _: &'static str,
        _: &'static [&'static str],
    ) -> BoxFuture<'_, Result<(), StoreError>> {
        none()
    }

    fn define(&self, _: String, _: Batch) -> BoxFuture<'_, Result<Committed, StoreError>> {
        none()
    }

    fn scrub(&self) -> BoxFuture<'_, Result<(), StoreError>> {
        none()
    }

    fn hold(&self) -> BoxFuture<'_, Result<Box<dyn HeldHead>, StoreError>> {
        none()
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        Box::pin(async {})
    }
}

/// An event with what a test says of it; no position yet.
pub fn event(topic: &str, stream: &str, version: i64, data: String) -> Recorded {
    Recorded {
        topic: topic.into(),
        position: 0,
        prev: 0,
        partition: 0,
        stream: StreamId::from_name(stream),
        version,
        kind: format!("{topic}.thing.happened.v1").into(),
        data: data.into(),
        at: Timestamp(1_700_000_000_000_001),
        meta: EventMeta {
            correlation: "cor-1".into(),
            causation: Some("carts:9".into()),
            trace: None,
            actor: Some("guest".into()),
        },
        typed: Default::default(),
    }
}

impl Producer {
    pub fn new(topic: &'static str, incarnation: &str) -> Self {
        let store = MemoryStore {
            topic: topic.into(),
            incarnation: incarnation.to_owned(),
            events: Mutex::default(),
        };
        Self {
            store: Arc::new(store),
            next: Mutex::default(),
        }
    }

    /// Commits events, each in a stream of its own.
    pub async fn commit(&self, topic: &str, count: usize) -> Vec<Arc<Recorded>> {
        let new = || {
            let mut next = self.next.lock().expect("a number");
            *next += 1;
            event(
                topic,
                &format!("thing-{next}-in-a-row"),
                1,
                format!("{{\"n\":{next}}}"),
            )
        };
        self.commit_events((0..count).map(|_| new()).collect())
            .await
    }

    pub async fn commit_events(&self, events: Vec<Recorded>) -> Vec<Arc<Recorded>> {
        let batch = Batch {
            events,
            ..Batch::default()
        };
        self.store.commit(batch).await.expect("committed").events
    }

    pub async fn own(&self, topic: &str) -> OwnTopic {
        OwnTopic {
            topic: topic.to_owned(),
            store: self.store.clone(),
            head: self.store.head().await.expect("a head"),
        }
    }

    pub fn history(&self) -> Arc<StoreHistory> {
        Arc::new(StoreHistory {
            store: self.store.clone(),
            down: AtomicBool::new(false),
        })
    }
}

/// A producer's history, which can be down.
pub struct StoreHistory {
    store: Arc<dyn Store>,
    pub down: AtomicBool,
}

impl StoreHistory {
    fn up(&self) -> Result<(), LogError> {
        match self.down.load(Ordering::SeqCst) {
            true => Err(LogError::Unavailable("the producer is down".into())),
            false => Ok(()),
        }
    }
}

impl History for StoreHistory {
    fn head<'a>(&'a self, _topic: &'a str) -> BoxFuture<'a, Result<LogHead, LogError>> {
        Box::pin(async move {
            self.up()?;
            let head = self.store.head().await;
            head.map_err(|e| LogError::Unavailable(e.to_string()))
        })
    }

    fn read<'a>(
        &'a self,
        _topic: &'a str,
        _incarnation: &'a str,
        after: i64,
        limit: usize,
        max_bytes: usize,
    ) -> BoxFuture<'a, Result<Vec<Recorded>, LogError>> {
        Box::pin(async move {
            self.up()?;
            let events = self.store.read_log(after, limit, max_bytes).await;
            events.map_err(|e| LogError::Unavailable(e.to_string()))
        })
    }
}
