//! Stock locations and the rule by which units are taken from them.

use kernel::{event_set, id};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

id!(
    /// A stock location: a warehouse, a store.
    LocationId, "loc"
);

impl LocationId {
    /// The built-in location every shop has from the start: where units go when nobody says where.
    pub fn main() -> Self {
        Self("loc_main".into())
    }
}

/// A stock location.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Location {
    /// Its id; `loc_main` is built in.
    pub id: LocationId,
    /// For people.
    pub name: String,
    /// ISO 3166-1 alpha-2; what the strategy `nearest` compares with the buyer's country.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
    /// Units are taken from the highest first.
    pub priority: i64,
    /// An inactive location takes no more units in and is drawn from last, so that it empties.
    pub active: bool,
}

/// From which locations the units of an order are taken, decided per SKU.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AllocationStrategy {
    /// Fill from the highest priority down.
    #[default]
    Priority,
    /// One location that can fill all of it, by priority; otherwise as few as possible.
    FewestParcels,
    /// Locations in the buyer's country first, then by priority.
    Nearest,
}

/// A location was added or changed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LocationSaved {
    /// As it is from now on.
    pub location: Location,
}

/// A location was removed; it held nothing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LocationRemoved {
    /// Which.
    pub id: LocationId,
}

/// The strategy was chosen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StrategyChosen {
    /// The strategy from now on.
    pub strategy: AllocationStrategy,
}

event_set! {
    /// What happens to the table of locations.
    pub enum LocationsEvent {
        /// Added or changed.
        Saved(LocationSaved) = "inventory.location.saved.v1",
        /// Removed.
        Removed(LocationRemoved) = "inventory.location.removed.v1",
        /// Strategy chosen.
        StrategyChosen(StrategyChosen) = "inventory.strategy.chosen.v1",
    }
}
