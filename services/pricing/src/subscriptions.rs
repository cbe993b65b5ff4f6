//! What orders say, and what the counters do about it. Pure: event → command.

use contracts::orders::{OrderEvent, OrderPlaced};
use kernel::{Poison, Reaction, Recorded};

use crate::redeem::{ClaimUses, ReleaseUses};

/// Placed with uses of scarce promotions → count them, cancelled → give them back.
pub fn on_order(recorded: &Recorded) -> Result<Reaction, Poison> {
    let Some(event) = recorded.decode::<OrderEvent>()? else {
        return Ok(Reaction::none());
    };
    Ok(match event.as_ref() {
        OrderEvent::Placed(placed) if !placed.redemptions.is_empty() => {
            Reaction::command(claim(placed)?)
        }
        OrderEvent::Cancelled(cancelled) => Reaction::command(ReleaseUses {
            order_id: cancelled.order_id.clone(),
        }),
        _ => Reaction::none(),
    })
}

fn claim(placed: &OrderPlaced) -> Result<ClaimUses, Poison> {
    // A negative amount would give budget back instead of drawing on it, and a sum over two
    // currencies means nothing.
    let uses = &placed.redemptions;
    let currency = placed.totals.total.currency;
    if uses.iter().any(|used| used.amount.amount < 0) {
        return Err(Poison("a promotion's use has a negative amount".into()));
    }
    if uses.iter().any(|used| used.amount.currency != currency) {
        return Err(Poison(
            "a promotion's use is in another currency than its order".into(),
        ));
    }
    Ok(ClaimUses {
        order_id: placed.order_id.clone(),
        uses: uses.clone(),
        buyer_key: placed.buyer_key.clone(),
        at: placed.at,
    })
}
