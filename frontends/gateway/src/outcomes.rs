//! What became of orders, for callers who wait (`Prefer: wait`). A live feed wakes them: there is
//! no polling, and no lock is held while anyone waits.

use std::{
    collections::{HashMap, VecDeque},
    hash::{BuildHasher as _, RandomState},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
};

use contracts::{
    inventory::Shortage,
    orders::{CancelReason, OrderEvent, OrderId},
    payments::PaymentId,
};
use kernel::{Broadcast, From, Recorded};
use tokio::sync::oneshot;

/// The outcomes that end a wait.
const ENDS: [&str; 3] = [
    "orders.order.confirmed.v1",
    "orders.order.cancelled.v1",
    "orders.order.payment_action_required.v1",
];
/// Locks are per shard, so that the feed and the callers rarely meet.
const SHARDS: usize = 16;
/// Outcomes kept per shard for callers who come to wait a moment too late.
const KEPT: usize = 2_048;

/// Where an order came to.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// It will be sent.
    Confirmed {
        /// What covers it.
        payment: PaymentId,
    },
    /// It was given up.
    Cancelled {
        /// Why.
        reason: CancelReason,
        /// What was short.
        shortages: Vec<Shortage>,
        /// The payment that was asked for.
        payment: Option<PaymentId>,
    },
    /// The buyer must go there first.
    ActionRequired {
        /// Where.
        url: String,
    },
}

#[derive(Default)]
struct Shard {
    /// With the generation in which it was heard.
    recent: HashMap<OrderId, (u64, Outcome)>,
    oldest_first: VecDeque<OrderId>,
    waiting: HashMap<OrderId, Vec<oneshot::Sender<Outcome>>>,
}

struct Inner {
    shards: [Mutex<Shard>; SHARDS],
    hasher: RandomState,
    /// Callers between the start of their checkout and the end of their wait. While there is none,
    /// nothing is kept, and the feed costs a comparison per event.
    interested: AtomicUsize,
    /// Raised when the first caller becomes interested. What was kept for callers before is not
    /// for callers after: what happened in between was not listened to.
    generation: AtomicU64,
}

/// What lately became of orders. Clones share it.
#[derive(Clone)]
pub struct Outcomes(Arc<Inner>);

impl Default for Outcomes {
    fn default() -> Self {
        Self(Arc::new(Inner {
            shards: std::array::from_fn(|_| Mutex::default()),
            hasher: RandomState::new(),
            interested: AtomicUsize::new(0),
            generation: AtomicU64::new(0),
        }))
    }
}

/// Held by a caller who is going to wait, from before the order exists.
pub struct Interest(Arc<Inner>);

impl Drop for Interest {
    fn drop(&mut self) {
        self.0.interested.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Outcomes {
    /// The feed that must be running for waits to end early.
    pub fn broadcast(&self) -> Broadcast {
        let this = self.clone();
        Broadcast::new("gateway-outcomes", &["orders"], From::Now, move |event| {
            if ENDS.contains(&&*event.kind) {
                this.hear(event);
            }
        })
    }

    fn hear(&self, event: &Recorded) {
        if self.0.interested.load(Ordering::SeqCst) == 0 {
            return;
        }
        match event.decode::<OrderEvent>() {
            Ok(Some(event)) => {
                if let Some((order, outcome)) = outcome_of(&event) {
                    self.tell(order, outcome);
                }
            }
            Ok(None) => {}
            Err(error) => tracing::error!(%error, "an order's outcome was passed over"),
        }
    }

    fn tell(&self, order: &OrderId, outcome: Outcome) {
        let woken = {
            let generation = self.0.generation.load(Ordering::SeqCst);
            let mut shard = self.shard(order);
            if shard
                .recent
                .insert(order.clone(), (generation, outcome.clone()))
                .is_none()
            {
                shard.oldest_first.push_back(order.clone());
            }
            if shard.oldest_first.len() > KEPT
                && let Some(oldest) = shard.oldest_first.pop_front()
            {
                shard.recent.remove(&oldest);
            }
            shard.waiting.remove(order)
        };
        for waiter in woken.into_iter().flatten() {
            // Who has stopped waiting does not mind.
            let _ = waiter.send(outcome.clone());
        }
    }

    /// To be called before the checkout is sent on, so that nothing is missed.
    pub fn interest(&self) -> Interest {
        if self.0.interested.fetch_add(1, Ordering::SeqCst) == 0 {
            self.0.generation.fetch_add(1, Ordering::SeqCst);
        }
        Interest(self.0.clone())
    }

    /// Begins to wait for an order.
    pub fn follow(&self, _interest: &Interest, order: &OrderId) -> Waiting {
        let (sender, receiver) = oneshot::channel();
        let generation = self.0.generation.load(Ordering::SeqCst);
        let mut shard = self.shard(order);
        match shard.recent.get(order) {
            Some((heard, outcome)) if *heard == generation => {
                let _ = sender.send(outcome.clone());
            }
            _ => shard.waiting.entry(order.clone()).or_default().push(sender),
        }
        drop(shard);
        Waiting {
            outcomes: self.clone(),
            order: order.clone(),
            receiver,
        }
    }

    fn shard(&self, order: &OrderId) -> MutexGuard<'_, Shard> {
        let place = self.0.hasher.hash_one(order) as usize % SHARDS;
        self.0.shards[place]
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// A place in the queue for one order's outcome; given up when dropped.
pub struct Waiting {
    outcomes: Outcomes,
    order: OrderId,
    receiver: oneshot::Receiver<Outcome>,
}

impl Waiting {
    /// The outcome, when it comes. May be called again after being cancelled.
    pub async fn outcome(&mut self) -> Option<Outcome> {
        (&mut self.receiver).await.ok()
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.receiver.close();
        let mut shard = self.outcomes.shard(&self.order);
        if let Some(waiters) = shard.waiting.get_mut(&self.order) {
            waiters.retain(|waiter| !waiter.is_closed());
            if waiters.is_empty() {
                shard.waiting.remove(&self.order);
            }
        }
    }
}

fn outcome_of(event: &OrderEvent) -> Option<(&OrderId, Outcome)> {
    match event {
        OrderEvent::Confirmed(confirmed) => Some((
            &confirmed.order_id,
            Outcome::Confirmed {
                payment: confirmed.payment_id.clone(),
            },
        )),
        OrderEvent::Cancelled(cancelled) => Some((
            &cancelled.order_id,
            Outcome::Cancelled {
                reason: cancelled.reason,
                shortages: cancelled.shortages.clone(),
                payment: cancelled.payment_id.clone(),
            },
        )),
        OrderEvent::PaymentActionRequired(action) => Some((
            &action.order_id,
            Outcome::ActionRequired {
                url: action.url.clone(),
            },
        )),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(n: usize) -> OrderId {
        format!("ord_{n}").parse().expect("an id")
    }

    fn action(url: &str) -> Outcome {
        Outcome::ActionRequired { url: url.into() }
    }

    #[tokio::test]
    async fn a_waiter_is_woken_and_one_who_comes_late_is_told_at_once() {
        let outcomes = Outcomes::default();
        let interest = outcomes.interest();
        let mut early = outcomes.follow(&interest, &order(1));
        outcomes.tell(&order(1), action("a"));
        assert_eq!(early.outcome().await, Some(action("a")));
        let mut late = outcomes.follow(&interest, &order(1));
        assert_eq!(late.outcome().await, Some(action("a")));
    }

    #[tokio::test]
    async fn what_was_kept_for_earlier_callers_is_not_told_to_later_ones() {
        let outcomes = Outcomes::default();
        let interest = outcomes.interest();
        outcomes.tell(&order(1), action("a"));
        drop(interest);
        let interest = outcomes.interest();
        let mut waiting = outcomes.follow(&interest, &order(1));
        outcomes.tell(&order(1), action("b"));
        assert_eq!(waiting.outcome().await, Some(action("b")));
    }

    #[tokio::test]
    async fn who_stops_waiting_leaves_nothing_behind() {
        let outcomes = Outcomes::default();
        let interest = outcomes.interest();
        let (one, two) = (
            outcomes.follow(&interest, &order(1)),
            outcomes.follow(&interest, &order(1)),
        );
        drop(one);
        assert_eq!(outcomes.shard(&order(1)).waiting.len(), 1);
        drop(two);
        assert!(outcomes.shard(&order(1)).waiting.is_empty());
        drop(interest);
        assert_eq!(outcomes.0.interested.load(Ordering::SeqCst), 0);
    }

    #[test]
    fn memory_is_bounded() {
        let outcomes = Outcomes::default();
        for n in 0..SHARDS * KEPT * 2 {
            outcomes.tell(&order(n), action("a"));
        }
        for shard in &outcomes.0.shards {
            let shard = shard.lock().expect("not poisoned");
            assert!(shard.recent.len() <= KEPT && shard.oldest_first.len() <= KEPT);
        }
    }
}
