//! The decision that turns a cart into an order.

use contracts::{
    address::Contact,
    cart::{CartCheckedOut, CartEvent, CartId, CartLine, PaymentMethod},
    identity::CustomerId,
    orders::{OrderId, OrderLine},
    pricing::CaptureMode,
};
use kernel::{PersonId, Personal, Rejection};
use std::sync::Arc;

use crate::{
    cart::CartCommand,
    number::order_number,
    offer::{Found, Offers},
    pricing::Priced,
    problems::{problems, refusal},
    state::CartState,
};

/// What a checkout brings along.
#[derive(Clone, Debug)]
pub struct Checkout {
    /// The id of the order to be.
    pub order_id: OrderId,
    /// The buyer, when signed in.
    pub customer: Option<CustomerId>,
    /// Whose key seals the personal data.
    pub person: PersonId,
    /// E-mail and address.
    pub contact: Personal<Contact>,
    /// How to pay.
    pub payment: PaymentMethod,
    /// SHA-256 of the access token, hex.
    pub access_token_hash: String,
    /// Looked up for all lines of the cart.
    pub offers: Arc<Offers>,
}

/// Checks the cart against the offers and freezes it.
pub(crate) fn check_out(
    state: &CartState,
    cart_id: &CartId,
    checkout: &Checkout,
    command: &CartCommand,
) -> Result<Vec<CartEvent>, Rejection> {
    if state.lines.is_empty() {
        let detail = "the cart is empty; add a line first";
        return Err(Rejection::unprocessable("empty-cart", detail).field("lines"));
    }
    let unseen = |line: &CartLine| checkout.offers.get(&line.sku) == Found::NotAsked;
    if state.lines.iter().any(unseen) {
        let detail = "the cart was changed at the same time; look at it and try again";
        return Err(Rejection::conflict("cart-changed", detail));
    }
    let found = problems(state.currency(), state.lines.iter(), &checkout.offers);
    if let Some(refused) = refusal(&found, command.rules.refuse_short_stock) {
        return Err(refused);
    }
    let Priced { lines, totals } = state.priced()?;
    let lines = state
        .lines
        .iter()
        .zip(lines)
        .map(|(line, priced)| OrderLine {
            id: line.id.clone(),
            sku: line.sku.clone(),
            title: line.title.clone(),
            quantity: line.quantity,
            unit_price: line.unit_price,
            subtotal: priced.subtotal,
            adjustments: priced.adjustments,
            taxes: priced.taxes,
            requires_shipping: true,
            total: priced.total,
        });
    Ok(vec![CartEvent::CheckedOut(CartCheckedOut {
        cart_id: cart_id.clone(),
        order_id: checkout.order_id.clone(),
        number: order_number(&checkout.order_id),
        person: checkout.person.clone(),
        customer_id: state.customer.clone().or_else(|| checkout.customer.clone()),
        contact: checkout.contact.clone(),
        lines: lines.collect(),
        totals,
        payment: checkout.payment.clone(),
        shipping: None,
        channel: contracts::cart::web(),
        redemptions: Vec::new(),
        credits: Vec::new(),
        buyer_key: String::new(),
        capture: CaptureMode::Manual,
        locale: None,
        access_token_hash: checkout.access_token_hash.clone(),
        deadline: command.at.plus_seconds(command.rules.confirm_within),
        at: command.at,
    })])
}
