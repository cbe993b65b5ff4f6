//! An order's state as the API shows it.

use contracts::{
    address::Contact,
    orders::{OrderStatus, OrderUpdate, OrderView},
};
use kernel::Money;

use crate::state::{Happening, OrderState};

/// The whole order; `None` before it was placed. For its owner and for staff only: it holds the
/// buyer's address.
pub fn order_view(order: &OrderState) -> Option<OrderView> {
    let placed = order.placed.as_deref()?;
    let contact: Option<&Contact> = placed.contact.get();
    let cancelled = order.cancelled.as_deref();
    let nothing = Money::zero(placed.totals.total.currency);
    Some(OrderView {
        id: placed.order_id.clone(),
        number: placed.number.clone(),
        status: order.status,
        cart_id: placed.cart_id.clone(),
        placed_at: placed.at,
        lines: placed.lines.clone(),
        totals: placed.totals.clone(),
        fulfilment: order.fulfilment,
        shipping: placed.shipping.clone(),
        shipments: order.shipments.clone(),
        credits: placed.credits.clone(),
        channel: placed.channel.clone(),
        email: contact.map(|contact| contact.email.clone()),
        shipping_address: contact.map(|contact| contact.shipping_address.clone()),
        payment_id: order.payment_id.clone(),
        payment_action_url: order.action_url.clone(),
        cancel_reason: cancelled.map(|cancelled| cancelled.reason),
        shortages: cancelled.map_or_else(Vec::new, |cancelled| cancelled.shortages.clone()),
        captured: order.money(order.captured).unwrap_or(nothing),
        refunded: order.money(order.refunded).unwrap_or(nothing),
        timeline: order
            .history
            .iter()
            .map(|past| past.entry.clone())
            .collect(),
    })
}

/// The changes behind the first `seen`, in order.
pub fn updates(order: &OrderState, seen: usize) -> Vec<OrderUpdate> {
    let Some(placed) = order.placed.as_deref() else {
        return Vec::new();
    };
    let update = |past: &Happening| OrderUpdate {
        id: placed.order_id.clone(),
        number: placed.number.clone(),
        status: past.status,
        entry: past.entry.clone(),
        payment_action_url: match past.status {
            OrderStatus::PaymentActionRequired => order.action_url.clone(),
            _ => None,
        },
        cancel_reason: match past.status {
            OrderStatus::Cancelled => order.cancelled.as_deref().map(|c| c.reason),
            _ => None,
        },
    };
    order.history.iter().skip(seen).map(update).collect()
}
