//! One batch in the making: commands are decided one after the other on top of each other's
//! results, and everything they lead to is collected for one commit.

use std::{
    any::Any,
    collections::{HashMap, HashSet},
    sync::{Arc, OnceLock},
};

use kernel::{
    Answer, AnyCommand, AppError, Context, ErasedState, EventMeta, KeyRing, PersonId, Poison,
    Reaction, Recorded, Rejection, Render, Statement, States, Stored, StreamId, Timer, TimerOp,
    Timestamp, UnitOfWork, Work, with_keys,
};
use store::{Batch, system};

use crate::states::{Held, StateCache};

/// Records of idempotent requests are kept for seven days.
const KEEP_ANSWERS_SECONDS: i64 = 7 * 24 * 3600;

/// What deciding needs from outside the plan.
pub(crate) struct Surroundings<'a> {
    pub topic: &'a Arc<str>,
    pub cache: &'a StateCache,
    pub keys: &'a Arc<dyn KeyRing>,
    pub now: Timestamp,
    pub fresh_id: &'a dyn Fn() -> String,
}

/// A command could not be decided yet or at all.
pub(crate) enum Undecided {
    /// These streams must be loaded first.
    Load(Vec<StreamId>),
    /// Our own defect.
    Broken(String),
}

/// A batch in the making.
#[derive(Default)]
pub(crate) struct Plan {
    pub batch: Batch,
    pub changed: HashMap<StreamId, Held>,
    pub read: HashMap<StreamId, i64>,
    pub earliest_timer: Option<Timestamp>,
    answers: HashMap<String, (String, Stored)>,
    kinds: HashMap<&'static str, Arc<str>>,
}

struct Layered<'a> {
    changed: &'a HashMap<StreamId, Held>,
    cache: &'a StateCache,
}

impl States for Layered<'_> {
    fn find(&self, stream: &StreamId) -> Option<(&dyn ErasedState, i64)> {
        match self.changed.get(stream) {
            Some((state, version)) => Some((state.as_ref(), *version)),
            None => self.cache.find(stream),
        }
    }

    fn initial(&self, category: &str) -> Option<Box<dyn ErasedState>> {
        self.cache.initial(category)
    }
}

type Output = Box<dyn Any + Send + Sync>;

impl Plan {
    /// Decides one command; a rejection leaves the plan as it was.
    pub fn command(
        &mut self,
        around: &Surroundings<'_>,
        context: &Context,
        command: &dyn AnyCommand,
    ) -> Result<Result<Output, Rejection>, Undecided> {
        let (result, work) = self.decide(around, command)?;
        Ok(match result {
            Ok(output) => {
                self.absorb(around, context, work);
                Ok(output)
            }
            Err(rejection) => {
                self.read.extend(work.read);
                Err(rejection)
            }
        })
    }

    fn decide(
        &self,
        around: &Surroundings<'_>,
        command: &dyn AnyCommand,
    ) -> Result<(Result<Output, Rejection>, Work), Undecided> {
        let states = Layered {
            changed: &self.changed,
            cache: around.cache,
        };
        let mut unit = UnitOfWork::new(&states, around.now);
        let result = with_keys(around.keys, || command.handle_any(&mut unit));
        let mut work = unit.finish();
        if !work.missing.is_empty() {
            return Err(Undecided::Load(std::mem::take(&mut work.missing)));
        }
        match work.broken.take() {
            Some(reason) => Err(Undecided::Broken(reason)),
            None => Ok((result, work)),
        }
    }

    fn absorb(&mut self, around: &Surroundings<'_>, context: &Context, work: Work) {
        let meta = self.meta(around, context, !work.events.is_empty());
        for event in work.events {
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
        for op in work.timers {
            self.timer(op);
        }
        self.batch.statements.extend(work.statements);
        self.read.extend(work.read);
        for (stream, held) in work.changed {
            self.snapshot(around, &stream, &held);
            self.changed.insert(stream, held);
        }
    }

    fn meta(&self, around: &Surroundings<'_>, context: &Context, needed: bool) -> EventMeta {
        let mut meta = context.clone();
        if needed && meta.correlation.is_empty() {
            meta.correlation = (around.fresh_id)().into();
        }
        meta
    }

    fn timer(&mut self, op: TimerOp) {
        self.batch.statements.push(match op {
            TimerOp::Set(timer) => {
                let earliest = self
                    .earliest_timer
                    .map_or(timer.due, |due| due.min(timer.due));
                self.earliest_timer = Some(earliest);
                system::set_timer(&timer)
            }
            TimerOp::Cancel(key) => system::delete_timer(&key),
        });
    }

    /// Keeps a snapshot when a stream has passed the next multiple of its interval.
    fn snapshot(&mut self, around: &Surroundings<'_>, stream: &StreamId, (state, version): &Held) {
        let Some(spec) = around.cache.spec(stream) else {
            return;
        };
        let Some(every) = spec.snapshot_every else {
            return;
        };
        let states = Layered {
            changed: &self.changed,
            cache: around.cache,
        };
        let before = states.find(stream).map_or(0, |(_, version)| version);
        if version / every > before / every {
            // A snapshot only saves time: one that cannot be written is left out.
            if let Ok(text) = with_keys(around.keys, || state.snapshot()) {
                let statement =
                    system::save_snapshot(stream.as_str(), *version, spec.snapshot_version, text);
                self.batch.statements.push(statement);
            }
        }
    }

    /// Decides a command that must take effect at most once; `known` is the record found in the
    /// store for its key.
    pub fn command_once(
        &mut self,
        around: &Surroundings<'_>,
        context: &Context,
        command: &dyn AnyCommand,
        (key, render): &(kernel::IdempotencyKey, Render),
        known: Option<(String, Stored)>,
    ) -> Result<Result<Answer, AppError>, Undecided> {
        if let Some((body, stored)) = known.or_else(|| self.answers.get(&key.scope).cloned()) {
            return Ok(match body == key.body {
                true => Ok(Answer::Stored(stored)),
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
        let stored = render(output.as_ref());
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

    /// Takes in what one event leads to in a subscription. A rejection or poison parks the event
    /// and marks its stream as parked.
    pub fn reaction(
        &mut self,
        around: &Surroundings<'_>,
        subscription: &str,
        event: &Recorded,
        reaction: &Result<Reaction, Poison>,
        parked: &mut HashSet<StreamId>,
    ) -> Result<(), Undecided> {
        let poison = if parked.contains(&event.stream) {
            Some("an earlier event of this stream is parked".to_owned())
        } else {
            match reaction {
                Ok(reaction) => self.react(around, event, reaction)?,
                Err(Poison(reason)) => Some(reason.clone()),
            }
        };
        if let Some(reason) = poison {
            tracing::error!(subscription, event = %event.id(), kind = %event.kind, %reason, "event parked as a dead letter");
            parked.insert(event.stream.clone());
            self.batch.statements.push(system::park(
                subscription,
                &event.topic,
                event.position,
                event.stream.as_str(),
                &event.kind,
                &reason,
                around.now,
            ));
        }
        Ok(())
    }

    /// All commands of an event or none: the reason, if one is refused.
    fn react(
        &mut self,
        around: &Surroundings<'_>,
        event: &Recorded,
        reaction: &Reaction,
    ) -> Result<Option<String>, Undecided> {
        let context = Context {
            correlation: event.meta.correlation.clone(),
            causation: Some(event.id().into()),
            trace: event.meta.trace.clone(),
            actor: Some("system".into()),
        };
        if let [command] = reaction.commands.as_slice() {
            if let Err(rejection) = self.command(around, &context, command.as_ref())? {
                return Ok(Some(rejection.to_string()));
            }
        } else if !reaction.commands.is_empty() {
            let all = AllOf(&reaction.commands);
            if let Err(rejection) = self.command(around, &context, &all)? {
                return Ok(Some(rejection.to_string()));
            }
        }
        self.batch
            .statements
            .extend(reaction.statements.iter().cloned());
        Ok(None)
    }

    /// Takes in a due timer: its row goes in the same commit.
    pub fn timer_due(
        &mut self,
        around: &Surroundings<'_>,
        timer: &Timer,
        command: &Result<Box<dyn AnyCommand>, Poison>,
    ) -> Result<(), Undecided> {
        self.batch.statements.push(system::delete_timer(&timer.key));
        let context = Context {
            actor: Some("system".into()),
            ..Context::default()
        };
        let refused = match command {
            Ok(command) => self
                .command(around, &context, command.as_ref())?
                .err()
                .map(|r| r.to_string()),
            Err(Poison(reason)) => Some(reason.clone()),
        };
        if let Some(reason) = refused {
            tracing::error!(timer = %timer.key, kind = %timer.kind, %reason, "timer parked as a dead letter");
            let park = system::park(
                "timers",
                "timers",
                timer.due.0,
                &timer.key,
                &timer.kind,
                &reason,
                around.now,
            );
            self.batch.statements.push(park);
        }
        Ok(())
    }

    /// Adds statements.
    pub fn statements(&mut self, statements: &[Statement]) {
        self.batch.statements.extend(statements.iter().cloned());
    }
}

/// Several commands of one event as one: all or none.
struct AllOf<'a>(&'a [Box<dyn AnyCommand>]);

impl AnyCommand for AllOf<'_> {
    fn streams(&self) -> Vec<StreamId> {
        self.0
            .iter()
            .flat_map(|command| command.streams())
            .collect()
    }

    fn handle_any(&self, work: &mut UnitOfWork<'_>) -> Result<Output, Rejection> {
        for command in self.0 {
            command.handle_any(work)?;
        }
        Ok(Box::new(()))
    }
}

/// The reserved person whose key seals recorded answers.
pub(crate) fn records_owner() -> PersonId {
    "per_idempotency"
        .parse()
        .expect("a constant id is well-formed")
}
