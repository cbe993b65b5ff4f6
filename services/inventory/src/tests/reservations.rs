//! Orders and holds over several SKUs.

use contracts::{
    inventory::{HoldId, LocationId, ReservationStatus, Shortage},
    orders::OrderId,
};
use kernel::{
    TimerOp,
    testing::{World, kinds},
};

use super::{adjustment, world};
use crate::{
    reservation::Reservation,
    reserve::{Allocate, HOLD_EXPIRY, MakeHold, Release, ReserveOrder, Wanted},
    stock::{Change, Stock},
    stocktaking::Adjust,
    subscriptions::on_hold_expiry,
};

fn stocked(stock: &[(&str, i64)]) -> World {
    let mut world = world();
    let lines = stock
        .iter()
        .map(|(sku, units)| adjustment(sku, &LocationId::main(), Change::By(*units)))
        .collect();
    let command = Adjust {
        lines,
        all_or_none: true,
        list: "adjustments",
    };
    world.run(&command).unwrap();
    world
}

fn order(number: u32) -> OrderId {
    format!("ord_{number}").parse().unwrap()
}

fn place(number: u32, lines: &[(&str, i64)]) -> ReserveOrder {
    ReserveOrder {
        order_id: order(number),
        wanted: Wanted::of(lines.iter().copied()),
        country: None,
    }
}

fn confirm(number: u32) -> Allocate {
    Allocate {
        order_id: order(number),
    }
}

fn cancel(number: u32) -> Release {
    Release {
        reservation: order(number).as_str().into(),
        order_id: Some(order(number)),
        reason: "order_cancelled",
    }
}

fn available(world: &World, sku: &str) -> i64 {
    world.state::<Stock>(sku).available()
}

fn status(world: &World, number: u32) -> Option<ReservationStatus> {
    world.state::<Reservation>(order(number).as_str()).status
}

#[test]
fn every_line_is_reserved_at_once() {
    let mut world = stocked(&[("A", 5), ("B", 5)]);
    let ((), work) = world.run(&place(1, &[("A", 2), ("B", 5)])).unwrap();
    assert_eq!(
        kinds(&work),
        [
            "inventory.stock.reserved.v1",
            "inventory.stock.reserved.v1",
            "inventory.reservation.made.v1"
        ]
    );
    assert_eq!((available(&world, "A"), available(&world, "B")), (3, 0));
    assert!(
        work.timers.is_empty(),
        "an order's reservation has no clock of its own"
    );
}

#[test]
fn a_refusal_is_an_event_with_every_shortage_and_takes_nothing() {
    let mut world = stocked(&[("A", 5), ("B", 5), ("C", 1)]);
    let ((), work) = world
        .run(&place(1, &[("A", 2), ("B", 6), ("C", 1), ("GHOST", 1)]))
        .unwrap();
    assert_eq!(kinds(&work), ["inventory.reservation.refused.v1"]);
    let event = work.events[0]
        .typed
        .downcast_ref::<contracts::inventory::ReservationEvent>();
    let Some(contracts::inventory::ReservationEvent::Refused(refused)) = event else {
        panic!("{event:?}");
    };
    let short = |sku: &str, wanted, available| Shortage {
        sku: sku.into(),
        wanted,
        available,
    };
    assert_eq!(refused.shortages, [short("B", 6, 5), short("GHOST", 1, 0)]);
    assert_eq!((available(&world, "A"), available(&world, "B")), (5, 5));
}

#[test]
fn two_lines_on_one_sku_are_summed() {
    let mut world = stocked(&[("A", 5)]);
    world.run(&place(1, &[("A", 3), ("A", 3)])).unwrap();
    assert_eq!(status(&world, 1), Some(ReservationStatus::Refused));
    world.run(&place(2, &[("A", 3), ("A", 2)])).unwrap();
    assert_eq!(status(&world, 2), Some(ReservationStatus::Made));
    assert_eq!(available(&world, "A"), 0);
}

#[test]
fn quantities_that_overflow_are_a_shortage() {
    let mut world = stocked(&[("A", 5)]);
    world
        .run(&place(1, &[("A", i64::MAX), ("A", i64::MAX)]))
        .unwrap();
    assert_eq!(status(&world, 1), Some(ReservationStatus::Refused));
}

#[test]
fn every_step_may_come_twice() {
    let mut world = stocked(&[("A", 5)]);
    for _ in 0..2 {
        world.run(&place(1, &[("A", 2)])).unwrap();
    }
    assert_eq!(available(&world, "A"), 3);
    world.run(&confirm(1)).unwrap();
    assert!(world.run(&confirm(1)).unwrap().1.events.is_empty());
    world.run(&cancel(1)).unwrap();
    for _ in 0..2 {
        assert!(world.run(&cancel(1)).unwrap().1.events.is_empty());
        assert!(world.run(&confirm(1)).unwrap().1.events.is_empty());
        assert!(
            world
                .run(&place(1, &[("A", 2)]))
                .unwrap()
                .1
                .events
                .is_empty()
        );
    }
    assert_eq!(available(&world, "A"), 5);
}

#[test]
fn confirming_touches_no_sku() {
    let mut world = stocked(&[("A", 5)]);
    world.run(&place(1, &[("A", 2)])).unwrap();
    let ((), work) = world.run(&confirm(1)).unwrap();
    assert_eq!(kinds(&work), ["inventory.reservation.allocated.v1"]);
    assert_eq!(available(&world, "A"), 3);
}

#[test]
fn cancelling_puts_back_reserved_and_allocated_units_alike() {
    let mut world = stocked(&[("A", 5), ("B", 5)]);
    world.run(&place(1, &[("A", 2), ("B", 1)])).unwrap();
    let ((), work) = world.run(&cancel(1)).unwrap();
    assert_eq!(
        kinds(&work),
        [
            "inventory.stock.released.v1",
            "inventory.stock.released.v1",
            "inventory.reservation.released.v1"
        ]
    );
    assert!(!work.events[2].data.contains("allocated"));
    world.run(&place(2, &[("A", 5)])).unwrap();
    world.run(&confirm(2)).unwrap();
    let ((), work) = world.run(&cancel(2)).unwrap();
    assert!(work.events[1].data.contains("\"allocated\":true"));
    assert_eq!((available(&world, "A"), available(&world, "B")), (5, 5));
}

#[test]
fn a_cancellation_that_comes_first_keeps_the_order_from_taking_anything() {
    let mut world = stocked(&[("A", 5)]);
    let ((), work) = world.run(&cancel(1)).unwrap();
    assert_eq!(kinds(&work), ["inventory.reservation.released.v1"]);
    let ((), work) = world.run(&place(1, &[("A", 2)])).unwrap();
    assert!(work.events.is_empty());
    assert_eq!(available(&world, "A"), 5);
}

#[test]
fn cancelling_a_refused_order_gives_nothing_back() {
    let mut world = stocked(&[("A", 1)]);
    world.run(&place(1, &[("A", 2)])).unwrap();
    assert!(world.run(&cancel(1)).unwrap().1.events.is_empty());
    assert_eq!(available(&world, "A"), 1);
}

#[test]
fn an_order_confirmed_without_its_units_is_not_passed_over() {
    let mut world = stocked(&[("A", 1)]);
    assert_eq!(world.run(&confirm(1)).err().unwrap().code, "not-reserved");
    world.run(&place(2, &[("A", 2)])).unwrap();
    assert_eq!(world.run(&confirm(2)).err().unwrap().code, "not-reserved");
}

fn hold(lines: &[(&str, i64)]) -> MakeHold {
    MakeHold {
        id: "hld_1".parse::<HoldId>().unwrap(),
        wanted: Wanted::of(lines.iter().copied()),
        expires_in_seconds: 60,
        country: None,
    }
}

#[test]
fn a_hold_ends_by_its_timer() {
    let mut world = stocked(&[("A", 5)]);
    let (state, work) = world.run(&hold(&[("A", 4)])).unwrap();
    assert_eq!(state.expires_at, Some(world.now.plus_seconds(60)));
    let [TimerOp::Set(timer)] = &work.timers[..] else {
        panic!("{:?}", work.timers);
    };
    assert_eq!(
        (timer.kind.as_str(), timer.due),
        (HOLD_EXPIRY, world.now.plus_seconds(60))
    );
    assert_eq!(available(&world, "A"), 1);

    let due = on_hold_expiry(timer).unwrap();
    let streams = due.streams();
    assert_eq!(streams[0].as_str(), "reservation-hld_1");
    let expired = Release {
        reservation: "hld_1".into(),
        order_id: None,
        reason: "expired",
    };
    let ((), work) = world.run(&expired).unwrap();
    assert!(work.events[1].data.contains("\"reason\":\"expired\""));
    assert_eq!(available(&world, "A"), 5);
}

#[test]
fn a_hold_that_is_cancelled_takes_its_timer_with_it() {
    let mut world = stocked(&[("A", 5)]);
    let (_, made) = world.run(&hold(&[("A", 4)])).unwrap();
    let TimerOp::Set(timer) = &made.timers[0] else {
        panic!("no timer");
    };
    let cancel = Release {
        reservation: "hld_1".into(),
        order_id: None,
        reason: "cancelled",
    };
    let ((), work) = world.run(&cancel).unwrap();
    assert_eq!(work.timers, [TimerOp::Cancel(timer.key.clone())]);
    assert_eq!(available(&world, "A"), 5);
}

#[test]
fn a_hold_that_finds_too_little_is_rejected_with_every_shortage() {
    let mut world = stocked(&[("A", 5), ("B", 1)]);
    let refused = world.run(&hold(&[("A", 6), ("B", 2)])).err().unwrap();
    assert_eq!(refused.code, "short-stock");
    let shortages = &refused.extra.unwrap()["shortages"];
    assert_eq!(
        (&shortages[0]["sku"], &shortages[1]["sku"]),
        (&"A".into(), &"B".into())
    );
    assert_eq!(available(&world, "A"), 5);
}

#[test]
fn a_large_order_is_released_without_loading_its_skus_one_by_one() {
    let skus: Vec<String> = (0..1_114).map(|n| format!("S{n}")).collect();
    let stock: Vec<(&str, i64)> = skus.iter().map(|sku| (sku.as_str(), 1)).collect();
    let mut world = stocked(&stock);
    world.run(&place(1, &stock)).unwrap();

    // The cache may have forgotten the SKUs.
    let states = Only {
        world: &world,
        reservation: kernel::StreamId::new("reservation", "ord_1"),
    };
    let mut unit = kernel::UnitOfWork::new(&states, world.now);
    assert!(kernel::Command::handle(&cancel(1), &mut unit).is_err());
    assert_eq!(unit.finish().missing.len(), 1_114);
}

/// Shows one stream of a world and hides the others.
struct Only<'a> {
    world: &'a World,
    reservation: kernel::StreamId,
}

impl kernel::States for Only<'_> {
    fn find(&self, stream: &kernel::StreamId) -> Option<(&dyn kernel::ErasedState, i64)> {
        match *stream == self.reservation {
            true => self.world.find(stream),
            false => None,
        }
    }

    fn initial(&self, category: &str) -> Option<Box<dyn kernel::ErasedState>> {
        self.world.initial(category)
    }
}
