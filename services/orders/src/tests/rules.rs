//! Single rules: what the events say, and the cases between the lines of the table.

use contracts::orders::{CancelReason, OrderCancelled, OrderStatus};

use super::*;
use crate::{render::order_view, transitions::payment_of};

fn cancelled(events: &[OrderEvent]) -> &OrderCancelled {
    match events {
        [OrderEvent::Cancelled(cancelled)] => cancelled,
        other => panic!("{other:?}"),
    }
}

#[test]
fn reserved_stock_asks_for_the_whole_total_under_the_order_s_own_payment_id() {
    let mut order = after([place()]);
    let events = order.when(at(1, Step::StockReserved)).expect("accepted");
    let [
        OrderEvent::StockReserved(_),
        OrderEvent::PaymentRequested(asked),
    ] = events.as_slice()
    else {
        panic!("{events:?}");
    };
    assert_eq!(
        asked.payment_id,
        payment_of(&order_id()).expect("a payment id")
    );
    assert_eq!(asked.payment_id.as_str(), "pay_1f");
    assert_eq!(
        (asked.amount, asked.deadline),
        (gbp(500), START.plus_seconds(900))
    );
    assert_eq!(asked.access_token_hash, "abc123");
}

#[test]
fn an_order_that_costs_nothing_is_confirmed_without_a_payment() {
    let mut order = after([Step::Place(Arc::new(placed(0)))]);
    let events = order.when(at(1, Step::StockReserved)).expect("accepted");
    assert_eq!(names(&events), ["stock_reserved", "confirmed"]);
    assert_eq!(order.state.payment_id, None);
    let events = order.when(at(2, staff_cancels())).expect("cancelled");
    assert_eq!(cancelled(&events).payment_id, None);
}

#[test]
fn another_order_s_payment_or_too_little_money_confirms_nothing() {
    let other: PaymentId = "pay_2".parse().expect("an id");
    let euros = Money::new(500, Currency::EUR);
    for step in [
        Step::PaymentAuthorised(other.clone(), gbp(500)),
        Step::PaymentAuthorised(payment(), gbp(499)),
        Step::PaymentAuthorised(payment(), euros),
        Step::PaymentDeclined(other.clone()),
        Step::PaymentActionRequired(other, "https://bank.example/".into()),
    ] {
        let mut order = after([place(), Step::StockReserved]);
        assert_eq!(order.when(at(2, step)).expect("ignored").len(), 0);
        assert_eq!(order.state.status, OrderStatus::StockReserved);
    }
}

#[test]
fn a_cancellation_says_why_who_and_what_there_is_to_give_back() {
    let mut order = after([place()]);
    let events = order
        .when(at(1, Step::StockRefused(vec![shortage()])))
        .expect("cancelled");
    let event = cancelled(&events);
    assert_eq!((event.reason, &event.by), (CancelReason::SoldOut, &None));
    assert_eq!(
        (event.shortages.as_slice(), &event.payment_id),
        (&[shortage()][..], &None)
    );

    let paid = || after([place(), Step::StockReserved]);
    for (step, reason, by) in [
        (
            Step::PaymentDeclined(payment()),
            CancelReason::PaymentDeclined,
            None,
        ),
        (Step::DeadlinePassed, CancelReason::Deadline, None),
        (buyer_cancels(), CancelReason::Customer, Some("guest")),
        (staff_cancels(), CancelReason::Staff, Some("staff:usr_1")),
    ] {
        let events = paid().when(at(2, step)).expect("cancelled");
        let event = cancelled(&events);
        assert_eq!((event.reason, event.by.as_deref()), (reason, by));
        assert_eq!(event.payment_id, Some(payment()));
    }
}

#[test]
fn a_buyer_may_cancel_for_a_while_after_the_confirmation_and_staff_for_ever() {
    // Confirmed in second 2.
    let confirmed = || after([place(), Step::StockReserved, authorised()]);
    confirmed()
        .when(at(2 + WITHIN - 1, buyer_cancels()))
        .expect("still in time");
    let late = confirmed()
        .when(at(2 + WITHIN, buyer_cancels()))
        .expect_err("too late");
    assert_eq!(late.code, "too-late-to-cancel");
    confirmed()
        .when(at(1_000_000, staff_cancels()))
        .expect("staff may");
    // Before the confirmation the window does not matter.
    after([place()])
        .when(at(1_000_000, buyer_cancels()))
        .expect("not confirmed yet");
}

#[test]
fn an_authorisation_after_the_end_revives_nothing() {
    let mut order = after([place(), Step::StockReserved, Step::DeadlinePassed]);
    assert_eq!(order.when(at(9, authorised())).expect("ignored").len(), 0);
    assert_eq!(order.state.status, OrderStatus::Cancelled);
}

#[test]
fn captured_and_refunded_count_up_and_old_news_is_no_news() {
    let mut order = after([place(), Step::StockReserved, authorised()]);
    let captured = |now, all| at(9, Step::PaymentCaptured(payment(), gbp(now), gbp(all)));
    assert_eq!(order.when(captured(200, 200)).expect("recorded").len(), 1);
    assert_eq!(order.when(captured(300, 500)).expect("recorded").len(), 1);
    assert_eq!(
        order.when(captured(200, 200)).expect("heard before").len(),
        0
    );
    let refunded = at(9, Step::PaymentRefunded(payment(), gbp(50), gbp(50)));
    assert_eq!(order.when(refunded).expect("recorded").len(), 1);
    let view = order_view(&order.state).expect("a view");
    assert_eq!((view.captured, view.refunded), (gbp(500), gbp(50)));
}

#[test]
fn the_timeline_tells_what_happened_when_and_who_did_it() {
    let order = after([
        place(),
        Step::StockReserved,
        action(),
        authorised(),
        staff_cancels(),
    ]);
    let view = order_view(&order.state).expect("a view");
    let told: Vec<(i64, &str, &str)> = view
        .timeline
        .iter()
        .map(|entry| {
            (
                (entry.at.0 - START.0) / 1_000_000,
                &*entry.what,
                &*entry.who,
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            (0, "placed", "guest"),
            (1, "stock_reserved", "system"),
            (2, "payment_action_required", "system"),
            (3, "confirmed", "system"),
            (4, "cancelled", "staff:usr_1"),
        ]
    );
    assert_eq!(view.cancel_reason, Some(CancelReason::Staff));
}

#[test]
fn the_address_of_the_bank_is_shown_only_while_the_buyer_must_go_there() {
    let mut order = after([place(), Step::StockReserved, action()]);
    let shown = |order: &Given<Order>| order_view(&order.state).expect("a view").payment_action_url;
    assert_eq!(shown(&order).as_deref(), Some("https://bank.example/3ds"));
    order.when(at(5, authorised())).expect("confirmed");
    assert_eq!(shown(&order), None);
}

#[test]
fn an_erased_person_leaves_an_order_without_address() {
    let mut event = placed(500);
    // What the key ring gives back once the key is gone.
    let text = r#"{"person":"per_1"}"#;
    event.contact = serde_json::from_str(text).expect("an erased person's field");
    let order = after([Step::Place(Arc::new(event))]);
    let view = order_view(&order.state).expect("a view");
    assert_eq!((view.email, view.shipping_address.is_none()), (None, true));
    assert_eq!(view.lines.len(), 1);
}
