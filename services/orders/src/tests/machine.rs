//! Every state meets every step: the whole machine as one table.

use super::*;

/// The states, by how an order gets there.
fn states() -> Vec<(&'static str, Given<Order>)> {
    let confirmed = || vec![place(), Step::StockReserved, authorised()];
    let with = |mut steps: Vec<Step>, step: Step| {
        steps.push(step);
        steps
    };
    vec![
        ("absent", after([])),
        ("placed", after([place()])),
        ("reserved", after([place(), Step::StockReserved])),
        (
            "claiming",
            after([Step::Place(Arc::new(claiming())), Step::StockReserved]),
        ),
        ("action", after([place(), Step::StockReserved, action()])),
        ("confirmed", after(confirmed())),
        ("shipped", after(with(confirmed(), shipped("ful_1", 1)))),
        (
            "cancelled early",
            after([place(), Step::StockRefused(vec![shortage()])]),
        ),
        ("cancelled late", after(with(confirmed(), staff_cancels()))),
    ]
}

/// The steps.
fn steps() -> Vec<(&'static str, Step)> {
    vec![
        ("place", place()),
        ("stock reserved", Step::StockReserved),
        ("stock refused", Step::StockRefused(vec![shortage()])),
        ("authorised", authorised()),
        ("declined", Step::PaymentDeclined(payment())),
        ("action required", action()),
        (
            "captured",
            Step::PaymentCaptured(payment(), gbp(200), gbp(200)),
        ),
        (
            "refunded",
            Step::PaymentRefunded(payment(), gbp(100), gbp(100)),
        ),
        ("deadline", Step::DeadlinePassed),
        ("buyer cancels", buyer_cancels()),
        ("staff cancels", staff_cancels()),
        ("promotions redeemed", Step::PromotionsRedeemed),
        ("promotions refused", Step::PromotionsRefused),
        ("credit held", Step::CreditHeld),
        ("credit refused", Step::CreditRefused),
        ("shipped", shipped("ful_1", 1)),
        ("delivered", Step::Delivered(fulfilment("ful_1"))),
    ]
}

/// What each state answers to each step, in the order of [`steps`], between bars. `-` is nothing,
/// `!` a refusal.
const TABLE: [(&str, &str); 9] = [
    (
        "absent",
        "placed|-|-|-|-|-|-|-|-|!not-found|!not-found|-|-|-|-|-|-",
    ),
    (
        "placed",
        "-|stock_reserved payment_requested|cancelled|-|-|-|-|-|cancelled|cancelled|cancelled\
         |-|-|-|-|-|-",
    ),
    (
        "reserved",
        "-|-|-|confirmed|cancelled|payment_action_required|-|-|cancelled|cancelled|cancelled\
         |-|-|-|-|-|-",
    ),
    // The stock is there, the coupon and the gift card are not yet: nothing is asked of the card.
    (
        "claiming",
        "-|-|-|-|-|-|-|-|cancelled|cancelled|cancelled\
         |promotions_redeemed|cancelled|credit_held|cancelled|-|-",
    ),
    // The same address again is no news.
    (
        "action",
        "-|-|-|confirmed|cancelled|-|-|-|cancelled|cancelled|cancelled|-|-|-|-|-|-",
    ),
    (
        "confirmed",
        "-|-|-|-|-|-|payment_captured|payment_refunded|-|cancelled|cancelled|-|-|-|-|shipped|-",
    ),
    // What has left cannot be called back.
    (
        "shipped",
        "-|-|-|-|-|-|payment_captured|payment_refunded|-|!already-shipped|!already-shipped\
         |-|-|-|-|-|delivered",
    ),
    // It never asked for money, so no news of money is its own. Goods that leave all the same are
    // written down.
    ("cancelled early", "-|-|-|-|-|-|-|-|-|-|-|-|-|-|-|shipped|-"),
    (
        "cancelled late",
        "-|-|-|-|-|-|payment_captured|payment_refunded|-|-|-|-|-|-|-|shipped|-",
    ),
];

#[test]
fn every_state_answers_every_step_as_the_table_says() {
    for ((row, expected), (name, _)) in TABLE.iter().zip(states()) {
        let expected: Vec<&str> = expected.split('|').collect();
        assert_eq!(*row, name, "the table and the states are in the same order");
        for (column, (step_name, step)) in steps().into_iter().enumerate() {
            let (_, mut order) =
                states().remove(TABLE.iter().position(|r| r.0 == *row).expect("a row"));
            let answer = match order.when(at(60, step)) {
                Ok(events) if events.is_empty() => "-".to_owned(),
                Ok(events) => names(&events).join(" "),
                Err(refusal) => format!("!{}", refusal.code),
            };
            assert_eq!(answer, expected[column], "{row} meets {step_name}");
        }
    }
}

#[test]
fn every_step_that_was_taken_changes_nothing_when_it_comes_again() {
    for (state, _) in states() {
        for (name, step) in steps() {
            let index = states()
                .iter()
                .position(|(other, _)| *other == state)
                .expect("a state");
            let (_, mut order) = states().remove(index);
            if order.when(at(60, step.clone())).is_ok() {
                let again = order
                    .when(at(61, step))
                    .expect("no refusal the second time");
                assert_eq!(
                    names(&again),
                    Vec::<&str>::new(),
                    "{state} meets {name} twice"
                );
            }
        }
    }
}
