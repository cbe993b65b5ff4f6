//! The life of one reservation: made or refused, then allocated or released. Every step may be
//! asked for again; a repeat changes nothing.

use std::sync::Arc;

use contracts::{
    inventory::{
        LocationId, ReservationAllocated, ReservationDispatched, ReservationEvent, ReservationMade,
        ReservationRefused, ReservationReleased, ReservationStatus, ReservedLine, Shortage,
    },
    orders::OrderId,
    shipping::FulfilmentId,
};
use kernel::{Decider, Rejection, Timestamp};
use serde::{Deserialize, Serialize};

/// The rules of one reservation; the stream's id is the order's id or the hold's id.
pub struct Reservation;

/// Where a reservation stands and what it holds.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ReservationState {
    /// `None` before anything happened.
    pub status: Option<ReservationStatus>,
    /// The order, if it is for one.
    pub order_id: Option<OrderId>,
    /// What it took.
    pub lines: Arc<Vec<ReservedLine>>,
    /// When a hold expires.
    pub expires_at: Option<Timestamp>,
    /// The fulfilments that units of it left with.
    #[serde(default)]
    pub dispatched: Vec<FulfilmentId>,
}

/// What can be asked of a reservation.
pub enum ReservationCommand {
    /// The units were taken.
    Make(ReservationMade),
    /// There was not enough.
    Refuse(ReservationRefused),
    /// The order is confirmed.
    Allocate {
        /// The order: the stream's id.
        order_id: OrderId,
    },
    /// Units of it left the building.
    Dispatch {
        /// The order: the stream's id.
        order_id: OrderId,
        /// The fulfilment they left with.
        fulfilment_id: FulfilmentId,
        /// What left of what it holds.
        lines: Vec<ReservedLine>,
    },
    /// Give everything back.
    Release {
        /// The stream's id.
        reservation: String,
        /// The order, if it is for one.
        order_id: Option<OrderId>,
        /// Why: `order_cancelled`, `expired`, `cancelled`.
        reason: &'static str,
    },
}

impl Decider for Reservation {
    const CATEGORY: &'static str = "reservation";
    type State = ReservationState;
    type Command = ReservationCommand;
    type Event = ReservationEvent;

    fn decide(
        state: &ReservationState,
        command: &ReservationCommand,
    ) -> Result<Vec<ReservationEvent>, Rejection> {
        use ReservationStatus::{Allocated, Dispatched, Made, Refused, Released};
        match command {
            // Released before it was made: the order was cancelled first, and stays without.
            ReservationCommand::Make(_) | ReservationCommand::Refuse(_)
                if state.status.is_some() =>
            {
                Ok(vec![])
            }
            ReservationCommand::Make(made) => Ok(vec![made.clone().into()]),
            ReservationCommand::Refuse(refused) => Ok(vec![refused.clone().into()]),
            ReservationCommand::Allocate { order_id } => match state.status {
                Some(Made) => Ok(vec![
                    ReservationAllocated {
                        reservation: order_id.as_str().to_owned(),
                        order_id: order_id.clone(),
                        lines: state.lines.as_ref().clone(),
                    }
                    .into(),
                ]),
                Some(Allocated | Released | Dispatched) => Ok(vec![]),
                // An order confirmed without its units: never to be passed over in silence.
                None | Some(Refused) => Err(Rejection::conflict(
                    "not-reserved",
                    "the order was confirmed but nothing is reserved for it",
                )),
            },
            ReservationCommand::Dispatch { fulfilment_id, .. }
                if state.dispatched.contains(fulfilment_id) =>
            {
                Ok(vec![])
            }
            ReservationCommand::Dispatch {
                order_id,
                fulfilment_id,
                lines,
            } => Ok(vec![
                ReservationDispatched {
                    reservation: order_id.as_str().to_owned(),
                    order_id: order_id.clone(),
                    fulfilment_id: fulfilment_id.clone(),
                    lines: lines.clone(),
                    complete: without(&state.lines, lines).is_empty(),
                }
                .into(),
            ]),
            ReservationCommand::Release {
                reservation,
                order_id,
                reason,
            } => match state.status {
                Some(Refused | Released | Dispatched) => Ok(vec![]),
                // Nothing to give back yet: the event marks that nothing must be taken later.
                None | Some(Made | Allocated) => Ok(vec![
                    ReservationReleased {
                        reservation: reservation.clone(),
                        order_id: order_id.clone(),
                        lines: state.lines.as_ref().clone(),
                        reason: (*reason).to_owned(),
                        allocated: state.status == Some(Allocated),
                    }
                    .into(),
                ]),
            },
        }
    }

    fn evolve(state: &mut ReservationState, event: &ReservationEvent) {
        match event {
            ReservationEvent::Made(e) => {
                state.status = Some(ReservationStatus::Made);
                state.order_id = e.order_id.clone();
                state.lines = Arc::new(e.lines.clone());
                state.expires_at = e.expires_at;
            }
            ReservationEvent::Refused(e) => {
                state.status = Some(ReservationStatus::Refused);
                state.order_id = e.order_id.clone();
            }
            ReservationEvent::Allocated(_) => state.status = Some(ReservationStatus::Allocated),
            ReservationEvent::Dispatched(e) => {
                if e.complete && state.status == Some(ReservationStatus::Allocated) {
                    state.status = Some(ReservationStatus::Dispatched);
                }
                state.lines = Arc::new(without(&state.lines, &e.lines));
                state.dispatched.push(e.fulfilment_id.clone());
            }
            ReservationEvent::Released(e) => {
                state.status = Some(ReservationStatus::Released);
                state.order_id = e.order_id.clone();
            }
        }
    }
}

/// `held` without what `gone` took of it; nothing is kept of what is empty.
fn without(held: &[ReservedLine], gone: &[ReservedLine]) -> Vec<ReservedLine> {
    let mut left = held.to_vec();
    for line in &mut left {
        for part in &mut line.taken {
            let gone = gone.iter().filter(|other| other.sku == line.sku);
            let gone = gone.flat_map(|other| &other.taken);
            let gone = gone.filter(|other| other.location == part.location);
            part.quantity -= gone.map(|other| other.quantity).sum::<i64>();
        }
        line.taken.retain(|part| part.quantity > 0);
    }
    left.retain(|line| !line.taken.is_empty());
    left
}

impl ReservationState {
    /// How many units of `sku` it holds at `location`.
    pub fn held(&self, sku: &str, location: &LocationId) -> i64 {
        let lines = self.lines.iter().filter(|line| line.sku == sku);
        let parts = lines.flat_map(|line| &line.taken);
        let parts = parts.filter(|part| part.location == *location);
        match self.holds_units() {
            true => parts.map(|part| part.quantity).sum(),
            false => 0,
        }
    }

    /// Whether units are held: made or allocated.
    pub fn holds_units(&self) -> bool {
        matches!(
            self.status,
            Some(ReservationStatus::Made | ReservationStatus::Allocated)
        )
    }
}

/// A refusal for `reservation` with everything that was short.
pub fn refusal(
    reservation: &str,
    order_id: Option<OrderId>,
    shortages: Vec<Shortage>,
) -> ReservationCommand {
    ReservationCommand::Refuse(ReservationRefused {
        reservation: reservation.to_owned(),
        order_id,
        shortages,
    })
}
