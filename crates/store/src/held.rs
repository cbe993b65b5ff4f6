//! A held head, from its holder's side: a conversation with the writer.

use kernel::{BoxFuture, Rows, Statement};
use tokio::sync::{mpsc, oneshot};

use crate::{Batch, Committed, HeldHead, LoadStream, LoadedStream, StoreError};

type Reply<T> = oneshot::Sender<Result<T, StoreError>>;

/// What the holder can ask the writer.
pub(crate) enum HeldJob {
    Load {
        streams: Vec<LoadStream>,
        reply: Reply<Vec<LoadedStream>>,
    },
    Query {
        statements: Vec<Statement>,
        reply: Reply<Vec<Rows>>,
    },
    Commit {
        batch: Batch,
        reply: Reply<Committed>,
    },
}

/// The head of the log, until it is dropped. PostgreSQL takes it back after two seconds in which
/// its holder did nothing; then [`StoreError::Conflict`] is answered.
pub(crate) struct Held(pub mpsc::UnboundedSender<HeldJob>);

impl Held {
    async fn ask<T>(&self, job: impl FnOnce(Reply<T>) -> HeldJob) -> Result<T, StoreError> {
        let (reply, answer) = oneshot::channel();
        let gone = || StoreError::Unavailable("the store is closed".into());
        self.0.send(job(reply)).map_err(|_| gone())?;
        answer.await.map_err(|_| gone())?
    }
}

impl HeldHead for Held {
    fn load(
        &mut self,
        streams: Vec<LoadStream>,
    ) -> BoxFuture<'_, Result<Vec<LoadedStream>, StoreError>> {
        Box::pin(self.ask(|reply| HeldJob::Load { streams, reply }))
    }

    fn query(
        &mut self,
        statements: Vec<Statement>,
    ) -> BoxFuture<'_, Result<Vec<Rows>, StoreError>> {
        Box::pin(self.ask(|reply| HeldJob::Query { statements, reply }))
    }

    fn commit(self: Box<Self>, batch: Batch) -> BoxFuture<'static, Result<Committed, StoreError>> {
        Box::pin(async move { self.ask(|reply| HeldJob::Commit { batch, reply }).await })
    }
}
