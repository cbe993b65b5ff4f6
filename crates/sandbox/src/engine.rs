//! The one thread that owns the book. Requests queue up; whatever waits is done in one
//! transaction, and only after its commit does any of them get its answer (group commit).

use std::sync::Arc;

use tokio::sync::{Notify, mpsc, oneshot};

use crate::ledger::Ledger;

/// Requests in one transaction, at most.
const BATCH: usize = 256;
/// Requests waiting, at most; more wait outside.
const QUEUE: usize = 4_096;

/// The storage failed: nothing of the request was kept.
#[derive(Debug)]
pub struct Unavailable;

/// A handle to the thread. The thread ends when the last handle is dropped.
#[derive(Clone)]
pub struct Engine {
    jobs: mpsc::Sender<Box<dyn Job>>,
}

trait Job: Send {
    fn run(&mut self, ledger: &mut Ledger) -> rusqlite::Result<()>;
    fn answer(self: Box<Self>, committed: bool);
}

struct Call<F, T> {
    work: Option<F>,
    result: Option<T>,
    caller: oneshot::Sender<Result<T, Unavailable>>,
}

impl<F, T> Job for Call<F, T>
where
    F: FnOnce(&mut Ledger) -> rusqlite::Result<T> + Send,
    T: Send,
{
    fn run(&mut self, ledger: &mut Ledger) -> rusqlite::Result<()> {
        if let Some(work) = self.work.take() {
            self.result = Some(work(ledger)?);
        }
        Ok(())
    }

    fn answer(self: Box<Self>, committed: bool) {
        let result = self.result.filter(|_| committed).ok_or(Unavailable);
        // The caller may have gone away; what was done stays done.
        let _ = self.caller.send(result);
    }
}

impl Engine {
    /// Starts the thread. `new_webhooks` is told after each commit that added some.
    pub fn start(
        ledger: Ledger,
        new_webhooks: Arc<Notify>,
    ) -> std::io::Result<(Self, std::thread::JoinHandle<()>)> {
        let (jobs, queue) = mpsc::channel(QUEUE);
        let thread = std::thread::Builder::new()
            .name("sandbox-ledger".to_owned())
            .spawn(move || serve(ledger, queue, &new_webhooks))?;
        Ok((Self { jobs }, thread))
    }

    /// Runs `work` in the next transaction; answers after the commit. Once queued, the work is
    /// done even when the caller stops waiting.
    pub async fn run<T, F>(&self, work: F) -> Result<T, Unavailable>
    where
        F: FnOnce(&mut Ledger) -> rusqlite::Result<T> + Send + 'static,
        T: Send + 'static,
    {
        let (caller, result) = oneshot::channel();
        let call = Call {
            work: Some(work),
            result: None,
            caller,
        };
        self.jobs
            .send(Box::new(call))
            .await
            .map_err(|_| Unavailable)?;
        result.await.unwrap_or(Err(Unavailable))
    }
}

fn serve(mut ledger: Ledger, mut queue: mpsc::Receiver<Box<dyn Job>>, new_webhooks: &Notify) {
    let mut batch = Vec::with_capacity(BATCH);
    while queue.blocking_recv_many(&mut batch, BATCH) > 0 {
        let committed = match transaction(&mut ledger, &mut batch) {
            Ok(webhooks_added) => {
                if webhooks_added {
                    new_webhooks.notify_one();
                }
                true
            }
            Err(error) => {
                tracing::error!(%error, requests = batch.len(), "the sandbox provider cannot store");
                if let Err(error) = ledger.rollback() {
                    tracing::error!(%error, "rolling back failed as well");
                }
                false
            }
        };
        batch.drain(..).for_each(|job| job.answer(committed));
    }
}

fn transaction(ledger: &mut Ledger, batch: &mut [Box<dyn Job>]) -> rusqlite::Result<bool> {
    ledger.begin()?;
    for job in batch {
        job.run(ledger)?;
    }
    ledger.commit()
}
