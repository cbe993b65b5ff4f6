//! A cart's state as the API shows it.

use contracts::{
    cart::{CartCheckedOut, CartLineView, CartProblem, CartStatus, CartView},
    orders::{OrderFulfilment, OrderStatus, OrderView, TimelineEntry},
};
use kernel::{Money, Rejection, Timestamp};

use crate::state::{CartState, Rules};

/// The cart at `now`. Never holds personal data, completed or not.
pub fn cart_view(
    cart: &CartState,
    problems: Vec<CartProblem>,
    now: Timestamp,
    rules: &Rules,
) -> Result<CartView, Rejection> {
    let id = cart
        .id
        .clone()
        .ok_or_else(|| Rejection::not_found("cart"))?;
    let status = cart.status_at(now, rules);
    let checkout = cart.checkout.as_deref();
    let (lines, totals) = match checkout {
        Some(order) => (ordered_lines(order), order.totals.clone()),
        None => {
            let priced = cart.priced()?;
            let lines = cart
                .lines
                .iter()
                .zip(&priced.lines)
                .map(|(line, priced)| CartLineView {
                    id: line.id.clone(),
                    sku: line.sku.clone(),
                    title: line.title.clone(),
                    handle: line.handle.clone(),
                    quantity: line.quantity,
                    unit_price: line.unit_price,
                    subtotal: priced.subtotal,
                });
            (lines.collect(), priced.totals)
        }
    };
    Ok(CartView {
        id,
        status,
        currency: cart.currency(),
        lines,
        totals,
        problems,
        order_id: checkout.map(|order| order.order_id.clone()),
        order_number: checkout.map(|order| order.number.clone()),
        created_at: cart.created,
        updated_at: cart.changed,
        expires_at: (status == CartStatus::Open).then(|| cart.expires(rules)),
    })
}

fn ordered_lines(order: &CartCheckedOut) -> Vec<CartLineView> {
    let lines = order.lines.iter().map(|line| CartLineView {
        id: line.id.clone(),
        sku: line.sku.clone(),
        title: line.title.clone(),
        handle: String::new(),
        quantity: line.quantity,
        unit_price: line.unit_price,
        subtotal: line.subtotal,
    });
    lines.collect()
}

/// The order as the checkout recorded it: what is answered until `orders` has heard of it.
pub fn order_view(order: &CartCheckedOut) -> OrderView {
    let contact = order.contact.get();
    let nothing = Money::zero(order.totals.total.currency);
    let who = match &order.customer_id {
        Some(customer) => format!("customer:{customer}"),
        None => "guest".into(),
    };
    OrderView {
        id: order.order_id.clone(),
        number: order.number.clone(),
        status: OrderStatus::Placed,
        cart_id: order.cart_id.clone(),
        placed_at: order.at,
        lines: order.lines.clone(),
        totals: order.totals.clone(),
        fulfilment: OrderFulfilment::Unfulfilled,
        shipping: order.shipping.clone(),
        shipments: Vec::new(),
        credits: order.credits.clone(),
        channel: order.channel.clone(),
        email: contact.map(|contact| contact.email.clone()),
        shipping_address: contact.map(|contact| contact.shipping_address.clone()),
        payment_id: None,
        payment_action_url: None,
        cancel_reason: None,
        shortages: Vec::new(),
        captured: nothing,
        refunded: nothing,
        timeline: vec![TimelineEntry {
            at: order.at,
            what: OrderStatus::Placed.as_str().into(),
            who,
            note: None,
        }],
    }
}
