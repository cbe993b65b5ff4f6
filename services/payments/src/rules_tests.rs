//! The rules as sentences: given a payment to which this happened, when that comes, then …

use OperationKind::{Capture, Refund, Void};
use ProviderStatus::{ActionRequired, Authorised, Captured, Declined, Voided};
use contracts::payments::{OperationKind, OperationStatus, PaymentEvent, PaymentStatus};
use kernel::{Currency, Money, RejectionKind, testing::given};

use crate::{
    fixtures::*,
    payment::{Hold, Payment},
    provider::{ProviderPayment, ProviderStatus},
    rules::{Command, Request},
};

fn declined(code: &str) -> ProviderStatus {
    Declined { code: code.into() }
}

fn action() -> ProviderStatus {
    ActionRequired {
        url: "http://127.0.0.1/3ds".into(),
    }
}

#[test]
fn an_order_asks_once_however_often_it_is_heard() {
    let mut payment = given::<Payment>([]);
    let intend = || Command::Intend(intended(1_000, "tok_visa"));
    assert_eq!(then(&mut payment, intend()), ["intended"]);
    assert!(then(&mut payment, intend()).is_empty());
    assert_eq!(payment.state.status(), PaymentStatus::Pending);
}

#[test]
fn a_card_number_is_refused_and_not_kept() {
    let mut payment = given::<Payment>([]);
    let events = payment
        .when(Command::Intend(intended(1_000, "4242 4242 4242 4242")))
        .expect("an event, not a rejection");
    assert_eq!(names(&events), ["intended", "declined"]);
    let PaymentEvent::Intended(kept) = &events[0] else {
        panic!("intended comes first");
    };
    assert_eq!(kept.method.token.get().map(String::as_str), Some(""));
}

#[test]
fn an_order_that_costs_nothing_needs_no_provider() {
    let mut payment = given::<Payment>([]);
    let free = Command::Intend(intended(0, "tok_visa"));
    assert_eq!(then(&mut payment, free), ["intended", "authorised"]);
    assert_eq!(then(&mut payment, abandon()), ["abandoned", "voided"]);
}

#[test]
fn answer_and_webhook_lead_to_one_authorisation_in_either_order() {
    let mut payment = payment([]);
    assert_eq!(then(&mut payment, told(Authorised)), ["authorised"]);
    assert!(then(&mut payment, told(Authorised)).is_empty());
    assert!(then(&mut payment, told(action())).is_empty(), "an old one");
    assert!(then(&mut payment, told(declined("late"))).is_empty());
}

#[test]
fn the_buyer_acts_and_the_webhook_tells() {
    let mut bought = payment([told(action())]);
    assert_eq!(bought.state.status(), PaymentStatus::ActionRequired);
    assert_eq!(then(&mut bought, told(Authorised)), ["authorised"]);
    let mut refused = payment([told(action())]);
    let code = told(declined("authentication_failed"));
    assert_eq!(then(&mut refused, code), ["declined"]);
}

#[test]
fn no_answer_is_unknown_and_asked_again_ever_later() {
    let mut payment = payment([]);
    let mut waits = Vec::new();
    for attempt in 1..=4 {
        let events = payment.when(unknown(0)).expect("never refused");
        let [PaymentEvent::OperationUnknown(e)] = events.as_slice() else {
            panic!("unknown, not {events:?}");
        };
        assert_eq!(e.attempt, attempt);
        waits.push(e.ask_at.0 - AT);
        let ask = Command::Ask {
            operation: 0,
            attempt,
        };
        assert_eq!(then(&mut payment, ask), ["inquiry_requested"]);
    }
    assert!(waits.is_sorted_by(|a, b| a < b), "{waits:?}");
    assert_eq!(payment.state.status(), PaymentStatus::Unknown);
    assert_eq!(then(&mut payment, told(Authorised)), ["authorised"]);
    let late = Command::Ask {
        operation: 0,
        attempt: 4,
    };
    assert!(then(&mut payment, late).is_empty(), "nothing left to ask");
}

#[test]
fn a_timer_of_an_earlier_attempt_asks_nothing() {
    let mut payment = payment([unknown(0), unknown(0)]);
    let old = Command::Ask {
        operation: 0,
        attempt: 1,
    };
    assert!(then(&mut payment, old).is_empty());
}

#[test]
fn a_cancelled_order_gives_up_what_is_held() {
    let mut payment = authorised([]);
    let events = then(&mut payment, abandon());
    assert_eq!(events, ["abandoned", "operation_requested"]);
    assert_eq!(then(&mut payment, answered(1, "op_v", 1_000)), ["voided"]);
    assert_eq!(payment.state.status(), PaymentStatus::Voided);
}

#[test]
fn a_cancelled_order_gives_back_what_is_left_of_what_was_captured() {
    let mut payment = authorised([
        ask_for(Capture, Some(700)),
        answered(1, "op_c", 700),
        ask_for(Refund, Some(200)),
        answered(2, "op_r", 200),
    ]);
    let events = payment.when(abandon()).expect("never refused");
    let [_, PaymentEvent::OperationRequested(refund)] = events.as_slice() else {
        panic!("a refund, not {events:?}");
    };
    assert_eq!((refund.kind, refund.amount), (Refund, pounds(500)));
    assert_eq!(then(&mut payment, answered(3, "op_q", 500)), ["refunded"]);
    assert_eq!(payment.state.status(), PaymentStatus::Refunded);
}

#[test]
fn a_late_authorisation_of_a_cancelled_order_is_voided() {
    let mut payment = payment([abandon()]);
    let events = then(&mut payment, told(Authorised));
    assert_eq!(events, ["authorised", "operation_requested"]);
    assert!(payment.state.has_open(Void));
}

#[test]
fn a_cancelled_order_ends_the_wait_for_the_buyer() {
    let mut payment = payment([told(action())]);
    let events = then(&mut payment, abandon());
    assert_eq!(events, ["abandoned", "operation_requested"]);
    // The buyer had refused in the meantime: there is nothing to void.
    assert_eq!(
        then(&mut payment, told(declined("authentication_failed"))),
        ["declined"]
    );
    assert!(then(&mut payment, refused(1, "wrong_state")).is_empty());
}

#[test]
fn a_cancelled_payment_that_never_happened_is_believed_after_some_asks() {
    let mut payment = payment([abandon()]);
    let never = || Command::NeverHappened { moment: moment() };
    for _ in 0..3 {
        assert_eq!(then(&mut payment, never()), ["operation_unknown"]);
    }
    assert_eq!(then(&mut payment, never()), ["declined"]);
    // And if it happened after all:
    let events = then(&mut payment, told(Authorised));
    assert_eq!(events, ["authorised", "operation_requested"]);
}

#[test]
fn a_cancellation_before_the_payment_means_there_is_none() {
    let mut payment = given::<Payment>([]);
    assert_eq!(then(&mut payment, abandon()), ["abandoned"]);
    let intend = Command::Intend(intended(1_000, "tok_visa"));
    assert!(then(&mut payment, intend).is_empty());
}

#[test]
fn a_capture_under_way_is_waited_for_before_it_is_undone() {
    let mut payment = authorised([ask_for(Capture, None)]);
    assert_eq!(then(&mut payment, abandon()), ["abandoned"]);
    let events = then(&mut payment, answered(1, "op_c", 1_000));
    assert_eq!(events, ["captured", "operation_requested"]);
    assert!(payment.state.has_open(Refund));
}

#[test]
fn a_refused_compensation_is_tried_again_under_a_new_number() {
    let mut payment = authorised([abandon()]);
    let events = payment
        .when(refused(1, "try_later"))
        .expect("never refused");
    let [PaymentEvent::OperationFailed(failed)] = events.as_slice() else {
        panic!("failed, not {events:?}");
    };
    assert!(failed.retry_at.is_some_and(|at| at.0 > AT));
    let events = then(&mut payment, Command::RetryCompensation);
    assert_eq!(events, ["operation_requested"]);
    assert!(then(&mut payment, Command::RetryCompensation).is_empty());
    assert_eq!(then(&mut payment, answered(2, "op_v", 1_000)), ["voided"]);
    assert!(then(&mut payment, Command::RetryCompensation).is_empty());
}

#[test]
fn a_refused_capture_of_staff_is_not_tried_again() {
    let mut payment = authorised([ask_for(Capture, None)]);
    assert_eq!(
        then(&mut payment, refused(1, "wrong_state")),
        ["operation_failed"]
    );
    assert!(then(&mut payment, Command::RetryCompensation).is_empty());
    assert_eq!(payment.state.capturable(), 1_000, "it is free again");
}

#[test]
fn another_amount_than_asked_for_is_let_go() {
    let mut payment = payment([]);
    let less = Command::Seen {
        payment: ProviderPayment {
            provider_reference: REFERENCE.into(),
            status: Authorised,
            amount: pounds(999),
            operations: vec![],
        },
        asked: None,
    };
    let events = then(&mut payment, less.clone());
    assert_eq!(events, ["declined", "operation_requested"]);
    assert!(then(&mut payment, less.clone()).is_empty());
    let events = then(&mut payment, refused(1, "try_later"));
    assert_eq!(events, ["operation_failed"]);
    let events = then(&mut payment, Command::RetryCompensation);
    assert_eq!(events, ["operation_requested"]);
    assert_eq!(then(&mut payment, answered(2, "op_v", 999)), ["voided"]);
}

#[test]
fn more_than_is_held_cannot_be_captured() {
    let mut payment = authorised([ask_for(Capture, Some(600))]);
    let refusal = payment
        .when(ask_for(Capture, Some(401)))
        .expect_err("too much");
    assert_eq!(refusal.kind, RejectionKind::Unprocessable);
    assert_eq!(refusal.field.as_deref(), Some("amount.amount"));
    assert_eq!(
        then(&mut payment, ask_for(Capture, None)),
        ["operation_requested"]
    );
    let refusal = payment
        .when(ask_for(Capture, None))
        .expect_err("nothing left");
    assert_eq!(refusal.field.as_deref(), Some("amount"));
}

#[test]
fn refunds_under_way_count_against_what_can_be_refunded() {
    let mut payment = authorised([
        ask_for(Capture, None),
        answered(1, "op_c", 1_000),
        ask_for(Refund, Some(600)),
    ]);
    let refusal = payment
        .when(ask_for(Refund, Some(401)))
        .expect_err("too much");
    assert_eq!(refusal.code, "amount-too-large");
    payment.when(refused(2, "no")).expect("never refused");
    assert_eq!(
        then(&mut payment, ask_for(Refund, Some(1_000))),
        ["operation_requested"]
    );
}

#[test]
fn nothing_captured_means_nothing_to_refund() {
    let refusal = authorised([])
        .when(ask_for(Refund, None))
        .expect_err("none");
    assert_eq!(refusal.code, "amount-too-large");
}

#[test]
fn amounts_must_be_positive_and_in_the_payments_currency() {
    let ask = |amount| {
        Command::Request(Request {
            kind: Capture,
            amount: Some(amount),
            note: None,
        })
    };
    let euros = ask(Money::new(100, Currency::EUR));
    let refusal = authorised([]).when(euros).expect_err("another currency");
    assert_eq!(refusal.code, "wrong-currency");
    assert_eq!(refusal.field.as_deref(), Some("amount.currency"));
    for amount in [0, -1, i64::MIN] {
        let refusal = authorised([]).when(ask(pounds(amount))).expect_err("none");
        assert_eq!(refusal.code, "invalid-amount");
    }
}

#[test]
fn only_what_is_held_can_be_captured_or_voided() {
    for kind in [Capture, Void] {
        for mut past in [payment([]), payment([told(declined("no"))])] {
            let refusal = past.when(ask_for(kind, None)).expect_err("nothing held");
            assert_eq!(refusal.kind, RejectionKind::Conflict);
        }
    }
    let mut captured = authorised([ask_for(Capture, Some(1))]);
    let refusal = captured.when(ask_for(Void, None)).expect_err("captured");
    assert_eq!(refusal.code, "captured");
    let nobody = given::<Payment>([]).when(ask_for(Capture, None));
    assert_eq!(
        nobody.expect_err("no payment").kind,
        RejectionKind::NotFound
    );
}

#[test]
fn voiding_twice_is_voiding_once() {
    let mut payment = authorised([ask_for(Void, None)]);
    assert!(then(&mut payment, ask_for(Void, None)).is_empty());
    assert_eq!(then(&mut payment, told(Voided)), ["voided"]);
    assert!(then(&mut payment, answered(1, "op_v", 1_000)).is_empty());
    assert!(then(&mut payment, ask_for(Void, None)).is_empty());
    assert_eq!(
        payment.state.operations[0].status,
        OperationStatus::Succeeded
    );
}

#[test]
fn a_webhook_before_the_answer_of_a_capture_books_it_once() {
    let mut payment = authorised([ask_for(Capture, Some(400))]);
    let webhook = || told_of(Captured, vec![moved("op_c", Capture, 400)]);
    assert_eq!(then(&mut payment, webhook()), ["provider_event_noted"]);
    assert!(then(&mut payment, webhook()).is_empty());
    assert_eq!(then(&mut payment, answered(1, "op_c", 400)), ["captured"]);
    assert!(then(&mut payment, webhook()).is_empty());
    assert!(then(&mut payment, answered(1, "op_c", 400)).is_empty());
    assert_eq!(payment.state.captured, 400);
    assert!(payment.state.heard.is_empty());
}

#[test]
fn what_was_done_at_the_provider_itself_is_booked_too() {
    let mut payment = authorised([]);
    let webhook = told_of(Captured, vec![moved("op_x", Capture, 300)]);
    let events = then(&mut payment, webhook);
    assert_eq!(events, ["provider_event_noted", "captured"]);
    assert_eq!(payment.state.next_number(), 2, "it has a number");
}

#[test]
fn two_equal_refunds_one_of_them_from_outside_are_two() {
    let mut payment = authorised([
        ask_for(Capture, None),
        answered(1, "op_c", 1_000),
        ask_for(Refund, Some(100)),
    ]);
    let webhook = told_of(Captured, vec![moved("op_x", Refund, 100)]);
    assert_eq!(then(&mut payment, webhook), ["provider_event_noted"]);
    let events = then(&mut payment, answered(2, "op_r", 100));
    assert_eq!(events, ["refunded", "refunded"]);
    assert_eq!(payment.state.refunded, 200);
}

#[test]
fn a_refund_heard_before_its_capture_waits_for_it() {
    let mut payment = authorised([]);
    let refund = told_of(Captured, vec![moved("op_r", Refund, 100)]);
    assert_eq!(then(&mut payment, refund), ["provider_event_noted"]);
    let capture = told_of(Captured, vec![moved("op_c", Capture, 100)]);
    let events = then(&mut payment, capture);
    assert_eq!(events, ["provider_event_noted", "captured", "refunded"]);
    assert_eq!(payment.state.hold, Hold::Authorised);
}

#[test]
fn another_payment_of_the_provider_changes_nothing() {
    let mut payment = authorised([]);
    let other = Command::Seen {
        payment: ProviderPayment {
            provider_reference: "spay_2".into(),
            status: Voided,
            amount: pounds(1_000),
            operations: vec![],
        },
        asked: None,
    };
    assert!(then(&mut payment, other).is_empty());
}

#[test]
fn an_order_s_captures_add_up_to_what_it_asked_for_in_all() {
    let asked = |pence| Command::CaptureUpTo(pounds(pence));
    let mut payment = authorised([]);
    assert_eq!(then(&mut payment, asked(300)), ["operation_requested"]);
    assert!(then(&mut payment, asked(300)).is_empty(), "asked twice");
    assert_eq!(then(&mut payment, asked(5_000)), ["operation_requested"]);
    assert_eq!(payment.state.capturable(), 0, "never more than is held");
    let euros = Command::CaptureUpTo(kernel::Money::new(500, kernel::Currency::EUR));
    assert!(then(&mut authorised([]), euros).is_empty());
    let mut cancelled = authorised([abandon(), answered(1, "op_v", 1_000)]);
    assert!(then(&mut cancelled, asked(300)).is_empty());
}
