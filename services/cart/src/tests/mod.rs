//! The cart's rules as given / when / then. What the tests share stands here.

mod access;
mod checkout;
mod golden;
mod lines;
mod pricing;
mod timers;
mod views;

use std::sync::Arc;

use contracts::{
    address::{Address, Contact},
    cart::{
        CartCreated, CartEvent, CartId, CartItem, CartLine, CartLinesAdded, LineId, NewLine,
        PaymentMethod,
    },
    identity::CustomerId,
};
use kernel::{Currency, Money, PersonId, Personal, Rejection, Timestamp, testing::Given};

use crate::{
    cart::{Ask, Cart, CartCommand},
    checkout::Checkout,
    offer::{Offer, Offers},
    render::Seen,
    state::{CartState, Rules, Who},
};

pub const START: Timestamp = Timestamp(1_700_000_000_000_000);

pub const RULES: Rules = Rules {
    abandoned_after: 3_600,
    expires_after: 86_400,
    confirm_within: 900,
    refuse_short_stock: false,
};

pub fn cart_id() -> CartId {
    "crt_1".parse().expect("an id")
}

pub fn customer(id: &str) -> CustomerId {
    id.parse().expect("an id")
}

pub fn gbp(amount: i64) -> Money {
    Money::new(amount, Currency::GBP)
}

pub fn created(customer_id: Option<CustomerId>) -> CartEvent {
    CartEvent::Created(CartCreated {
        cart_id: cart_id(),
        currency: Currency::GBP,
        customer_id,
        channel: contracts::cart::web(),
        at: START,
    })
}

pub fn line(number: u32, sku: &str, quantity: i64, price: i64) -> CartLine {
    CartLine {
        id: format!("lin_{number}").parse().expect("an id"),
        sku: sku.into(),
        title: format!("The {sku}"),
        handle: sku.to_lowercase(),
        quantity,
        unit_price: gbp(price),
        item: CartItem::default(),
    }
}

pub fn added(lines: Vec<CartLine>) -> CartEvent {
    CartEvent::LinesAdded(CartLinesAdded { lines, at: START })
}

pub fn offer(sku: &str, price: i64) -> (String, Option<Offer>) {
    let offer = Offer {
        title: format!("The {sku}"),
        handle: sku.to_lowercase(),
        prices: vec![gbp(price)],
        compare_at: Vec::new(),
        listed: Vec::new(),
        item: CartItem::default(),
        published: true,
        sellable: None,
    };
    (sku.to_owned(), Some(offer))
}

pub fn offers(known: impl IntoIterator<Item = (String, Option<Offer>)>) -> Arc<Offers> {
    let mut offers = Offers::default();
    known
        .into_iter()
        .for_each(|(sku, offer)| offers.insert(sku, offer));
    Arc::new(offers)
}

pub fn ask(ask: Ask) -> CartCommand {
    ask_by(Who::Anyone, ask)
}

pub fn ask_by(by: Who, ask: Ask) -> CartCommand {
    CartCommand {
        by,
        at: START.plus_seconds(10),
        rules: RULES,
        ask: Arc::new(ask),
    }
}

pub fn wanted(sku: &str, quantity: i64) -> NewLine {
    NewLine {
        sku: sku.into(),
        quantity,
    }
}

pub fn add(lines: Vec<NewLine>, offers: Arc<Offers>) -> CartCommand {
    ask(Ask::AddLines {
        lines,
        single: false,
        offers,
    })
}

pub fn buyer(order: &str, offers: Arc<Offers>) -> Checkout {
    let person: PersonId = "per_1".parse().expect("an id");
    let contact = Contact {
        email: "ann@example.org".into(),
        shipping_address: Address {
            name: "Ann".into(),
            line1: "1 High Street".into(),
            city: "Leeds".into(),
            country: "GB".into(),
            ..Address::default()
        },
        vat_number: None,
    };
    Checkout {
        order_id: order.parse().expect("an id"),
        customer: None,
        contact: Personal::new(person.clone(), contact),
        payment: Some(PaymentMethod {
            provider: "sandbox".into(),
            token: Personal::new(person.clone(), "tok_1".into()),
        }),
        person,
        access_token_hash: "abc123".into(),
        buyer_key: "ann".into(),
        quote: None,
        credits: Vec::new(),
        expected_total: None,
        locale: None,
        offers,
    }
}

pub fn check_out(order: &str, offers: Arc<Offers>) -> CartCommand {
    ask(Ask::CheckOut(Box::new(buyer(order, offers))))
}

/// A line's quantity is to be another; nothing was looked up.
pub fn change_to(line: LineId, quantity: i64) -> Ask {
    Ask::ChangeLine(line, quantity, Arc::default())
}

/// The cart with what was looked up, ten seconds on.
pub fn seen<'a>(cart: &'a CartState, offers: &'a Offers) -> Seen<'a> {
    Seen {
        cart,
        offers,
        problems: Vec::new(),
        now: START.plus_seconds(10),
    }
}

/// The code of the refusal.
pub fn code<T: std::fmt::Debug>(result: Result<T, Rejection>) -> &'static str {
    result.expect_err("it should be refused").code
}

pub fn refused(cart: &mut Given<Cart>, command: CartCommand) -> Rejection {
    cart.when(command).expect_err("it should be refused")
}
