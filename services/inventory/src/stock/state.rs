//! What is known of one SKU's stock.

use contracts::inventory::{BackorderPolicy, LocationId};
use serde::{Deserialize, Serialize};

use super::MAX_UNITS;

/// Units at one location.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Level {
    /// Where.
    pub location: LocationId,
    /// In the building.
    pub on_hand: i64,
    /// Of these, promised to holds, orders in progress and confirmed orders. May exceed what is
    /// on hand by backorders.
    pub reserved: i64,
}

impl Level {
    /// Units nobody has a claim on; negative where more is promised than there is.
    pub fn free(&self) -> i64 {
        self.on_hand - self.reserved
    }
}

/// Levels and policy. Small: it is copied by each command that changes it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct StockState {
    /// One per location the SKU has ever been at.
    pub levels: Vec<Level>,
    /// Whether it may be sold beyond its stock.
    pub backorder: BackorderPolicy,
}

impl StockState {
    /// Units that may be sold from stock: on hand less reserved, over all locations.
    pub fn available(&self) -> i64 {
        self.levels.iter().map(Level::free).sum()
    }

    /// How many can be bought now, backorders included; never negative.
    pub fn sellable(&self) -> i64 {
        let beyond = match self.backorder {
            BackorderPolicy::Deny => 0,
            BackorderPolicy::Allow => return MAX_UNITS,
            BackorderPolicy::UpTo(units) => units,
        };
        (self.available() + beyond).clamp(0, MAX_UNITS)
    }

    /// On hand at a location.
    pub fn on_hand(&self, location: &LocationId) -> i64 {
        self.level(location).map_or(0, |level| level.on_hand)
    }

    /// One location's units, if the SKU has ever been there.
    pub fn level(&self, location: &LocationId) -> Option<&Level> {
        self.levels.iter().find(|level| level.location == *location)
    }

    /// One location's units, to be changed; none yet if the SKU has never been there.
    pub fn level_mut(&mut self, location: &LocationId) -> &mut Level {
        let index = match self.levels.iter().position(|l| l.location == *location) {
            Some(index) => index,
            None => {
                self.levels.push(Level {
                    location: location.clone(),
                    on_hand: 0,
                    reserved: 0,
                });
                self.levels.len() - 1
            }
        };
        &mut self.levels[index]
    }
}
