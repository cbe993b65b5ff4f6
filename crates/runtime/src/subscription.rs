//! A subscription's loop: events in, reactions and the position out, in one commit.

use std::{collections::HashSet, sync::Arc, time::Duration};

use kernel::{AppError, Poison, Projection, Recorded, StreamId, Subscription, with_keys};
use store::system;
use tokio::sync::mpsc;

use crate::{
    consumer::{CaughtUp, Control, LAZY, Progress, Surround, guarded},
    item::{Item, Parked, Reacted},
    projections::Rebuild,
};

/// One subscription on one topic.
pub(crate) struct Runner {
    pub around: Surround,
    pub subscription: Subscription,
    /// The projection it feeds, if it feeds one.
    pub projection: Option<Projection>,
    pub progress: Progress,
    /// Streams with dead letters.
    pub parked: Arc<Parked>,
}

impl Runner {
    /// Runs until the service stops.
    pub async fn run(mut self, mut control: mpsc::Receiver<Control>, caught_up: CaughtUp) {
        let stop = self.around.stop.clone();
        while !stop.is_cancelled() {
            while let Ok(order) = control.try_recv() {
                self.obey(order).await;
            }
            let events = self
                .progress
                .read(&self.around, self.progress.position)
                .await;
            if !events.is_empty() {
                self.handle(events).await;
                if self.progress.overdue() {
                    self.save().await;
                }
                continue;
            }
            if self.progress.caught_up() {
                caught_up.send_if_modified(|done| !std::mem::replace(done, true));
            }
            let position = self.progress.position;
            // Only waiting may be broken off: what was handed to the batcher must be seen through.
            let quiet = tokio::select! {
                biased;
                () = stop.cancelled() => false,
                order = control.recv() => {
                    if let Some(order) = order {
                        self.obey(order).await;
                    }
                    false
                }
                () = self.progress.wait(position, LAZY) => self.progress.caught_up(),
            };
            if quiet {
                self.save().await;
            }
        }
        self.save().await;
    }

    async fn save(&mut self) {
        if let Err(error) = self.progress.flush(&self.around).await {
            tracing::warn!(subscription = %self.progress.name, %error, "position not saved; harmless");
        }
    }

    async fn handle(&mut self, events: Vec<Arc<Recorded>>) {
        let last = events
            .last()
            .map_or(self.progress.position, |event| event.position);
        let reacted = self.react(events);
        match reacted.is_empty() {
            true => self.progress.position = last,
            false => self.commit(reacted, last).await,
        }
    }

    /// The reactions that have an effect.
    fn react(&self, events: Vec<Arc<Recorded>>) -> Vec<Reacted> {
        let keys = self.around.shared.keys();
        with_keys(&keys, || {
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
        })
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
            let reacted = self.react(vec![event.clone()]);
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
        self.progress.position = last;
    }

    async fn submit(&mut self, events: Vec<Reacted>, to: i64) -> Result<(), AppError> {
        let moves = vec![self.progress.moved_to(to)];
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

    /// Nothing is parked because the store failed: waits, and goes on from what the store says.
    async fn pause(&mut self, reason: &str) {
        tracing::warn!(subscription = %self.progress.name, topic = %self.progress.topic, %reason, "the store is unavailable; will try again");
        tokio::select! {
            () = self.around.stop.cancelled() => return,
            () = tokio::time::sleep(Duration::from_millis(200)) => {}
        }
        if self.progress.reload(&self.around).await.is_ok()
            && let Ok(parked) = self.progress.parked(&self.around).await
        {
            self.parked = Arc::new(parked);
        }
    }

    async fn obey(&mut self, order: Control) {
        match order {
            Control::Redrive { reply } => drop(reply.send(self.redrive().await)),
            Control::Rebuild { reply } => drop(reply.send(self.rebuild().await)),
        }
    }

    /// Handles parked events again, oldest first. A stream whose event fails again stays parked.
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
        let unpark = system::unpark(&self.progress.name, &self.progress.topic, event.position);
        let mut reaction = with_keys(&self.around.shared.keys(), || {
            guarded(|| (self.subscription.react)(&event))
        });
        if let Ok(reaction) = &mut reaction {
            reaction.statements.push(unpark);
        }
        let subscription = self.progress.name.clone();
        let sent = self.around.inlet.send(|reply| Item::React {
            subscription,
            events: vec![(event, reaction)],
            moves: Vec::new(),
            parked: Arc::default(),
            reply,
        });
        sent.await
    }

    async fn parked_now(&self) -> Result<HashSet<i64>, AppError> {
        let mut all = HashSet::new();
        let mut after = 0;
        loop {
            let some = self.progress.parked_positions(&self.around, after).await?;
            let Some(last) = some.last() else {
                return Ok(all);
            };
            after = *last;
            all.extend(some);
        }
    }

    /// Rebuilds the projection beside the old tables up to this subscription's position, and
    /// switches. The old tables answer meanwhile and are merely not up to date.
    async fn rebuild(&mut self) -> Result<(), AppError> {
        let Some(projection) = &self.projection else {
            return Err(AppError::Internal(
                "this subscription feeds no projection".into(),
            ));
        };
        let keys = self.around.shared.keys();
        let parked = self.parked_now().await?;
        let mut rebuild = Rebuild::begin(projection, self.around.store.as_ref()).await?;
        let mut after = 0;
        while after < self.progress.position {
            let events = self.progress.read(&self.around, after).await;
            for event in events
                .iter()
                .filter(|event| event.position <= self.progress.position)
                // What is parked was not applied before either; it waits to be redriven.
                .filter(|event| !parked.contains(&event.position))
            {
                rebuild.apply(event, &keys)?;
            }
            after = events.last().map_or(after, |event| event.position);
            rebuild.write(&self.around.inlet).await?;
        }
        rebuild
            .finish()
            .switch(self.around.store.as_ref(), &keys)
            .await
    }
}
