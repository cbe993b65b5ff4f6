//! The port that services' handlers and workers hold: [`kernel::Engine`] over a batcher and a store.

use std::sync::Arc;

use kernel::{
    Answer, AppError, BoxFuture, Clock, Engine, Ids, KeyRing, PersonId, Rows, Statement,
    Submission, freshness,
};
use store::Store;

use crate::{
    batcher::app_error,
    erasure::Eraser,
    item::Item,
    service::{Inlet, Shared},
};

pub(crate) struct ServiceEngine {
    pub shared: Arc<Shared>,
    pub keys: Arc<dyn KeyRing>,
    pub inlet: Inlet,
    pub store: Arc<dyn Store>,
    pub eraser: Arc<Eraser>,
}

impl Engine for ServiceEngine {
    fn submit(&self, submission: Submission) -> BoxFuture<'_, Result<Answer, AppError>> {
        Box::pin(async move {
            let sent = self.inlet.send(|reply| Item::Command { submission, reply });
            let answer = sent.await;
            if let Some(fresh) = freshness::current() {
                // Who wrote sees it, whichever copy of the database answers next.
                fresh.raise(&self.shared.topic, self.store.written());
            }
            answer
        })
    }

    fn query(&self, statements: Vec<Statement>) -> BoxFuture<'_, Result<Vec<Rows>, AppError>> {
        Box::pin(async move {
            self.store
                .query(statements)
                .await
                .map_err(|e| app_error(&e))
        })
    }

    fn clock(&self) -> &dyn Clock {
        self.shared.clock.as_ref()
    }

    fn ids(&self) -> &dyn Ids {
        self.shared.ids.as_ref()
    }

    fn keys(&self) -> &Arc<dyn KeyRing> {
        &self.keys
    }

    fn forget(&self, person: PersonId) -> BoxFuture<'_, Result<(), AppError>> {
        Box::pin(self.eraser.erase(person))
    }
}
