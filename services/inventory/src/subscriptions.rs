//! What orders say, and what stock does about it. Pure: event → command.

use contracts::orders::{OrderEvent, OrderPlaced};
use kernel::{AnyCommand, Poison, Reaction, Recorded, Timer};
use serde::Deserialize;

use crate::reserve::{Allocate, Release, ReserveOrder, Wanted};

/// Placed → reserve, confirmed → allocate, cancelled → release.
pub fn on_order(recorded: &Recorded) -> Result<Reaction, Poison> {
    let Some(event) = recorded.decode::<OrderEvent>()? else {
        return Ok(Reaction::none());
    };
    Ok(match event.as_ref() {
        OrderEvent::Placed(placed) => Reaction::command(reserve(placed)?),
        OrderEvent::Confirmed(confirmed) => Reaction::command(Allocate {
            order_id: confirmed.order_id.clone(),
        }),
        OrderEvent::Cancelled(cancelled) => Reaction::command(Release {
            reservation: cancelled.order_id.as_str().to_owned(),
            order_id: Some(cancelled.order_id.clone()),
            reason: "order_cancelled",
        }),
        _ => Reaction::none(),
    })
}

fn reserve(placed: &OrderPlaced) -> Result<ReserveOrder, Poison> {
    // A quantity below one would give units instead of taking them.
    if placed.lines.iter().any(|line| line.quantity < 1) {
        return Err(Poison("an order line has no positive quantity".into()));
    }
    let lines = placed.lines.iter().map(|l| (l.sku.as_str(), l.quantity));
    Ok(ReserveOrder {
        order_id: placed.order_id.clone(),
        wanted: Wanted::of(lines),
        // Gone once the person is erased; the strategy then goes by priority.
        country: placed
            .contact
            .get()
            .map(|c| c.shipping_address.country.clone()),
    })
}

#[derive(Deserialize)]
struct HoldExpiry {
    hold: String,
}

/// A hold's time is up.
pub fn on_hold_expiry(timer: &Timer) -> Result<Box<dyn AnyCommand>, Poison> {
    let data: HoldExpiry = serde_json::from_str(&timer.data).map_err(|e| Poison(e.to_string()))?;
    Ok(Box::new(Release {
        reservation: data.hold,
        order_id: None,
        reason: "expired",
    }))
}
