//! The local driver: producers and consumers share a process. The newest events of each topic are
//! kept in memory, decoded once for all readers; older ones are read from the producer's store.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex},
};

use kernel::{BoxFuture, Recorded};
use store::Store;
use tokio::sync::watch;

use crate::{Log, LogError, LogHead};

/// About how many bytes a topic keeps in memory for its readers.
const KEEP_BYTES: usize = 8 * 1024 * 1024;
/// How many bytes of payload one read from the store takes at most.
const READ_BYTES: usize = 1024 * 1024;

struct Topic {
    store: Arc<dyn Store>,
    recent: Mutex<Recent>,
    head: watch::Sender<i64>,
}

#[derive(Default)]
struct Recent {
    events: VecDeque<Arc<Recorded>>,
    bytes: usize,
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

/// About how much memory an event takes, payload and all that hangs on it.
fn size(event: &Recorded) -> usize {
    2 * event.data.len() + 300
}

impl Recent {
    /// The events after `after`, if they are all still here.
    fn after(&self, after: i64, limit: usize) -> Option<Vec<Arc<Recorded>>> {
        let first = self.events.front()?.position;
        // Positions have no gaps, so the place in the queue follows from the position.
        let skip = usize::try_from(after + 1 - first).ok()?;
        Some(self.events.iter().skip(skip).take(limit).cloned().collect())
    }

    fn push(&mut self, event: &Arc<Recorded>) {
        // Something may have been committed without being announced here (an answer that got
        // lost); what is kept must stay without gaps.
        if self
            .events
            .back()
            .is_some_and(|last| last.position + 1 != event.position)
        {
            self.forget();
        }
        self.bytes += size(event);
        self.events.push_back(event.clone());
        while self.bytes > KEEP_BYTES && self.events.len() > 1 {
            self.bytes -= self.events.pop_front().map_or(0, |event| size(&event));
        }
    }

    fn forget(&mut self) {
        self.events.clear();
        self.bytes = 0;
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
