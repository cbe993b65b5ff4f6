//! The batcher: one task per service through which everything is written. What arrives together
//! is decided together and committed together, so that one fsync serves many (group commit).

use std::sync::Arc;

use eventlog::Log;
use kernel::{AppError, StreamId, Timestamp};
use store::{Store, StoreError};
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use crate::{
    consumer::{Stand, Standing},
    item::Item,
    projections::Live,
    rebuild::Rebuild,
    service::Shared,
    states::StateCache,
    tenancy::Tenancy,
};

/// How many items one batch takes at most.
const MAX_ITEMS: usize = 512;
/// How often a batch that met a conflict is decided again.
const MAX_CONFLICTS: usize = 8;
/// How often a batch without conditions of its own is tried again when a condition fails.
const MAX_REFUSALS: usize = 3;
/// What others committed is taken in as it comes; this far behind, it is simpler to begin anew.
const FAR: i64 = 2_048;
const CHUNK: usize = 512;

/// The batcher of one service.
pub(crate) struct Batcher {
    pub shared: Arc<Shared>,
    pub store: Arc<dyn Store>,
    pub log: Arc<dyn Log>,
    pub cache: StateCache,
    pub live: Live,
    /// Tells the timer task of the earliest timer that was set.
    pub timer_hint: watch::Sender<Timestamp>,
    pub tenancy: Tenancy,
    /// The holder of this instance's leases, if there are leases.
    pub token: Option<Arc<str>>,
    /// Whether this program's read models are the live ones.
    pub stand: Stand,
    /// Erasures that the cache has seen.
    pub erasures: u64,
    /// Events of the service's own topic that the cache has seen.
    pub followed: i64,
    /// Streams that the last plan had to do with.
    pub met: Vec<StreamId>,
    /// Answered, and not yet committed.
    #[cfg(feature = "chaos-bugs")]
    pub unwritten:
        std::sync::Mutex<Option<(crate::plan::Plan, crate::access::Access, crate::Lapses)>>,
}

impl Batcher {
    /// Runs until it is told to stop, and then ends with what was handed in before.
    pub async fn run(mut self, mut items: mpsc::Receiver<Item>, stop: CancellationToken) {
        let mut waiting = Vec::with_capacity(MAX_ITEMS);
        let mut head = match self.shared.sole_owner {
            true => None,
            false => self.log.watch(&self.shared.topic).ok(),
        };
        loop {
            tokio::select! {
                biased;
                () = stop.cancelled(), if !items.is_closed() => {
                    items.close();
                    continue;
                }
                count = items.recv_many(&mut waiting, MAX_ITEMS) => if count == 0 { return },
                () = moved(&mut head) => {}
            }
            let erasures = self.shared.keyring.erasures();
            if std::mem::replace(&mut self.erasures, erasures) != erasures {
                // Somebody's personal data may be among the states.
                self.cache.clear();
            }
            if let Some(head) = &mut head {
                let newest = *head.borrow_and_update();
                self.follow(newest).await;
            }
            self.shared.metrics.waiting(items.len());
            self.take(waiting.drain(..)).await;
            self.cache.age();
        }
    }

    /// Takes into the cache what other instances committed.
    async fn follow(&mut self, head: i64) {
        while self.followed < head {
            if head - self.followed > FAR {
                return self.forget(head);
            }
            let (log, topic) = (self.log.clone(), self.shared.topic.clone());
            match log.read(&topic, self.followed, CHUNK).await {
                Ok(events) if !events.is_empty() => {
                    let keys = self.shared.keys();
                    for event in events {
                        self.cache.hear(&event, &keys);
                        self.followed = event.position;
                    }
                }
                _ => return self.forget(head),
            }
        }
    }

    fn forget(&mut self, head: i64) {
        self.cache.clear();
        self.followed = head;
    }

    async fn take(&mut self, items: impl Iterator<Item = Item>) {
        let mut batch = Vec::with_capacity(MAX_ITEMS);
        for item in items {
            match item {
                Item::Switch { rebuild, reply } => {
                    self.process(std::mem::take(&mut batch)).await;
                    let _ = reply.send(self.switch(*rebuild).await);
                }
                item => batch.push(item),
            }
        }
        self.process(batch).await;
    }

    async fn switch(&mut self, rebuild: Rebuild) -> Result<(), AppError> {
        let keys = self.shared.keys();
        rebuild
            .switch(self.store.as_ref(), self.log.as_ref(), &keys)
            .await
    }

    async fn process(&mut self, items: Vec<Item>) {
        let mut rest = items;
        let (mut conflicts, mut refusals) = (0, 0);
        while !rest.is_empty() {
            match self.attempt(&rest, conflicts).await {
                Ok(outcomes) => {
                    let later = rest.split_off(outcomes.len());
                    for (item, outcome) in rest.into_iter().zip(outcomes) {
                        item.answer(outcome);
                    }
                    #[cfg(feature = "chaos-bugs")]
                    {
                        let unwritten = self.unwritten.get_mut().map(Option::take);
                        if let Ok(Some((plan, access, before))) = unwritten {
                            let _ = self.commit(plan, access, before).await;
                        }
                    }
                    rest = later;
                    (conflicts, refusals) = (0, 0);
                }
                Err(StoreError::Conflict) if conflicts < MAX_CONFLICTS => {
                    // Somebody else wrote: decide again on what there is now.
                    conflicts += 1;
                    self.shared.metrics.lost_race();
                    if self.shared.sole_owner {
                        self.cache.clear();
                    }
                }
                Err(StoreError::Condition(reason)) => {
                    if rest.iter().any(Item::is_conditional) {
                        return Box::pin(self.sort_out(rest, &reason)).await;
                    }
                    refusals += 1;
                    if refusals > MAX_REFUSALS || !self.read_models_stand().await {
                        let reason = format!("no longer the owner: {reason}");
                        return fail(rest, &AppError::Unavailable(reason));
                    }
                }
                Err(error) if rest.len() > 1 && !matches!(error, StoreError::Unavailable(_)) => {
                    // One of them is bad; it must not sink its neighbours. Halving finds it in
                    // few commits.
                    let second = rest.split_off(rest.len() / 2);
                    Box::pin(self.process(rest)).await;
                    Box::pin(self.process(second)).await;
                    return;
                }
                Err(error) => return fail(rest, &app_error(&error)),
            }
        }
    }

    /// A condition failed: another instance has taken something over. Whose condition it was is
    /// not known; callers' commands hold none, so they go on without those that do.
    async fn sort_out(&mut self, items: Vec<Item>, reason: &str) {
        self.tenancy.suspect();
        if items.len() == 1 {
            return fail(items, &app_error(&StoreError::Condition(reason.to_owned())));
        }
        let (conditional, free): (Vec<_>, Vec<_>) =
            items.into_iter().partition(Item::is_conditional);
        self.process(free).await;
        for item in conditional {
            self.process(vec![item]).await;
        }
    }

    /// Whether this program's versions of the read models are still the live ones; if not, a newer
    /// program has taken over, and this one must write no more.
    async fn read_models_stand(&self) -> bool {
        match self.live.outdated(self.store.as_ref()).await {
            Ok(None) => true,
            Ok(Some(reason)) => {
                tracing::error!(service = %self.shared.topic, %reason, "a newer program has taken over");
                self.stand.send_replace(Standing::Halted(reason));
                false
            }
            Err(_) => false,
        }
    }
}

fn fail(items: Vec<Item>, error: &AppError) {
    items.into_iter().for_each(|item| item.fail(error.clone()));
}

/// Waits until the head has moved; for ever where nobody else moves it.
async fn moved(head: &mut Option<watch::Receiver<i64>>) {
    if let Some(head) = head
        && head.changed().await.is_ok()
    {
        return head.mark_changed();
    }
    std::future::pending().await
}

pub(crate) fn app_error(error: &StoreError) -> AppError {
    match error {
        StoreError::Unavailable(reason) => AppError::Unavailable(reason.clone()),
        StoreError::Conflict => AppError::Unavailable("too many writers met on one stream".into()),
        StoreError::Condition(reason) => {
            AppError::Unavailable(format!("no longer the owner: {reason}"))
        }
        StoreError::Data(reason) => AppError::Internal(reason.clone()),
    }
}
