//! Who is following which order live. The feed carries no data: whoever is woken reads the order
//! itself, so that a lost or merged wake-up loses no change.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use contracts::orders::OrderId;
use kernel::{Broadcast, Decider, From, Recorded};
use tokio::sync::watch;

use crate::order::Order;

type Channels = HashMap<String, watch::Sender<u64>>;

/// One channel per order that somebody follows.
#[derive(Clone, Default)]
pub struct Feeds(Arc<Mutex<Channels>>);

impl Feeds {
    /// The feed of this service's own events.
    pub fn broadcast(&self) -> Broadcast {
        let feeds = self.clone();
        Broadcast::new("order-changes", &["orders"], From::Now, move |event| {
            feeds.heard(event);
        })
    }

    /// Wakes the followers of the order that `event` belongs to.
    pub fn heard(&self, event: &Recorded) {
        if event.stream.category() != Order::CATEGORY {
            return;
        }
        if let Ok(channels) = self.0.lock()
            && let Some(channel) = channels.get(event.stream.id())
        {
            channel.send_modify(|changes| *changes += 1);
        }
    }

    /// Follows an order. Whatever happens after this call wakes the follower.
    pub fn follow(&self, order: &OrderId) -> Follower {
        let order = order.to_string();
        let changes = match self.0.lock() {
            Ok(mut channels) => channels
                .entry(order.clone())
                .or_insert_with(|| watch::channel(0).0)
                .subscribe(),
            // A poisoned lock: the follower ends at once and reads what there is.
            Err(_) => watch::channel(0).1,
        };
        Follower {
            feeds: self.clone(),
            order,
            changes,
        }
    }

    /// How many orders are followed.
    #[cfg(test)]
    pub(crate) fn followed(&self) -> usize {
        self.0.lock().map_or(0, |channels| channels.len())
    }
}

/// Follows one order until it is dropped.
pub struct Follower {
    feeds: Feeds,
    order: String,
    changes: watch::Receiver<u64>,
}

impl Follower {
    /// Waits for the next change; `false` when there will be none.
    pub async fn changed(&mut self) -> bool {
        self.changes.changed().await.is_ok()
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        if let Ok(mut channels) = self.feeds.0.lock()
            && let Some(channel) = channels.get(&self.order)
            && channel.receiver_count() <= 1
        {
            channels.remove(&self.order);
        }
    }
}
