//! The checkout process: from other services' events to an order's events, and its timer.

use contracts::{
    cart::{CartCheckedOut, CartCreated, CartEvent},
    inventory::{ReservationEvent, ReservationMade, ReservationRefused, StockAdjusted, StockEvent},
    orders::OrderStatus,
    payments::{PaymentAuthorised, PaymentDeclined, PaymentEvent, PaymentVoided},
};
use kernel::{
    Command, DeciderSpec, Rejection, Subscription, Timer, TimerOp, UnitOfWork, Work,
    testing::{World, kinds},
};

use super::*;
use crate::checkout::{OnOrder, deadline, from_carts, from_inventory, from_payments};

/// Runs what an event leads to.
struct Heard(Vec<Box<dyn kernel::AnyCommand>>);

impl Command for Heard {
    type Output = ();

    fn streams(&self) -> Vec<StreamId> {
        self.0
            .iter()
            .flat_map(|command| command.streams())
            .collect()
    }

    fn handle(&self, work: &mut UnitOfWork<'_>) -> Result<(), Rejection> {
        self.0
            .iter()
            .try_for_each(|command| command.handle_any(work).map(drop))
    }
}

fn world() -> World {
    let mut world = World::new([DeciderSpec::of::<Order>()]);
    world.now = START;
    world
}

fn hear<E: Event>(world: &mut World, by: &Subscription, topic: &str, event: E) -> Work {
    let reaction = (by.react)(&recorded(topic, "any-1", event)).expect("no poison");
    let heard = Heard(reaction.commands);
    world.run(&heard).expect("never a rejection").1
}

fn checked_out() -> CartEvent {
    let order = placed(500);
    CartEvent::CheckedOut(CartCheckedOut {
        cart_id: order.cart_id,
        order_id: order.order_id,
        number: order.number,
        person: order.person,
        customer_id: order.customer_id,
        contact: order.contact,
        lines: order.lines,
        totals: order.totals,
        payment: order.payment,
        shipping: order.shipping,
        channel: order.channel,
        redemptions: order.redemptions,
        credits: order.credits,
        buyer_key: order.buyer_key,
        capture: order.capture,
        locale: order.locale,
        access_token_hash: order.access_token_hash,
        deadline: order.deadline,
        at: START,
    })
}

fn made() -> ReservationEvent {
    ReservationEvent::Made(ReservationMade {
        reservation: "ord_1f".into(),
        order_id: Some(order_id()),
        lines: vec![],
        expires_at: None,
    })
}

fn authorised_event() -> PaymentEvent {
    PaymentEvent::Authorised(PaymentAuthorised {
        payment_id: payment(),
        order_id: order_id(),
        amount: gbp(500),
        provider_reference: "sbx_1".into(),
    })
}

const KEY: &str = "order-deadline:ord_1f";

#[test]
fn a_checked_out_cart_becomes_an_order_and_runs_to_confirmed() {
    let mut world = world();
    let work = hear(&mut world, &from_carts(), "cart", checked_out());
    assert_eq!(kinds(&work), ["orders.order.placed.v1"]);
    let set = Timer {
        key: KEY.into(),
        due: START.plus_seconds(900),
        kind: "order-deadline".into(),
        data: "ord_1f".into(),
    };
    assert_eq!(work.timers, [TimerOp::Set(set)]);
    let work = hear(&mut world, &from_inventory(), "inventory", made());
    let asked = [
        "orders.order.stock_reserved.v1",
        "orders.order.payment_requested.v1",
    ];
    assert_eq!((kinds(&work), work.timers.len()), (asked.to_vec(), 0));
    let work = hear(&mut world, &from_payments(), "payments", authorised_event());
    assert_eq!(kinds(&work), ["orders.order.confirmed.v1"]);
    assert_eq!(work.timers, [TimerOp::Cancel(KEY.into())]);
    assert_eq!(
        world.state::<Order>("ord_1f").status,
        OrderStatus::Confirmed
    );
}

#[test]
fn everything_heard_twice_happens_once() {
    let mut world = world();
    for expected in [1, 0] {
        let work = hear(&mut world, &from_carts(), "cart", checked_out());
        assert_eq!((work.events.len(), work.timers.len()), (expected, expected));
    }
    for expected in [2, 0] {
        let work = hear(&mut world, &from_inventory(), "inventory", made());
        assert_eq!(work.events.len(), expected);
    }
    for expected in [1, 0] {
        let work = hear(&mut world, &from_payments(), "payments", authorised_event());
        assert_eq!((work.events.len(), work.timers.len()), (expected, expected));
    }
}

#[test]
fn a_refused_reservation_cancels_and_a_declined_payment_too() {
    let mut world = world();
    hear(&mut world, &from_carts(), "cart", checked_out());
    let refused = ReservationEvent::Refused(ReservationRefused {
        reservation: "ord_1f".into(),
        order_id: Some(order_id()),
        shortages: vec![shortage()],
    });
    let work = hear(&mut world, &from_inventory(), "inventory", refused);
    assert_eq!(kinds(&work), ["orders.order.cancelled.v1"]);
    assert_eq!(work.timers, [TimerOp::Cancel(KEY.into())]);

    let mut world = self::world();
    hear(&mut world, &from_carts(), "cart", checked_out());
    hear(&mut world, &from_inventory(), "inventory", made());
    let declined = PaymentEvent::Declined(PaymentDeclined {
        payment_id: payment(),
        order_id: order_id(),
        code: "insufficient_funds".into(),
    });
    let work = hear(&mut world, &from_payments(), "payments", declined);
    assert_eq!(kinds(&work), ["orders.order.cancelled.v1"]);
}

#[test]
fn the_deadline_cancels_what_is_not_confirmed_and_nothing_else() {
    let due = Timer {
        key: KEY.into(),
        due: START,
        kind: "order-deadline".into(),
        data: "ord_1f".into(),
    };
    let fire = |world: &mut World| {
        let command = deadline(&due).expect("readable");
        let heard = Heard(vec![command]);
        kinds(&world.run(&heard).expect("never a rejection").1)
    };
    let mut pending = world();
    hear(&mut pending, &from_carts(), "cart", checked_out());
    assert_eq!(fire(&mut pending), ["orders.order.cancelled.v1"]);
    let mut confirmed = world();
    hear(&mut confirmed, &from_carts(), "cart", checked_out());
    hear(&mut confirmed, &from_inventory(), "inventory", made());
    hear(
        &mut confirmed,
        &from_payments(),
        "payments",
        authorised_event(),
    );
    assert_eq!(fire(&mut confirmed), Vec::<&str>::new());
    let mut unheard_of = world();
    assert_eq!(fire(&mut unheard_of), Vec::<&str>::new());
}

#[test]
fn a_cancellation_by_a_person_cancels_the_timer_too() {
    let mut world = world();
    hear(&mut world, &from_carts(), "cart", checked_out());
    let id = order_id();
    let step = buyer_cancels();
    let (order, work) = world.run(&OnOrder { id, step }).expect("cancelled");
    assert_eq!(order.status, OrderStatus::Cancelled);
    assert_eq!(work.timers, [TimerOp::Cancel(KEY.into())]);
}

#[test]
fn what_does_not_concern_orders_leads_to_nothing() {
    let mut world = world();
    let created = CartEvent::Created(CartCreated {
        cart_id: "crt_1".parse().expect("an id"),
        currency: Currency::GBP,
        customer_id: None,
        channel: contracts::cart::web(),
        at: START,
    });
    assert_eq!(
        hear(&mut world, &from_carts(), "cart", created)
            .events
            .len(),
        0
    );
    let hold = ReservationEvent::Made(ReservationMade {
        reservation: "hold_1".into(),
        order_id: None,
        lines: vec![],
        expires_at: Some(START),
    });
    assert_eq!(
        hear(&mut world, &from_inventory(), "inventory", hold)
            .events
            .len(),
        0
    );
    let stock = StockEvent::Adjusted(StockAdjusted {
        sku: "A".into(),
        location: "loc_1".parse().expect("an id"),
        delta: 1,
        on_hand: 1,
        reason: contracts::inventory::MovementReason::Received,
        reference: None,
        note: None,
        available: 1,
    });
    assert_eq!(
        hear(&mut world, &from_inventory(), "inventory", stock)
            .events
            .len(),
        0
    );
    let voided = PaymentEvent::Voided(PaymentVoided {
        payment_id: payment(),
        order_id: order_id(),
        amount: gbp(500),
    });
    assert_eq!(
        hear(&mut world, &from_payments(), "payments", voided)
            .events
            .len(),
        0
    );
}
