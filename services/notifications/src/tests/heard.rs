//! What others' events lead to.

use contracts::{
    cart::{CartAbandoned, CartEvent, CartLine},
    customers::{
        ConsentChanged, ConsentEvent, ConsentSource, CustomerEvent as Customers,
        EmailVerificationRequested, Purpose,
    },
    identity::{CustomerEvent, CustomerRegistered},
    notifications::{Channel, MessageKind},
    orders::{OrderEvent, OrderPaymentCaptured},
    shipping::{
        FulfilmentCreated, FulfilmentDelivered, FulfilmentLine, FulfilmentNews, FulfilmentShipped,
        Tracking,
    },
};
use kernel::{Personal, testing::World};

use super::fixtures::*;
use crate::{from_cart, from_customers, from_identity, from_orders, from_shipping};

fn hear_order(world: &mut World, version: i64, event: impl Fn() -> OrderEvent) {
    let recorded = || heard("orders", ("order", "ord_1"), version, event());
    react(world, &from_orders::orders(vec![]), &recorded());
    react(world, &from_orders::news(vec![]), &recorded());
}

fn delivered() -> FulfilmentNews {
    FulfilmentDelivered {
        fulfilment_id: id("ful_1"),
        order_id: id("ord_1"),
        at: NOW,
    }
    .into()
}

fn hear_shipping(world: &mut World, event: FulfilmentNews) {
    let recorded = heard("shipping", ("fulfilment", "ful_1"), 1, event);
    react(world, &from_shipping::news(vec![]), &recorded);
}

#[test]
fn a_confirmed_order_is_told_once_however_often_it_is_heard() {
    let mut world = world();
    hear_order(&mut world, 1, placed);
    for _ in 0..3 {
        hear_order(&mut world, 2, confirmed);
    }
    let told = message(&world, "order_confirmed-ord_1")
        .queued
        .expect("queued");
    assert_eq!(told.to.get().map(String::as_str), Some("ann@example.org"));
    assert_eq!(told.locale.as_deref(), Some("de"));
    let data = told.data.get().expect("data");
    assert_eq!(data["order"]["number"], "S-1");
    assert_eq!(data["lines"][0]["title"], "Mug");
    assert_eq!(data["address"][1], "1 High Street");
    assert_eq!(message(&world, "order_confirmed-ord_1").pending, Some(1));
    // That it was placed, the buyer saw.
    assert!(message(&world, "order_placed-ord_1").queued.is_none());
}

#[test]
fn a_cancellation_names_its_reason() {
    let mut world = world();
    hear_order(&mut world, 1, placed);
    hear_order(&mut world, 2, cancelled);
    let told = message(&world, "order_cancelled-ord_1")
        .queued
        .expect("queued");
    assert_eq!(told.data.get().expect("data")["reason"], "sold_out");
}

#[test]
fn news_that_comes_before_its_order_is_told_with_it() {
    let mut world = world();
    hear_shipping(&mut world, delivered());
    hear_shipping(&mut world, delivered());
    hear_order(&mut world, 2, confirmed);
    assert!(
        message(&world, "order_delivered-ord_1-ful_1")
            .queued
            .is_none()
    );
    hear_order(&mut world, 1, placed);
    assert!(
        message(&world, "order_delivered-ord_1-ful_1")
            .queued
            .is_some()
    );
    assert!(message(&world, "order_confirmed-ord_1").queued.is_some());
    // From then on it is told at once, and still once.
    hear_shipping(&mut world, delivered());
    let again = message(&world, "order_delivered-ord_1-ful_1");
    assert_eq!(again.pending, Some(1));
}

#[test]
fn each_part_of_a_payment_is_told() {
    let mut world = world();
    hear_order(&mut world, 1, placed);
    for captured in [200, 500] {
        hear_order(&mut world, captured, || {
            OrderPaymentCaptured {
                order_id: id("ord_1"),
                amount: gbp(200),
                captured: gbp(captured),
                at: NOW,
            }
            .into()
        });
    }
    for name in ["payment_captured-ord_1-200", "payment_captured-ord_1-500"] {
        assert!(message(&world, name).queued.is_some(), "{name}");
    }
}

fn shipped(tracking: Option<Tracking>) -> FulfilmentNews {
    FulfilmentShipped {
        fulfilment_id: id("ful_1"),
        order_id: id("ord_1"),
        number: "S-1".into(),
        location: id("loc_main"),
        lines: vec![FulfilmentLine {
            line_id: id("lin_1"),
            sku: "MUG".into(),
            title: "Mug".into(),
            quantity: 1,
        }],
        more_tracking: Vec::new(),
        tracking,
        at: NOW,
    }
    .into()
}

#[test]
fn a_shipment_says_how_it_can_be_followed_and_links_only_to_the_web() {
    let mut world = world();
    hear_order(&mut world, 1, placed);
    hear_shipping(&mut world, shipped(None));
    assert!(
        message(&world, "order_shipped-ord_1-ful_1")
            .queued
            .is_none()
    );
    let tracking = |url: &str| Tracking {
        carrier: "souk-post".into(),
        number: "SP1".into(),
        url: Some(url.into()),
    };
    hear_shipping(&mut world, shipped(Some(tracking("javascript:alert(1)"))));
    let told = message(&world, "order_shipped-ord_1-ful_1")
        .queued
        .expect("queued");
    let data = told.data.get().expect("data");
    assert_eq!(data["tracking"]["number"], "SP1");
    assert!(data["tracking"]["url"].is_null());
    assert_eq!(data["items"][0]["quantity"], 1);
}

#[test]
fn only_what_is_collected_is_announced_before_it_leaves() {
    for collect in [false, true] {
        let mut world = world();
        hear_order(&mut world, 1, placed);
        let created = FulfilmentCreated {
            split_from: None,
            fulfilment_id: id("ful_1"),
            order_id: id("ord_1"),
            number: "S-1".into(),
            location: id("loc_main"),
            person: id("per_1"),
            recipient: Personal::new(id("per_1"), contact()),
            lines: vec![],
            option_id: None,
            collect,
            at: NOW,
        };
        hear_shipping(&mut world, created.into());
        let told = message(&world, "ready_to_collect-ord_1-ful_1").queued;
        assert_eq!(told.is_some(), collect);
    }
}

#[test]
fn a_text_message_goes_too_where_the_shop_wants_it() {
    let mut world = world();
    hear_order(&mut world, 1, placed);
    let wanted = vec![MessageKind::OrderConfirmed];
    let recorded = heard("orders", ("order", "ord_1"), 2, confirmed());
    react(&mut world, &from_orders::news(wanted), &recorded);
    let text = message(&world, "order_confirmed-ord_1-sms")
        .queued
        .expect("queued");
    assert_eq!(text.channel, Channel::Sms);
    assert_eq!(text.to.get().map(String::as_str), Some("+441134960000"));
    assert!(message(&world, "order_confirmed-ord_1").queued.is_some());
}

fn registered() -> CustomerEvent {
    CustomerRegistered {
        customer_id: id("cus_1"),
        email: Personal::new(id("per_1"), "ann@example.org".into()),
    }
    .into()
}

fn abandon(world: &mut World, cart: &str, customer: Option<&str>) {
    let event = CartEvent::Abandoned(CartAbandoned {
        cart_id: id(cart),
        customer_id: customer.map(id),
        lines: vec![CartLine {
            id: id("lin_1"),
            sku: "MUG".into(),
            title: "Mug".into(),
            handle: "mug".into(),
            quantity: 1,
            unit_price: gbp(250),
            item: Default::default(),
        }],
        at: NOW,
    });
    let recorded = heard("cart", ("cart", cart), 1, event);
    react(world, &from_cart::abandoned(), &recorded);
}

fn consent(world: &mut World, purpose: Purpose, granted: bool) {
    let event = ConsentEvent::Changed(ConsentChanged {
        customer_id: Some(id("cus_1")),
        person: id("per_1"),
        purpose,
        granted,
        source: ConsentSource::Account,
        policy_version: String::new(),
        at: NOW,
    });
    let recorded = heard("customers", ("consent", "cus_1"), 1, event);
    react(world, &from_customers::readers(), &recorded);
}

#[test]
fn a_cart_is_reminded_of_only_with_consent_and_once() {
    let mut world = world();
    abandon(&mut world, "crt_1", Some("cus_1"));
    let recorded = heard("identity", ("customer", "cus_1"), 1, registered());
    react(&mut world, &from_identity::readers(), &recorded);
    abandon(&mut world, "crt_2", Some("cus_1"));
    consent(&mut world, Purpose::Profiling, true);
    abandon(&mut world, "crt_3", Some("cus_1"));
    consent(&mut world, Purpose::MarketingEmail, true);
    abandon(&mut world, "crt_4", None);
    for (cart, told) in [
        ("crt_1", false),
        ("crt_2", false),
        ("crt_3", false),
        ("crt_4", false),
    ] {
        let name = format!("abandoned_cart-{cart}");
        assert_eq!(message(&world, &name).queued.is_some(), told, "{cart}");
    }
    abandon(&mut world, "crt_5", Some("cus_1"));
    abandon(&mut world, "crt_5", Some("cus_1"));
    let reminder = message(&world, "abandoned_cart-crt_5")
        .queued
        .expect("queued");
    assert_eq!(reminder.customer_id, Some(id("cus_1")));
    consent(&mut world, Purpose::MarketingEmail, false);
    abandon(&mut world, "crt_6", Some("cus_1"));
    assert!(message(&world, "abandoned_cart-crt_6").queued.is_none());
}

#[test]
fn who_opens_an_account_is_welcomed() {
    let mut world = world();
    let recorded = heard("identity", ("customer", "cus_1"), 1, registered());
    react(&mut world, &from_identity::news(), &recorded);
    react(&mut world, &from_identity::news(), &recorded);
    let told = message(&world, "welcome-cus_1").queued.expect("queued");
    assert_eq!(told.kind, MessageKind::Welcome);
}

#[test]
fn an_address_to_be_verified_gets_its_token() {
    let sealed = |text: &str| Personal::new(id("per_1"), text.to_owned());
    let event = Customers::VerificationRequested(EmailVerificationRequested {
        customer_id: id("cus_1"),
        email: sealed("ann@example.org"),
        token: sealed("secret"),
        token_hash: String::new(),
        expires_at: NOW,
    });
    let recorded = heard("customers", ("customer", "cus_1"), 4, event);
    let mut world = world();
    react(&mut world, &from_customers::news(), &recorded);
    let told = message(&world, "email_verification-cus_1-4")
        .queued
        .expect("queued");
    assert_eq!(told.data.get().expect("data")["token"], "secret");
}
