//! Whatever comes in whatever order: nothing is oversold, and units are conserved.

use std::collections::BTreeMap;

use contracts::inventory::{
    AllocationStrategy, BackorderPolicy, Location, LocationId, ReservationStatus, SkuPolicy,
};
use kernel::{Decide, testing::World};
use proptest::prelude::*;

use super::{adjustment, dispatches::shipped, loc, world};
use crate::{
    dispatch::Dispatch,
    locations::{ALL, Locations, LocationsCommand},
    reservation::Reservation,
    reserve::{Allocate, Release, ReserveOrder, Wanted},
    stock::{Change, Stock, StockState},
    stocktaking::{Adjust, SetPolicies, Transfer},
};

const SKUS: [&str; 3] = ["A", "B", "C"];
const PLACES: [&str; 3] = ["main", "north", "south"];
const ORDERS: usize = 8;

#[derive(Clone, Debug)]
enum Step {
    Place(usize, Vec<(usize, i64)>),
    Confirm(usize),
    Cancel(usize),
    Leave(usize, usize, i64),
    Adjust(usize, usize, i64),
    Count(usize, usize, i64),
    Transfer(usize, usize, usize, i64),
    Policy(usize, BackorderPolicy),
    Choose(AllocationStrategy),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let policy = prop_oneof![
        3 => Just(BackorderPolicy::Deny),
        1 => Just(BackorderPolicy::Allow),
        2 => (0i64..10).prop_map(BackorderPolicy::UpTo),
    ];
    let strategy = prop_oneof![
        Just(AllocationStrategy::Priority),
        Just(AllocationStrategy::FewestParcels),
        Just(AllocationStrategy::Nearest),
    ];
    let step = prop_oneof![
        6 => (0..ORDERS, prop::collection::vec((0usize..3, 1i64..8), 1..5)).prop_map(|(o, l)| Step::Place(o, l)),
        3 => (0..ORDERS).prop_map(Step::Confirm),
        4 => (0..ORDERS).prop_map(Step::Cancel),
        4 => (0..ORDERS, 0usize..3, 1i64..8).prop_map(|(o, p, n)| Step::Leave(o, p, n)),
        6 => (0usize..3, 0usize..3, -12i64..15).prop_map(|(s, p, d)| Step::Adjust(s, p, d)),
        2 => (0usize..3, 0usize..3, 0i64..20).prop_map(|(s, p, n)| Step::Count(s, p, n)),
        2 => (0usize..3, 0usize..3, 0usize..3, 1i64..8).prop_map(|(s, f, t, n)| Step::Transfer(s, f, t, n)),
        1 => (0usize..3, policy).prop_map(|(s, p)| Step::Policy(s, p)),
        1 => strategy.prop_map(Step::Choose),
    ];
    prop::collection::vec(step, 1..80)
}

fn order(number: usize) -> contracts::orders::OrderId {
    format!("ord_{number}").parse().unwrap()
}

/// Runs a step; whether it was accepted. A refused one is checked to have changed nothing.
fn run(world: &mut World, step: &Step) -> bool {
    match step {
        Step::Place(number, lines) => world
            .run(&ReserveOrder {
                order_id: order(*number),
                wanted: Wanted::of(lines.iter().map(|(sku, units)| (SKUS[*sku], *units))),
                country: Some("GB".into()),
            })
            .is_ok(),
        Step::Confirm(number) => world
            .run(&Allocate {
                order_id: order(*number),
            })
            .is_ok(),
        Step::Cancel(number) => world
            .run(&Release {
                reservation: order(*number).as_str().into(),
                order_id: Some(order(*number)),
                reason: "order_cancelled",
            })
            .is_ok(),
        Step::Leave(number, place, units) => leave(world, *number, *place, *units),
        Step::Adjust(sku, place, delta) => adjust(world, *sku, *place, Change::By(*delta)),
        Step::Count(sku, place, count) => adjust(world, *sku, *place, Change::To(*count)),
        Step::Transfer(sku, from, to, units) => world
            .run(&Transfer {
                from: loc(PLACES[*from]),
                to: loc(PLACES[*to]),
                reference: None,
                lines: vec![(SKUS[*sku].into(), *units)],
            })
            .is_ok(),
        Step::Policy(sku, backorder) => world
            .run(&SetPolicies(vec![SkuPolicy {
                sku: SKUS[*sku].into(),
                backorder: *backorder,
            }]))
            .is_ok(),
        Step::Choose(strategy) => world
            .run(&Decide::<Locations>::new(
                ALL,
                LocationsCommand::Choose(*strategy),
            ))
            .is_ok(),
    }
}

/// As much as `units` of each SKU that the order has allocated at a place leaves it.
fn leave(world: &mut World, number: usize, place: usize, units: i64) -> bool {
    let (id, location) = (order(number), loc(PLACES[place]));
    let reservation = world.state::<Reservation>(id.as_str());
    let allocated = reservation.status == Some(ReservationStatus::Allocated);
    let fits = SKUS.into_iter().map(|sku| {
        let here = world.state::<Stock>(sku).on_hand(&location);
        (sku, reservation.held(sku, &location).min(units).min(here))
    });
    let lines: Vec<(&str, i64)> = fits.filter(|(_, n)| *n > 0).collect();
    if !allocated || lines.is_empty() {
        return false;
    }
    let fulfilment = number * 100 + reservation.dispatched.len();
    let news = shipped(&id, fulfilment, &location, &lines);
    world.run(&Dispatch::of(&news).unwrap()).is_ok()
}

fn adjust(world: &mut World, sku: usize, place: usize, change: Change) -> bool {
    let lines = vec![adjustment(SKUS[sku], &loc(PLACES[place]), change)];
    world
        .run(&Adjust {
            lines,
            all_or_none: true,
            list: "adjustments",
        })
        .is_ok()
}

fn lowest(policy: BackorderPolicy) -> i64 {
    match policy {
        BackorderPolicy::Deny => 0,
        BackorderPolicy::Allow => i64::MIN,
        BackorderPolicy::UpTo(units) => -units,
    }
}

fn on_hand(state: &StockState) -> i64 {
    state.levels.iter().map(|l| l.on_hand).sum()
}

/// Units of live reservations, per SKU and location.
fn promised(world: &World) -> BTreeMap<(String, LocationId), i64> {
    let mut promised = BTreeMap::new();
    for number in 0..ORDERS {
        let reservation = world.state::<Reservation>(order(number).as_str());
        if !reservation.holds_units() {
            continue;
        }
        for line in reservation.lines.iter() {
            for part in &line.taken {
                *promised
                    .entry((line.sku.clone(), part.location.clone()))
                    .or_insert(0) += part.quantity;
            }
        }
    }
    promised
}

fn three_places() -> World {
    let mut world = world();
    for (index, name) in PLACES.iter().enumerate().skip(1) {
        let location = Location {
            id: loc(name),
            name: (*name).into(),
            country: (index == 1).then(|| "GB".into()),
            priority: index as i64,
            active: true,
        };
        world
            .run(&Decide::<Locations>::new(
                ALL,
                LocationsCommand::Add(location),
            ))
            .unwrap();
    }
    world
}

proptest! {
    #[test]
    fn nothing_is_oversold_and_units_are_conserved(steps in steps()) {
        let mut world = three_places();
        for step in &steps {
            let before = SKUS.map(|sku| world.state::<Stock>(sku));
            let accepted = run(&mut world, step);
            let promised = promised(&world);
            for (sku, before) in SKUS.iter().zip(before) {
                let after = world.state::<Stock>(sku);
                if !accepted {
                    prop_assert_eq!(&after, &before, "a refused step changes nothing");
                }
                // Below what the policy allows only if a stricter policy found it there, and then
                // never further down.
                prop_assert!(
                    after.available() >= lowest(after.backorder).min(before.available()),
                    "{} at {} with {:?} after {:?}", sku, after.available(), after.backorder, step
                );
                if !matches!(step, Step::Adjust(..) | Step::Count(..) | Step::Leave(..)) {
                    prop_assert_eq!(on_hand(&after), on_hand(&before), "{:?} made or lost units", step);
                }
                for level in &after.levels {
                    let key = ((*sku).to_owned(), level.location.clone());
                    prop_assert!(level.on_hand >= 0);
                    prop_assert_eq!(level.reserved, promised.get(&key).copied().unwrap_or(0));
                }
            }
        }
        for number in 0..ORDERS {
            run(&mut world, &Step::Cancel(number));
        }
        for sku in SKUS {
            let state = world.state::<Stock>(sku);
            prop_assert_eq!(state.available(), on_hand(&state), "everything was given back");
        }
    }
}
