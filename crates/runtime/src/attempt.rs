//! One attempt at a batch: load, decide, commit.

use std::{collections::HashSet, time::Instant};

use kernel::{Answer, AppError, StreamId, Timestamp, with_keys};
use store::{LoadStream, LoadedStream, StoreError, sharing};

use crate::{
    Lapses,
    access::Access,
    batcher::Batcher,
    item::{Item, Outcome, Parked},
    known::Known,
    persons,
    plan::{Plan, Surroundings, Undecided},
    states::Unusable,
};

/// How many events one batch holds at most before the rest waits for the next.
const MAX_EVENTS: usize = 4_096;
/// The largest payload of an event, in bytes: readers elsewhere take no page larger than twice this.
const LARGEST_EVENT: usize = 8 * 1024 * 1024;
/// After how many lost races a batch decides while it holds the head of the log, so that it wins.
const LOST: usize = 2;
/// After how many the streams are loaded anew, whatever seems to be known of them.
const HOPELESS: usize = 4;

impl Batcher {
    /// Decides and commits as many of `items` as fit in one batch; answers their outcomes.
    /// `conflicts` says how often that has led to a conflict.
    pub async fn attempt(
        &mut self,
        items: &[Item],
        conflicts: usize,
    ) -> Result<Vec<Outcome>, StoreError> {
        let before = self.shared.keyring.lapses();
        let attempted = self.attempt_since(before, items, conflicts).await;
        let now = self.shared.keyring.lapses();
        match attempted {
            // What could not be opened is not damaged.
            Err(StoreError::Data(_)) if now.unreachable != before.unreachable => Err(ring_away()),
            attempted => attempted,
        }
    }

    async fn attempt_since(
        &mut self,
        before: Lapses,
        items: &[Item],
        conflicts: usize,
    ) -> Result<Vec<Outcome>, StoreError> {
        let mut access = self.access(conflicts).await;
        if conflicts > 0 && !self.shared.sole_owner {
            self.catch_up(items, conflicts, &mut access).await?;
        }
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
        let streams = self.wanted(&mut missing).await?;
        let (answers, loaded) = access.ask(Known::questions(items), streams).await?;
        let known = Known::answered(items, answers, &keys)?;
        let again = self.fold(loaded).await?;
        self.load(again, &mut access).await?;
        // Most need one round; another one loads all that the first found missing.
        loop {
            let streams = self.wanted(&mut missing).await?;
            self.load(streams, &mut access).await?;
            let mut plan = Plan::default();
            let mut outcomes = Vec::with_capacity(items.len());
            for item in items {
                if plan.batch.events.len() >= MAX_EVENTS {
                    break;
                }
                outcomes.push(self.plan(&mut plan, item, now, &known, &mut missing)?);
            }
            if missing.is_empty() {
                #[cfg(feature = "chaos-bugs")]
                if store::bugs::on("ack-before-commit") {
                    self.unwritten = Some((plan, access, before)).into();
                    return Ok(outcomes);
                }
                self.commit(plan, access, before).await?;
                return Ok(outcomes);
            }
        }
    }

    async fn access(&self, conflicts: usize) -> Access {
        if conflicts >= LOST && !self.shared.sole_owner {
            match self.store.hold().await {
                Ok(held) => return Access::Held(held),
                Err(error) => {
                    tracing::debug!(%error, "cannot hold the head; racing again");
                }
            }
        }
        Access::Open(self.store.clone())
    }

    /// Brings the cached states of a batch that lost its race up to date.
    async fn catch_up(
        &mut self,
        items: &[Item],
        conflicts: usize,
        access: &mut Access,
    ) -> Result<(), StoreError> {
        let mut streams: HashSet<StreamId> = self.met.drain(..).collect();
        for item in items {
            item.streams(|stream| {
                streams.insert(stream);
            });
        }
        if conflicts >= HOPELESS {
            streams.iter().for_each(|one| self.cache.remove(one));
            return Ok(());
        }
        let held = |stream| Some((self.cache.version(&stream)?, stream));
        let held: Vec<(i64, StreamId)> = streams.into_iter().filter_map(held).collect();
        let newer =
            |(version, stream): &(i64, StreamId)| sharing::newer_events(stream.as_str(), *version);
        let found = access.query(held.iter().map(newer).collect()).await?;
        let keys = self.shared.keys();
        for ((_, stream), rows) in held.iter().zip(found) {
            for row in rows {
                let (kind, data): (String, String) = (row.get(1), row.get(2));
                self.cache.follow(stream, (row.get(0), &kind, &data), &keys);
            }
        }
        Ok(())
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
            token: self.token.as_deref(),
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
                let once = submission.once.as_ref();
                #[cfg(feature = "chaos-bugs")]
                let once = once.filter(|_| !store::bugs::on("no-dedup"));
                let answered = match once {
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
                // Conditions first: one may be on a row that an effect takes away.
                plan.statements(moves);
                for event in events {
                    plan.reaction(&around, subscription, event, parked, &mut newly)
                        .or_else(&mut note)?;
                }
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

    /// What to load for `missing`, which it empties. What the log has shown goes into the cache at
    /// once.
    async fn wanted(&mut self, missing: &mut Vec<StreamId>) -> Result<Vec<LoadStream>, StoreError> {
        let mut seen = HashSet::new();
        missing.retain(|stream| seen.insert(stream.clone()));
        let (mut begun, mut wanted) = (Vec::new(), Vec::new());
        for stream in missing.drain(..) {
            match self.cache.take_begun(&stream) {
                Some(whole) => begun.push(whole),
                None => {
                    let spec = self.cache.spec(&stream);
                    let snapshots = spec.filter(|spec| spec.snapshot_every.is_some());
                    let shape = snapshots.map(|spec| spec.snapshot_version);
                    wanted.push(LoadStream { stream, shape });
                }
            }
        }
        // There are no snapshots among these, so there is nothing to load again.
        self.fold(begun).await?;
        Ok(wanted)
    }

    /// Loads streams into the cache.
    async fn load(
        &mut self,
        mut streams: Vec<LoadStream>,
        access: &mut Access,
    ) -> Result<(), StoreError> {
        while !streams.is_empty() {
            let loaded = access.load(streams).await?;
            streams = self.fold(loaded).await?;
        }
        Ok(())
    }

    /// Takes loaded streams into the cache; answers those that must be loaded without snapshot.
    async fn fold(&mut self, loaded: Vec<LoadedStream>) -> Result<Vec<LoadStream>, StoreError> {
        if !self.shared.sole_owner {
            persons::prefetch_streams(&self.shared, &loaded).await;
        }
        let mut again = Vec::new();
        for one in loaded {
            let stream = one.stream.clone();
            match self.cache.fold(one, &self.shared.keys()) {
                Ok(()) => {}
                Err(Unusable::Snapshot(reason)) => {
                    tracing::warn!(%stream, %reason, "a snapshot cannot be read; reading all events instead");
                    again.push(LoadStream {
                        stream,
                        shape: None,
                    });
                }
                Err(Unusable::Stream(reason)) => return Err(StoreError::Data(reason)),
            }
        }
        Ok(again)
    }

    pub(crate) async fn commit(
        &mut self,
        mut plan: Plan,
        access: Access,
        before: Lapses,
    ) -> Result<(), StoreError> {
        with_keys(&self.shared.keys(), || {
            let batch = &mut plan.batch;
            batch
                .events
                .iter()
                .try_for_each(|event| self.live.apply(event, &mut batch.statements))
        })
        .map_err(|e| StoreError::Data(e.to_string()))?;
        if !self.shared.sole_owner {
            self.assert(&mut plan);
        }
        if plan.batch.is_empty() {
            return Ok(());
        }
        let largest = plan.batch.events.iter().map(|event| event.data.len()).max();
        if largest > Some(LARGEST_EVENT) {
            let text = format!("an event larger than {LARGEST_EVENT} bytes");
            return Err(StoreError::Data(text));
        }
        if self.shared.keyring.has_pending() {
            let held = matches!(access, Access::Held(_));
            let access = (!held).then_some(access);
            let persisted = self.shared.keyring.clone().persist().await;
            self.sealed_well(before)?;
            persisted.map_err(|e| StoreError::Unavailable(e.to_string()))?;
            // Nobody waits for another database while they hold the head.
            let access = access.ok_or(StoreError::Conflict)?;
            return self.write(plan, access).await;
        }
        self.sealed_well(before)?;
        self.write(plan, access).await
    }

    /// Whether what was sealed and opened since can be relied on. If not it is decided again, or
    /// later.
    fn sealed_well(&self, before: Lapses) -> Result<(), StoreError> {
        let now = self.shared.keyring.lapses();
        if now.replaced != before.replaced {
            return Err(StoreError::Conflict);
        }
        match now.unreachable == before.unreachable {
            true => Ok(()),
            false => Err(ring_away()),
        }
    }

    /// Others write here as well: what was read must still be so, and the read models ours.
    fn assert(&mut self, plan: &mut Plan) {
        let events = plan.batch.events.iter();
        let written: HashSet<&StreamId> = events.map(|event| &event.stream).collect();
        let read = plan.read.drain();
        plan.batch.asserted = read
            .filter(|(stream, _)| !written.contains(stream))
            .collect();
        self.met = written.into_iter().cloned().collect();
        let asserted = plan.batch.asserted.iter();
        self.met.extend(asserted.map(|(stream, _)| stream.clone()));
        if !plan.batch.events.is_empty() {
            plan.batch.statements.extend(self.live.asserted());
        }
    }

    async fn write(&mut self, plan: Plan, access: Access) -> Result<(), StoreError> {
        let begun = Instant::now();
        let committed = access.commit(plan.batch).await?;
        let metrics = &self.shared.metrics;
        metrics.committed(committed.events.len(), begun.elapsed());
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

fn ring_away() -> StoreError {
    StoreError::Unavailable("the key ring cannot be reached".into())
}
