//! The batcher: one task per service through which everything is written. What arrives together
//! is decided together and committed together, so that one fsync serves many (group commit).

use std::{collections::HashSet, sync::Arc};

use eventlog::Log;
use kernel::{Answer, AppError, StreamId, Timestamp, with_keys};
use store::{LoadStream, Store, StoreError};
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use crate::{
    item::{Item, Outcome, Parked},
    known::Known,
    plan::{Plan, Surroundings, Undecided},
    projections::{Live, Rebuilt},
    service::Shared,
    states::{StateCache, Unusable},
};

/// How many items one batch takes at most.
const MAX_ITEMS: usize = 512;
/// How many events one batch holds at most before the rest waits for the next.
const MAX_EVENTS: usize = 4_096;
/// How often a batch that met a conflict is decided again.
const MAX_CONFLICTS: usize = 8;

/// The batcher of one service.
pub(crate) struct Batcher {
    shared: Arc<Shared>,
    store: Arc<dyn Store>,
    log: Arc<dyn Log>,
    cache: StateCache,
    live: Live,
    /// Tells the timer task of the earliest timer that was set.
    timer_hint: watch::Sender<Timestamp>,
    /// Erasures that the cache has seen.
    erasures: u64,
}

impl Batcher {
    pub fn new(
        shared: Arc<Shared>,
        store: Arc<dyn Store>,
        log: Arc<dyn Log>,
        cache: StateCache,
        live: Live,
        timer_hint: watch::Sender<Timestamp>,
    ) -> Self {
        Self {
            shared,
            store,
            log,
            cache,
            live,
            timer_hint,
            erasures: 0,
        }
    }

    /// Runs until it is told to stop, and then ends with what was handed in before.
    pub async fn run(mut self, mut items: mpsc::Receiver<Item>, stop: CancellationToken) {
        let mut waiting = Vec::with_capacity(MAX_ITEMS);
        loop {
            tokio::select! {
                biased;
                () = stop.cancelled(), if !items.is_closed() => {
                    items.close();
                    continue;
                }
                count = items.recv_many(&mut waiting, MAX_ITEMS) => if count == 0 { return },
            }
            let erasures = self.shared.keyring.erasures();
            if std::mem::replace(&mut self.erasures, erasures) != erasures {
                // Somebody's personal data may be among the states.
                self.cache.clear();
            }
            self.take(waiting.drain(..)).await;
            self.cache.age();
        }
    }

    async fn take(&mut self, items: impl Iterator<Item = Item>) {
        let mut batch = Vec::with_capacity(MAX_ITEMS);
        for item in items {
            match item {
                Item::Switch { rebuilt, reply } => {
                    self.process(std::mem::take(&mut batch)).await;
                    let _ = reply.send(self.switch(rebuilt).await);
                }
                item => batch.push(item),
            }
        }
        self.process(batch).await;
    }

    async fn switch(&mut self, rebuilt: Rebuilt) -> Result<(), AppError> {
        rebuilt
            .switch(self.store.as_ref(), &self.shared.keys())
            .await
    }

    async fn process(&mut self, items: Vec<Item>) {
        let mut rest = items;
        let mut conflicts = 0;
        while !rest.is_empty() {
            match self.attempt(&rest).await {
                Ok(outcomes) => {
                    let later = rest.split_off(outcomes.len());
                    for (item, outcome) in rest.into_iter().zip(outcomes) {
                        item.answer(outcome);
                    }
                    rest = later;
                    conflicts = 0;
                }
                Err(StoreError::Conflict) if conflicts < MAX_CONFLICTS => {
                    // Somebody else wrote: nothing cached can be trusted. Load and decide again.
                    conflicts += 1;
                    self.cache.clear();
                }
                Err(error) if rest.len() > 1 && !matches!(error, StoreError::Unavailable(_)) => {
                    // One of them is bad; it must not sink its neighbours. Halving finds it in
                    // few commits.
                    let second = rest.split_off(rest.len() / 2);
                    Box::pin(self.process(rest)).await;
                    Box::pin(self.process(second)).await;
                    return;
                }
                Err(error) => {
                    let error = app_error(&error);
                    rest.into_iter().for_each(|item| item.fail(error.clone()));
                    return;
                }
            }
        }
    }

    /// Decides and commits as many of `items` as fit in one batch; answers their outcomes.
    async fn attempt(&mut self, items: &[Item]) -> Result<Vec<Outcome>, StoreError> {
        let keys = self.shared.keys();
        let mut missing = Vec::new();
        for item in items {
            item.streams(|stream| {
                if !self.cache.touch(&stream) {
                    missing.push(stream);
                }
            });
        }
        let now = self.shared.clock.now();
        let store = self.store.clone();
        let asking = Known::of(items, store.as_ref(), &keys);
        let (known, loaded) = tokio::join!(asking, self.load(&mut missing));
        let known = known?;
        loaded?;
        // Most need one round; another one loads all that the first found missing.
        loop {
            self.load(&mut missing).await?;
            let mut plan = Plan::default();
            let mut outcomes = Vec::with_capacity(items.len());
            for item in items {
                if plan.batch.events.len() >= MAX_EVENTS {
                    break;
                }
                outcomes.push(self.plan(&mut plan, item, now, &known, &mut missing)?);
            }
            if missing.is_empty() {
                self.commit(plan).await?;
                return Ok(outcomes);
            }
        }
    }

    /// Takes one item into the plan. When streams are missing they are noted, and what was planned
    /// is void: the rest is only walked through to find what else will be missing.
    fn plan(
        &self,
        plan: &mut Plan,
        item: &Item,
        now: Timestamp,
        known: &Known,
        missing: &mut Vec<StreamId>,
    ) -> Result<Outcome, StoreError> {
        let keys = self.shared.keys();
        let fresh_id = || self.shared.ids.next();
        let around = Surroundings {
            topic: &self.shared.topic,
            cache: &self.cache,
            keys: &keys,
            now,
            fresh_id: &fresh_id,
            note_reads: !self.shared.sole_owner,
        };
        let mut note = |undecided| match undecided {
            Undecided::Load(streams) => {
                missing.extend(streams);
                Ok(())
            }
            Undecided::Broken(reason) => Err(StoreError::Data(reason)),
        };
        Ok(match item {
            Item::Command { submission, .. } => {
                let (context, command) = (&submission.context, submission.command.as_ref());
                let answered = match &submission.once {
                    None => plan
                        .command(&around, context, command)
                        .map(|decided| decided.map(Answer::Done).map_err(AppError::from)),
                    Some(once) => {
                        let record = known.answer(&once.0.scope);
                        plan.command_once(&around, context, command, once, record)
                    }
                };
                match answered {
                    Ok(answer) => Outcome::Command(answer),
                    Err(undecided) => {
                        note(undecided)?;
                        Outcome::Done
                    }
                }
            }
            Item::React {
                subscription,
                events,
                moves,
                parked,
                ..
            } => {
                let mut newly = Parked::new();
                for event in events {
                    plan.reaction(&around, subscription, event, parked, &mut newly)
                        .or_else(&mut note)?;
                }
                plan.statements(moves);
                Outcome::Parked(newly)
            }
            Item::Timer { timer, command, .. } => {
                let standing = known.timer(&timer.key);
                plan.timer_due(&around, timer, command, standing)
                    .or_else(note)?;
                Outcome::Done
            }
            Item::Write { statements, .. } => {
                plan.statements(statements);
                Outcome::Done
            }
            Item::Switch { .. } => Outcome::Done,
        })
    }

    /// Loads streams into the cache; empties `wanted`.
    async fn load(&mut self, wanted: &mut Vec<StreamId>) -> Result<(), StoreError> {
        if wanted.is_empty() {
            return Ok(());
        }
        let mut seen = HashSet::new();
        wanted.retain(|stream| seen.insert(stream.clone()));
        let mut streams: Vec<LoadStream> = wanted
            .drain(..)
            .map(|stream| {
                let spec = self.cache.spec(&stream);
                let snapshots = spec.filter(|spec| spec.snapshot_every.is_some());
                let shape = snapshots.map(|spec| spec.snapshot_version);
                LoadStream { stream, shape }
            })
            .collect();
        while !streams.is_empty() {
            for loaded in self.store.load(std::mem::take(&mut streams)).await? {
                let stream = loaded.stream.clone();
                match self.cache.fold(loaded, &self.shared.keys()) {
                    Ok(()) => {}
                    Err(Unusable::Snapshot(reason)) => {
                        tracing::warn!(%stream, %reason, "a snapshot cannot be read; reading all events instead");
                        streams.push(LoadStream {
                            stream,
                            shape: None,
                        });
                    }
                    Err(Unusable::Stream(reason)) => return Err(StoreError::Data(reason)),
                }
            }
        }
        Ok(())
    }

    async fn commit(&mut self, mut plan: Plan) -> Result<(), StoreError> {
        with_keys(&self.shared.keys(), || {
            let batch = &mut plan.batch;
            batch
                .events
                .iter()
                .try_for_each(|event| self.live.apply(event, &mut batch.statements))
        })
        .map_err(|e| StoreError::Data(e.to_string()))?;
        if !self.shared.sole_owner {
            let events = plan.batch.events.iter();
            let written: HashSet<&StreamId> = events.map(|event| &event.stream).collect();
            let read = plan.read.drain();
            plan.batch.asserted = read
                .filter(|(stream, _)| !written.contains(stream))
                .collect();
        }
        if plan.batch.is_empty() {
            return Ok(());
        }
        if self.shared.keyring.has_pending() {
            let persisted = self.shared.keyring.clone().persist().await;
            persisted.map_err(|e| StoreError::Unavailable(e.to_string()))?;
        }
        let committed = self.store.commit(plan.batch).await?;
        self.shared.metrics.committed(committed.events.len());
        for (stream, held) in plan.changed {
            self.cache.put(stream, held);
        }
        self.log.publish(&self.shared.topic, &committed.events);
        for note in plan.notes {
            tracing::error!(subscription = %note.subscription, what = %note.what, kind = %note.kind, reason = %note.reason, "parked as a dead letter");
        }
        if let Some(due) = plan.earliest_timer {
            self.timer_hint.send_if_modified(|earliest| {
                let earlier = due < *earliest;
                *earliest = due.min(*earliest);
                earlier
            });
        }
        Ok(())
    }
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
