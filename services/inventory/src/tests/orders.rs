//! Events of orders, as short as they can be.

use contracts::{
    address::{Address, Contact},
    cart::PaymentMethod,
    orders::{
        CancelReason, OrderCancelled, OrderConfirmed, OrderEvent, OrderLine, OrderPlaced, Totals,
    },
};
use kernel::{Currency, Money, PersonId, Personal, Timestamp};

fn gbp(amount: i64) -> Money {
    Money::new(amount, "GBP".parse::<Currency>().unwrap())
}

fn totals() -> Totals {
    Totals {
        subtotal: gbp(0),
        adjustments: gbp(0),
        shipping: gbp(0),
        tax: gbp(0),
        total: gbp(0),
    }
}

pub fn placed(id: &str, lines: &[(&str, i64)]) -> OrderEvent {
    let person: PersonId = "per_1".parse().unwrap();
    let address = Address {
        country: "GB".into(),
        ..Address::default()
    };
    let contact = Contact {
        email: "a@example.org".into(),
        shipping_address: address,
        vat_number: None,
    };
    let lines = lines
        .iter()
        .enumerate()
        .map(|(index, (sku, quantity))| OrderLine {
            id: format!("lin_{index}").parse().unwrap(),
            sku: (*sku).into(),
            title: String::new(),
            quantity: *quantity,
            unit_price: gbp(0),
            subtotal: gbp(0),
            adjustments: vec![],
            taxes: vec![],
            requires_shipping: true,
            total: gbp(0),
        });
    OrderPlaced {
        order_id: id.parse().unwrap(),
        number: "1001".into(),
        cart_id: "crt_1".parse().unwrap(),
        person: person.clone(),
        customer_id: None,
        contact: Personal::new(person.clone(), contact),
        lines: lines.collect(),
        totals: totals(),
        payment: PaymentMethod {
            provider: "sandbox".into(),
            token: Personal::new(person, "tok".into()),
        },
        shipping: None,
        channel: contracts::cart::web(),
        redemptions: Vec::new(),
        credits: Vec::new(),
        buyer_key: String::new(),
        capture: contracts::pricing::CaptureMode::Manual,
        locale: None,
        access_token_hash: String::new(),
        deadline: Timestamp(0),
        at: Timestamp(0),
    }
    .into()
}

pub fn confirmed(id: &str) -> OrderEvent {
    OrderConfirmed {
        order_id: id.parse().unwrap(),
        number: "1001".into(),
        payment_id: "pay_1".parse().unwrap(),
        total: gbp(0),
        at: Timestamp(0),
    }
    .into()
}

pub fn cancelled(id: &str) -> OrderEvent {
    OrderCancelled {
        order_id: id.parse().unwrap(),
        number: "1001".into(),
        reason: CancelReason::Customer,
        shortages: vec![],
        payment_id: None,
        by: None,
        at: Timestamp(0),
    }
    .into()
}
