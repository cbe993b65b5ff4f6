//! The decision that turns a cart into an order.

use std::sync::Arc;

use contracts::{
    address::Contact,
    cart::{CartCheckedOut, CartEvent, CartId, CartItem, CartLine, PaymentMethod},
    credit::{CreditAccountId, CreditUse},
    identity::CustomerId,
    orders::{OrderId, OrderLine},
    shipping::{ShippingQuote, destination_text},
};
use kernel::{Money, PersonId, Personal, Rejection};
use pricing_engine::{Destination, Priced};

use crate::{
    cart::CartCommand,
    number::order_number,
    offer::{Found, Offers},
    pricing::{Buyer, price_cart, shipping},
    problems::{of_the_whole, problems, refusal},
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
    /// How to pay; `None`: with nothing but credit.
    pub payment: Option<PaymentMethod>,
    /// SHA-256 of the access token, hex.
    pub access_token_hash: String,
    /// Equal for the same buyer.
    pub buyer_key: String,
    /// A quote for shipping, its signature good; the one chosen before counts without it.
    pub quote: Option<Box<ShippingQuote>>,
    /// Accounts to pay from first, in this order, with what may be spent of each.
    pub credits: Vec<(CreditAccountId, Money)>,
    /// What the buyer was shown.
    pub expected_total: Option<Money>,
    /// The buyer's language.
    pub locale: Option<String>,
    /// Looked up for all lines and coupons of the cart.
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
    if state.lines.iter().any(unseen) || checkout.lacks_a_coupon_of(state) {
        let detail = "the cart was changed at the same time; look at it and try again";
        return Err(Rejection::conflict("cart-changed", detail));
    }
    let state = &checkout.with_quote(state)?;
    let (offers, at) = (&*checkout.offers, command.at);
    let priced = price_cart(state, offers, &checkout.buyer(), at)?;
    let mut found = problems(&state.selling(at), state.lines.iter(), offers);
    found.extend(of_the_whole(state, &priced, offers, at));
    if let Some(refused) = refusal(&found, command.rules.refuse_short_stock) {
        return Err(refused);
    }
    checkout.expects(&priced)?;
    let credits = checkout.share(priced.totals.total);
    let channel = offers.terms.rules.channel(&state.channel);
    Ok(vec![CartEvent::CheckedOut(CartCheckedOut {
        cart_id: cart_id.clone(),
        order_id: checkout.order_id.clone(),
        number: order_number(&checkout.order_id),
        person: checkout.person.clone(),
        customer_id: state.customer.clone().or_else(|| checkout.customer.clone()),
        contact: checkout.contact.clone(),
        payment: checkout.method(priced.totals.total, &credits)?,
        shipping: shipping(state, &priced),
        channel: state.channel.clone(),
        redemptions: priced.uses.clone(),
        credits,
        buyer_key: checkout.buyer_key.clone(),
        capture: channel.map(|channel| channel.capture).unwrap_or_default(),
        locale: checkout.locale.clone(),
        totals: priced.totals.clone(),
        lines: order_lines(state, offers, priced),
        access_token_hash: checkout.access_token_hash.clone(),
        deadline: at.plus_seconds(command.rules.confirm_within),
        at,
    })])
}

fn order_lines(state: &CartState, offers: &Offers, priced: Priced) -> Vec<OrderLine> {
    let lines = state.lines.iter().zip(priced.lines);
    let lines = lines.map(|(line, priced)| OrderLine {
        id: line.id.clone(),
        sku: line.sku.clone(),
        title: line.title.clone(),
        quantity: line.quantity,
        unit_price: line.unit_price,
        subtotal: priced.subtotal,
        adjustments: priced.adjustments,
        taxes: priced.taxes,
        requires_shipping: item(line, offers).requires_shipping,
        total: priced.total,
    });
    lines.collect()
}

fn item<'a>(line: &'a CartLine, offers: &'a Offers) -> &'a CartItem {
    match offers.get(&line.sku) {
        Found::Offer(offer) => &offer.item,
        Found::Nothing | Found::NotAsked => &line.item,
    }
}

impl Checkout {
    /// Whether a coupon of the cart was not looked up, because it was entered in between.
    fn lacks_a_coupon_of(&self, state: &CartState) -> bool {
        let known = &self.offers.terms.coupons;
        state.coupons.iter().any(|code| !known.contains_key(code))
    }

    /// The cart with the quote this checkout brings, which must be for the address it names.
    fn with_quote(&self, state: &CartState) -> Result<CartState, Rejection> {
        let mut state = state.clone();
        if let Some(quote) = &self.quote {
            state.shipping = Some(Arc::new((**quote).clone()));
        }
        if let (Some(quote), Some(contact)) = (state.shipping.as_deref(), self.contact.get())
            && quote.collect_from.is_none()
            && web::hash_token(&destination_text(&contact.shipping_address))
                != quote.destination_hash
        {
            let detail = "the shipping quote is for another address; get a new one";
            return Err(Rejection::conflict("shipping-not-chosen", detail).field("shipping_quote"));
        }
        Ok(state)
    }

    fn buyer(&self) -> Buyer<'_> {
        let contact = self.contact.get();
        let destination = contact.map(|contact| Destination {
            country: &contact.shipping_address.country,
            province: &contact.shipping_address.province,
            postcode: &contact.shipping_address.postcode,
        });
        Buyer {
            destination,
            vat_number: contact.and_then(|contact| contact.vat_number.as_deref()),
        }
    }

    /// Nobody pays another price than they saw.
    fn expects(&self, priced: &Priced) -> Result<(), Rejection> {
        let total = priced.totals.total;
        match self.expected_total {
            Some(expected) if expected != total => {
                let detail =
                    format!("the order comes to {total}, not {expected}; look at it again");
                let members = serde_json::json!({ "totals": priced.totals });
                Err(Rejection::conflict("total-changed", detail)
                    .field("expected_total")
                    .extra(members))
            }
            _ => Ok(()),
        }
    }

    /// What each account pays of `total`: as much as it has, in order.
    fn share(&self, total: Money) -> Vec<CreditUse> {
        let mut left = total.amount;
        let shares = self.credits.iter().map(|(account, balance)| {
            let amount = match balance.currency == total.currency {
                true => balance.amount.clamp(0, left),
                false => 0,
            };
            left -= amount;
            CreditUse {
                account_id: account.clone(),
                amount: Money::new(amount, total.currency),
            }
        });
        shares.filter(|share| share.amount.amount > 0).collect()
    }

    /// How the rest is paid. Nothing left needs nothing to pay with.
    fn method(&self, total: Money, credits: &[CreditUse]) -> Result<PaymentMethod, Rejection> {
        let paid: i64 = credits.iter().map(|share| share.amount.amount).sum();
        match &self.payment {
            Some(method) => Ok(method.clone()),
            None if paid == total.amount => Ok(PaymentMethod {
                provider: "none".into(),
                token: Personal::new(self.person.clone(), String::new()),
            }),
            None => {
                let rest = Money::new(total.amount - paid, total.currency);
                let detail = format!("is missing: {rest} is left to pay");
                Err(Rejection::invalid("payment", detail))
            }
        }
    }
}
