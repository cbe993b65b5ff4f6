//! What a batcher is handed, and what it answers.

use std::{collections::HashSet, sync::Arc};

use kernel::{
    Answer, AnyCommand, AppError, Poison, Reaction, Recorded, Statement, StreamId, Submission,
    Timer,
};
use tokio::sync::oneshot;

use crate::rebuild::Rebuild;

/// An event and what it leads to.
pub(crate) type Reacted = (Arc<Recorded>, Result<Reaction, Poison>);
/// Streams with dead letters.
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
        events: Vec<Reacted>,
        moves: Vec<Statement>,
        /// Streams parked before.
        parked: Arc<Parked>,
        /// Answers the streams that were newly parked.
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
        /// Whether one of them is a condition that may fail without anybody's fault.
        conditional: bool,
        reply: oneshot::Sender<Result<(), AppError>>,
    },
    /// A rebuilt projection takes the old one's place; nothing else is written meanwhile.
    Switch {
        rebuild: Box<Rebuild>,
        reply: oneshot::Sender<Result<(), AppError>>,
    },
}

/// What came of an item.
pub(crate) enum Outcome {
    Command(Result<Answer, AppError>),
    Parked(Parked),
    Done,
}

impl Item {
    /// Calls `each` with every stream that the item says it needs.
    pub fn streams(&self, mut each: impl FnMut(StreamId)) {
        match self {
            Self::Command { submission, .. } => {
                submission.command.streams().into_iter().for_each(each);
            }
            Self::React { events, .. } => {
                let reactions = events
                    .iter()
                    .filter_map(|(_, reaction)| reaction.as_ref().ok());
                reactions
                    .flat_map(|reaction| reaction.commands.iter())
                    .for_each(|command| command.streams().into_iter().for_each(&mut each));
            }
            Self::Timer { command, .. } => {
                if let Ok(command) = command {
                    command.streams().into_iter().for_each(each);
                }
            }
            Self::Write { .. } | Self::Switch { .. } => {}
        }
    }

    /// Whether it holds a condition on positions or leases, which fails when another instance has
    /// taken over.
    pub fn is_conditional(&self) -> bool {
        match self {
            Self::React { .. } | Self::Timer { .. } => true,
            Self::Write { conditional, .. } => *conditional,
            Self::Command { .. } | Self::Switch { .. } => false,
        }
    }

    /// Answers that it was not done.
    pub fn fail(self, error: AppError) {
        match self {
            Self::Command { reply, .. } => drop(reply.send(Err(error))),
            Self::React { reply, .. } => drop(reply.send(Err(error))),
            Self::Timer { reply, .. } | Self::Write { reply, .. } | Self::Switch { reply, .. } => {
                drop(reply.send(Err(error)));
            }
        }
    }

    /// Answers what came of it.
    pub fn answer(self, outcome: Outcome) {
        match (self, outcome) {
            (Self::Command { reply, .. }, Outcome::Command(result)) => drop(reply.send(result)),
            (Self::React { reply, .. }, Outcome::Parked(parked)) => drop(reply.send(Ok(parked))),
            (Self::Timer { reply, .. } | Self::Write { reply, .. }, _) => drop(reply.send(Ok(()))),
            (item, _) => item.fail(AppError::Internal("an outcome of another kind".into())),
        }
    }
}
