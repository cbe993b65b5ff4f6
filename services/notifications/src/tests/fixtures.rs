//! Things that tests begin with.

use std::sync::{Arc, OnceLock};

use contracts::{
    address::{Address, Contact},
    cart::PaymentMethod,
    notifications::{
        Channel, MessageEvent, MessageKind, MessageQueued, OrderNoted, RestockRequested,
    },
    orders::{
        CancelReason, OrderCancelled, OrderConfirmed, OrderEvent, OrderLine, OrderPlaced, Totals,
    },
};
use kernel::{
    AnyCommand, Currency, Decider, DeciderSpec, Event, EventMeta, Money, Personal, Recorded,
    StreamId, Subscription, Timestamp,
    testing::{World, plain_keys},
    with_keys,
};
use serde_json::json;

use crate::{
    address, known_order, message,
    message::{Ask, MessageCommand},
    reader, restock,
};

pub const NOW: Timestamp = Timestamp(1_700_000_000_000_000);

pub fn id<T: std::str::FromStr<Err = String>>(text: &str) -> T {
    text.parse().expect("a good id")
}

pub fn gbp(amount: i64) -> Money {
    Money::new(amount, Currency::GBP)
}

pub fn world() -> World {
    World::new([
        DeciderSpec::of::<message::Message>(),
        DeciderSpec::of::<known_order::KnownOrder>(),
        DeciderSpec::of::<reader::Reader>(),
        DeciderSpec::of::<address::Address>(),
        DeciderSpec::of::<restock::Restock>(),
    ])
}

pub fn queued() -> MessageQueued {
    MessageQueued {
        message_id: "order_confirmed-ord_1".into(),
        kind: MessageKind::OrderConfirmed,
        channel: Channel::Email,
        person: id("per_1"),
        to: Personal::new(id("per_1"), "ann@example.org".into()),
        locale: Some("de".into()),
        data: Personal::new(id("per_1"), json!({ "name": "Ann" })),
        order_id: Some(id("ord_1")),
        customer_id: None,
        at: NOW,
    }
}

pub fn ask(ask: Ask) -> MessageCommand {
    MessageCommand { at: NOW, ask }
}

pub fn names(events: &[MessageEvent]) -> Vec<&'static str> {
    let name = |event: &MessageEvent| event.wire_name().split('.').nth(2).unwrap_or_default();
    events.iter().map(name).collect()
}

pub fn contact() -> Contact {
    Contact {
        email: "ann@example.org".into(),
        shipping_address: Address {
            name: "Ann".into(),
            line1: "1 High Street".into(),
            city: "Leeds".into(),
            country: "GB".into(),
            phone: "+441134960000".into(),
            ..Address::default()
        },
        vat_number: None,
    }
}

fn line() -> OrderLine {
    OrderLine {
        id: id("lin_1"),
        sku: "MUG".into(),
        title: "Mug".into(),
        quantity: 2,
        unit_price: gbp(250),
        subtotal: gbp(500),
        adjustments: vec![],
        taxes: vec![],
        requires_shipping: true,
        total: gbp(500),
    }
}

fn totals() -> Totals {
    Totals {
        subtotal: gbp(500),
        adjustments: gbp(0),
        shipping: gbp(0),
        tax: gbp(0),
        total: gbp(500),
    }
}

pub fn noted() -> OrderNoted {
    OrderNoted {
        order_id: id("ord_1"),
        number: "S-1".into(),
        cart_id: id("crt_1"),
        person: id("per_1"),
        customer_id: None,
        contact: Personal::new(id("per_1"), contact()),
        lines: vec![line()],
        totals: totals(),
        shipping: None,
        locale: Some("de".into()),
        access_token_hash: "hash".into(),
        placed_at: NOW,
    }
}

pub fn placed() -> OrderEvent {
    let noted = noted();
    OrderPlaced {
        order_id: noted.order_id,
        number: noted.number,
        cart_id: noted.cart_id,
        person: noted.person.clone(),
        customer_id: None,
        contact: noted.contact,
        lines: noted.lines,
        totals: noted.totals,
        payment: PaymentMethod {
            provider: "sandbox".into(),
            token: Personal::new(noted.person, "tok_1".into()),
        },
        shipping: None,
        channel: "web".into(),
        redemptions: vec![],
        credits: vec![],
        buyer_key: String::new(),
        capture: Default::default(),
        locale: noted.locale,
        access_token_hash: noted.access_token_hash,
        deadline: NOW,
        at: NOW,
    }
    .into()
}

pub fn confirmed() -> OrderEvent {
    OrderConfirmed {
        order_id: id("ord_1"),
        number: "S-1".into(),
        payment_id: id("pay_1"),
        total: gbp(500),
        at: NOW,
    }
    .into()
}

pub fn cancelled() -> OrderEvent {
    OrderCancelled {
        order_id: id("ord_1"),
        number: "S-1".into(),
        reason: CancelReason::SoldOut,
        shortages: vec![],
        payment_id: None,
        by: None,
        at: NOW,
    }
    .into()
}

pub fn wish(n: u32) -> RestockRequested {
    RestockRequested {
        request_id: id(&format!("bsr_{n}")),
        sku: "MUG".into(),
        title: "Mug".into(),
        handle: "mug".into(),
        address_key: format!("key{n}"),
        person: id(&format!("per_{n}")),
        email: Personal::new(id(&format!("per_{n}")), format!("reader{n}@example.org")),
        customer_id: None,
        locale: None,
        at: NOW,
    }
}

/// An event as a subscription hears it.
pub fn heard<E: Event>(topic: &str, stream: (&str, &str), version: i64, event: E) -> Recorded {
    let keys = plain_keys();
    let data = with_keys(&keys, || event.encode()).expect("encoded");
    raw(topic, stream, version, event.wire_name(), &data)
}

pub fn raw(topic: &str, stream: (&str, &str), version: i64, kind: &str, data: &str) -> Recorded {
    Recorded {
        topic: topic.into(),
        position: version,
        prev: version - 1,
        partition: 0,
        stream: StreamId::new(stream.0, stream.1),
        version,
        kind: kind.into(),
        data: data.into(),
        at: NOW,
        meta: EventMeta::default(),
        typed: OnceLock::new(),
    }
}

/// What a subscription makes of an event, done in the world.
pub fn react(world: &mut World, subscription: &Subscription, event: &Recorded) {
    let keys = plain_keys();
    let reaction = with_keys(&keys, || (subscription.react)(event)).expect("no poison");
    for command in &reaction.commands {
        let command: &dyn AnyCommand = command.as_ref();
        world.run_any(command).expect("never refused");
    }
}

/// The state of a message.
pub fn message(world: &World, id: &str) -> crate::message::MessageState {
    let known = message::Message::CATEGORY;
    assert_eq!(known, "message");
    world.state::<message::Message>(id)
}

/// The same event twice is the same.
pub fn arc<T>(value: T) -> Arc<T> {
    Arc::new(value)
}
