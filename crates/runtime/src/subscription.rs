//! A subscription's loop: events in, reactions and the position out, in one commit.

use std::{collections::HashSet, sync::Arc, time::Duration};

use kernel::{
    AppError, Poison, Projection, Recorded, Statement, StreamId, Subscription, with_keys,
};
use metrics::{Gauge, gauge};
use store::{sharing, system};
use tokio::sync::mpsc;

use crate::{
    consumer::{Control, LAZY, Stand, Standing, Surround, caught_up, guarded},
    item::{Item, Parked, Reacted},
    persons,
    progress::{Chunk, Progress},
    projections::{live_version, other_version},
};

/// How long to wait after the store failed or refused.
const PAUSE: Duration = Duration::from_millis(200);

/// One subscription on one topic.
pub(crate) struct Runner {
    around: Surround,
    subscription: Subscription,
    /// The projection it feeds, if it feeds one.
    projection: Option<Projection>,
    progress: Progress,
    /// Streams with dead letters.
    parked: Arc<Parked>,
    /// What the database says must be read again before anything else is done.
    stale: bool,
    lag: Gauge,
}

impl Runner {
    /// Finds out where it is.
    pub async fn prepare(
        around: Surround,
        subscription: Subscription,
        projection: Option<Projection>,
        topic: &'static str,
    ) -> Result<Self, AppError> {
        let (name, from) = (subscription.name, subscription.from);
        let progress = Progress::start(&around, name, topic, from, subscription.exclusive).await?;
        let parked = Arc::new(progress.parked(&around).await?);
        let lag = gauge!("souk_subscription_lag", "service" => around.shared.topic.to_string(), "subscription" => name, "topic" => topic);
        Ok(Self {
            around,
            subscription,
            projection,
            progress,
            parked,
            stale: false,
            lag,
        })
    }

    /// Runs until the service stops.
    pub async fn run(mut self, mut control: mpsc::Receiver<Control>, stand: Stand) {
        let stop = self.around.stop.clone();
        while !stop.is_cancelled() {
            while let Ok(order) = control.try_recv() {
                self.obey(order).await;
            }
            if self.progress.tenant.has_changed() {
                self.resettle().await;
            }
            if self.stale && !self.refresh(&stand).await {
                continue;
            }
            let after = self.progress.position();
            let chunk = self.progress.read(&self.around, after).await;
            self.lag.set(self.progress.lag() as f64);
            if chunk.upto > after {
                self.handle(chunk).await;
                if self.progress.overdue() {
                    self.save().await;
                }
                continue;
            }
            match self.progress.halted() {
                None if self.progress.caught_up() => caught_up(&stand),
                None => {}
                Some(reason) => drop(stand.send_replace(Standing::Halted(reason.to_owned()))),
            }
            // Where others write the topic as well, a look at times shows whether it is still the
            // same log.
            let looks = self.progress.dirty() || !self.around.shared.sole_owner;
            // Only waiting may be broken off: what was handed to the batcher must be seen through.
            tokio::select! {
                biased;
                () = stop.cancelled() => {}
                order = control.recv() => {
                    if let Some(order) = order {
                        self.obey(order).await;
                    }
                }
                () = self.progress.woken(after) => {}
                () = tokio::time::sleep(LAZY), if looks => {
                    if self.progress.caught_up() {
                        self.save().await;
                    }
                }
            }
        }
        self.save().await;
    }

    async fn save(&mut self) {
        if let Err(error) = self.progress.flush(&self.around).await {
            tracing::info!(subscription = %self.progress.name, %error, "position not saved; harmless");
            self.stale = true;
        }
    }

    /// The instance holds other partitions than before: lets go, and goes on from what the
    /// database says.
    async fn resettle(&mut self) {
        // What is being let go is still held in the database, until this is confirmed.
        self.save().await;
        self.progress.let_go();
        self.progress.tenant.confirm();
        self.stale = true;
    }

    /// Reads positions and dead letters again; `false` if that cannot be done now.
    async fn refresh(&mut self, stand: &Stand) -> bool {
        match self.read_again().await {
            Ok(()) => {
                self.stale = false;
                true
            }
            Err(error) => {
                let halted = Standing::Halted(error.to_string());
                if *stand.borrow() != halted {
                    tracing::warn!(subscription = %self.progress.name, %error, "cannot go on; will try again");
                    stand.send_replace(halted);
                }
                self.rest().await;
                false
            }
        }
    }

    async fn read_again(&mut self) -> Result<(), AppError> {
        if let Some(projection) = &self.projection
            && !self.around.shared.sole_owner
        {
            let live = live_version(projection, self.around.store.as_ref()).await?;
            if let Some(live) = live.filter(|live| *live != projection.version) {
                return Err(AppError::Unavailable(other_version(projection, live)));
            }
        }
        self.progress.reload(&self.around).await?;
        self.parked = Arc::new(self.progress.parked(&self.around).await?);
        Ok(())
    }

    async fn rest(&self) {
        tokio::select! {
            () = self.around.stop.cancelled() => {}
            () = tokio::time::sleep(PAUSE) => {}
        }
    }

    async fn handle(&mut self, chunk: Chunk) {
        let Chunk { events, upto } = chunk;
        if !self.around.shared.sole_owner {
            persons::prefetch_events(&self.around.shared, events.iter()).await;
            if let Err(error) = self.check_parked(&events).await {
                return self.pause(&error.to_string()).await;
            }
        }
        let reacted = match self.react(events) {
            Ok(reacted) => reacted,
            Err(error) => return self.pause(&error.to_string()).await,
        };
        match reacted.is_empty() {
            true => self.progress.handled(upto),
            false => self.commit(reacted, upto).await,
        }
        if !self.stale
            && let Err(error) = self.progress.join(&self.around).await
        {
            self.pause(&error.to_string()).await;
        }
    }

    /// Another instance may have redriven what this one thinks is parked.
    async fn check_parked(&mut self, events: &[Arc<Recorded>]) -> Result<(), AppError> {
        if events.iter().any(|e| self.parked.contains(&e.stream)) {
            self.parked = Arc::new(self.progress.parked(&self.around).await?);
        }
        Ok(())
    }

    /// The reactions that have an effect. Fails while the key ring is away: what cannot be opened
    /// for that reason is not damaged, and must not be parked.
    fn react(&self, events: Vec<Arc<Recorded>>) -> Result<Vec<Reacted>, AppError> {
        let keyring = &self.around.shared.keyring;
        let before = keyring.lapses().unreachable;
        let keys = self.around.shared.keys();
        let reacted: Vec<Reacted> = with_keys(&keys, || {
            events
                .into_iter()
                .map(|event| {
                    let reaction = guarded(|| (self.subscription.react)(&event));
                    (event, reaction)
                })
                .filter(|(event, reaction)| {
                    let quiet = matches!(reaction, Ok(r) if r.commands.is_empty() && r.statements.is_empty());
                    !quiet || self.parked.contains(&event.stream)
                })
                .collect()
        });
        let failed = reacted.iter().any(|(_, reaction)| reaction.is_err());
        match failed && keyring.lapses().unreachable != before {
            true => Err(AppError::Unavailable(
                "the key ring cannot be reached".into(),
            )),
            false => Ok(reacted),
        }
    }

    async fn commit(&mut self, reacted: Vec<Reacted>, last: i64) {
        let events: Vec<Arc<Recorded>> = reacted.iter().map(|(event, _)| event.clone()).collect();
        match self.submit(reacted, last).await {
            Ok(()) => {}
            Err(AppError::Unavailable(reason)) => self.pause(&reason).await,
            Err(error) => {
                tracing::warn!(subscription = %self.progress.name, %error, "a batch failed; handling its events one by one");
                self.one_by_one(events, last).await;
            }
        }
    }

    /// After a batch failed on its data: each event alone; one that still fails is parked.
    async fn one_by_one(&mut self, events: Vec<Arc<Recorded>>, last: i64) {
        for event in events {
            let position = event.position;
            let reacted = match self.react(vec![event.clone()]) {
                Ok(reacted) => reacted,
                Err(error) => return self.pause(&error.to_string()).await,
            };
            match self.submit(reacted, position).await {
                Ok(()) => {}
                Err(AppError::Unavailable(reason)) => return self.pause(&reason).await,
                Err(error) => {
                    let poison = vec![(event, Err(Poison(error.to_string())))];
                    if let Err(error) = self.submit(poison, position).await {
                        return self.pause(&error.to_string()).await;
                    }
                }
            }
        }
        self.progress.handled(last);
    }

    /// Fails if a newer program has taken over the read model that this feeds.
    fn read_model_stands(&self) -> Option<Statement> {
        let projection = self.projection.as_ref();
        let projection = projection.filter(|_| !self.around.shared.sole_owner)?;
        let (name, version) = (projection.name, projection.version);
        Some(sharing::assert_projection(name, version))
    }

    async fn submit(&mut self, events: Vec<Reacted>, to: i64) -> Result<(), AppError> {
        let mut moves = vec![self.progress.moved_to(to)];
        moves.extend(self.read_model_stands());
        let (subscription, parked) = (self.progress.name.clone(), self.parked.clone());
        let sent = self
            .around
            .inlet
            .send(|reply| Item::React {
                subscription,
                events,
                moves,
                parked,
                reply,
            })
            .await;
        let newly = sent?;
        if !newly.is_empty() {
            Arc::make_mut(&mut self.parked).extend(newly);
        }
        self.progress.committed(to);
        Ok(())
    }

    /// Nothing is parked because the store failed or said that this instance is not the holder any
    /// more: waits, and goes on from what the store says.
    async fn pause(&mut self, reason: &str) {
        tracing::warn!(subscription = %self.progress.name, topic = %self.progress.topic, %reason, "not committed; will try again");
        self.around.tenancy.suspect();
        self.stale = true;
        self.rest().await;
    }

    async fn obey(&mut self, order: Control) {
        match order {
            Control::Redrive { reply } => drop(reply.send(self.redrive().await)),
        }
    }

    /// Handles parked events again, oldest first. A stream whose event fails again stays parked.
    /// Any instance may do this, whoever holds the partition: each letter is asserted to be there,
    /// and as long as there is one, later events of its stream are parked behind it.
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
                let stream = event.stream.clone();
                match self.again(event).await {
                    Ok(parked) if parked.is_empty() => done += 1,
                    Err(AppError::Unavailable(reason)) => {
                        return Err(AppError::Unavailable(reason));
                    }
                    _ => drop(still.insert(stream)),
                }
            }
        }
        self.parked = Arc::new(self.progress.parked(&self.around).await?);
        Ok(done)
    }

    /// Handles one parked event again; its dead letter goes in the same commit.
    async fn again(&self, event: Arc<Recorded>) -> Result<Parked, AppError> {
        let (name, topic) = (&self.progress.name, &self.progress.topic);
        let unpark = system::unpark(name, topic, event.position);
        let mut moves = vec![sharing::assert_letter(name, topic, event.position)];
        moves.extend(self.read_model_stands());
        let mut reaction = with_keys(&self.around.shared.keys(), || {
            guarded(|| (self.subscription.react)(&event))
        });
        if let Ok(reaction) = &mut reaction {
            reaction.statements.push(unpark);
        }
        let subscription = name.clone();
        let sent = self.around.inlet.send(|reply| Item::React {
            subscription,
            events: vec![(event, reaction)],
            moves,
            parked: Arc::default(),
            reply,
        });
        sent.await
    }
}
