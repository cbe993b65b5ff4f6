//! What this process committed, on its way to the broker. It never delays a commit: what does not
//! fit while the broker is slow or away is dropped here, and the relay publishes it from the store.

use std::{
    collections::{BTreeSet, VecDeque},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use kernel::Recorded;
use tokio::sync::Notify;

use crate::{Broker, ring::size};

/// How many bytes of events wait for the broker at most.
const MOST_BYTES: usize = 16 * 1024 * 1024;
/// How much is handed to the broker at once.
const CHUNK: usize = 512;
const CHUNK_BYTES: usize = 1024 * 1024;
/// How long to wait after a failure, at first and at most.
const BACKOFF: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(2));
/// How many positions beyond a hole are remembered.
const MOST_BEYOND: usize = 65_536;

/// Events to be published, in order.
#[derive(Default)]
pub(crate) struct Outbox {
    queue: Mutex<(VecDeque<Arc<Recorded>>, usize)>,
    filled: Notify,
}

impl Outbox {
    /// Adds events; never waits.
    pub fn push(&self, events: &[Arc<Recorded>]) {
        let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        for event in events {
            if queue.1 >= MOST_BYTES {
                break;
            }
            queue.1 += size(event);
            queue.0.push_back(event.clone());
        }
        drop(queue);
        self.filled.notify_one();
    }

    /// Drops what is waiting: decoded, it may hold what was erased. The relay publishes it.
    pub fn forget(&self) {
        let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        *queue = Default::default();
    }

    fn take(&self) -> Vec<Arc<Recorded>> {
        let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        let mut bytes = 0;
        let mut fits = |event: &Arc<Recorded>| {
            bytes += size(event);
            bytes <= CHUNK_BYTES
        };
        let count = queue.0.iter().take(CHUNK).take_while(|e| fits(e)).count();
        let count = count.max(1).min(queue.0.len());
        let taken: Vec<_> = queue.0.drain(..count).collect();
        queue.1 -= taken.iter().map(|event| size(event)).sum::<usize>();
        taken
    }

    /// Publishes for ever, in order.
    pub async fn run(
        &self,
        broker: &dyn Broker,
        topic: &str,
        incarnation: &str,
        returned: &Mutex<Returned>,
    ) {
        loop {
            let events = self.take();
            if events.is_empty() {
                self.filled.notified().await;
                continue;
            }
            let mut pause = BACKOFF.0;
            while let Err(error) = broker.publish(topic, incarnation, &events).await {
                tracing::debug!(topic, %error, "the broker did not take events; trying again");
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(BACKOFF.1);
            }
            let mut returned = returned.lock().unwrap_or_else(PoisonError::into_inner);
            events
                .iter()
                .for_each(|event| returned.mark(event.position));
        }
    }
}

/// Which of a service's own events the broker is known to have: those it took, and those it
/// brought back.
#[derive(Debug, Default)]
pub(crate) struct Returned {
    /// Everything up to here.
    upto: i64,
    /// And these.
    beyond: BTreeSet<i64>,
}

impl Returned {
    /// Everything up to `position` need not be looked at.
    pub fn from(position: i64) -> Self {
        Self {
            upto: position,
            beyond: BTreeSet::new(),
        }
    }

    /// Everything up to here was published.
    pub fn upto(&self) -> i64 {
        self.upto
    }

    /// Whether the event at `position` was published.
    pub fn has(&self, position: i64) -> bool {
        position <= self.upto || self.beyond.contains(&position)
    }

    /// The event at `position` was published.
    pub fn mark(&mut self, position: i64) {
        if position <= self.upto {
            return;
        }
        if position > self.upto + 1 {
            self.beyond.insert(position);
            if self.beyond.len() > MOST_BEYOND {
                // Then it will be published once more.
                self.beyond.pop_last();
            }
            return;
        }
        self.upto = position;
        while self.beyond.first() == Some(&(self.upto + 1)) {
            self.beyond.pop_first();
            self.upto += 1;
        }
    }

    /// Doubts what is behind `position`.
    pub fn doubt(&mut self, position: i64) {
        self.upto = self.upto.min(position);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn whatever_the_order_what_was_marked_is_known(order in Just((1..=60i64).collect::<Vec<_>>()).prop_shuffle(), cut in 0usize..60) {
            let mut returned = Returned::default();
            let (first, rest) = order.split_at(cut);
            first.iter().for_each(|p| returned.mark(*p));
            prop_assert!(first.iter().all(|p| returned.has(*p)));
            prop_assert!(rest.iter().all(|p| !returned.has(*p)));
            rest.iter().for_each(|p| returned.mark(*p));
            prop_assert_eq!((returned.upto(), returned.beyond.len()), (60, 0));
        }
    }
}
