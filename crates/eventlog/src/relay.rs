//! What one instance of each service does for its topic, once a second: it announces how far the
//! log reaches, so that a lost tail shows, and publishes what did not come back from the broker. So
//! nothing is lost for listeners outside when an instance dies between commit and publication.

use std::{
    sync::{Arc, PoisonError},
    time::Duration,
};

use store::{LogHead, Store};
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use crate::{LogError, RemoteLog, remote::Topic};

/// How often.
const EVERY: Duration = Duration::from_secs(1);
/// How many events are published again in one piece, about how many bytes, and how many pieces in
/// one turn.
const CHUNK: usize = 512;
const CHUNK_BYTES: usize = 1024 * 1024;
const CHUNKS: usize = 16;
/// How far back it looks at its start for what may never have been published.
const LOOK_BACK: i64 = 10_000;
/// The same when the broker has nothing at all of the topic.
const LOOK_BACK_EMPTY: i64 = 1_000;

/// Runs until it is told to stop. The caller holds the service's lease `relay`; two at once do no
/// harm.
pub(crate) async fn relay(log: &RemoteLog, topic: &str, stop: CancellationToken) {
    let Ok(topic) = log.topic(topic).cloned() else {
        return tracing::error!(topic, "there is no such topic to relay");
    };
    let Some(store) = topic.own.clone() else {
        return tracing::error!(topic = topic.name, "only its producer can relay a topic");
    };
    let mut relay = Relay {
        log,
        topic,
        store,
        looked_back: false,
        before: 0,
    };
    let mut ticks = tokio::time::interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut failing = false;
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = ticks.tick() => {}
        }
        let turn = tokio::select! {
            () = stop.cancelled() => return,
            turn = relay.turn() => turn,
        };
        let failed = turn.is_err();
        if let Err(error) = turn
            && !std::mem::replace(&mut failing, true)
        {
            tracing::warn!(topic = relay.topic.name, %error, "the relay cannot work just now; it keeps trying");
        }
        if !failed && std::mem::replace(&mut failing, false) {
            tracing::info!(topic = relay.topic.name, "the relay works again");
        }
    }
}

struct Relay<'a> {
    log: &'a RemoteLog,
    topic: Arc<Topic>,
    store: Arc<dyn Store>,
    /// Whether it was compared with what the broker had at the start.
    looked_back: bool,
    /// The head a turn ago: what is older and not back is overdue.
    before: i64,
}

impl Relay<'_> {
    async fn turn(&mut self) -> Result<(), LogError> {
        let head = self.store.head().await;
        let head = head.map_err(|e| LogError::Unavailable(e.to_string()))?;
        self.log.broker.announce(&self.topic.name, &head).await?;
        if !self.looked_back {
            self.look_back(&head).await?;
            self.looked_back = true;
            self.before = self.upto();
        }
        let overdue = std::mem::replace(&mut self.before, head.position);
        for _ in 0..CHUNKS {
            if self.upto() >= overdue {
                break;
            }
            self.publish_again(&head.incarnation, overdue).await?;
        }
        Ok(())
    }

    /// Instances that ran before may have died before they published.
    async fn look_back(&self, head: &LogHead) -> Result<(), LogError> {
        let newest = self.log.broker.newest(&self.topic.name).await?;
        let newest = newest.filter(|newest| newest.incarnation == head.incarnation);
        let from = match newest {
            Some(newest) => newest.position.max(head.position - LOOK_BACK),
            None => head.position - LOOK_BACK_EMPTY,
        };
        let mut returned = self
            .topic
            .returned
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        returned.doubt(from.max(0));
        Ok(())
    }

    fn upto(&self) -> i64 {
        let returned = self.topic.returned.lock();
        returned.unwrap_or_else(PoisonError::into_inner).upto()
    }

    async fn publish_again(&self, incarnation: &str, overdue: i64) -> Result<(), LogError> {
        let after = self.upto();
        let limit = usize::try_from(overdue - after).unwrap_or(1).min(CHUNK);
        let read = self.store.read_log(after, limit, CHUNK_BYTES).await;
        let events = read.map_err(|e| LogError::Unavailable(e.to_string()))?;
        let missing: Vec<_> = {
            let returned = self.topic.returned.lock();
            let returned = returned.unwrap_or_else(PoisonError::into_inner);
            let missing = events.into_iter().filter(|e| !returned.has(e.position));
            missing.map(Arc::new).collect()
        };
        if missing.is_empty() {
            return Ok(());
        }
        tracing::info!(
            topic = self.topic.name,
            count = missing.len(),
            after,
            "publishing events that did not come back from the broker"
        );
        let name = &self.topic.name;
        self.log.broker.publish(name, incarnation, &missing).await?;
        let mut returned = self
            .topic
            .returned
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        missing.iter().for_each(|e| returned.mark(e.position));
        Ok(())
    }
}
