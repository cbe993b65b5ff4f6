//! The stock of one SKU: the only writer of its levels, and so the one place that can oversell,
//! which it does not.

use contracts::inventory::{
    LocationId, StockAdjusted, StockDispatched, StockEvent, StockPolicySet, StockReleased,
    StockReserved, StockTransferred, Taken,
};
use kernel::{Decider, Rejection};

use crate::allocation;

mod command;
mod state;

pub use command::{Adjustment, Change, StockCommand};
pub use state::{Level, StockState};

/// The most units a SKU may have at one location, or be asked for at once: far beyond any shop,
/// and small enough that no sum overflows.
pub const MAX_UNITS: i64 = 1_000_000_000;

/// The rules of one SKU's stock; the stream's id is the SKU.
pub struct Stock;

impl Decider for Stock {
    const CATEGORY: &'static str = "stock";
    const SNAPSHOT_EVERY: Option<i64> = Some(200);
    type State = StockState;
    type Command = StockCommand;
    type Event = StockEvent;

    fn decide(state: &StockState, command: &StockCommand) -> Result<Vec<StockEvent>, Rejection> {
        match command {
            StockCommand::Adjust(adjustment) => adjust(state, adjustment),
            StockCommand::Transfer {
                sku,
                from,
                to,
                quantity,
                reference,
            } => {
                check_transfer(state, from, to, *quantity)?;
                Ok(vec![
                    StockTransferred {
                        sku: sku.clone(),
                        from: from.clone(),
                        to: to.clone(),
                        quantity: *quantity,
                        reference: reference.clone(),
                        available: state.available(),
                    }
                    .into(),
                ])
            }
            StockCommand::Reserve {
                sku,
                reservation,
                quantity,
                country,
                locations,
            } => {
                check_reserve(state, *quantity)?;
                Ok(vec![
                    StockReserved {
                        sku: sku.clone(),
                        reservation: reservation.clone(),
                        taken: allocation::plan(
                            locations,
                            country.as_deref(),
                            &state.levels,
                            *quantity,
                        ),
                        available: state.available() - quantity,
                    }
                    .into(),
                ])
            }
            StockCommand::Release {
                sku,
                reservation,
                returned,
            } => {
                check_release(state, returned)?;
                let units: i64 = returned.iter().map(|part| part.quantity).sum();
                Ok(vec![
                    StockReleased {
                        sku: sku.clone(),
                        reservation: reservation.clone(),
                        returned: returned.clone(),
                        available: state.available() + units,
                    }
                    .into(),
                ])
            }
            // What has left has left: nothing is refused here.
            StockCommand::Dispatch {
                sku,
                location,
                quantity,
                promised,
                order_id,
                fulfilment_id,
            } => Ok(vec![
                StockDispatched {
                    sku: sku.clone(),
                    location: location.clone(),
                    quantity: *quantity,
                    promised: *promised,
                    on_hand: state.on_hand(location) - quantity,
                    order_id: order_id.clone(),
                    fulfilment_id: fulfilment_id.clone(),
                    available: state.available() - (quantity - promised),
                }
                .into(),
            ]),
            StockCommand::SetPolicy { sku, backorder } => Ok(match state.backorder == *backorder {
                true => vec![],
                false => vec![
                    StockPolicySet {
                        sku: sku.clone(),
                        backorder: *backorder,
                        available: state.available(),
                    }
                    .into(),
                ],
            }),
        }
    }

    fn evolve(state: &mut StockState, event: &StockEvent) {
        match event {
            StockEvent::Adjusted(e) => state.level_mut(&e.location).on_hand = e.on_hand,
            StockEvent::Transferred(e) => {
                state.level_mut(&e.from).on_hand -= e.quantity;
                state.level_mut(&e.to).on_hand += e.quantity;
            }
            StockEvent::Reserved(e) => {
                for part in &e.taken {
                    state.level_mut(&part.location).reserved += part.quantity;
                }
            }
            StockEvent::Released(e) => {
                for part in &e.returned {
                    state.level_mut(&part.location).reserved -= part.quantity;
                }
            }
            StockEvent::Dispatched(e) => {
                let level = state.level_mut(&e.location);
                level.on_hand = e.on_hand;
                level.reserved -= e.promised;
            }
            StockEvent::PolicySet(e) => state.backorder = e.backorder,
        }
    }
}

fn adjust(state: &StockState, wanted: &Adjustment) -> Result<Vec<StockEvent>, Rejection> {
    let location = &wanted.location;
    let before = state.on_hand(location);
    if let Some(expected) = wanted.expected_on_hand
        && expected != before
    {
        return Err(Rejection::conflict(
            "stock-changed",
            format!(
                "{} has {before} on hand at {location}, not {expected}; read it again and decide again",
                wanted.sku
            ),
        )
        .field("expected_on_hand")
        .extra(serde_json::json!({"sku": wanted.sku, "location": location, "on_hand": before})));
    }
    let (after, field) = match wanted.change {
        Change::By(delta) => (before.saturating_add(delta), "delta"),
        Change::To(count) => (count, "set_on_hand"),
    };
    if !(0..=MAX_UNITS).contains(&after) {
        return Err(Rejection::conflict(
            "on-hand-out-of-range",
            format!(
                "{} has {before} on hand at {location}; afterwards it must have 0 to {MAX_UNITS}",
                wanted.sku
            ),
        )
        .field(field));
    }
    let delta = after - before;
    if delta < 0 && !wanted.accept_oversold && state.sellable() < -delta {
        return Err(Rejection::conflict(
            "stock-promised",
            format!(
                "{} units of {} are promised; {} may be taken away. If they are really gone, say accept_oversold",
                state.levels.iter().map(|l| l.reserved).sum::<i64>(), wanted.sku, state.sellable()
            ),
        )
        .field(field));
    }
    if delta == 0 {
        return Ok(vec![]);
    }
    Ok(vec![
        StockAdjusted {
            sku: wanted.sku.clone(),
            location: location.clone(),
            delta,
            on_hand: after,
            reason: wanted.reason,
            reference: wanted.reference.clone(),
            note: wanted.note.clone(),
            available: state.available() + delta,
        }
        .into(),
    ])
}

fn check_transfer(
    state: &StockState,
    from: &LocationId,
    to: &LocationId,
    quantity: i64,
) -> Result<(), Rejection> {
    if from == to {
        return Err(Rejection::invalid(
            "to",
            "must be another location than `from`",
        ));
    }
    check_quantity(quantity)?;
    let free = state.level(from).map_or(0, Level::free);
    if free < quantity {
        return Err(Rejection::conflict(
            "not-free",
            format!("{} units at {from} are free to be moved", free.max(0)),
        )
        .field("quantity"));
    }
    Ok(())
}

fn check_reserve(state: &StockState, quantity: i64) -> Result<(), Rejection> {
    check_quantity(quantity)?;
    if state.sellable() < quantity {
        return Err(Rejection::conflict(
            "short-stock",
            format!("there are {} units to be had", state.sellable()),
        )
        .field("quantity"));
    }
    Ok(())
}

/// A reservation gives back what it took; anything else is a defect that must not corrupt levels.
fn check_release(state: &StockState, returned: &[Taken]) -> Result<(), Rejection> {
    for part in returned {
        let reserved = state.level(&part.location).map_or(0, |l| l.reserved);
        if part.quantity <= 0 || part.quantity > reserved {
            return Err(Rejection::conflict(
                "not-reserved",
                format!("{reserved} units are reserved at {}", part.location),
            ));
        }
    }
    Ok(())
}

fn check_quantity(quantity: i64) -> Result<(), Rejection> {
    match (1..=MAX_UNITS).contains(&quantity) {
        true => Ok(()),
        false => Err(Rejection::invalid(
            "quantity",
            format!("must be 1 to {MAX_UNITS}"),
        )),
    }
}
