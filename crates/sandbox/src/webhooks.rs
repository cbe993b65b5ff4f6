//! Delivers webhooks: at least once, retried with backoff, and never in the way of an answer.
//!
//! What is to be delivered lies in the database. The dispatcher reads it page by page behind a
//! cursor and remembers only numbers and times of what has to wait, so its memory stays small
//! however long the receiver is away.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::sync::Notify;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::behaviour::Delivery;
use crate::clock::{micros, now_us};
use crate::config::Retry;
use crate::engine::{Engine, Unavailable};
use crate::ledger::Ledger;
use crate::sender::Sender;
use crate::store::WebhookRow;

/// Webhooks read at once, and receipts written at once, at most.
const PAGE: u32 = 128;
/// New webhooks are gathered for this long, so that a busy provider reads and writes in bulk.
const GATHER: Duration = Duration::from_millis(10);
/// The wait after the storage failed.
const STORAGE_PAUSE: Duration = Duration::from_secs(1);

/// How one delivery ended.
#[derive(Clone, Copy)]
enum Receipt {
    Delivered {
        n: u64,
        payment: u64,
        overtaking: bool,
    },
    GivenUp {
        n: u64,
    },
    Again {
        n: u64,
        attempts: u32,
        due: i64,
    },
}

/// The task that delivers.
pub struct Dispatcher {
    engine: Engine,
    sender: Arc<Sender>,
    retry: Retry,
    concurrency: usize,
    /// Everything up to this number was read.
    cursor: u64,
    ready: VecDeque<WebhookRow>,
    /// What has to wait: due time in unix microseconds, number.
    later: BinaryHeap<Reverse<(i64, u64)>>,
    receipts: Vec<Receipt>,
    /// When to look for new ones; `None` when there are none.
    look_at: Option<Instant>,
}

impl Dispatcher {
    /// A dispatcher that starts with everything an earlier life left undelivered.
    pub fn new(engine: Engine, sender: Arc<Sender>, retry: Retry, concurrency: usize) -> Self {
        Self {
            engine,
            sender,
            retry,
            concurrency: concurrency.max(1),
            cursor: 0,
            ready: VecDeque::new(),
            later: BinaryHeap::new(),
            receipts: Vec::new(),
            look_at: Some(Instant::now()),
        }
    }

    /// Delivers until `stop`; then writes the last receipts and ends.
    pub async fn run(mut self, new_webhooks: Arc<Notify>, stop: CancellationToken) {
        let sender = Arc::clone(&self.sender);
        let mut under_way = FuturesUnordered::new();
        loop {
            if self.ready.is_empty() && self.wants_exchange(under_way.is_empty()) {
                self.exchange().await;
            }
            while under_way.len() < self.concurrency {
                let Some(webhook) = self.ready.pop_front() else {
                    break;
                };
                under_way.push(deliver(&sender, webhook));
            }
            let wake = self.wake_at(under_way.is_empty());
            tokio::select! {
                () = stop.cancelled() => break,
                Some((webhook, arrived)) = under_way.next() => self.note(&webhook, arrived),
                () = new_webhooks.notified(), if self.look_at.is_none() => {
                    self.look_at = Some(Instant::now() + GATHER);
                }
                () = tokio::time::sleep_until(wake) => {}
            }
        }
        drop(under_way);
        self.cursor = u64::MAX >> 1;
        self.exchange().await;
    }

    fn wants_exchange(&self, idle: bool) -> bool {
        let look = self.look_at.is_some_and(|at| at <= Instant::now());
        let receipts = self.receipts.len() >= PAGE as usize || (idle && !self.receipts.is_empty());
        look || receipts || self.next_due().is_some_and(|due| due <= now_us())
    }

    fn next_due(&self) -> Option<i64> {
        self.later.peek().map(|Reverse((due, _))| *due)
    }

    /// When there is something to do even if nothing happens.
    fn wake_at(&self, idle: bool) -> Instant {
        let now = Instant::now();
        let far = now + Duration::from_secs(3_600);
        if !self.ready.is_empty() {
            // As many as allowed are under way: only the end of one changes anything.
            return far;
        }
        if idle && !self.receipts.is_empty() {
            return now;
        }
        let due = self.next_due().map(|due| {
            let wait = u64::try_from(due - now_us()).unwrap_or(0);
            // At least a moment: clocks are read twice.
            now + Duration::from_micros(wait).max(Duration::from_millis(1))
        });
        [self.look_at, due]
            .into_iter()
            .flatten()
            .min()
            .unwrap_or(far)
    }

    /// Writes receipts and reads what is to be delivered, in one visit to the database.
    async fn exchange(&mut self) {
        let now = now_us();
        let mut due = Vec::new();
        while due.len() < PAGE as usize && self.next_due().is_some_and(|at| at <= now) {
            due.extend(self.later.pop().map(|Reverse((_, n))| n));
        }
        let (receipts, cursor) = (self.receipts.clone(), self.cursor);
        let wanted = due.clone();
        let work = move |ledger: &mut Ledger| exchange(ledger, &receipts, &wanted, cursor, now);
        match self.engine.run(work).await {
            Ok(found) => self.take(found, now),
            Err(Unavailable) => {
                let again = now + micros(STORAGE_PAUSE);
                self.later
                    .extend(due.into_iter().map(|n| Reverse((again, n))));
                self.look_at = Some(Instant::now() + STORAGE_PAUSE);
                tokio::time::sleep(STORAGE_PAUSE / 10).await;
            }
        }
    }

    fn take(&mut self, found: Found, now: i64) {
        self.receipts.clear();
        self.look_at = (found.fresh.len() == PAGE as usize).then(Instant::now);
        if let Some(last) = found.fresh.last() {
            self.cursor = last.n;
        }
        self.later
            .extend(found.released.into_iter().map(|n| Reverse((now, n))));
        for webhook in found.fresh {
            if webhook.due <= now {
                self.ready.push_back(webhook);
            } else {
                self.later.push(Reverse((webhook.due, webhook.n)));
            }
        }
        // One that is due later by now has another entry that wakes us.
        self.ready
            .extend(found.due.into_iter().filter(|webhook| webhook.due <= now));
    }

    fn note(&mut self, webhook: &WebhookRow, arrived: bool) {
        let n = webhook.n;
        if arrived {
            let overtaking = webhook.delivery == Delivery::Overtaking;
            self.receipts.push(Receipt::Delivered {
                n,
                payment: webhook.payment,
                overtaking,
            });
            return;
        }
        let attempts = webhook.attempts.saturating_add(1);
        match self.retry.wait_after(attempts) {
            Some(wait) => {
                let due = now_us() + micros(wait);
                self.receipts.push(Receipt::Again { n, attempts, due });
                self.later.push(Reverse((due, n)));
            }
            None => {
                tracing::warn!(
                    attempts,
                    "a webhook was given up: its receiver never accepted it"
                );
                self.receipts.push(Receipt::GivenUp { n });
            }
        }
    }
}

/// What a visit to the database brought.
struct Found {
    /// New ones behind the cursor.
    fresh: Vec<WebhookRow>,
    /// Those asked for that still have to arrive.
    due: Vec<WebhookRow>,
    /// Held ones that were overtaken and may go.
    released: Vec<u64>,
}

fn exchange(
    ledger: &Ledger,
    receipts: &[Receipt],
    wanted: &[u64],
    cursor: u64,
    now: i64,
) -> rusqlite::Result<Found> {
    let store = ledger.webhooks();
    let mut released = Vec::new();
    for receipt in receipts {
        match *receipt {
            Receipt::Delivered {
                n,
                payment,
                overtaking,
            } => {
                store.delete_webhook(n)?;
                if overtaking {
                    released.extend(store.release_held(payment, n, now)?);
                }
            }
            Receipt::GivenUp { n } => store.delete_webhook(n)?,
            Receipt::Again { n, attempts, due } => store.postpone_webhook(n, attempts, due)?,
        }
    }
    let mut due = Vec::new();
    for n in wanted {
        due.extend(store.webhook(*n)?);
    }
    Ok(Found {
        fresh: store.webhooks_after(cursor, PAGE)?,
        due,
        released,
    })
}

async fn deliver(sender: &Sender, webhook: WebhookRow) -> (WebhookRow, bool) {
    let arrived = match webhook.delivery {
        Delivery::Storm => {
            let five = std::array::from_fn::<_, 5, _>(|_| sender.post(&webhook.body));
            futures_util::future::join_all(five).await.contains(&true)
        }
        _ => sender.post(&webhook.body).await,
    };
    (webhook, arrived)
}

/// Delivers once, now, on behalf of one who is about to answer. What does not arrive stays
/// with the dispatcher.
pub async fn deliver_before_answer(engine: &Engine, sender: &Sender, webhooks: &[WebhookRow]) {
    for webhook in webhooks {
        if sender.post(&webhook.body).await {
            let n = webhook.n;
            // When this fails the webhook is sent once more: at least once is what is promised.
            let _ = engine
                .run(move |ledger| ledger.webhooks().delete_webhook(n))
                .await;
        }
    }
}
