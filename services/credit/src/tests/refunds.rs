//! Money of an order goes back as credit: once, to those who paid, or to the customer.

use contracts::{
    credit::{CreditHoldEvent, CreditRefundRefusal, CreditRefundTo},
    orders::OrderRefundToCreditRequested,
};
use kernel::{
    Money,
    testing::{World, kinds},
};

use super::{balance, card, customer, eur, gbp, issue, order, place, store_credit, uses, world};
use crate::{
    account::Account,
    change::MAX_BALANCE,
    holding::{Release, Spend},
    refund::Refund,
};

fn asked(id: &str, amount: Money, to: CreditRefundTo) -> OrderRefundToCreditRequested {
    OrderRefundToCreditRequested {
        order_id: order(1),
        refund_id: id.into(),
        customer_id: Some(customer("ann")),
        amount,
        to,
        at: kernel::Timestamp(0),
    }
}

/// The refusal of `request`, or `None` when it is made.
fn run(world: &mut World, request: &OrderRefundToCreditRequested) -> Option<CreditRefundRefusal> {
    let (_, work) = world.run(&Refund::of(request)).expect("never a rejection");
    let event = work.events.last().expect("an answer");
    match event.typed.downcast_ref::<CreditHoldEvent>() {
        Some(CreditHoldEvent::RefundMade(e)) => {
            assert_eq!(
                (&e.refund_id, e.amount),
                (&request.refund_id, request.amount)
            );
            None
        }
        Some(CreditHoldEvent::RefundRefused(e)) => {
            assert_eq!(work.events.len(), 1);
            Some(e.reason)
        }
        other => panic!("{other:?}"),
    }
}

/// An order paid with 400 of card a (500) and 300 of card b (300).
fn paid() -> World {
    let mut world = world();
    issue(&mut world, "a", gbp(500), None);
    issue(&mut world, "b", gbp(300), None);
    let (a, b) = (card("a"), card("b"));
    world
        .run(&place(1, None, &[(&a, gbp(400)), (&b, gbp(300))]))
        .expect("held");
    let order_id = order(1);
    world.run(&Spend { order_id }).expect("spent");
    world
}

#[test]
fn store_credit_is_opened_for_the_customer() {
    let mut world = world();
    let request = asked("r1", gbp(250), CreditRefundTo::StoreCredit);
    let (_, work) = world.run(&Refund::of(&request)).expect("made");
    assert_eq!(
        kinds(&work),
        [
            "credit.account.opened.v1",
            "credit.account.changed.v1",
            "credit.refund.made.v1"
        ]
    );
    let account = store_credit("ann");
    assert_eq!(balance(&world, &account), 250);
    let opened = world.state::<Account>(account.as_str()).opened;
    assert_eq!(opened.and_then(|o| o.customer_id), Some(customer("ann")));
    let second = asked("r2", gbp(50), CreditRefundTo::StoreCredit);
    assert_eq!(run(&mut world, &second), None);
    assert_eq!(balance(&world, &account), 300);
}

#[test]
fn a_refund_is_answered_once() {
    let mut world = world();
    let made = asked("r1", gbp(250), CreditRefundTo::StoreCredit);
    assert_eq!(run(&mut world, &made), None);
    let refused = asked("r2", gbp(0), CreditRefundTo::StoreCredit);
    assert!(run(&mut world, &refused).is_some());
    for again in [
        &made,
        &refused,
        &asked("r2", gbp(9), CreditRefundTo::StoreCredit),
    ] {
        let (_, work) = world.run(&Refund::of(again)).expect("nothing");
        assert!(work.events.is_empty());
    }
    assert_eq!(balance(&world, &store_credit("ann")), 250);
}

#[test]
fn a_guest_has_no_store_credit() {
    let mut world = world();
    let guest = OrderRefundToCreditRequested {
        customer_id: None,
        ..asked("r1", gbp(250), CreditRefundTo::StoreCredit)
    };
    assert_eq!(
        run(&mut world, &guest),
        Some(CreditRefundRefusal::NoCustomer)
    );
}

#[test]
fn those_who_paid_get_back_what_they_paid_and_no_more() {
    let mut world = paid();
    let (a, b) = (card("a"), card("b"));
    let to = |of: &[(&_, Money)]| CreditRefundTo::Accounts(uses(of));
    // Named twice: summed.
    let first = asked(
        "r1",
        gbp(350),
        to(&[(&a, gbp(100)), (&b, gbp(200)), (&a, gbp(50))]),
    );
    assert_eq!(run(&mut world, &first), None);
    assert_eq!((balance(&world, &a), balance(&world, &b)), (250, 200));
    let too_much = asked("r2", gbp(251), to(&[(&a, gbp(251))]));
    assert_eq!(
        run(&mut world, &too_much),
        Some(CreditRefundRefusal::MoreThanSpent)
    );
    let rest = asked("r3", gbp(350), to(&[(&a, gbp(250)), (&b, gbp(100))]));
    assert_eq!(run(&mut world, &rest), None);
    assert_eq!((balance(&world, &a), balance(&world, &b)), (500, 300));
}

#[test]
fn what_was_refunded_does_not_come_back_again_when_the_order_is_given_up() {
    let mut world = paid();
    let (a, b) = (card("a"), card("b"));
    let part = asked(
        "r1",
        gbp(400),
        CreditRefundTo::Accounts(uses(&[(&a, gbp(400))])),
    );
    assert_eq!(run(&mut world, &part), None);
    let order_id = order(1);
    world.run(&Release { order_id }).expect("back");
    assert_eq!((balance(&world, &a), balance(&world, &b)), (500, 300));
    let late = asked(
        "r2",
        gbp(1),
        CreditRefundTo::Accounts(uses(&[(&b, gbp(1))])),
    );
    assert_eq!(
        run(&mut world, &late),
        Some(CreditRefundRefusal::MoreThanSpent)
    );
}

#[test]
fn what_cannot_be_is_refused_by_an_event() {
    let (a, b) = (card("a"), card("b"));
    let to = |of: &[(&_, Money)]| CreditRefundTo::Accounts(uses(of));
    use CreditRefundRefusal::{BadAmount, MoreThanSpent, UnknownAccount, WrongCurrency};
    let cases = [
        (gbp(-1), CreditRefundTo::StoreCredit, BadAmount),
        (gbp(MAX_BALANCE + 1), CreditRefundTo::StoreCredit, BadAmount),
        (gbp(5), to(&[(&a, gbp(4))]), BadAmount),
        (gbp(5), to(&[]), BadAmount),
        (gbp(5), to(&[(&a, gbp(6)), (&b, gbp(-1))]), BadAmount),
        (gbp(5), to(&[(&a, eur(5))]), WrongCurrency),
        (eur(5), to(&[(&a, eur(5))]), WrongCurrency),
        (gbp(5), to(&[(&card("x"), gbp(5))]), UnknownAccount),
        (gbp(301), to(&[(&b, gbp(301))]), MoreThanSpent),
        (gbp(5), to(&[(&a, gbp(i64::MAX)), (&a, gbp(6))]), BadAmount),
    ];
    for (amount, to, reason) in cases {
        let mut world = paid();
        assert_eq!(run(&mut world, &asked("r1", amount, to)), Some(reason));
        assert_eq!((balance(&world, &a), balance(&world, &b)), (100, 0));
    }
}

#[test]
fn what_is_only_held_is_not_refunded() {
    let mut world = world();
    issue(&mut world, "a", gbp(500), None);
    let a = card("a");
    world.run(&place(1, None, &[(&a, gbp(400))])).expect("held");
    let early = asked(
        "r1",
        gbp(1),
        CreditRefundTo::Accounts(uses(&[(&a, gbp(1))])),
    );
    assert_eq!(
        run(&mut world, &early),
        Some(CreditRefundRefusal::MoreThanSpent)
    );
}
