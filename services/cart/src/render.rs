//! A cart's state as the API shows it.

use contracts::{
    cart::{CartCheckedOut, CartLine, CartLineView, CartProblem, CartStatus, CartView},
    orders::{OrderFulfilment, OrderLine, OrderStatus, OrderView, TimelineEntry, Totals},
};
use kernel::{Money, Rejection, Timestamp};
use pricing_engine::PricedLine;

use crate::{
    offer::{Found, Offers, Selling},
    pricing::{Buyer, price_cart, shipping},
    problems::of_the_whole,
    state::{CartState, Rules},
};

/// What a view of a cart is made from.
pub struct Seen<'a> {
    /// The cart.
    pub cart: &'a CartState,
    /// What was looked up for it.
    pub offers: &'a Offers,
    /// What stands in the way of its lines.
    pub problems: Vec<CartProblem>,
    /// When.
    pub now: Timestamp,
}

/// The cart. Never holds personal data, completed or not.
pub fn cart_view(seen: Seen<'_>, rules: &Rules) -> Result<CartView, Rejection> {
    let cart = seen.cart;
    let id = cart.id.clone();
    let id = id.ok_or_else(|| Rejection::not_found("cart"))?;
    let status = cart.status_at(seen.now, rules);
    let checkout = cart.checkout.as_deref();
    let mut view = CartView {
        id,
        status,
        currency: cart.currency(),
        lines: Vec::new(),
        channel: cart.channel.clone(),
        destination: cart.destination.clone(),
        shipping: None,
        promotions: Vec::new(),
        coupons: Vec::new(),
        tax: None,
        totals: Totals::zero(cart.currency()),
        problems: seen.problems,
        order_id: checkout.map(|order| order.order_id.clone()),
        order_number: checkout.map(|order| order.number.clone()),
        created_at: cart.created,
        updated_at: cart.changed,
        expires_at: (status == CartStatus::Open).then(|| cart.expires(rules)),
    };
    if let Some(order) = checkout {
        view.lines = order.lines.iter().map(ordered_line).collect();
        view.shipping = order.shipping.clone();
        view.totals = order.totals.clone();
        return Ok(view);
    }
    let priced = price_cart(cart, seen.offers, &Buyer::default(), seen.now)?;
    if status == CartStatus::Open && !cart.lines.is_empty() {
        let whole = of_the_whole(cart, &priced, seen.offers, seen.now);
        view.problems.extend(whole);
    }
    let selling = cart.selling(seen.now);
    let lines = cart.lines.iter().zip(&priced.lines);
    view.lines = lines
        .map(|(line, price)| cart_line(line, price, seen.offers, &selling))
        .collect();
    view.shipping = shipping(cart, &priced);
    view.promotions = priced.promotions;
    view.coupons = priced.coupons;
    view.tax = Some(priced.tax);
    view.totals = priced.totals;
    Ok(view)
}

fn cart_line(
    line: &CartLine,
    price: &PricedLine,
    offers: &Offers,
    selling: &Selling<'_>,
) -> CartLineView {
    let compare_at = match offers.get(&line.sku) {
        Found::Offer(offer) => offers
            .price(offer, line.quantity, selling)
            .and_then(|price| price.compare_at),
        Found::Nothing | Found::NotAsked => None,
    };
    CartLineView {
        id: line.id.clone(),
        sku: line.sku.clone(),
        title: line.title.clone(),
        handle: line.handle.clone(),
        quantity: line.quantity,
        unit_price: line.unit_price,
        subtotal: price.subtotal,
        compare_at,
        adjustments: price.adjustments.clone(),
        taxes: price.taxes.clone(),
        total: Some(price.total),
    }
}

fn ordered_line(line: &OrderLine) -> CartLineView {
    CartLineView {
        id: line.id.clone(),
        sku: line.sku.clone(),
        title: line.title.clone(),
        handle: String::new(),
        quantity: line.quantity,
        unit_price: line.unit_price,
        subtotal: line.subtotal,
        compare_at: None,
        adjustments: line.adjustments.clone(),
        taxes: line.taxes.clone(),
        total: Some(line.total),
    }
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
