//! From which locations the units of a SKU are taken: pure arithmetic over levels.

use std::cmp::Reverse;

use contracts::inventory::{AllocationStrategy, Location, LocationId, Taken};

use crate::{locations::LocationTable, stock::Level};

/// Divides `quantity` (positive) over the locations. The parts are positive, one per location, and
/// sum to `quantity`; no location gives more than it has free, unless all together have less: then
/// the rest (a backorder) is asked of the location ranked first.
pub fn plan(
    table: &LocationTable,
    country: Option<&str>,
    levels: &[Level],
    quantity: i64,
) -> Vec<Taken> {
    // Nearly every SKU lies in one place.
    if let [level] = levels {
        return vec![taken(&level.location, quantity)];
    }
    let mut ranked: Vec<&Level> = levels.iter().collect();
    ranked.sort_by_cached_key(|level| {
        rank(
            table.get(&level.location),
            &level.location,
            table.strategy(),
            country,
        )
    });
    let first = match ranked.first() {
        Some(level) => level.location.clone(),
        None => first_of(table, country),
    };
    if table.strategy() == AllocationStrategy::FewestParcels {
        if let Some(level) = ranked.iter().find(|level| level.free() >= quantity) {
            return vec![taken(&level.location, quantity)];
        }
        // No one location has it all: the fullest first makes the fewest parcels.
        ranked.sort_by_key(|level| Reverse(level.free()));
    }
    fill(&ranked, first, quantity)
}

fn fill(ranked: &[&Level], first: LocationId, quantity: i64) -> Vec<Taken> {
    let mut parts: Vec<Taken> = Vec::new();
    let mut left = quantity;
    for level in ranked {
        let part = level.free().min(left);
        if part > 0 {
            parts.push(taken(&level.location, part));
            left -= part;
        }
    }
    if left > 0 {
        match parts.iter_mut().find(|part| part.location == first) {
            Some(part) => part.quantity += left,
            None => parts.push(taken(&first, left)),
        }
    }
    parts
}

/// Where a SKU that lies nowhere is asked for.
fn first_of(table: &LocationTable, country: Option<&str>) -> LocationId {
    table
        .all()
        .min_by_key(|l| rank(Some(l), &l.id, table.strategy(), country))
        .map_or_else(LocationId::main, |l| l.id.clone())
}

type Rank = (bool, bool, Reverse<i64>, LocationId);

/// Lower is drawn from sooner: active, then (for `nearest`) in the country, then by priority.
fn rank(
    location: Option<&Location>,
    id: &LocationId,
    strategy: AllocationStrategy,
    country: Option<&str>,
) -> Rank {
    let inactive = location.is_none_or(|l| !l.active);
    let abroad = strategy == AllocationStrategy::Nearest
        && country.is_some()
        && location.and_then(|l| l.country.as_deref()) != country;
    let priority = location.map_or(i64::MIN, |l| l.priority);
    (inactive, abroad, Reverse(priority), id.clone())
}

fn taken(location: &LocationId, quantity: i64) -> Taken {
    Taken {
        location: location.clone(),
        quantity,
    }
}
