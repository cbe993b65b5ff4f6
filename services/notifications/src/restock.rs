//! Who waits for a SKU. When it can be bought again they are told, those who waited longest first,
//! a hundred at a time, for as long as there is some.

use std::sync::Arc;

use contracts::notifications::{
    Channel, MessageKind, MessageQueued, RestockAnnounced, RestockAvailabilityChanged,
    RestockEvent, RestockRequested,
};
use kernel::{
    AnyCommand, Command, Decider, Personal, Poison, Rejection, StreamId, Timer, UnitOfWork,
};
use serde::{Deserialize, Serialize};

use crate::{commands::queue, content};

/// The kind of the timer after which the next hundred are told.
pub const ANNOUNCE: &str = "restock-announce";
/// How many are told in one commit.
const AT_ONCE: usize = 100;
/// How many may wait for one SKU.
pub const MAX_WAITING: usize = 10_000;

/// What is known of a SKU.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct RestockState {
    /// Whether there is any; unknown before inventory said so.
    pub available: bool,
    /// Who waits, longest first.
    pub waiting: Vec<Arc<RestockRequested>>,
}

/// What can be asked.
#[derive(Clone, Debug)]
pub enum RestockCommand {
    /// So it is now.
    Stock(String, bool),
    /// Somebody wants to hear of it.
    Ask(Arc<RestockRequested>),
    /// Some were told.
    Announce(RestockAnnounced),
}

/// The rules.
pub struct Restock;

impl Decider for Restock {
    const CATEGORY: &'static str = "restock";
    const SNAPSHOT_EVERY: Option<i64> = Some(500);
    type State = RestockState;
    type Command = RestockCommand;
    type Event = RestockEvent;

    fn decide(
        state: &RestockState,
        command: &RestockCommand,
    ) -> Result<Vec<RestockEvent>, Rejection> {
        match command {
            RestockCommand::Stock(sku, available) if *available != state.available => Ok(vec![
                RestockAvailabilityChanged {
                    sku: sku.clone(),
                    available: *available,
                }
                .into(),
            ]),
            RestockCommand::Stock(..) => Ok(vec![]),
            RestockCommand::Ask(_) if state.available => Err(Rejection::conflict(
                "in-stock",
                "it is in stock: it can be bought now",
            )
            .field("sku")),
            RestockCommand::Ask(wish) if state.waits(&wish.address_key) => Ok(vec![]),
            RestockCommand::Ask(_) if state.waiting.len() >= MAX_WAITING => {
                let detail = "too many wait for it already; please look again later";
                Err(Rejection::conflict("too-many-waiting", detail).field("sku"))
            }
            RestockCommand::Ask(wish) => Ok(vec![RestockRequested::clone(wish).into()]),
            RestockCommand::Announce(told) => Ok(vec![told.clone().into()]),
        }
    }

    fn evolve(state: &mut RestockState, event: &RestockEvent) {
        match event {
            RestockEvent::AvailabilityChanged(changed) => state.available = changed.available,
            RestockEvent::Requested(wish) => state.waiting.push(Arc::new(wish.clone())),
            RestockEvent::Announced(told) => {
                let told = |wish: &Arc<RestockRequested>| told.requests.contains(&wish.request_id);
                state.waiting.retain(|wish| !told(wish));
            }
        }
    }
}

impl RestockState {
    fn waits(&self, address_key: &str) -> bool {
        let same = |wish: &Arc<RestockRequested>| wish.address_key == address_key;
        self.waiting.iter().any(same)
    }
}

/// The stock of a SKU changed, or (without news) it is time for the next hundred.
pub struct Restocked {
    /// Which.
    pub sku: String,
    /// Whether there is any now.
    pub available: Option<bool>,
}

impl Command for Restocked {
    type Output = ();

    fn streams(&self) -> Vec<StreamId> {
        vec![StreamId::new(Restock::CATEGORY, &self.sku)]
    }

    fn handle(&self, work: &mut UnitOfWork<'_>) -> Result<(), Rejection> {
        if let Some(available) = self.available {
            let stock = RestockCommand::Stock(self.sku.clone(), available);
            work.decide::<Restock>(&self.sku, &stock)?;
        }
        let state = work.state::<Restock>(&self.sku)?;
        if !state.available || state.waiting.is_empty() {
            return Ok(());
        }
        let told: Vec<_> = state.waiting.iter().take(AT_ONCE).cloned().collect();
        let more = state.waiting.len() > told.len();
        let announce = RestockCommand::Announce(RestockAnnounced {
            sku: self.sku.clone(),
            requests: told.iter().map(|wish| wish.request_id.clone()).collect(),
        });
        work.decide::<Restock>(&self.sku, &announce)?;
        for wish in told {
            queue(work, message(&wish))?;
        }
        if more {
            work.set_timer(Timer {
                key: format!("{ANNOUNCE}:{}", self.sku),
                due: work.now(),
                kind: ANNOUNCE.into(),
                data: self.sku.clone(),
            });
        }
        Ok(())
    }
}

fn message(wish: &RestockRequested) -> MessageQueued {
    MessageQueued {
        message_id: format!("{}-{}", MessageKind::BackInStock.as_str(), wish.request_id),
        kind: MessageKind::BackInStock,
        channel: Channel::Email,
        person: wish.person.clone(),
        to: wish.email.clone(),
        locale: wish.locale.clone(),
        data: Personal::new(
            wish.person.clone(),
            content::restock(&wish.sku, &wish.title, &wish.handle),
        ),
        order_id: None,
        customer_id: wish.customer_id.clone(),
        at: kernel::Timestamp(0),
    }
}

/// It is time for the next hundred.
pub fn announce_due(timer: &Timer) -> Result<Box<dyn AnyCommand>, Poison> {
    Ok(Box::new(Restocked {
        sku: timer.data.clone(),
        available: None,
    }))
}
