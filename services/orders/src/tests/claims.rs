//! What is claimed before a card is charged: stock, promotions, credit, in whatever order they answer.

use contracts::{
    credit::{CreditHeld, CreditHoldEvent, CreditRefusal, CreditRefused},
    orders::CancelReason,
    pricing::{CaptureMode, RedemptionEvent, RedemptionMade, RedemptionRefusal, RedemptionRefused},
};

use super::*;
use crate::checkout::{OnOrder, from_credit, from_pricing};

const ANSWERS: [Step; 3] = [
    Step::StockReserved,
    Step::PromotionsRedeemed,
    Step::CreditHeld,
];

#[test]
fn the_card_is_asked_once_for_the_rest_when_the_last_claim_is_granted() {
    for order_of in [
        [0, 1, 2],
        [0, 2, 1],
        [1, 0, 2],
        [1, 2, 0],
        [2, 0, 1],
        [2, 1, 0],
    ] {
        let mut order = after([Step::Place(Arc::new(claiming()))]);
        let mut told = Vec::new();
        for (second, answer) in (1..).zip(order_of) {
            let step = ANSWERS[answer].clone();
            told = order.when(at(second, step)).expect("accepted");
            assert_eq!(told.len(), if second == 3 { 2 } else { 1 }, "{order_of:?}");
        }
        let [_, OrderEvent::PaymentRequested(asked)] = told.as_slice() else {
            panic!("{told:?}");
        };
        assert_eq!(asked.amount, gbp(300), "5.00, of which 2.00 by gift card");
        let paid = Step::PaymentAuthorised(payment(), gbp(300));
        let events = order.when(at(9, paid)).expect("accepted");
        assert_eq!(names(&events), ["confirmed"]);
    }
}

#[test]
fn one_refusal_ends_the_order_before_anything_is_charged() {
    for (refusal, reason) in [
        (Step::PromotionsRefused, CancelReason::PromotionUsedUp),
        (Step::CreditRefused, CancelReason::CreditRefused),
    ] {
        let mut order = after([Step::Place(Arc::new(claiming())), Step::StockReserved]);
        let events = order.when(at(2, refusal)).expect("accepted");
        let [OrderEvent::Cancelled(cancelled)] = events.as_slice() else {
            panic!("{events:?}");
        };
        assert_eq!((cancelled.reason, &cancelled.payment_id), (reason, &None));
        for late in ANSWERS {
            assert_eq!(order.when(at(3, late)).expect("ignored").len(), 0);
        }
    }
}

#[test]
fn an_order_that_credit_pays_for_needs_no_card() {
    let mut all = claiming();
    all.credits[0].amount = gbp(500);
    all.redemptions.clear();
    let mut order = after([Step::Place(Arc::new(all)), Step::StockReserved]);
    let events = order.when(at(2, Step::CreditHeld)).expect("accepted");
    assert_eq!(names(&events), ["credit_held", "confirmed"]);
    assert_eq!(order.state.payment_id, None);
}

#[test]
fn where_money_is_taken_at_once_the_confirmation_asks_for_what_the_card_owes() {
    let at_once = OrderPlaced {
        capture: CaptureMode::OnConfirmation,
        ..claiming()
    };
    let steps = [vec![Step::Place(Arc::new(at_once))], ANSWERS.to_vec()].concat();
    let mut order = after(steps);
    let paid = Step::PaymentAuthorised(payment(), gbp(300));
    let events = order.when(at(9, paid)).expect("accepted");
    let [_, OrderEvent::CaptureRequested(asked)] = events.as_slice() else {
        panic!("{events:?}");
    };
    assert_eq!((asked.up_to, &asked.payment_id), (gbp(300), &payment()));
}

/// The step that `subscription` makes of `event`.
fn heard<E: Event>(
    subscription: &kernel::Subscription,
    topic: &str,
    event: E,
) -> Vec<&'static str> {
    let reaction = (subscription.react)(&recorded(topic, "x-1", event)).expect("understood");
    let mut world = kernel::testing::World::new([kernel::DeciderSpec::of::<Order>()]);
    let place = OnOrder {
        id: order_id(),
        step: Step::Place(Arc::new(claiming())),
    };
    world.run(&place).expect("placed");
    let mut told = Vec::new();
    for command in &reaction.commands {
        let (_, work) = world.run_any(command.as_ref()).expect("accepted");
        told.extend(kernel::testing::kinds(&work));
    }
    told
}

#[test]
fn the_owners_answers_are_heard() {
    let redeemed = RedemptionEvent::Made(RedemptionMade {
        order_id: order_id(),
        uses: claiming().redemptions,
        buyer_key: String::new(),
        at: START,
    });
    assert_eq!(
        heard(&from_pricing(), "pricing", redeemed),
        ["orders.order.promotions_redeemed.v1"]
    );
    let refused = RedemptionEvent::Refused(RedemptionRefused {
        order_id: order_id(),
        promotion_id: "prm_1".parse().expect("an id"),
        coupon: None,
        reason: RedemptionRefusal::UsedUp,
    });
    assert_eq!(
        heard(&from_pricing(), "pricing", refused),
        ["orders.order.cancelled.v1"]
    );
    let held = CreditHoldEvent::Held(CreditHeld {
        order_id: order_id(),
        uses: claiming().credits,
    });
    assert_eq!(
        heard(&from_credit(), "credit", held),
        ["orders.order.credit_held.v1"]
    );
    let refused = CreditHoldEvent::Refused(CreditRefused {
        order_id: order_id(),
        account_id: "crd_1".parse().expect("an id"),
        reason: CreditRefusal::TooLittle,
    });
    assert_eq!(
        heard(&from_credit(), "credit", refused),
        ["orders.order.cancelled.v1"]
    );
}
