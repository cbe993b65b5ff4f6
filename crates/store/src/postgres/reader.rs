//! Queries: a few connections that cannot write.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use kernel::Rows;
use tokio::{sync::Semaphore, time::Instant};

use super::{
    failure::Failure,
    schema::plain,
    server::{Purpose, Server},
    session::{Run, Session, Step},
};
use crate::StoreError;

/// How often a query that met a change of tables is run again.
const MEETINGS: usize = 20;

/// Connections for queries, made when they are needed.
pub(super) struct Readers {
    server: Server,
    purpose: Purpose,
    idle: Mutex<Vec<Session>>,
    free: Semaphore,
}

impl Readers {
    pub fn new(server: Server, purpose: Purpose, most: usize) -> Self {
        Self {
            server,
            purpose,
            idle: Mutex::default(),
            free: Semaphore::new(most.max(1)),
        }
    }

    /// Answers the statements made by `steps`, all of them of one moment. One statement is one
    /// trip; more are one trip as well, in a transaction. A server that is away is waited for as
    /// long as `patience`.
    pub async fn ask<'a>(
        &self,
        steps: impl Fn() -> Vec<Step<'a>>,
        patience: Duration,
    ) -> Result<Vec<Rows>, StoreError> {
        let closed = |_| StoreError::Unavailable("the store is closed".into());
        let _permit = self.free.acquire().await.map_err(closed)?;
        let give_up = Instant::now() + patience;
        let mut meetings = 0;
        loop {
            let mut session = match self.take() {
                Some(session) => session,
                None => self.server.reach(self.purpose, give_up).await?,
            };
            let steps = steps();
            let one_moment = steps.len() > 1;
            let run = Run {
                begin: one_moment.then_some("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"),
                steps,
                end: one_moment.then_some("COMMIT"),
            };
            let failure = match session.run(run).await {
                Ok(answers) => {
                    self.give_back(session);
                    return Ok(answers);
                }
                Err(broken) => broken.failure,
            };
            meetings += 1;
            if meetings == MEETINGS {
                return Err(plain(failure));
            }
            match failure {
                // A dead connection may have many dead neighbours; a server that is away is
                // waited for where another connection is made.
                Failure::Lost(why) if Instant::now() >= give_up => {
                    return Err(StoreError::Unavailable(why));
                }
                Failure::Lost(_) => {}
                Failure::Stale => {
                    session.forget();
                    self.give_back(session);
                }
                Failure::Again(_) => self.give_back(session),
                Failure::ReadOnly => {
                    self.give_back(session);
                    return Err(StoreError::Data("a query must not write".into()));
                }
                other => {
                    self.give_back(session);
                    return Err(plain(other));
                }
            }
        }
    }

    fn take(&self) -> Option<Session> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        while let Some(session) = idle.pop() {
            if !session.is_lost() {
                return Some(session);
            }
        }
        None
    }

    /// Only a session that is between transactions may come here.
    fn give_back(&self, session: Session) {
        if !self.free.is_closed() {
            self.idle
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(session);
        }
    }

    /// Ends it: later questions are refused.
    pub fn close(&self) {
        self.free.close();
        self.idle
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
    }
}
