//! What orders say, and what credit does about it. Pure: event → command.

use contracts::{
    credit::CreditRefundRequest,
    orders::{OrderEvent, OrderPlaced},
};
use kernel::{Poison, Reaction, Recorded};

use crate::{
    holding::{PlaceHold, Release, Spend, Wanted},
    refund::Refund,
};

/// Placed → hold, confirmed → spend, cancelled → give back, a refund as credit → refund.
///
/// The events of one order come in the order they happened, so none is cancelled before it is
/// placed; an order without credit has no hold, and its other events lead to nothing.
pub fn on_order(recorded: &Recorded) -> Result<Reaction, Poison> {
    if let Some(request) = recorded.decode::<CreditRefundRequest>()? {
        let CreditRefundRequest::Requested(asked) = request.as_ref();
        return Ok(Reaction::command(Refund::of(asked)));
    }
    let Some(event) = recorded.decode::<OrderEvent>()? else {
        return Ok(Reaction::none());
    };
    Ok(match event.as_ref() {
        OrderEvent::Placed(placed) if placed.credits.is_empty() => Reaction::none(),
        OrderEvent::Placed(placed) => Reaction::command(hold(placed)),
        OrderEvent::Confirmed(confirmed) => Reaction::command(Spend {
            order_id: confirmed.order_id.clone(),
        }),
        OrderEvent::Cancelled(cancelled) => Reaction::command(Release {
            order_id: cancelled.order_id.clone(),
        }),
        _ => Reaction::none(),
    })
}

fn hold(placed: &OrderPlaced) -> PlaceHold {
    PlaceHold {
        order_id: placed.order_id.clone(),
        currency: placed.totals.total.currency,
        customer_id: placed.customer_id.clone(),
        wanted: Wanted::of(&placed.credits),
    }
}
