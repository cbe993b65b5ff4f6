//! The order's rules as given / when / then. What the tests share stands here.

mod claims;
mod golden;
mod live;
mod machine;
mod process;
mod rules;
mod shipments;
mod views;

use std::sync::{Arc, OnceLock};

use contracts::{
    address::{Address, Contact},
    cart::PaymentMethod,
    credit::CreditUse,
    inventory::{LocationId, Shortage},
    orders::{OrderEvent, OrderId, OrderLine, OrderPlaced, Totals},
    payments::PaymentId,
    pricing::PromotionUse,
    shipping::{FulfilmentId, FulfilmentLine, FulfilmentShipped},
};
use kernel::{
    Currency, Event, EventMeta, Money, PersonId, Personal, Recorded, StreamId, Timestamp,
    testing::{Given, given},
};

use crate::order::{Canceller, Order, OrderCommand, Step};

pub const START: Timestamp = Timestamp(1_700_000_000_000_000);
/// How long after the confirmation a buyer may cancel.
pub const WITHIN: i64 = 600;

pub fn order_id() -> OrderId {
    "ord_1f".parse().expect("an id")
}

pub fn payment() -> PaymentId {
    "pay_1f".parse().expect("an id")
}

pub fn gbp(amount: i64) -> Money {
    Money::new(amount, Currency::GBP)
}

pub fn placed(total: i64) -> OrderPlaced {
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
    OrderPlaced {
        order_id: order_id(),
        number: "S-000000001Z".into(),
        cart_id: "crt_1".parse().expect("an id"),
        person: person.clone(),
        customer_id: None,
        contact: Personal::new(person.clone(), contact),
        lines: vec![OrderLine {
            id: "lin_1".parse().expect("an id"),
            sku: "MUG-BLUE".into(),
            title: "Mug – Blue".into(),
            quantity: 2,
            unit_price: gbp(total / 2),
            subtotal: gbp(total),
            adjustments: vec![],
            taxes: vec![],
            requires_shipping: true,
            total: gbp(total),
        }],
        totals: Totals {
            subtotal: gbp(total),
            adjustments: gbp(0),
            shipping: gbp(0),
            tax: gbp(0),
            total: gbp(total),
        },
        payment: PaymentMethod {
            provider: "sandbox".into(),
            token: Personal::new(person, "tok_1".into()),
        },
        shipping: None,
        channel: contracts::cart::web(),
        redemptions: Vec::new(),
        credits: Vec::new(),
        buyer_key: String::new(),
        capture: contracts::pricing::CaptureMode::Manual,
        locale: None,
        access_token_hash: "abc123".into(),
        deadline: START.plus_seconds(900),
        at: START,
    }
}

/// An order of 5.00 with a coupon, and 2.00 of a gift card.
pub fn claiming() -> OrderPlaced {
    OrderPlaced {
        redemptions: vec![PromotionUse {
            promotion_id: "prm_1".parse().expect("an id"),
            coupon: Some("SUMMER".into()),
            campaign: None,
            amount: gbp(100),
        }],
        credits: vec![CreditUse {
            account_id: "crd_1".parse().expect("an id"),
            amount: gbp(200),
        }],
        ..placed(500)
    }
}

pub fn fulfilment(id: &str) -> FulfilmentId {
    id.parse().expect("an id")
}

/// So many units of the order's line left.
pub fn shipped(id: &str, quantity: i64) -> Step {
    Step::Shipped(Arc::new(FulfilmentShipped {
        fulfilment_id: fulfilment(id),
        order_id: order_id(),
        number: "S-000000001Z".into(),
        location: LocationId::main(),
        lines: vec![FulfilmentLine {
            line_id: "lin_1".parse().expect("an id"),
            sku: "MUG-BLUE".into(),
            title: "Mug".into(),
            quantity,
        }],
        tracking: None,
        more_tracking: Vec::new(),
        at: START,
    }))
}

pub fn shortage() -> Shortage {
    Shortage {
        sku: "MUG-BLUE".into(),
        wanted: 2,
        available: 1,
    }
}

pub fn at(seconds: i64, step: Step) -> OrderCommand {
    OrderCommand {
        at: START.plus_seconds(seconds),
        step,
    }
}

pub fn place() -> Step {
    Step::Place(Arc::new(placed(500)))
}

pub fn authorised() -> Step {
    Step::PaymentAuthorised(payment(), gbp(500))
}

pub fn action() -> Step {
    Step::PaymentActionRequired(payment(), "https://bank.example/3ds".into())
}

pub fn buyer_cancels() -> Step {
    Step::Cancel(Canceller::Buyer {
        actor: "guest".into(),
        within: WITHIN,
    })
}

pub fn staff_cancels() -> Step {
    Step::Cancel(Canceller::Staff {
        actor: "staff:usr_1".into(),
    })
}

/// An order that has met `steps`, one a second.
pub fn after(steps: impl IntoIterator<Item = Step>) -> Given<Order> {
    let mut order = given::<Order>([]);
    for (second, step) in steps.into_iter().enumerate() {
        order.when(at(second as i64, step)).expect("accepted");
    }
    order
}

/// The last part of each event's name: `placed`, `confirmed`.
pub fn names(events: &[OrderEvent]) -> Vec<&'static str> {
    let name = |event: &OrderEvent| event.wire_name().split('.').nth(2).unwrap_or_default();
    events.iter().map(name).collect()
}

pub fn recorded<E: Event>(topic: &str, stream: &str, event: E) -> Recorded {
    let typed = OnceLock::new();
    let kind = event.wire_name();
    let _ = typed.set(Arc::new(event) as _);
    Recorded {
        topic: topic.into(),
        position: 0,
        prev: 0,
        partition: 0,
        stream: StreamId::from_name(stream),
        version: 1,
        kind: kind.into(),
        data: "".into(),
        at: START,
        meta: EventMeta::default(),
        typed,
    }
}
