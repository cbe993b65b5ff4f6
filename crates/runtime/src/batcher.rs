//! The batcher: one task per service through which everything is written. What arrives together
//! is decided together and committed together, so that one fsync serves many (group commit).

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use eventlog::Log;
use kernel::{
    Answer, AnyCommand, AppError, Poison, Reaction, Recorded, Statement, Stored, StreamId,
    Submission, Timer, Timestamp,
};
use store::{LoadStream, Store, StoreError, system};
use tokio::sync::{mpsc, oneshot, watch};
use tokio_util::sync::CancellationToken;

use crate::{
    plan::{Plan, Surroundings, Undecided, records_owner},
    projections::Live,
    service::Shared,
    states::StateCache,
};

/// How many items one batch takes at most.
const MAX_ITEMS: usize = 512;
/// How many events one batch holds at most before the rest waits for the next.
const MAX_EVENTS: usize = 4_096;
/// How often a batch that met a conflict is decided again.
const MAX_CONFLICTS: usize = 8;

/// Streams newly parked by a subscription's events.
pub(crate) type Parked = HashSet<StreamId>;

/// Something to be written.
pub(crate) enum Item {
    /// A caller's command.
    Command {
        submission: Submission,
        reply: oneshot::Sender<Result<Answer, AppError>>,
    },
    /// A subscription's events, with the positions they end at.
    React {
        subscription: Arc<str>,
        events: Vec<(Arc<Recorded>, Result<Reaction, Poison>)>,
        moves: Vec<Statement>,
        parked: Parked,
        reply: oneshot::Sender<Result<Parked, AppError>>,
    },
    /// A due timer.
    Timer {
        timer: Timer,
        command: Result<Box<dyn AnyCommand>, Poison>,
        reply: oneshot::Sender<Result<(), AppError>>,
    },
    /// Statements of the runtime itself.
    Write {
        statements: Vec<Statement>,
        reply: oneshot::Sender<Result<(), AppError>>,
    },
    /// A rebuilt projection takes the old one's place; nothing else is written meanwhile.
    Switch {
        rebuilt: crate::projections::Rebuilt,
        reply: oneshot::Sender<Result<(), AppError>>,
    },
}

enum Outcome {
    Command(Result<Answer, AppError>),
    Parked(Parked),
    Done,
}

impl Item {
    fn streams(&self) -> Vec<StreamId> {
        match self {
            Self::Command { submission, .. } => submission.command.streams(),
            Self::React { events, .. } => events
                .iter()
                .filter_map(|(_, reaction)| reaction.as_ref().ok())
                .flat_map(|reaction| reaction.commands.iter().flat_map(|c| c.streams()))
                .collect(),
            Self::Timer { command, .. } => {
                command.as_ref().map(|c| c.streams()).unwrap_or_default()
            }
            Self::Write { .. } | Self::Switch { .. } => Vec::new(),
        }
    }

    fn fail(self, error: AppError) {
        match self {
            Self::Command { reply, .. } => drop(reply.send(Err(error))),
            Self::React { reply, .. } => drop(reply.send(Err(error))),
            Self::Timer { reply, .. } | Self::Write { reply, .. } | Self::Switch { reply, .. } => {
                drop(reply.send(Err(error)));
            }
        }
    }

    fn answer(self, outcome: Outcome) {
        match (self, outcome) {
            (Self::Command { reply, .. }, Outcome::Command(result)) => drop(reply.send(result)),
            (Self::React { reply, .. }, Outcome::Parked(parked)) => drop(reply.send(Ok(parked))),
            (Self::Timer { reply, .. } | Self::Write { reply, .. }, _) => drop(reply.send(Ok(()))),
            (item, _) => item.fail(AppError::Internal("an outcome of another kind".into())),
        }
    }
}

/// The batcher of one service.
pub(crate) struct Batcher {
    shared: Arc<Shared>,
    store: Arc<dyn Store>,
    log: Arc<dyn Log>,
    cache: StateCache,
    live: Live,
    /// Tells the timer task of the earliest timer that was set.
    timer_hint: watch::Sender<Timestamp>,
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
        }
    }

    /// Runs until it is told to stop, and then ends with what was handed in before.
    pub async fn run(mut self, mut items: mpsc::Receiver<Item>, stop: CancellationToken) {
        let mut waiting = Vec::with_capacity(MAX_ITEMS);
        loop {
            tokio::select! {
                biased;
                count = items.recv_many(&mut waiting, MAX_ITEMS) => if count == 0 { return },
                () = stop.cancelled(), if !items.is_closed() => {
                    items.close();
                    continue;
                }
            }
            self.take(std::mem::take(&mut waiting)).await;
            self.cache.age();
        }
    }

    async fn take(&mut self, items: Vec<Item>) {
        let mut batch = Vec::with_capacity(items.len());
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

    async fn switch(&mut self, rebuilt: crate::projections::Rebuilt) -> Result<(), AppError> {
        rebuilt
            .switch(self.store.as_ref(), &self.shared.keys())
            .await
    }

    async fn process(&mut self, items: Vec<Item>) {
        if items.is_empty() {
            return;
        }
        let mut rest = items;
        let mut conflicts = 0;
        while !rest.is_empty() {
            match self.attempt(&rest).await {
                Ok((outcomes, decided)) => {
                    let later = rest.split_off(decided);
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
                    // One of them is bad; it must not sink its neighbours.
                    for item in rest {
                        Box::pin(self.process(vec![item])).await;
                    }
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
    async fn attempt(&mut self, items: &[Item]) -> Result<(Vec<Outcome>, usize), StoreError> {
        let mut wanted: Vec<StreamId> = items.iter().flat_map(Item::streams).collect();
        let recalled = self.recall(items).await?;
        self.load(&mut wanted).await?;
        let now = self.shared.clock.now();
        let mut plan = Plan::default();
        let mut outcomes = Vec::with_capacity(items.len());
        while let Some(item) = items.get(outcomes.len()) {
            if plan.batch.events.len() >= MAX_EVENTS {
                break;
            }
            match self.plan(&mut plan, item, now, &recalled) {
                Ok(outcome) => outcomes.push(outcome),
                // Nothing of a command is in the plan yet, so it alone is decided again; were the
                // whole batch, then a batch of commands that discover streams would take quadratic
                // time. Any other item may be half in: then the plan starts anew.
                Err(Undecided::Load(mut missing)) => {
                    self.load(&mut missing).await?;
                    if !matches!(item, Item::Command { .. }) {
                        plan = Plan::default();
                        outcomes.clear();
                    }
                }
                Err(Undecided::Broken(reason)) => return Err(StoreError::Data(reason)),
            }
        }
        self.commit(plan).await?;
        let decided = outcomes.len();
        Ok((outcomes, decided))
    }

    fn plan(
        &self,
        plan: &mut Plan,
        item: &Item,
        now: Timestamp,
        recalled: &HashMap<String, (String, Stored)>,
    ) -> Result<Outcome, Undecided> {
        let keys = self.shared.keys();
        let fresh_id = || self.shared.ids.next();
        let around = Surroundings {
            topic: &self.shared.topic,
            cache: &self.cache,
            keys: &keys,
            now,
            fresh_id: &fresh_id,
        };
        Ok(match item {
            Item::Command { submission, .. } => {
                let (context, command) = (&submission.context, submission.command.as_ref());
                Outcome::Command(match &submission.once {
                    None => plan
                        .command(&around, context, command)?
                        .map(Answer::Done)
                        .map_err(AppError::from),
                    Some(once) => {
                        let known = recalled.get(&once.0.scope).cloned();
                        plan.command_once(&around, context, command, once, known)?
                    }
                })
            }
            Item::React {
                subscription,
                events,
                moves,
                parked,
                ..
            } => {
                let mut parked = parked.clone();
                for (event, reaction) in events {
                    plan.reaction(&around, subscription, event, reaction, &mut parked)?;
                }
                plan.statements(moves);
                Outcome::Parked(parked)
            }
            Item::Timer { timer, command, .. } => {
                plan.timer_due(&around, timer, command)?;
                Outcome::Done
            }
            Item::Write { statements, .. } => {
                plan.statements(statements);
                Outcome::Done
            }
            Item::Switch { .. } => Outcome::Done,
        })
    }

    /// Loads the streams that are not cached.
    async fn load(&mut self, wanted: &mut Vec<StreamId>) -> Result<(), StoreError> {
        let mut seen = HashSet::new();
        wanted.retain(|stream| seen.insert(stream.clone()) && !self.cache.touch(stream));
        if wanted.is_empty() {
            return Ok(());
        }
        let streams = wanted
            .drain(..)
            .map(|stream| {
                let spec = self.cache.spec(&stream);
                let shape =
                    spec.and_then(|spec| spec.snapshot_every.map(|_| spec.snapshot_version));
                LoadStream { stream, shape }
            })
            .collect();
        for loaded in self.store.load(streams).await? {
            self.cache
                .fold(loaded, &self.shared.keys())
                .map_err(StoreError::Data)?;
        }
        Ok(())
    }

    /// Looks up the records of the idempotent requests among `items`.
    async fn recall(
        &self,
        items: &[Item],
    ) -> Result<HashMap<String, (String, Stored)>, StoreError> {
        let scopes: Vec<&str> = items
            .iter()
            .filter_map(|item| match item {
                Item::Command { submission, .. } => {
                    Some(submission.once.as_ref()?.0.scope.as_str())
                }
                _ => None,
            })
            .collect();
        if scopes.is_empty() {
            return Ok(HashMap::new());
        }
        let found = self
            .store
            .query(
                scopes
                    .iter()
                    .map(|scope| system::recall_answer(scope))
                    .collect(),
            )
            .await?;
        let mut recalled = HashMap::new();
        for (scope, rows) in scopes.into_iter().zip(found) {
            let Some(row) = rows.first() else { continue };
            let sealed: Vec<u8> = row.get(1);
            let plain = self.shared.keys().open(&records_owner(), &sealed);
            let plain = plain
                .map_err(|e| StoreError::Data(e.to_string()))?
                .unwrap_or_default();
            let stored =
                serde_json::from_slice(&plain).map_err(|e| StoreError::Data(e.to_string()))?;
            recalled.insert(scope.to_owned(), (row.get(0), stored));
        }
        Ok(recalled)
    }

    async fn commit(&mut self, mut plan: Plan) -> Result<(), StoreError> {
        for event in &plan.batch.events {
            self.live
                .apply(event, &mut plan.batch.statements)
                .map_err(|e| StoreError::Data(e.to_string()))?;
        }
        if !self.shared.sole_owner {
            let written: HashSet<&StreamId> = plan
                .batch
                .events
                .iter()
                .map(|event| &event.stream)
                .collect();
            plan.batch.asserted = plan
                .read
                .drain()
                .filter(|(stream, _)| !written.contains(stream))
                .collect();
        }
        if plan.batch.is_empty() {
            return Ok(());
        }
        if self.shared.keyring.has_pending() {
            let keyring = self.shared.keyring.clone();
            let persisted = tokio::task::spawn_blocking(move || keyring.persist()).await;
            persisted
                .map_err(|e| StoreError::Unavailable(e.to_string()))?
                .map_err(|e| StoreError::Unavailable(e.to_string()))?;
        }
        let events = plan.batch.events.len();
        let committed = self.store.commit(plan.batch).await?;
        self.shared.metrics.committed(events);
        for (stream, held) in plan.changed {
            self.cache.put(stream, held);
        }
        self.log.publish(&self.shared.topic, &committed.events);
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
