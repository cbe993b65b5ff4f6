//! The port through which a service's HTTP handlers and workers reach the runtime.

use std::{any::Any, future::Future, pin::Pin, sync::Arc};

use serde::{Deserialize, Serialize};

use crate::{
    AnyCommand, Clock, Command, Decided, Decider, EventMeta, Ids, KeyRing, PersonId, Read,
    Rejection, Rows, Statement, Timestamp,
};

/// A boxed future, so that ports can be `dyn`.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Who asks, and on behalf of what: becomes the [`EventMeta`] of the events.
pub type Context = EventMeta;

/// Why a command or query got no answer.
#[derive(Debug, Clone, thiserror::Error)]
pub enum AppError {
    /// A rule said no; nothing was written.
    #[error("{0}")]
    Rejected(Rejection),
    /// The store cannot take writes or reads now (disk full, shutting down). Nothing was
    /// acknowledged; try again later.
    #[error("unavailable: {0}")]
    Unavailable(String),
    /// A defect of ours. The text is for the log, not for the caller.
    #[error("internal: {0}")]
    Internal(String),
}

impl From<Rejection> for AppError {
    fn from(rejection: Rejection) -> Self {
        Self::Rejected(rejection)
    }
}

/// Identifies a request that may be sent again: (principal, route, key) and the body's hash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdempotencyKey {
    /// Hash over principal, route and the caller's key: the record's name.
    pub scope: String,
    /// Hash of the body: the same key with another body is refused.
    pub body: String,
}

/// An answer as it is kept for repeats of the request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stored {
    /// HTTP status.
    pub status: u16,
    /// JSON body. Sealed at rest.
    pub body: String,
}

/// Turns a command's output into the answer to keep.
pub type Render = Box<dyn Fn(&(dyn Any + Send + Sync)) -> Stored + Send + Sync>;

/// A command on its way to the batcher.
pub struct Submission {
    /// Who and why.
    pub context: Context,
    /// What.
    pub command: Box<dyn AnyCommand>,
    /// When present, the answer is recorded in the same commit and given again to repeats.
    pub once: Option<(IdempotencyKey, Render)>,
}

/// What the batcher answers.
pub enum Answer {
    /// The command's output, committed.
    Done(Box<dyn Any + Send + Sync>),
    /// The recorded answer: this time or of an earlier, equal request.
    Stored(Stored),
}

/// The runtime as a service sees it.
pub trait Engine: Send + Sync {
    /// Decides and commits.
    fn submit(&self, submission: Submission) -> BoxFuture<'_, Result<Answer, AppError>>;
    /// Runs read-only statements on the service's database, all in one trip.
    fn query(&self, statements: Vec<Statement>) -> BoxFuture<'_, Result<Vec<Rows>, AppError>>;
    /// The clock.
    fn clock(&self) -> &dyn Clock;
    /// The source of ids and secrets.
    fn ids(&self) -> &dyn Ids;
    /// The key ring.
    fn keys(&self) -> &Arc<dyn KeyRing>;
    /// Deletes a person's key and what is held of them in memory.
    fn forget(&self, person: PersonId) -> BoxFuture<'_, Result<(), AppError>>;
}

/// A service's handle on the runtime; cheap to clone. It is the axum state of its routes.
#[derive(Clone)]
pub struct App(Arc<dyn Engine>);

impl App {
    /// For the runtime.
    pub fn new(engine: Arc<dyn Engine>) -> Self {
        Self(engine)
    }

    /// Decides `command`, commits, answers its output. When this returns `Ok`, it is durable.
    pub async fn execute<C: Command>(
        &self,
        context: &Context,
        command: C,
    ) -> Result<C::Output, AppError> {
        let submission = Submission {
            context: context.clone(),
            command: Box::new(command),
            once: None,
        };
        match self.0.submit(submission).await? {
            Answer::Done(output) => output
                .downcast::<C::Output>()
                .map(|output| *output)
                .map_err(|_| AppError::Internal("a command answered with another type".into())),
            Answer::Stored(_) => Err(AppError::Internal(
                "a stored answer to a plain command".into(),
            )),
        }
    }

    /// Like [`execute`](Self::execute), at most once per `key`: the rendered answer is recorded in
    /// the same commit; a repeat gets it again, the same key with another body is a conflict, and
    /// a rejection leaves no record.
    pub async fn execute_once<C: Command>(
        &self,
        context: &Context,
        key: Option<IdempotencyKey>,
        command: C,
        render: impl Fn(&C::Output) -> Stored + Send + Sync + 'static,
    ) -> Result<Stored, AppError> {
        let Some(key) = key else {
            return Ok(render(&self.execute(context, command).await?));
        };
        let erased: Render = Box::new(move |output| match output.downcast_ref::<C::Output>() {
            Some(output) => render(output),
            None => Stored {
                status: 500,
                body: "{}".into(),
            },
        });
        let submission = Submission {
            context: context.clone(),
            command: Box::new(command),
            once: Some((key, erased)),
        };
        match self.0.submit(submission).await? {
            Answer::Stored(stored) => Ok(stored),
            Answer::Done(_) => Err(AppError::Internal(
                "an idempotent command without a stored answer".into(),
            )),
        }
    }

    /// The present state of a stream; version 0 means it does not exist.
    pub async fn state<D: Decider>(&self, id: &str) -> Result<Decided<D::State>, AppError> {
        self.execute(&Context::default(), Read::<D>::new(id)).await
    }

    /// Runs one read-only statement.
    pub async fn query(&self, statement: Statement) -> Result<Rows, AppError> {
        Ok(self
            .query_all(vec![statement])
            .await?
            .pop()
            .unwrap_or_default())
    }

    /// Runs several read-only statements in one trip.
    pub async fn query_all(&self, statements: Vec<Statement>) -> Result<Vec<Rows>, AppError> {
        self.0.query(statements).await
    }

    /// Now.
    pub fn now(&self) -> Timestamp {
        self.0.clock().now()
    }

    /// The source of ids and secrets.
    pub fn ids(&self) -> &dyn Ids {
        self.0.ids()
    }

    /// The key ring.
    pub fn keys(&self) -> &Arc<dyn KeyRing> {
        self.0.keys()
    }

    /// Erases a person: deletes their key for good, so that nothing sealed for them ever opens
    /// again, and drops what is held of them in memory. For the worker of an erasure that was
    /// committed as an event before; may be repeated, and is until it succeeds.
    ///
    /// # Errors
    /// When the key ring or a store cannot be reached; then it may be half done.
    pub async fn forget(&self, person: PersonId) -> Result<(), AppError> {
        self.0.forget(person).await
    }
}
