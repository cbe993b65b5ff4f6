//! What orders say, and what their buyers are told of it.

use std::sync::Arc;

use contracts::{
    notifications::{MessageKind, OrderNoted, OrderNotice, OrderNoticeHeld},
    orders::{OrderEvent, OrderId, OrderPlaced},
};
use kernel::{From, Reaction, Subscription};

use crate::commands::{NoteOrder, Tell};

/// Remembers orders: all there are, so that the buyers of those under way are told of what comes.
pub fn orders(sms_for: Vec<MessageKind>) -> Subscription {
    let sms_for: Arc<[MessageKind]> = sms_for.into();
    Subscription::new("orders", &["orders"], move |event| {
        if &*event.kind != "orders.order.placed.v1" {
            return Ok(Reaction::none());
        }
        let placed = event.decode::<OrderEvent>()?;
        Ok(match placed.as_deref() {
            Some(OrderEvent::Placed(placed)) => Reaction::command(NoteOrder {
                order: Arc::new(noted(placed)),
                sms_for: sms_for.clone(),
            }),
            _ => Reaction::none(),
        })
    })
}

/// Tells buyers what happens from now on: a shop that begins to write does not write about the
/// past.
pub fn news(sms_for: Vec<MessageKind>) -> Subscription {
    let sms_for: Arc<[MessageKind]> = sms_for.into();
    let heard = Subscription::new("order-news", &["orders"], move |event| {
        let Some(event) = event.decode::<OrderEvent>()? else {
            return Ok(Reaction::none());
        };
        Ok(match notice(&event) {
            Some((order_id, notice)) => Reaction::command(Tell {
                news: OrderNoticeHeld { order_id, notice },
                sms_for: sms_for.clone(),
            }),
            None => Reaction::none(),
        })
    });
    Subscription {
        from: From::Now,
        ..heard
    }
}

fn noted(placed: &OrderPlaced) -> OrderNoted {
    OrderNoted {
        order_id: placed.order_id.clone(),
        number: placed.number.clone(),
        cart_id: placed.cart_id.clone(),
        person: placed.person.clone(),
        customer_id: placed.customer_id.clone(),
        contact: placed.contact.clone(),
        lines: placed.lines.clone(),
        totals: placed.totals.clone(),
        shipping: placed.shipping.clone(),
        locale: placed.locale.clone(),
        access_token_hash: placed.access_token_hash.clone(),
        placed_at: placed.at,
    }
}

/// What of it the buyer is told. That an order was placed they have just seen themselves.
fn notice(event: &OrderEvent) -> Option<(OrderId, OrderNotice)> {
    Some(match event {
        OrderEvent::Confirmed(e) => (e.order_id.clone(), OrderNotice::Confirmed),
        OrderEvent::Cancelled(e) => {
            let reason = e.reason;
            (e.order_id.clone(), OrderNotice::Cancelled { reason })
        }
        OrderEvent::PaymentActionRequired(e) => (e.order_id.clone(), OrderNotice::ActionRequired),
        OrderEvent::PaymentCaptured(e) => {
            let (amount, captured) = (e.amount, e.captured);
            (
                e.order_id.clone(),
                OrderNotice::Captured { amount, captured },
            )
        }
        OrderEvent::PaymentRefunded(e) => {
            let (amount, refunded) = (e.amount, e.refunded);
            (
                e.order_id.clone(),
                OrderNotice::Refunded { amount, refunded },
            )
        }
        // Parcels are told of by shipping, which knows more of them.
        OrderEvent::Placed(_)
        | OrderEvent::StockReserved(_)
        | OrderEvent::PaymentRequested(_)
        | OrderEvent::PromotionsRedeemed(_)
        | OrderEvent::CreditHeld(_)
        | OrderEvent::CaptureRequested(_)
        | OrderEvent::Shipped(_)
        | OrderEvent::Delivered(_) => return None,
    })
}
