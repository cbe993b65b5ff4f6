//! A worker's loop: effects on the outside, many at once, in order within a stream.

use std::{
    collections::{BTreeMap, HashMap, HashSet, VecDeque},
    panic::AssertUnwindSafe,
    sync::Arc,
    time::Duration,
};

use futures_util::FutureExt as _;
use kernel::{App, AppError, Recorded, StreamId, Worker, WorkerError};
use metrics::{Gauge, gauge};
use store::system;
use tokio::{sync::mpsc, task::JoinSet};
use tokio_util::sync::CancellationToken;

use crate::{
    consumer::{Control, Stand, Surround, caught_up},
    persons,
    progress::Progress,
};

/// Positions are saved this often while there is work: effects are repeatable by design.
const SAVE_EVERY: Duration = Duration::from_secs(1);
/// How long a stopping worker waits for effects under way.
const GRACE: Duration = Duration::from_secs(3);
const FIRST_RETRY: Duration = Duration::from_millis(200);
const LAST_RETRY: Duration = Duration::from_secs(30);

type Finished = (Arc<Recorded>, Result<(), WorkerError>);

/// One worker on one topic.
pub(crate) struct Runner {
    around: Surround,
    app: App,
    worker: Worker,
    progress: Progress,
    parked: HashSet<StreamId>,
    /// What the database says must be read again before anything else is done.
    stale: bool,
    lag: Gauge,
}

#[derive(Default)]
struct Flight {
    running: JoinSet<Finished>,
    /// Streams with an effect that runs or is ready, and their events behind it.
    behind: HashMap<StreamId, VecDeque<Arc<Recorded>>>,
    /// Events whose turn it is, once there is room among the running.
    ready: VecDeque<Arc<Recorded>>,
    /// Everything read and not yet below the low-water mark: position → finished.
    open: BTreeMap<i64, bool>,
    /// How far has been read.
    read: i64,
    /// Ends the waiting of effects that are to be tried again.
    ends: CancellationToken,
}

impl Flight {
    fn from(position: i64) -> Self {
        Self {
            read: position,
            ..Self::default()
        }
    }

    /// Puts an event in line behind those of its stream.
    fn line_up(&mut self, event: Arc<Recorded>) {
        match self.behind.get_mut(&event.stream) {
            Some(behind) => behind.push_back(event),
            None => {
                self.behind.insert(event.stream.clone(), VecDeque::new());
                self.ready.push_back(event);
            }
        }
    }
}

impl Runner {
    /// Finds out where it is.
    pub async fn prepare(
        around: Surround,
        app: App,
        worker: Worker,
        topic: &'static str,
    ) -> Result<Self, AppError> {
        let progress = Progress::start(&around, worker.name, topic, worker.from, false).await?;
        let parked = progress.parked(&around).await?;
        let lag = gauge!("souk_subscription_lag", "service" => around.shared.topic.to_string(), "subscription" => worker.name, "topic" => topic);
        Ok(Self {
            around,
            app,
            worker,
            progress,
            parked,
            stale: false,
            lag,
        })
    }

    /// Runs until the service stops.
    pub async fn run(mut self, mut control: mpsc::Receiver<Control>, stand: Stand) {
        let stop = self.around.stop.clone();
        let mut flight = Flight::from(self.progress.position());
        let mut save = tokio::time::interval(SAVE_EVERY);
        save.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut head = self.progress.head();
        loop {
            if self.progress.tenant.has_changed() {
                self.resettle(&mut flight).await;
            }
            if self.stale && !self.refresh(&mut flight).await {
                if stop.is_cancelled() {
                    break;
                }
                continue;
            }
            if self.room(&flight) && *head.borrow_and_update() > flight.read {
                self.take(&mut flight).await;
            }
            self.join(&mut flight).await;
            self.launch(&mut flight);
            if flight.open.is_empty() && self.progress.caught_up() {
                caught_up(&stand);
            }
            self.lag.set(self.progress.lag() as f64);
            let dirty = self.progress.dirty();
            // Asked again: partitions that have just been joined leave room that was not there.
            let room = self.room(&flight);
            let behind = room && *head.borrow() > flight.read;
            // Whatever is chosen is seen through: only the waiting itself is broken off.
            tokio::select! {
                biased;
                () = stop.cancelled() => break,
                () = self.progress.tenant.changed() => {}
                Some(order) = control.recv() => self.obey(order).await,
                Some(done) = flight.running.join_next(), if !flight.running.is_empty() => self.done(&mut flight, done).await,
                () = std::future::ready(()), if behind || self.stale => {}
                changed = head.changed(), if room => if changed.is_err() { break },
                _ = save.tick(), if dirty => self.save().await,
            }
        }
        self.give_back(&mut flight).await;
    }

    /// Comes to an end with what is under way. What is finished is saved at once: slow effects may
    /// take longer than others wait for this instance to let go.
    async fn give_back(&mut self, flight: &mut Flight) {
        self.save().await;
        self.land(flight).await;
        self.save().await;
    }

    /// Whether more events can be taken now.
    fn room(&self, flight: &Flight) -> bool {
        !self.progress.idle()
            && flight.ready.is_empty()
            && flight.read < self.progress.bound()
            && flight.open.len() < 16 * self.worker.concurrency.max(1)
    }

    /// Lets effects under way come to an end; what does not in time is done again later.
    async fn land(&mut self, flight: &mut Flight) {
        flight.ends.cancel();
        let finish = async {
            while let Some(done) = flight.running.join_next().await {
                self.done(flight, done).await;
            }
        };
        let _ = tokio::time::timeout(GRACE, finish).await;
        flight.running.abort_all();
    }

    /// The instance holds other partitions than before: comes to an end with those it had, and
    /// goes on from what the database says.
    async fn resettle(&mut self, flight: &mut Flight) {
        flight.ready.clear();
        flight.behind.clear();
        self.give_back(flight).await;
        self.progress.let_go();
        self.progress.tenant.confirm();
        self.stale = true;
    }

    /// Reads positions and dead letters again; `false` if that cannot be done now.
    async fn refresh(&mut self, flight: &mut Flight) -> bool {
        if !flight.running.is_empty() {
            flight.ready.clear();
            flight.behind.clear();
            self.land(flight).await;
        }
        let again = async {
            self.progress.reload(&self.around).await?;
            self.progress.parked(&self.around).await
        };
        match again.await {
            Ok(parked) => {
                self.parked = parked;
                *flight = Flight::from(self.progress.position());
                self.stale = false;
            }
            Err(error) => {
                tracing::warn!(worker = self.worker.name, %error, "cannot go on; will try again");
                self.rest().await;
            }
        }
        !self.stale
    }

    async fn rest(&self) {
        tokio::select! {
            () = self.around.stop.cancelled() => {}
            () = tokio::time::sleep(FIRST_RETRY) => {}
        }
    }

    async fn take(&mut self, flight: &mut Flight) {
        let chunk = self.progress.read(&self.around, flight.read).await;
        if !self.around.shared.sole_owner {
            let concerned = chunk
                .events
                .iter()
                .filter(|e| self.worker.types.contains(&&*e.kind));
            persons::prefetch_events(&self.around.shared, concerned).await;
            if chunk.events.iter().any(|e| self.parked.contains(&e.stream)) {
                // Another instance may have redriven it.
                match self.progress.parked(&self.around).await {
                    Ok(parked) => self.parked = parked,
                    Err(error) => {
                        tracing::warn!(worker = self.worker.name, %error, "cannot read the dead letters; will try again");
                        return self.rest().await;
                    }
                }
            }
        }
        for event in chunk.events {
            flight.read = event.position;
            let relevant = self.worker.types.contains(&&*event.kind);
            flight.open.insert(event.position, !relevant);
            if relevant && self.parked.contains(&event.stream) {
                self.park(flight, &event, EARLIER).await;
            } else if relevant {
                flight.line_up(event);
            }
        }
        flight.read = chunk.upto;
        self.lower(flight);
    }

    /// Lets the partitions that are worked on join those that were ahead of them.
    async fn join(&mut self, flight: &mut Flight) {
        if flight.open.is_empty() && flight.read >= self.progress.bound() {
            self.progress.handled(flight.read);
            if let Err(error) = self.progress.join(&self.around).await {
                tracing::info!(worker = self.worker.name, %error, "position not saved; will look again");
                self.around.tenancy.suspect();
                self.stale = true;
            }
        }
    }

    /// Starts as many effects as may be under way at once.
    fn launch(&self, flight: &mut Flight) {
        while flight.running.len() < self.worker.concurrency.max(1)
            && let Some(event) = flight.ready.pop_front()
        {
            let (worker, app) = (self.worker.clone(), self.app.clone());
            let (stop, ends) = (self.around.stop.clone(), flight.ends.clone());
            let keyring = self.around.shared.keyring.clone();
            flight.running.spawn(async move {
                let mut pause = FIRST_RETRY;
                loop {
                    let before = keyring.lapses().unreachable;
                    let mut result = perform(&worker, &app, &event).await;
                    // What could not be opened is not damaged.
                    if keyring.lapses().unreachable != before
                        && let Err(WorkerError::Poison(reason)) = result
                    {
                        result = Err(WorkerError::Retry(reason));
                    }
                    let Err(WorkerError::Retry(reason)) = &result else {
                        return (event, result);
                    };
                    tracing::warn!(event = %event.id(), kind = %event.kind, %reason, "side effect will be tried again");
                    tokio::select! {
                        () = stop.cancelled() => return (event, result),
                        () = ends.cancelled() => return (event, result),
                        () = tokio::time::sleep(pause) => {}
                    }
                    pause = (pause * 2).min(LAST_RETRY);
                }
            });
        }
    }

    async fn done(&mut self, flight: &mut Flight, done: Result<Finished, tokio::task::JoinError>) {
        let (event, result) = match done {
            Ok(finished) => finished,
            // Only when it was aborted: the position stays below it, so it is done again later.
            Err(error) => {
                return tracing::error!(worker = self.worker.name, %error, "a side effect broke off");
            }
        };
        let behind = flight.behind.remove(&event.stream).unwrap_or_default();
        match result {
            Ok(()) => {
                flight.open.insert(event.position, true);
                behind.into_iter().for_each(|next| flight.line_up(next));
            }
            // The service stops: neither done nor parked.
            Err(WorkerError::Retry(_)) => {}
            Err(WorkerError::Poison(reason)) => {
                self.park(flight, &event, &reason).await;
                for later in behind {
                    self.park(flight, &later, EARLIER).await;
                }
            }
        }
        self.lower(flight);
    }

    /// Moves the position up to the first effect that is not finished.
    fn lower(&mut self, flight: &mut Flight) {
        while let Some(entry) = flight.open.first_entry() {
            if !*entry.get() {
                return self.progress.handled(entry.key() - 1);
            }
            entry.remove();
        }
        self.progress.handled(flight.read);
    }

    async fn save(&mut self) {
        if let Err(error) = self.progress.flush(&self.around).await {
            tracing::info!(worker = self.worker.name, %error, "position not saved; harmless");
            // What was written is not known; it goes on from what the store says. Effects under
            // way may be repeated, which they allow.
            self.around.tenancy.suspect();
            self.stale = true;
        }
    }

    /// Parks an event; only then is it finished. Gives up when the service stops or the partition
    /// is not held any more: the position stays below it.
    async fn park(&mut self, flight: &mut Flight, event: &Recorded, reason: &str) {
        let mut statements: Vec<_> = self.progress.fence(event.partition).into_iter().collect();
        statements.push(system::park(
            &self.progress.name,
            &self.progress.topic,
            event.position,
            event.stream.as_str(),
            &event.kind,
            reason,
            self.around.shared.clock.now(),
        ));
        self.parked.insert(event.stream.clone());
        while let Err(error) = self.around.inlet.write_if(statements.clone()).await {
            tracing::warn!(%error, "cannot park; will try again");
            self.around.tenancy.suspect();
            tokio::select! {
                () = self.around.stop.cancelled() => return,
                () = self.progress.tenant.changed() => return,
                () = tokio::time::sleep(FIRST_RETRY) => {}
            }
        }
        tracing::error!(worker = self.worker.name, event = %event.id(), kind = %event.kind, %reason, "parked as a dead letter");
        flight.open.insert(event.position, true);
    }

    async fn obey(&mut self, order: Control) {
        match order {
            Control::Redrive { reply } => drop(reply.send(self.redrive().await)),
        }
    }

    /// Performs parked effects again, oldest first. A stream whose effect fails again stays parked.
    async fn redrive(&mut self) -> Result<u64, AppError> {
        let mut still: HashSet<StreamId> = HashSet::new();
        let (mut done, mut after) = (0, 0);
        loop {
            let positions = self.progress.parked_positions(&self.around, after).await?;
            let Some(last) = positions.last() else { break };
            after = *last;
            for position in positions {
                let found = self.progress.parked_event(&self.around, position).await?;
                let Some(event) = found.filter(|event| !still.contains(&event.stream)) else {
                    continue;
                };
                if perform(&self.worker, &self.app, &event).await.is_err() {
                    still.insert(event.stream.clone());
                    continue;
                }
                let (name, topic) = (&self.progress.name, &self.progress.topic);
                let unpark = system::unpark(name, topic, position);
                self.around.inlet.write(vec![unpark]).await?;
                done += 1;
            }
        }
        self.parked = self.progress.parked(&self.around).await?;
        Ok(done)
    }
}

const EARLIER: &str = "an earlier event of this stream is parked";

/// Performs an effect once. One that panics will not do better the next time.
async fn perform(worker: &Worker, app: &App, event: &Arc<Recorded>) -> Result<(), WorkerError> {
    let effect = async { (worker.perform)(app.clone(), event.clone()).await };
    AssertUnwindSafe(effect)
        .catch_unwind()
        .await
        .unwrap_or_else(|_| Err(WorkerError::Poison("the effect panicked".into())))
}
