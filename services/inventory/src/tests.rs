//! The rules of inventory, as sentences.

mod api;
mod dispatches;
mod engine;
mod interleavings;
mod levels;
mod orders;
mod reservations;
mod rooms;
mod strategies;

use contracts::inventory::{
    LocationId, LocationsEvent, MovementReason, ReservationEvent, StockAdjusted, StockEvent,
};
use kernel::testing::{World, assert_golden};

use crate::{
    locations::Locations,
    reservation::Reservation,
    stock::{Adjustment, Change, Stock},
};

#[test]
fn every_event_reads_as_its_golden_file_says() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/golden");
    assert_golden::<StockEvent>(folder);
    assert_golden::<ReservationEvent>(folder);
    assert_golden::<LocationsEvent>(folder);
}

pub fn world() -> World {
    World::new([
        kernel::DeciderSpec::of::<Stock>(),
        kernel::DeciderSpec::of::<Reservation>(),
        kernel::DeciderSpec::of::<Locations>(),
    ])
}

fn loc(name: &str) -> LocationId {
    format!("loc_{name}")
        .parse()
        .unwrap_or_else(|e| panic!("{e}"))
}

/// `units` of `sku` came to `location`.
fn came(sku: &str, location: &LocationId, units: i64) -> StockEvent {
    StockAdjusted {
        sku: sku.into(),
        location: location.clone(),
        delta: units,
        on_hand: units,
        reason: MovementReason::Opening,
        reference: None,
        note: None,
        available: units,
    }
    .into()
}

fn adjustment(sku: &str, location: &LocationId, change: Change) -> Adjustment {
    Adjustment {
        sku: sku.into(),
        location: location.clone(),
        change,
        expected_on_hand: None,
        reason: MovementReason::Count,
        reference: None,
        note: None,
        accept_oversold: false,
    }
}
