//! The table of stock locations: one small stream, read in the same unit of work as the stock.

use std::{collections::BTreeMap, sync::Arc};

use contracts::inventory::{
    AllocationStrategy, Location, LocationId, LocationRemoved, LocationSaved, LocationsEvent,
    StrategyChosen,
};
use kernel::{Decider, Rejection};
use serde::{Deserialize, Serialize};

/// The id of the one stream there is.
pub const ALL: &str = "all";

/// How many locations there may be: the table is read by every reservation.
pub const MAX_LOCATIONS: usize = 200;

/// The rules of the table of locations.
pub struct Locations;

/// All locations and the strategy. A copy is one pointer, since every reservation takes one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LocationTable(Arc<Table>);

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Table {
    strategy: AllocationStrategy,
    locations: BTreeMap<LocationId, Location>,
}

impl Default for LocationTable {
    /// A fresh shop: the built-in location alone.
    fn default() -> Self {
        let main = Location {
            id: LocationId::main(),
            name: "Main".into(),
            country: None,
            priority: 0,
            active: true,
        };
        Self(Arc::new(Table {
            strategy: AllocationStrategy::default(),
            locations: BTreeMap::from([(main.id.clone(), main)]),
        }))
    }
}

impl LocationTable {
    /// The strategy in force.
    pub fn strategy(&self) -> AllocationStrategy {
        self.0.strategy
    }

    /// One location.
    pub fn get(&self, id: &LocationId) -> Option<&Location> {
        self.0.locations.get(id)
    }

    /// All of them, by id.
    pub fn all(&self) -> impl Iterator<Item = &Location> {
        self.0.locations.values()
    }

    /// A location that must exist.
    pub fn existing(&self, id: &LocationId) -> Result<&Location, Rejection> {
        self.get(id).ok_or_else(|| {
            Rejection::unprocessable(
                "unknown-location",
                format!("there is no location {id}; add it first"),
            )
        })
    }

    /// A location that takes units in.
    pub fn open(&self, id: &LocationId) -> Result<&Location, Rejection> {
        let location = self.existing(id)?;
        match location.active {
            true => Ok(location),
            false => Err(Rejection::conflict(
                "location-inactive",
                format!("location {id} is inactive and takes no units in"),
            )),
        }
    }
}

/// What can be asked of the table.
pub enum LocationsCommand {
    /// Adds a location.
    Add(Location),
    /// Changes one that exists.
    Change(Location),
    /// Removes one. The caller has made sure that it holds nothing; being inactive, it takes
    /// nothing in meanwhile.
    Remove(LocationId),
    /// Chooses the strategy.
    Choose(AllocationStrategy),
}

impl Decider for Locations {
    const CATEGORY: &'static str = "locations";
    const SNAPSHOT_EVERY: Option<i64> = Some(100);
    type State = LocationTable;
    type Command = LocationsCommand;
    type Event = LocationsEvent;

    fn decide(
        state: &LocationTable,
        command: &LocationsCommand,
    ) -> Result<Vec<LocationsEvent>, Rejection> {
        match command {
            LocationsCommand::Add(location) => add(state, location),
            LocationsCommand::Change(location) => change(state, location),
            LocationsCommand::Remove(id) => remove(state, id),
            LocationsCommand::Choose(strategy) => Ok(match state.strategy() == *strategy {
                true => vec![],
                false => vec![
                    StrategyChosen {
                        strategy: *strategy,
                    }
                    .into(),
                ],
            }),
        }
    }

    fn evolve(state: &mut LocationTable, event: &LocationsEvent) {
        let table = Arc::make_mut(&mut state.0);
        match event {
            LocationsEvent::Saved(saved) => {
                let location = saved.location.clone();
                table.locations.insert(location.id.clone(), location);
            }
            LocationsEvent::Removed(removed) => {
                table.locations.remove(&removed.id);
            }
            LocationsEvent::StrategyChosen(chosen) => table.strategy = chosen.strategy,
        }
    }
}

fn add(state: &LocationTable, location: &Location) -> Result<Vec<LocationsEvent>, Rejection> {
    if state.get(&location.id).is_some() {
        return Err(Rejection::conflict(
            "location-exists",
            "there is a location with this id",
        ));
    }
    if state.0.locations.len() >= MAX_LOCATIONS {
        return Err(Rejection::unprocessable(
            "too-many-locations",
            format!("a shop may have {MAX_LOCATIONS} locations"),
        ));
    }
    let location = location.clone();
    Ok(vec![LocationSaved { location }.into()])
}

fn change(state: &LocationTable, location: &Location) -> Result<Vec<LocationsEvent>, Rejection> {
    let known = state
        .get(&location.id)
        .ok_or_else(|| Rejection::not_found("location"))?;
    if known == location {
        return Ok(vec![]);
    }
    let others = state.all().any(|l| l.active && l.id != location.id);
    if !location.active && !others {
        return Err(
            Rejection::conflict("last-location", "at least one location must be active")
                .field("active"),
        );
    }
    let location = location.clone();
    Ok(vec![LocationSaved { location }.into()])
}

fn remove(state: &LocationTable, id: &LocationId) -> Result<Vec<LocationsEvent>, Rejection> {
    match state.get(id) {
        None => Ok(vec![]),
        Some(_) if *id == LocationId::main() => Err(Rejection::conflict(
            "built-in-location",
            "the built-in location cannot be removed; make it inactive instead",
        )),
        Some(location) if location.active => Err(Rejection::conflict(
            "location-active",
            "make the location inactive before you remove it",
        )),
        Some(_) => Ok(vec![LocationRemoved { id: id.clone() }.into()]),
    }
}
