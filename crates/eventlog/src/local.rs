//! The local driver: producers and consumers share a process. The newest events of each topic are
//! kept in memory, decoded once for all readers; older ones are read from the producer's store.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use kernel::{BoxFuture, Recorded};
use store::Store;
use tokio::sync::watch;

use crate::{Log, LogError, LogHead, ring::Ring};

/// How many bytes of payload one read from the store takes at most.
const READ_BYTES: usize = 1024 * 1024;

struct Topic {
    store: Arc<dyn Store>,
    recent: Mutex<Ring>,
    head: watch::Sender<i64>,
}

/// The log of all services in this process.
#[derive(Default)]
pub struct LocalLog {
    topics: HashMap<String, Topic>,
}

impl LocalLog {
    /// Adds a topic whose producer keeps its events in `store`, with its head now.
    pub fn add(&mut self, topic: &str, store: Arc<dyn Store>, head: i64) {
        let (head, _) = watch::channel(head);
        self.topics.insert(
            topic.to_owned(),
            Topic {
                store,
                recent: Mutex::default(),
                head,
            },
        );
    }

    fn topic(&self, topic: &str) -> Result<&Topic, LogError> {
        self.topics
            .get(topic)
            .ok_or_else(|| LogError::NoTopic(topic.to_owned()))
    }
}

impl Log for LocalLog {
    fn read<'a>(
        &'a self,
        topic: &'a str,
        after: i64,
        limit: usize,
    ) -> BoxFuture<'a, Result<Vec<Arc<Recorded>>, LogError>> {
        Box::pin(async move {
            let topic = self.topic(topic)?;
            if *topic.head.borrow() <= after {
                return Ok(Vec::new());
            }
            let recent = topic
                .recent
                .lock()
                .map_err(|_| LogError::Unavailable("poisoned".into()))?
                .after(after, limit);
            if let Some(events) = recent {
                return Ok(events);
            }
            let events = topic.store.read_log(after, limit, READ_BYTES).await;
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
        if let Ok(mut recent) = topic.recent.lock() {
            events.iter().for_each(|event| recent.push(event));
        }
        topic.head.send_replace(last.position);
    }

    fn head<'a>(&'a self, topic: &'a str) -> BoxFuture<'a, Result<LogHead, LogError>> {
        Box::pin(async move {
            let head = self.topic(topic)?.store.head().await;
            head.map_err(|e| LogError::Unavailable(e.to_string()))
        })
    }

    fn forget(&self) {
        for topic in self.topics.values() {
            if let Ok(mut recent) = topic.recent.lock() {
                recent.forget();
            }
        }
    }
}
