//! Goods that leave and arrive, and the money that is taken with them.

use contracts::{
    orders::{OrderFulfilment, OrderStatus},
    pricing::CaptureMode,
};
use proptest::prelude::*;

use super::*;
use crate::render::order_view;

/// A confirmed order of `total` for `quantity` units, paid when they are shipped; `credit` of it by
/// gift card.
fn confirmed(total: i64, quantity: i64, credit: i64) -> Given<Order> {
    let mut order = OrderPlaced {
        capture: CaptureMode::OnShipment,
        ..placed(total)
    };
    order.lines[0].quantity = quantity;
    let mut steps = vec![Step::StockReserved];
    if credit > 0 {
        order.credits = claiming().credits;
        order.credits[0].amount = gbp(credit);
        steps.push(Step::CreditHeld);
    }
    steps.insert(0, Step::Place(Arc::new(order)));
    steps.push(Step::PaymentAuthorised(payment(), gbp(total - credit)));
    after(steps)
}

fn captures(events: &[OrderEvent]) -> Vec<i64> {
    let asked = events.iter().filter_map(|event| match event {
        OrderEvent::CaptureRequested(asked) => Some(asked.up_to.amount),
        _ => None,
    });
    asked.collect()
}

#[test]
fn each_parcel_takes_its_part_and_the_last_one_the_rest() {
    let mut order = confirmed(1000, 3, 0);
    let first = order.when(at(10, shipped("ful_1", 1))).expect("accepted");
    assert_eq!(captures(&first), [333]);
    assert_eq!(order.state.fulfilment, OrderFulfilment::PartlyShipped);
    let again = order.when(at(11, shipped("ful_1", 1))).expect("accepted");
    assert_eq!(again.len(), 0, "heard twice, left once");
    let last = order.when(at(12, shipped("ful_2", 2))).expect("accepted");
    assert_eq!(captures(&last), [1000]);
    assert_eq!(order.state.fulfilment, OrderFulfilment::Shipped);
}

#[test]
fn an_order_has_arrived_when_every_parcel_has() {
    let mut order = confirmed(1000, 2, 0);
    for (second, id) in [(10, "ful_1"), (11, "ful_2")] {
        order.when(at(second, shipped(id, 1))).expect("accepted");
    }
    let arrive = |id| Step::Delivered(fulfilment(id));
    order.when(at(20, arrive("ful_2"))).expect("accepted");
    assert_eq!(order.state.fulfilment, OrderFulfilment::Shipped);
    order.when(at(21, arrive("ful_1"))).expect("accepted");
    assert_eq!(order.state.fulfilment, OrderFulfilment::Delivered);
    let view = order_view(&order.state).expect("a view");
    assert_eq!(view.status, OrderStatus::Confirmed);
    assert!(view.shipments.iter().all(|s| s.delivered_at.is_some()));
    let unknown = order.when(at(22, arrive("ful_9"))).expect("ignored");
    assert_eq!(unknown.len(), 0);
}

#[test]
fn nothing_is_taken_for_goods_of_an_order_that_was_given_up() {
    let mut order = confirmed(1000, 2, 0);
    order.when(at(10, staff_cancels())).expect("cancelled");
    let events = order.when(at(11, shipped("ful_1", 2))).expect("accepted");
    assert_eq!(names(&events), ["shipped"]);
}

proptest! {
    #[test]
    fn parcels_take_the_whole_due_and_never_more(
        total in 1i64..1_000_000,
        parcels in proptest::collection::vec(1i64..40, 1..8),
        credit_share in 0i64..100,
    ) {
        let credit = total * credit_share / 100;
        let due = total - credit;
        let mut order = confirmed(total, parcels.iter().sum(), credit);
        let mut taken = 0;
        for (index, units) in parcels.iter().enumerate() {
            let step = shipped(&format!("ful_{index}"), *units);
            let events = order.when(at(10, step)).expect("accepted");
            for up_to in captures(&events) {
                prop_assert!(up_to > taken && up_to <= due);
                taken = up_to;
            }
        }
        prop_assert_eq!(taken, due);
    }
}
