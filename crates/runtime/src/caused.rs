//! What events and due timers set off: their commands join the batch, or they are parked in it.

use std::{collections::HashSet, sync::Arc};

use kernel::{AnyCommand, Context, Poison, Reaction, Recorded, StreamId, Timer, Timestamp};
use store::{sharing, system};

use crate::plan::{Plan, Surroundings, Undecided};

/// When a parked timer falls due: never.
const NEVER: Timestamp = Timestamp(i64::MAX);
/// The name under which the dead letters of timers are kept.
pub(crate) const TIMERS: &str = "timers";

/// Something that could not be handled and goes to the dead letters with this batch.
pub(crate) struct ParkedNote {
    pub subscription: Arc<str>,
    pub what: String,
    pub kind: Arc<str>,
    pub reason: String,
}

impl Plan {
    /// Takes in what one event leads to in a subscription. A rejection or poison parks the event;
    /// then its stream is added to `newly`.
    pub fn reaction(
        &mut self,
        around: &Surroundings<'_>,
        subscription: &Arc<str>,
        (event, reaction): &(Arc<Recorded>, Result<Reaction, Poison>),
        parked: &HashSet<StreamId>,
        newly: &mut HashSet<StreamId>,
    ) -> Result<(), Undecided> {
        let poison = if parked.contains(&event.stream) || newly.contains(&event.stream) {
            Some("an earlier event of this stream is parked".to_owned())
        } else {
            match reaction {
                Ok(reaction) => self.react(around, event, reaction)?,
                Err(Poison(reason)) => Some(reason.clone()),
            }
        };
        if let Some(reason) = poison {
            newly.insert(event.stream.clone());
            self.batch.statements.push(system::park(
                subscription,
                &event.topic,
                event.position,
                event.stream.as_str(),
                &event.kind,
                &reason,
                around.now,
            ));
            self.notes.push(ParkedNote {
                subscription: subscription.clone(),
                what: event.id(),
                kind: event.kind.clone(),
                reason,
            });
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
        if !reaction.commands.is_empty()
            && let Err(rejection) = self.apply(around, &context, &reaction.commands)?
        {
            return Ok(Some(rejection.to_string()));
        }
        self.statements(&reaction.statements);
        Ok(None)
    }

    /// Takes in a due timer, unless it was moved or cancelled meanwhile (`standing`: when the
    /// store says that it is due). Its row goes in the same commit; one whose command is refused
    /// stays, never due again, beside a dead letter.
    pub fn timer_due(
        &mut self,
        around: &Surroundings<'_>,
        timer: &Timer,
        command: &Result<Box<dyn AnyCommand>, Poison>,
        standing: Option<Timestamp>,
    ) -> Result<(), Undecided> {
        let standing = self.timers.get(&timer.key).copied().unwrap_or(standing);
        if standing != Some(timer.due) {
            return Ok(());
        }
        if let Some(token) = around.token {
            // Another instance may have moved or fired it since it was looked up.
            let asserted = sharing::assert_timer(timer, token);
            self.batch.statements.push(asserted);
        }
        // Before the command's own statements: it may set the same timer again.
        let place = self.batch.statements.len();
        self.batch.statements.push(system::delete_timer(&timer.key));
        self.timers.insert(timer.key.clone(), None);
        let context = Context {
            causation: Some(format!("timer:{}", timer.key).into()),
            actor: Some("system".into()),
            ..Context::default()
        };
        let refused = match command {
            Ok(command) => self
                .apply(around, &context, std::slice::from_ref(command))?
                .err()
                .map(|rejection| rejection.to_string()),
            Err(Poison(reason)) => Some(reason.clone()),
        };
        if let Some(reason) = refused {
            self.batch.statements[place] = system::postpone_timer(&timer.key, NEVER);
            self.timers.insert(timer.key.clone(), Some(NEVER));
            self.batch.statements.push(system::park(
                TIMERS,
                &timer.key,
                timer.due.0,
                &timer.key,
                &timer.kind,
                &reason,
                around.now,
            ));
            self.notes.push(ParkedNote {
                subscription: TIMERS.into(),
                what: timer.key.clone(),
                kind: timer.kind.as_str().into(),
                reason,
            });
        }
        Ok(())
    }
}
