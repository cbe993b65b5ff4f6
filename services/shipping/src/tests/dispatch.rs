use contracts::{inventory::ReservedLine, orders::OrderId};
use kernel::{
    DeciderSpec, Event as _,
    testing::{World, kinds},
};
use proptest::prelude::*;

use super::samples::*;
use crate::{
    dispatch::{Dispatches, share_out},
    fulfilment::{Fulfilments, Step},
    on_fulfilment::{OnFulfilment, SplitOff},
    on_order::{Heard, OnOrder},
    patience::Patience,
};

fn world() -> World {
    World::new([
        DeciderSpec::of::<Dispatches>(),
        DeciderSpec::of::<Fulfilments>(),
    ])
}

fn hear(world: &mut World, heard: Heard) -> Vec<&'static str> {
    let order_id: OrderId = ORDER.parse().expect("an id");
    let on_order = OnOrder {
        order_id,
        heard,
        patience: Patience::default(),
    };
    let (_, work) = world.run(&on_order).expect("never refused");
    kinds(&work)
}

fn placed() -> Heard {
    Heard::Placed(Box::new(noted()))
}

fn allocated() -> Heard {
    let second = "loc_2";
    Heard::Allocated(vec![
        reserved("MUG", &[("loc_main", 1), (second, 1)]),
        reserved("BOWL", &[(second, 1)]),
        reserved("GIFT-CARD", &[("loc_main", 1)]),
    ])
}

const NOTED: &str = "shipping.dispatch.noted.v1";
const PLANNED: &str = "shipping.dispatch.planned.v1";
const CREATED: &str = "shipping.fulfilment.created.v1";

#[test]
fn one_fulfilment_for_each_location_in_whatever_order_the_news_come() {
    let mut first = world();
    assert_eq!(hear(&mut first, placed()), [NOTED]);
    assert_eq!(hear(&mut first, allocated()), [PLANNED, CREATED, CREATED]);
    let mut second = world();
    assert_eq!(
        hear(&mut second, allocated()),
        ["shipping.dispatch.allocated.v1"]
    );
    assert_eq!(
        hear(&mut second, placed()),
        [NOTED, PLANNED, CREATED, CREATED]
    );
    for world in [&mut first, &mut second] {
        let main = world.state::<Fulfilments>(FULFILMENT);
        assert_eq!(main.lines, [line("lin_1", "MUG", 1)]);
        let other = world.state::<Fulfilments>(&FULFILMENT.replace("x1", "x2"));
        assert_eq!(
            other.lines,
            [line("lin_1", "MUG", 1), line("lin_2", "BOWL", 1)]
        );
        for again in [placed(), allocated()] {
            assert!(hear(world, again).is_empty(), "a repeat changes nothing");
        }
    }
}

#[test]
fn nothing_is_sent_of_an_order_that_is_given_up() {
    let mut early = world();
    hear(&mut early, placed());
    assert_eq!(
        hear(&mut early, Heard::Cancelled),
        ["shipping.dispatch.cancelled.v1"]
    );
    assert!(hear(&mut early, allocated()).is_empty());
    let mut late = world();
    hear(&mut late, placed());
    hear(&mut late, allocated());
    let cancelled = "shipping.fulfilment.cancelled.v1";
    assert_eq!(
        hear(&mut late, Heard::Cancelled),
        ["shipping.dispatch.cancelled.v1", cancelled, cancelled]
    );
    assert!(hear(&mut late, Heard::Cancelled).is_empty());
    assert!(
        hear(&mut world(), Heard::Cancelled).is_empty(),
        "of no concern"
    );
}

#[test]
fn a_split_makes_another_fulfilment_and_no_unit_is_lost() {
    let mut world = world();
    hear(&mut world, placed());
    hear(
        &mut world,
        Heard::Allocated(vec![
            reserved("MUG", &[("loc_main", 2)]),
            reserved("BOWL", &[("loc_main", 1)]),
        ]),
    );
    let split = |lines: &[(&str, i64)]| SplitOff {
        id: FULFILMENT.parse().expect("an id"),
        moved: lines
            .iter()
            .map(|(line, quantity)| contracts::shipping::LineQuantity {
                line_id: line.parse().expect("an id"),
                quantity: *quantity,
            })
            .collect(),
        patience: Patience::default(),
    };
    for (bad, field) in [
        (&[][..], "lines"),
        (&[("lin_9", 1)], "lines[0].line_id"),
        (&[("lin_1", 1), ("lin_1", 1)], "lines[1].line_id"),
        (&[("lin_1", 3)], "lines[0].quantity"),
        (&[("lin_1", 0)], "lines[0].quantity"),
        (&[("lin_1", 2), ("lin_2", 1)], "lines"),
    ] {
        let refused = world.run(&split(bad)).map(drop).expect_err("refused");
        assert_eq!(refused.field.as_deref(), Some(field));
    }
    let ((remaining, other), work) = world.run(&split(&[("lin_1", 1)])).expect("split");
    assert_eq!(
        kinds(&work),
        [CREATED, PLANNED, "shipping.fulfilment.split.v1"]
    );
    assert_eq!(
        remaining.lines,
        [line("lin_1", "MUG", 1), line("lin_2", "BOWL", 1)]
    );
    assert_eq!(other.lines, [line("lin_1", "MUG", 1)]);
    let pack = OnFulfilment {
        id: FULFILMENT.parse().expect("an id"),
        step: Step::Pack(vec![package()]),
        patience: Patience::default(),
    };
    world.run(&pack).expect("packed");
    let refused = world
        .run(&split(&[("lin_1", 1)]))
        .map(drop)
        .expect_err("packed");
    assert_eq!(refused.code, "fulfilment-state");
    let cancelled = hear(&mut world, Heard::Cancelled);
    assert_eq!(
        cancelled.len(),
        3,
        "the new one is the order's too: {cancelled:?}"
    );
    assert_eq!(noted().lines.len(), 2);
    assert_eq!(
        contracts::shipping::DispatchEvent::from(noted()).wire_name(),
        NOTED
    );
}

proptest! {
    /// Whatever was taken where: no line gets more than it asked for, every unit taken for a line
    /// that still wants one arrives, and each share is from one place.
    #[test]
    fn units_are_shared_out_without_loss(
        lines in proptest::collection::vec((0usize..3, 1i64..5), 1..6),
        taken in proptest::collection::vec((0usize..4, proptest::collection::vec((0usize..3, 1i64..5), 1..4)), 0..5),
    ) {
        let skus = ["a", "b", "c", "d"];
        let places = ["loc_1", "loc_2", "loc_3"];
        let lines: Vec<_> = lines.iter().enumerate()
            .map(|(i, (sku, quantity))| line(&format!("lin_{i}"), skus[*sku], *quantity)).collect();
        let taken: Vec<ReservedLine> = taken.iter().map(|(sku, from)| {
            let from: Vec<_> = from.iter().map(|(place, quantity)| (places[*place], *quantity)).collect();
            reserved(skus[*sku], &from)
        }).collect();
        let shares = share_out(&lines, &taken);
        for sku in skus {
            let wanted: i64 = lines.iter().filter(|l| l.sku == sku).map(|l| l.quantity).sum();
            let there: i64 = taken.iter().filter(|t| t.sku == sku).flat_map(|t| &t.taken).map(|t| t.quantity).sum();
            let sent: i64 = shares.iter().flat_map(|(_, s)| s).filter(|l| l.sku == sku).map(|l| l.quantity).sum();
            prop_assert_eq!(sent, wanted.min(there));
        }
        for wanted in &lines {
            let sent: i64 = shares.iter().flat_map(|(_, s)| s).filter(|l| l.line_id == wanted.line_id).map(|l| l.quantity).sum();
            prop_assert!(sent <= wanted.quantity);
        }
        let mut seen: Vec<_> = shares.iter().map(|(place, _)| place.clone()).collect();
        seen.sort();
        seen.dedup();
        prop_assert_eq!(seen.len(), shares.len());
    }
}
