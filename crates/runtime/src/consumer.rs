//! What subscriptions and workers have in common: their surroundings, dead letters, how they start.

use std::{collections::HashSet, future::Future, sync::Arc, time::Duration};

use eventlog::Log;
use kernel::{AppError, Poison, Recorded, Row, Statement, StreamId};
use store::{Store, system};
use tokio::sync::{mpsc, oneshot, watch};
use tokio_util::sync::CancellationToken;

use crate::{
    batcher::app_error,
    progress::Progress,
    service::{Inlet, Shared},
    tenancy::Tenancy,
};

/// A batch without effects commits its position this late: repeating it would change nothing.
pub(crate) const LAZY: Duration = Duration::from_secs(10);
/// Events taken from the log at once.
pub(crate) const CHUNK: usize = 512;
/// How long a consumer that cannot start waits before it tries again.
const RETRY: Duration = Duration::from_millis(500);

/// What an operator can ask of a running consumer.
pub(crate) enum Control {
    /// Handle parked events again, in order.
    Redrive {
        reply: oneshot::Sender<Result<u64, AppError>>,
    },
}

/// A consumer's surroundings.
#[derive(Clone)]
pub(crate) struct Surround {
    pub shared: Arc<Shared>,
    pub inlet: Inlet,
    pub store: Arc<dyn Store>,
    pub log: Arc<dyn Log>,
    pub stop: CancellationToken,
    pub tenancy: Tenancy,
}

impl Progress {
    /// Streams with parked events.
    pub async fn parked(&self, around: &Surround) -> Result<HashSet<StreamId>, AppError> {
        let rows = query(around, system::parked_streams(&self.name, &self.topic)).await?;
        Ok(rows
            .iter()
            .map(|row| StreamId::from_name(&row.get::<String>(0)))
            .collect())
    }

    /// Positions of this consumer's parked events behind `after`, oldest first; some of them.
    pub async fn parked_positions(
        &self,
        around: &Surround,
        after: i64,
    ) -> Result<Vec<i64>, AppError> {
        let some = system::parked_positions(&self.name, &self.topic, after, CHUNK as i64);
        let rows = query(around, some).await?;
        Ok(rows.iter().map(|row| row.get(0)).collect())
    }

    /// The parked event at `position`.
    pub async fn parked_event(
        &self,
        around: &Surround,
        position: i64,
    ) -> Result<Option<Arc<Recorded>>, AppError> {
        let read = around.log.read(&self.topic, position - 1, 1).await;
        let read = read.map_err(|e| AppError::Unavailable(e.to_string()))?;
        Ok(read.into_iter().find(|event| event.position == position))
    }
}

pub(crate) async fn query(around: &Surround, statement: Statement) -> Result<Vec<Row>, AppError> {
    let rows = around
        .store
        .query(vec![statement])
        .await
        .map_err(|e| app_error(&e))?;
    Ok(rows.into_iter().next().unwrap_or_default())
}

/// How a consumer stands, as starting code and readiness see it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Standing {
    /// It has not caught up since the start.
    Behind,
    /// It has once caught up.
    CaughtUp,
    /// It cannot start or go on: why.
    Halted(String),
}

/// Tells how a consumer stands.
pub(crate) type Stand = watch::Sender<Standing>;

/// Notes that a consumer has caught up.
pub(crate) fn caught_up(stand: &Stand) {
    let caught_up = |now: &mut Standing| std::mem::replace(now, Standing::CaughtUp);
    stand.send_if_modified(|now| caught_up(now) != Standing::CaughtUp);
}

/// Tries until it works or the service stops; meanwhile readiness says why it does not.
pub(crate) async fn persist<T, F: Future<Output = Result<T, AppError>>>(
    around: &Surround,
    stand: &Stand,
    mut attempt: impl FnMut() -> F,
) -> Option<T> {
    let mut said = None;
    loop {
        let error = tokio::select! {
            () = around.stop.cancelled() => return None,
            done = attempt() => match done {
                Ok(done) => {
                    stand.send_replace(Standing::Behind);
                    return Some(done);
                }
                Err(error) => error.to_string(),
            },
        };
        if said.as_ref() != Some(&error) {
            tracing::error!(service = %around.shared.topic, reason = %error, "a consumer cannot start; will try again");
            stand.send_replace(Standing::Halted(error.clone()));
            said = Some(error);
        }
        tokio::select! {
            () = around.stop.cancelled() => return None,
            () = tokio::time::sleep(RETRY) => {}
        }
    }
}

/// A running consumer, as the operator's port sees it.
#[derive(Clone)]
pub(crate) struct Handle {
    pub name: Arc<str>,
    pub topic: Arc<str>,
    pub control: mpsc::Sender<Control>,
    pub standing: watch::Receiver<Standing>,
}

/// Runs what a service wrote; if it panics, that is a reason to park the event, not to end the loop.
pub(crate) fn guarded<T>(work: impl FnOnce() -> Result<T, Poison>) -> Result<T, Poison> {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(work))
        .unwrap_or_else(|_| Err(Poison("the handler panicked".into())))
}
