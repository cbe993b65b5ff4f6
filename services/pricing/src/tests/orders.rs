//! Events of orders, as short as they can be.

use contracts::{
    address::{Address, Contact},
    cart::PaymentMethod,
    orders::{CancelReason, OrderCancelled, OrderEvent, OrderPlaced, Totals},
    pricing::{CaptureMode, PromotionUse},
};
use kernel::{PersonId, Personal, Timestamp};

use super::samples::gbp;

pub fn placed(id: &str, buyer: &str, redemptions: Vec<PromotionUse>) -> OrderEvent {
    let person: PersonId = "per_1".parse().unwrap();
    let contact = Contact {
        email: "a@example.org".into(),
        shipping_address: Address::default(),
        vat_number: None,
    };
    OrderPlaced {
        order_id: id.parse().unwrap(),
        number: "1001".into(),
        cart_id: "crt_1".parse().unwrap(),
        person: person.clone(),
        customer_id: None,
        contact: Personal::new(person.clone(), contact),
        lines: vec![],
        totals: Totals {
            subtotal: gbp(0),
            adjustments: gbp(0),
            shipping: gbp(0),
            tax: gbp(0),
            total: gbp(0),
        },
        payment: PaymentMethod {
            provider: "sandbox".into(),
            token: Personal::new(person, "tok".into()),
        },
        shipping: None,
        channel: contracts::cart::web(),
        redemptions,
        credits: Vec::new(),
        buyer_key: buyer.into(),
        capture: CaptureMode::Manual,
        locale: None,
        access_token_hash: String::new(),
        deadline: Timestamp(0),
        at: Timestamp(1_000),
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
