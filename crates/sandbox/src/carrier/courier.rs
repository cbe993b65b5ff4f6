//! Delivers the carrier's webhooks: at least once, those that are due at the same time in parallel,
//! retried with growing waits, also after a restart.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::future::join_all;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::book::{Book, Webhook};
use crate::clock::{micros, now_us};
use crate::config::Retry;
use crate::sender::Sender;

/// The longest wait without a look.
const LOOK: Duration = Duration::from_secs(60);
/// The wait after the storage failed.
const PAUSE: Duration = Duration::from_secs(1);

/// The task that delivers.
pub struct Courier {
    pub book: Arc<Mutex<Book>>,
    pub sender: Sender,
    pub retry: Retry,
}

impl Courier {
    /// Delivers until `stop`.
    pub async fn run(self, new_webhooks: Arc<Notify>, stop: CancellationToken) {
        loop {
            let wait = self.round().await;
            tokio::select! {
                () = stop.cancelled() => return,
                () = new_webhooks.notified() => {}
                () = tokio::time::sleep(wait) => {}
            }
        }
    }

    /// Sends what is due; answers how long nothing will be.
    async fn round(&self) -> Duration {
        loop {
            let now = now_us();
            let Ok((due, next)) = self.with(|book| book.due(now)) else {
                return PAUSE;
            };
            if due.is_empty() {
                let wait = next.map_or(LOOK, |next| {
                    Duration::from_micros(u64::try_from(next - now).unwrap_or(0))
                });
                return wait.clamp(Duration::from_millis(1), LOOK);
            }
            let sent = join_all(due.iter().map(|webhook| self.send(webhook))).await;
            for (webhook, arrived) in due.iter().zip(sent) {
                if self.note(webhook, arrived).is_err() {
                    return PAUSE;
                }
            }
        }
    }

    async fn send(&self, webhook: &Webhook) -> bool {
        let copies = (0..webhook.copies).map(|_| self.sender.post(&webhook.body));
        join_all(copies).await.into_iter().all(|arrived| arrived)
    }

    fn note(&self, webhook: &Webhook, arrived: bool) -> rusqlite::Result<()> {
        let attempts = webhook.attempts.saturating_add(1);
        match self.retry.wait_after(attempts).filter(|_| !arrived) {
            Some(wait) => {
                let due = now_us() + micros(wait);
                self.with(|book| book.postpone(webhook.n, attempts, due))
            }
            None => self.with(|book| book.done(webhook.n)),
        }
    }

    fn with<T>(&self, work: impl FnOnce(&Book) -> rusqlite::Result<T>) -> rusqlite::Result<T> {
        let done = work(&self.book.lock().unwrap_or_else(PoisonError::into_inner));
        if let Err(error) = &done {
            tracing::error!(%error, "the sandbox carrier cannot read or write its webhooks");
        }
        done
    }
}
