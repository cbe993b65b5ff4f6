//! A subscription's loop: events in, reactions and the position out, in one commit.

use std::{collections::HashSet, sync::Arc, time::Duration};

use kernel::{AppError, Poison, Projection, Reaction, Recorded, StreamId, Subscription, with_keys};
use store::system;
use tokio::sync::mpsc;

use crate::{
    batcher::Item,
    consumer::{CaughtUp, Control, LAZY, Progress, Surround},
    projections::Rebuild,
};

type Reacted = (Arc<Recorded>, Result<Reaction, Poison>);

/// One subscription on one topic.
pub(crate) struct Runner {
    pub around: Surround,
    pub subscription: Subscription,
    /// The projection it feeds, if it feeds one.
    pub projection: Option<Projection>,
    pub progress: Progress,
    pub parked: HashSet<StreamId>,
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
                    let reaction = (self.subscription.react)(&event);
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
        self.parked = sent?;
        self.progress.committed(to);
        Ok(())
    }

    async fn pause(&self, reason: &str) {
        tracing::warn!(subscription = %self.progress.name, topic = %self.progress.topic, %reason, "the store is unavailable; will try again");
        tokio::time::sleep(Duration::from_millis(200)).await;
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
            let keys = self.around.shared.keys();
            let reaction = with_keys(&keys, || (self.subscription.react)(&event));
            let stream = event.stream.clone();
            let unpark = system::unpark(&self.progress.name, &self.progress.topic, position);
            let reaction = match reaction {
                Ok(mut reaction) => {
                    reaction.statements.push(unpark);
                    Ok(reaction)
                }
                poison => poison,
            };
            let subscription = self.progress.name.clone();
            let events = vec![(event, reaction)];
            let sent = self.around.inlet.send(|reply| Item::React {
                subscription,
                events,
                moves: Vec::new(),
                parked: HashSet::new(),
                reply,
            });
            match sent.await {
                Ok(parked) if parked.is_empty() => done += 1,
                Err(AppError::Unavailable(reason)) => return Err(AppError::Unavailable(reason)),
                _ => drop(still.insert(stream)),
            }
        }
        self.parked = self.progress.parked(&self.around).await?;
        Ok(done)
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
        let mut rebuild = Rebuild::begin(projection, self.around.store.as_ref()).await?;
        let mut after = 0;
        while after < self.progress.position {
            let events = self.progress.read(&self.around, after).await;
            for event in events
                .iter()
                .filter(|event| event.position <= self.progress.position)
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
