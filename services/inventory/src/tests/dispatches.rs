//! Goods that leave the building.

use contracts::{
    inventory::{LocationId, ReservationStatus},
    orders::OrderId,
    shipping::{FulfilmentLine, FulfilmentShipped},
};
use kernel::{
    Timestamp,
    testing::{World, kinds},
};

use super::{adjustment, world};
use crate::{
    dispatch::Dispatch,
    reservation::Reservation,
    reserve::{Allocate, Release, ReserveOrder, Wanted},
    stock::{Change, Stock},
    stocktaking::Adjust,
};

/// Units of SKUs leave `location` for `order` with fulfilment `number`.
pub fn shipped(
    order: &OrderId,
    number: usize,
    location: &LocationId,
    lines: &[(&str, i64)],
) -> FulfilmentShipped {
    let line = |(index, (sku, quantity)): (usize, &(&str, i64))| FulfilmentLine {
        line_id: format!("lin_{index}").parse().unwrap(),
        sku: (*sku).into(),
        title: String::new(),
        quantity: *quantity,
    };
    FulfilmentShipped {
        fulfilment_id: format!("ful_{number}").parse().unwrap(),
        order_id: order.clone(),
        number: "1001".into(),
        location: location.clone(),
        lines: lines.iter().enumerate().map(line).collect(),
        tracking: None,
        more_tracking: Vec::new(),
        at: Timestamp(0),
    }
}

fn order() -> OrderId {
    "ord_1".parse().unwrap()
}

/// Ten of A, six of them allocated to the order.
fn allocated() -> World {
    let mut world = world();
    let lines = vec![adjustment("A", &LocationId::main(), Change::By(10))];
    let opening = Adjust {
        lines,
        all_or_none: true,
        list: "adjustments",
    };
    world.run(&opening).unwrap();
    let place = ReserveOrder {
        order_id: order(),
        wanted: Wanted::of([("A", 6)]),
        country: None,
    };
    world.run(&place).unwrap();
    let order_id = order();
    world.run(&Allocate { order_id }).unwrap();
    world
}

fn leave(world: &mut World, fulfilment: usize, units: i64) -> Vec<&'static str> {
    let shipped = shipped(&order(), fulfilment, &LocationId::main(), &[("A", units)]);
    let (_, work) = world.run(&Dispatch::of(&shipped).unwrap()).unwrap();
    kinds(&work)
}

/// On hand, reserved, available.
fn levels(world: &World) -> (i64, i64, i64) {
    let stock = world.state::<Stock>("A");
    let level = stock.level(&LocationId::main()).unwrap();
    (level.on_hand, level.reserved, stock.available())
}

#[test]
fn what_leaves_was_promised_so_nothing_less_may_be_sold() {
    let mut world = allocated();
    assert_eq!(levels(&world), (10, 6, 4));
    let told = leave(&mut world, 1, 2);
    assert_eq!(
        told,
        [
            "inventory.stock.dispatched.v1",
            "inventory.reservation.dispatched.v1"
        ]
    );
    assert_eq!(levels(&world), (8, 4, 4));
    assert!(leave(&mut world, 1, 2).is_empty(), "heard twice, left once");
    leave(&mut world, 2, 4);
    assert_eq!(levels(&world), (4, 0, 4));
    let reservation = world.state::<Reservation>("ord_1");
    assert_eq!(reservation.status, Some(ReservationStatus::Dispatched));
}

#[test]
fn a_release_gives_back_only_what_is_still_here() {
    let mut world = allocated();
    leave(&mut world, 1, 2);
    let release = Release {
        reservation: "ord_1".into(),
        order_id: Some(order()),
        reason: "order_cancelled",
    };
    world.run(&release).unwrap();
    assert_eq!(levels(&world), (8, 0, 8));
}

#[test]
fn more_than_was_promised_comes_out_of_what_was_free() {
    let mut world = allocated();
    leave(&mut world, 1, 9);
    assert_eq!(levels(&world), (1, 0, 1));
}
