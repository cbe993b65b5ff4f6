//! One batch in the making: commands are decided one after the other on top of each other's
//! results, and everything they lead to is collected for one commit.

use std::{
    any::Any,
    collections::{HashMap, HashSet},
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, OnceLock},
};

use kernel::{
    Answer, AnyCommand, AppError, Context, ErasedState, EventMeta, KeyRing, PendingEvent, PersonId,
    Recorded, Rejection, Render, Statement, States, Stored, StreamId, StreamMap, TimerOp,
    Timestamp, UnitOfWork, Work, with_keys,
};
use store::{Batch, system};

use crate::{
    caused::ParkedNote,
    states::{Held, StateCache},
};

/// Records of idempotent requests are kept for seven days.
const KEEP_ANSWERS_SECONDS: i64 = 7 * 24 * 3600;

/// What deciding needs from outside the plan.
pub(crate) struct Surroundings<'a> {
    pub topic: &'a Arc<str>,
    pub cache: &'a StateCache,
    pub keys: &'a Arc<dyn KeyRing>,
    pub now: Timestamp,
    pub fresh_id: &'a dyn Fn() -> String,
    /// Versions of streams that were only read must be asserted too: others write here as well.
    pub note_reads: bool,
    /// The holder of this instance's leases, if there are leases.
    pub token: Option<&'a str>,
}

/// A command could not be decided yet or at all.
pub(crate) enum Undecided {
    /// These streams must be loaded first, and the plan begun anew.
    Load(Vec<StreamId>),
    /// Our own defect.
    Broken(String),
}

/// A batch in the making.
#[derive(Default)]
pub(crate) struct Plan {
    pub batch: Batch,
    pub changed: StreamMap<Held>,
    pub read: StreamMap<i64>,
    pub earliest_timer: Option<Timestamp>,
    /// To be logged once it is committed.
    pub notes: Vec<ParkedNote>,
    answers: HashMap<String, (String, Stored)>,
    /// Timers set (due then) or removed by this batch.
    pub(crate) timers: HashMap<String, Option<Timestamp>>,
    kinds: HashMap<&'static str, Arc<str>, foldhash::fast::RandomState>,
}

struct Layered<'a>(&'a StateCache);

impl States for Layered<'_> {
    fn find(&self, stream: &StreamId) -> Option<(&dyn ErasedState, i64)> {
        self.0.find(stream)
    }

    fn initial(&self, category: &str) -> Option<Box<dyn ErasedState>> {
        self.0.initial(category)
    }
}

type Output = Box<dyn Any + Send + Sync>;

impl Plan {
    /// Decides a caller's command; a rejection leaves the plan as it was.
    pub fn command(
        &mut self,
        around: &Surroundings<'_>,
        context: &Context,
        command: &dyn AnyCommand,
    ) -> Result<Result<Output, Rejection>, Undecided> {
        self.decide(around, context, |unit| command.handle_any(unit))
    }

    /// The same with commands whose output nobody waits for: all of them or none.
    pub(crate) fn apply(
        &mut self,
        around: &Surroundings<'_>,
        context: &Context,
        commands: &[Box<dyn AnyCommand>],
    ) -> Result<Result<(), Rejection>, Undecided> {
        self.decide(around, context, |unit| {
            commands
                .iter()
                .try_for_each(|command| command.apply_any(unit))
        })
    }

    fn decide<T>(
        &mut self,
        around: &Surroundings<'_>,
        context: &Context,
        handle: impl FnOnce(&mut UnitOfWork<'_>) -> Result<T, Rejection>,
    ) -> Result<Result<T, Rejection>, Undecided> {
        let states = Layered(around.cache);
        let changed = std::mem::take(&mut self.changed);
        let mut unit = UnitOfWork::over(&states, around.now, changed);
        // A defect in the rules is this command's fault alone.
        let decided = catch_unwind(AssertUnwindSafe(|| {
            with_keys(around.keys, || handle(&mut unit))
        }));
        let mut work = unit.finish();
        self.changed = std::mem::take(&mut work.changed);
        if around.note_reads {
            self.read.extend(work.read.drain());
        }
        if !work.missing.is_empty() {
            return Err(Undecided::Load(work.missing));
        }
        if let Some(reason) = work.broken {
            return Err(Undecided::Broken(reason));
        }
        match decided {
            Ok(Ok(output)) => {
                self.absorb(around, context, work);
                Ok(Ok(output))
            }
            Ok(Err(rejection)) => {
                self.take_back(around, &work)?;
                Ok(Err(rejection))
            }
            Err(_) => Err(Undecided::Broken("a command panicked".into())),
        }
    }

    /// Restores the streams that a refused command had already changed: from the committed state
    /// and the events that the batch already holds.
    fn take_back(&mut self, around: &Surroundings<'_>, refused: &Work) -> Result<(), Undecided> {
        let streams: HashSet<&StreamId> = refused.events.iter().map(|e| &e.stream).collect();
        for stream in streams {
            self.changed.remove(stream);
            let earlier = self.batch.events.iter().filter(|e| e.stream == *stream);
            let mut earlier = earlier.peekable();
            if earlier.peek().is_none() {
                continue;
            }
            let Some((state, mut version)) = around.cache.find(stream) else {
                return Err(Undecided::Load(vec![stream.clone()]));
            };
            let mut state = state.copy();
            for event in earlier {
                with_keys(around.keys, || state.fold(&event.kind, &event.data))
                    .map_err(|e| Undecided::Broken(e.to_string()))?;
                version = event.version;
            }
            self.changed.insert(stream.clone(), (state, version));
        }
        Ok(())
    }

    fn absorb(&mut self, around: &Surroundings<'_>, context: &Context, work: Work) {
        if !work.events.is_empty() {
            self.append(around, context, work.events);
        }
        for op in work.timers {
            self.timer(op);
        }
        self.batch.statements.extend(work.statements);
    }

    fn append(&mut self, around: &Surroundings<'_>, context: &Context, events: Vec<PendingEvent>) {
        let mut meta: EventMeta = context.clone();
        if meta.correlation.is_empty() {
            meta.correlation = (around.fresh_id)().into();
        }
        for event in events {
            let spec = around.cache.spec(&event.stream);
            if let Some(every) = spec.and_then(|spec| spec.snapshot_every)
                && event.version % every == 0
            {
                self.snapshot(around, &event.stream);
            }
            let kind = self
                .kinds
                .entry(event.kind)
                .or_insert_with(|| event.kind.into())
                .clone();
            let typed = OnceLock::new();
            let _ = typed.set(event.typed);
            self.batch.events.push(Recorded {
                topic: around.topic.clone(),
                position: 0,
                prev: 0,
                partition: 0,
                stream: event.stream,
                version: event.version,
                kind,
                data: event.data.into(),
                at: around.now,
                meta: meta.clone(),
                typed,
            });
        }
    }

    /// Keeps a snapshot of a stream as it is after the command that just passed a multiple of its
    /// interval.
    fn snapshot(&mut self, around: &Surroundings<'_>, stream: &StreamId) {
        let (Some(spec), Some((state, version))) =
            (around.cache.spec(stream), self.changed.get(stream))
        else {
            return;
        };
        // A snapshot only saves time: one that cannot be written is left out.
        if let Ok(text) = with_keys(around.keys, || state.snapshot()) {
            let statement =
                system::save_snapshot(stream.as_str(), *version, spec.snapshot_version, text);
            self.batch.statements.push(statement);
        }
    }

    fn timer(&mut self, op: TimerOp) {
        self.batch.statements.push(match op {
            TimerOp::Set(timer) => {
                let earliest = self
                    .earliest_timer
                    .map_or(timer.due, |due| due.min(timer.due));
                self.earliest_timer = Some(earliest);
                let statement = system::set_timer(&timer);
                self.timers.insert(timer.key, Some(timer.due));
                statement
            }
            TimerOp::Cancel(key) => {
                let statement = system::delete_timer(&key);
                self.timers.insert(key, None);
                statement
            }
        });
    }

    /// Decides a command that must take effect at most once; `known` is the record found in the
    /// store for its key.
    pub fn command_once(
        &mut self,
        around: &Surroundings<'_>,
        context: &Context,
        command: &dyn AnyCommand,
        (key, render): &(kernel::IdempotencyKey, Render),
        known: Option<&(String, Stored)>,
    ) -> Result<Result<Answer, AppError>, Undecided> {
        if let Some((body, stored)) = known.or_else(|| self.answers.get(&key.scope)) {
            return Ok(match *body == key.body {
                true => Ok(Answer::Stored(stored.clone())),
                false => Err(AppError::Rejected(Rejection::conflict(
                    "idempotency-key-reused",
                    "this Idempotency-Key was used with another body; use a new key for a new request",
                )
                .field("Idempotency-Key"))),
            });
        }
        let output = match self.command(around, context, command)? {
            Ok(output) => output,
            Err(rejection) => return Ok(Err(rejection.into())),
        };
        let stored = catch_unwind(AssertUnwindSafe(|| render(output.as_ref())))
            .map_err(|_| Undecided::Broken("an answer's renderer panicked".into()))?;
        let plain = serde_json::to_vec(&stored).map_err(|e| Undecided::Broken(e.to_string()))?;
        let sealed = around
            .keys
            .seal(&records_owner(), &plain)
            .map_err(|e| Undecided::Broken(e.to_string()))?;
        let expires = around.now.plus_seconds(KEEP_ANSWERS_SECONDS);
        self.batch.statements.push(system::remember_answer(
            &key.scope, &key.body, sealed, expires,
        ));
        self.answers
            .insert(key.scope.clone(), (key.body.clone(), stored.clone()));
        Ok(Ok(Answer::Stored(stored)))
    }

    /// Adds statements.
    pub fn statements(&mut self, statements: &[Statement]) {
        self.batch.statements.extend(statements.iter().cloned());
    }
}

/// The reserved person whose key seals recorded answers.
pub(crate) fn records_owner() -> PersonId {
    "per_idempotency"
        .parse()
        .expect("a constant id is well-formed")
}

#[cfg(test)]
#[path = "plan_tests.rs"]
mod tests;
