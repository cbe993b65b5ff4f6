//! A worker's loop: effects on the outside, many at once, in order within a stream.

use std::{
    collections::{BTreeMap, HashMap, HashSet, VecDeque},
    sync::Arc,
    time::Duration,
};

use kernel::{App, AppError, Recorded, StreamId, Worker, WorkerError};
use store::system;
use tokio::{sync::mpsc, task::JoinSet};

use crate::consumer::{CaughtUp, Control, Progress, Surround};

/// Positions are saved this often while there is work: effects are repeatable by design.
const SAVE_EVERY: Duration = Duration::from_secs(1);
/// How long a stopping worker waits for effects under way.
const GRACE: Duration = Duration::from_secs(3);
const FIRST_RETRY: Duration = Duration::from_millis(200);
const LAST_RETRY: Duration = Duration::from_secs(30);

type Finished = (Arc<Recorded>, Result<(), WorkerError>);

/// One worker on one topic.
pub(crate) struct Runner {
    pub around: Surround,
    pub app: App,
    pub worker: Worker,
    pub progress: Progress,
    pub parked: HashSet<StreamId>,
}

#[derive(Default)]
struct Flight {
    running: JoinSet<Finished>,
    /// Events behind one of the same stream that is running.
    behind: HashMap<StreamId, VecDeque<Arc<Recorded>>>,
    /// Everything read and not yet below the low-water mark: position → finished.
    open: BTreeMap<i64, bool>,
    /// How far has been read.
    read: i64,
}

impl Runner {
    /// Runs until the service stops.
    pub async fn run(mut self, mut control: mpsc::Receiver<Control>, caught_up: CaughtUp) {
        let stop = self.around.stop.clone();
        let mut flight = Flight {
            read: self.progress.position,
            ..Flight::default()
        };
        let mut save = tokio::time::interval(SAVE_EVERY);
        save.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut head = match self.around.log.watch(&self.progress.topic) {
            Ok(head) => head,
            Err(error) => return tracing::error!(%error, "worker cannot start"),
        };
        loop {
            let room = flight.running.len() < self.worker.concurrency
                && flight.open.len() < 16 * self.worker.concurrency;
            if room && *head.borrow_and_update() > flight.read {
                self.take(&mut flight).await;
            }
            if flight.open.is_empty() && self.progress.caught_up() {
                caught_up.send_if_modified(|done| !std::mem::replace(done, true));
            }
            tokio::select! {
                biased;
                () = stop.cancelled() => break,
                Some(order) = control.recv() => self.obey(order).await,
                Some(done) = flight.running.join_next(), if !flight.running.is_empty() => self.done(&mut flight, done).await,
                changed = head.changed(), if room => if changed.is_err() { break },
                _ = save.tick() => self.save().await,
            }
        }
        let finish = async {
            while let Some(done) = flight.running.join_next().await {
                flight.behind.clear();
                self.done(&mut flight, done).await;
            }
        };
        let _ = tokio::time::timeout(GRACE, finish).await;
        self.save().await;
    }

    async fn take(&mut self, flight: &mut Flight) {
        let events = self.progress.read(&self.around, flight.read).await;
        for event in events {
            flight.read = event.position;
            let relevant = self.worker.types.contains(&&*event.kind);
            flight.open.insert(event.position, !relevant);
            if relevant && self.parked.contains(&event.stream) {
                self.park(&event, "an earlier event of this stream is parked")
                    .await;
                flight.open.insert(event.position, true);
            } else if relevant {
                self.launch(flight, event);
            }
        }
        self.lower(flight);
    }

    fn launch(&self, flight: &mut Flight, event: Arc<Recorded>) {
        if let Some(behind) = flight.behind.get_mut(&event.stream) {
            return behind.push_back(event);
        }
        flight.behind.insert(event.stream.clone(), VecDeque::new());
        let (perform, app) = (self.worker.perform.clone(), self.app.clone());
        flight.running.spawn(async move {
            let mut pause = FIRST_RETRY;
            loop {
                match perform(app.clone(), event.clone()).await {
                    Err(WorkerError::Retry(reason)) => {
                        tracing::warn!(event = %event.id(), kind = %event.kind, %reason, "side effect will be tried again");
                        tokio::time::sleep(pause).await;
                        pause = (pause * 2).min(LAST_RETRY);
                    }
                    result => return (event, result),
                }
            }
        });
    }

    async fn done(&mut self, flight: &mut Flight, done: Result<Finished, tokio::task::JoinError>) {
        let (event, result) = match done {
            Ok(finished) => finished,
            Err(error) => {
                // The position stays below it, so it is done again after a restart.
                return tracing::error!(worker = self.worker.name, %error, "a side effect broke off");
            }
        };
        if let Err(error) = result {
            self.park(&event, &error.to_string()).await;
        }
        flight.open.insert(event.position, true);
        if let Some(mut behind) = flight.behind.remove(&event.stream)
            && let Some(next) = behind.pop_front()
        {
            let stream = next.stream.clone();
            self.launch(flight, next);
            flight.behind.insert(stream, behind);
        }
        self.lower(flight);
    }

    /// Moves the position up to the first effect that is not finished.
    fn lower(&mut self, flight: &mut Flight) {
        while let Some(entry) = flight.open.first_entry() {
            if !*entry.get() {
                break;
            }
            self.progress.position = entry.remove_entry().0;
        }
    }

    async fn save(&mut self) {
        if let Err(error) = self.progress.flush(&self.around).await {
            tracing::warn!(worker = self.worker.name, %error, "position not saved; harmless");
        }
    }

    async fn park(&mut self, event: &Recorded, reason: &str) {
        tracing::error!(worker = self.worker.name, event = %event.id(), kind = %event.kind, %reason, "event parked as a dead letter");
        let statement = system::park(
            &self.progress.name,
            &self.progress.topic,
            event.position,
            event.stream.as_str(),
            &event.kind,
            reason,
            self.around.shared.clock.now(),
        );
        self.parked.insert(event.stream.clone());
        while let Err(error) = self.around.inlet.write(vec![statement.clone()]).await {
            tracing::warn!(%error, "cannot park; will try again");
            tokio::select! {
                () = self.around.stop.cancelled() => return,
                () = tokio::time::sleep(FIRST_RETRY) => {}
            }
        }
    }

    async fn obey(&mut self, order: Control) {
        match order {
            Control::Redrive { reply } => drop(reply.send(self.redrive().await)),
            Control::Rebuild { reply } => {
                drop(reply.send(Err(AppError::Internal(
                    "a worker feeds no projection".into(),
                ))));
            }
        }
    }

    /// Performs parked effects again, oldest first.
    async fn redrive(&mut self) -> Result<u64, AppError> {
        let mut still: HashSet<StreamId> = HashSet::new();
        let mut done = 0;
        for position in self.progress.parked_positions(&self.around).await? {
            let read = self
                .around
                .log
                .read(&self.progress.topic, position - 1, 1)
                .await;
            let read = read.map_err(|e| AppError::Unavailable(e.to_string()))?;
            let Some(event) = read.into_iter().next() else {
                continue;
            };
            if still.contains(&event.stream) {
                continue;
            }
            match (self.worker.perform)(self.app.clone(), event.clone()).await {
                Ok(()) => {
                    let unpark =
                        system::unpark(&self.progress.name, &self.progress.topic, position);
                    self.around.inlet.write(vec![unpark]).await?;
                    done += 1;
                }
                Err(_) => drop(still.insert(event.stream.clone())),
            }
        }
        self.parked = self.progress.parked(&self.around).await?;
        Ok(done)
    }
}
