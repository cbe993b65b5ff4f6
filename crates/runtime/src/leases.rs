//! Keeps an instance's place among the others: beats, sees who lives, takes what it should hold and
//! lets go what it should not. One task per service.
//!
//! Safety does not rest here but on conditions in the commits (see [`store::sharing`]); this only
//! decides who works, and soon enough.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use kernel::{Ids, PARTITIONS, Statement};
use metrics::{Gauge, Histogram, gauge, histogram};
use store::{Batch, Store, StoreError, sharing};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::{
    sightings::Sightings,
    tenancy::{self, Tenancy},
    view::{Lease, Me, View, token},
};

/// Of the time after which an instance is held to be dead: how often leases are looked at, how
/// often a sign of life is given, how often it looks while it waits for somebody to let go, and how
/// long it waits for its own consumers.
const LOOKS: u32 = 10;
const BEATS: u32 = 5;
const HASTY: u32 = 50;
const PATIENCE: u32 = 10;

/// An instance among its service's others.
pub(crate) struct Keeper {
    store: Arc<dyn Store>,
    service: &'static str,
    slot: String,
    id: String,
    token: Arc<str>,
    timeout: Duration,
    names: Vec<String>,
    tenancy: Tenancy,
    sightings: Sightings,
    beaten: Option<Instant>,
    /// Somebody newer is in this slot.
    displaced: bool,
    held: Gauge,
    takeover: Histogram,
}

impl Keeper {
    /// Registers a new instance in `slot` and looks for the first time. `exclusive` names the
    /// service's exclusive subscriptions.
    pub async fn arrive(
        store: Arc<dyn Store>,
        service: &'static str,
        slot: &str,
        timeout: Duration,
        exclusive: impl Iterator<Item = &'static str>,
        ids: &dyn Ids,
    ) -> Result<Self, StoreError> {
        let id = ids.next();
        let partitions = (0..PARTITIONS).map(tenancy::partition);
        let exclusive = exclusive.map(tenancy::exclusive);
        let singles = [tenancy::TIMERS, tenancy::RELAY].map(str::to_owned);
        let token: Arc<str> = token(slot, &id).into();
        let keeper = Self {
            tenancy: Tenancy::shared(&token),
            names: partitions.chain(exclusive).chain(singles).collect(),
            sightings: Sightings::new(timeout, timeout / LOOKS),
            store,
            service,
            slot: slot.to_owned(),
            id,
            token,
            timeout,
            beaten: None,
            displaced: false,
            held: gauge!("souk_leases_held", "service" => service),
            takeover: histogram!("souk_lease_takeover_seconds", "service" => service),
        };
        keeper.register().await?;
        Ok(keeper)
    }

    /// What is held.
    pub fn tenancy(&self) -> &Tenancy {
        &self.tenancy
    }

    async fn register(&self) -> Result<(), StoreError> {
        let mut statements = vec![
            sharing::supersede(&self.id, &self.slot),
            sharing::arrive(&self.id, &self.slot),
        ];
        statements.extend(self.names.iter().map(|name| sharing::create_lease(name)));
        self.write(statements).await
    }

    async fn write(&self, statements: Vec<Statement>) -> Result<(), StoreError> {
        let batch = Batch {
            statements,
            ..Batch::default()
        };
        self.store.commit(batch).await.map(drop)
    }

    /// Keeps the place until the service stops, and then leaves it in order.
    pub async fn run(mut self, stop: CancellationToken) {
        let mut failing = false;
        loop {
            let wait = match self.turn().await {
                Ok(wait) => {
                    failing = false;
                    wait
                }
                Err(error) => {
                    if !std::mem::replace(&mut failing, true) {
                        tracing::warn!(service = self.service, %error, "cannot look after the leases; will try again");
                    }
                    self.timeout / LOOKS
                }
            };
            tokio::select! {
                () = stop.cancelled() => break,
                () = self.tenancy.suspected() => {}
                () = tokio::time::sleep(wait) => {}
            }
        }
        self.leave().await;
    }

    /// Looks, beats, lets go, takes; answers when to look again.
    pub async fn turn(&mut self) -> Result<Duration, StoreError> {
        let view = self.look().await?;
        if !view.known {
            self.excluded(&view).await?;
            return Ok(self.timeout / LOOKS);
        }
        self.displaced = false;
        if self
            .beaten
            .is_none_or(|at| at.elapsed() >= self.timeout / BEATS)
        {
            self.write(vec![sharing::beat(&self.id)]).await?;
            self.beaten = Some(Instant::now());
        }
        let mut mine = BTreeSet::new();
        let (mut release, mut take, mut wait) = (Vec::new(), Vec::new(), self.timeout / LOOKS);
        for (lease, wanted) in view.leases.iter().zip(view.wanted(&self.token)) {
            let (is_mine, be_mine) = (lease.holder == *self.token, wanted == &*self.token);
            match (is_mine, be_mine) {
                (true, true) => drop(mine.insert(lease.name.clone())),
                (true, false) => release.push(lease),
                (false, true) if view.living.contains(&lease.holder) => {
                    // Its holder will let go in a moment.
                    wait = self.timeout / HASTY;
                }
                (false, true) => take.push(lease),
                (false, false) => {}
            }
        }
        self.let_go(&mine, &release).await?;
        if !take.is_empty() {
            self.take(&mut mine, &take).await?;
        }
        Ok(wait)
    }

    async fn look(&mut self) -> Result<View, StoreError> {
        let asked = vec![sharing::instances(), sharing::leases()];
        let found = self.store.query(asked).await?;
        let me = Me {
            id: &self.id,
            slot: &self.slot,
            names: &self.names,
        };
        Ok(View::of(&found, &me, &mut self.sightings))
    }

    /// The others think that this instance is dead, or somebody newer is in its slot.
    async fn excluded(&mut self, view: &View) -> Result<(), StoreError> {
        self.tell(BTreeSet::new());
        if view.rivals.iter().any(|id| self.sightings.lives(id)) {
            if !std::mem::replace(&mut self.displaced, true) {
                tracing::error!(service = self.service, slot = %self.slot, "another instance was started in this slot; this one holds nothing any more");
            }
            return Ok(());
        }
        tracing::warn!(service = self.service, slot = %self.slot, "was held to be dead; coming back");
        self.register().await
    }

    fn tell(&self, leases: BTreeSet<String>) -> u64 {
        self.held.set(leases.len() as f64);
        self.tenancy.tell(leases)
    }

    /// Tells the consumers what is left to them, waits a little until they have let go of the
    /// rest, and gives it back.
    async fn let_go(&self, mine: &BTreeSet<String>, release: &[&Lease]) -> Result<(), StoreError> {
        // What was taken and is not yet told comes with the next look.
        let generation = self.tell(mine.clone());
        if release.is_empty() {
            return Ok(());
        }
        if !self
            .tenancy
            .confirmed(generation, self.timeout / PATIENCE)
            .await
        {
            tracing::info!(
                service = self.service,
                "a consumer is slow to let go; what it still does will be refused"
            );
        }
        let back = release
            .iter()
            .map(|lease| sharing::release_lease(&lease.name, &self.token));
        self.write(back.collect()).await
    }

    async fn take(&self, mine: &mut BTreeSet<String>, take: &[&Lease]) -> Result<(), StoreError> {
        let mut statements = Vec::new();
        for lease in take {
            statements.extend(sharing::take_lease(
                &lease.name,
                &self.token,
                &lease.holder,
                lease.epoch,
            ));
        }
        let dead = self.sightings.dead();
        statements.extend(dead.map(|(id, beat)| sharing::bury(id, beat)));
        match self.write(statements).await {
            Ok(()) => {}
            // Somebody was faster, or saw something else; the next look shows.
            Err(StoreError::Condition(_)) => return Ok(()),
            Err(error) => return Err(error),
        }
        for lease in take {
            let holder = lease.holder.split_once('#').map_or("", |(_, id)| id);
            if !holder.is_empty() {
                self.takeover
                    .record(self.sightings.still(holder).as_secs_f64());
                tracing::info!(service = self.service, lease = %lease.name, from = %lease.holder, to = %self.token, "took a lease over");
            }
            mine.insert(lease.name.clone());
        }
        self.tell(mine.clone());
        Ok(())
    }

    /// Gives everything back at once, so that others need not wait until this instance is dead.
    async fn leave(self) {
        let generation = self.tell(BTreeSet::new());
        let patience = self.timeout / PATIENCE;
        self.tenancy.confirmed(generation, patience).await;
        let back = self
            .names
            .iter()
            .map(|name| sharing::release_lease(name, &self.token));
        let mut statements: Vec<Statement> = back.collect();
        statements.push(sharing::depart(&self.id));
        if let Err(error) = self.write(statements).await {
            tracing::warn!(service = self.service, %error, "left without giving the leases back; others take them over");
        }
    }
}
