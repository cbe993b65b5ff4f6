//! From where units are taken.

use contracts::inventory::{
    AllocationStrategy, Location, LocationId, LocationSaved, LocationsEvent, StrategyChosen, Taken,
};
use kernel::Decider;
use proptest::prelude::*;

use super::loc;
use crate::{
    allocation::plan,
    locations::{LocationTable, Locations},
    stock::Level,
};

/// Locations by (name, country, priority, active).
fn table(
    strategy: AllocationStrategy,
    locations: &[(&str, Option<&str>, i64, bool)],
) -> LocationTable {
    let mut table = LocationTable::default();
    let saved = locations.iter().map(|(name, country, priority, active)| {
        LocationsEvent::from(LocationSaved {
            location: Location {
                id: loc(name),
                name: (*name).into(),
                country: country.map(Into::into),
                priority: *priority,
                active: *active,
            },
        })
    });
    for event in saved.chain([StrategyChosen { strategy }.into()]) {
        Locations::evolve(&mut table, &event);
    }
    table
}

fn levels(free: &[(&str, i64)]) -> Vec<Level> {
    free.iter()
        .map(|(name, free)| Level {
            location: loc(name),
            on_hand: (*free).max(0),
            reserved: (*free).min(0).abs(),
        })
        .collect()
}

fn parts(taken: &[Taken]) -> Vec<(&str, i64)> {
    taken
        .iter()
        .map(|t| (t.location.as_str().trim_start_matches("loc_"), t.quantity))
        .collect()
}

#[test]
fn priority_fills_from_the_highest_down() {
    let table = table(
        AllocationStrategy::Priority,
        &[("a", None, 1, true), ("b", None, 9, true)],
    );
    let taken = plan(&table, None, &levels(&[("a", 10), ("b", 4)]), 6);
    assert_eq!(parts(&taken), [("b", 4), ("a", 2)]);
}

#[test]
fn fewest_parcels_prefers_one_location_that_has_it_all() {
    let table = table(
        AllocationStrategy::FewestParcels,
        &[
            ("a", None, 9, true),
            ("b", None, 5, true),
            ("c", None, 1, true),
        ],
    );
    let lying = levels(&[("a", 2), ("b", 6), ("c", 7)]);
    assert_eq!(parts(&plan(&table, None, &lying, 6)), [("b", 6)]);
    assert_eq!(parts(&plan(&table, None, &lying, 2)), [("a", 2)]);
    assert_eq!(parts(&plan(&table, None, &lying, 12)), [("c", 7), ("b", 5)]);
}

#[test]
fn nearest_takes_the_buyers_country_first_then_priority() {
    let table = table(
        AllocationStrategy::Nearest,
        &[
            ("de", Some("DE"), 9, true),
            ("gb", Some("GB"), 1, true),
            ("fr", Some("FR"), 5, true),
        ],
    );
    let lying = levels(&[("de", 5), ("gb", 5), ("fr", 5)]);
    assert_eq!(
        parts(&plan(&table, Some("GB"), &lying, 12)),
        [("gb", 5), ("de", 5), ("fr", 2)]
    );
    assert_eq!(parts(&plan(&table, None, &lying, 3)), [("de", 3)]);
}

#[test]
fn an_inactive_location_is_drawn_from_last() {
    let table = table(
        AllocationStrategy::Priority,
        &[("old", None, 99, false), ("new", None, 1, true)],
    );
    let taken = plan(&table, None, &levels(&[("old", 5), ("new", 5)]), 7);
    assert_eq!(parts(&taken), [("new", 5), ("old", 2)]);
}

#[test]
fn a_backorder_waits_at_the_location_ranked_first() {
    let table = table(
        AllocationStrategy::Priority,
        &[("a", None, 1, true), ("b", None, 9, true)],
    );
    let taken = plan(&table, None, &levels(&[("a", 2), ("b", 0)]), 5);
    assert_eq!(parts(&taken), [("a", 2), ("b", 3)]);
    assert_eq!(parts(&plan(&table, None, &[], 5)), [("b", 5)]);
}

fn any_strategy() -> impl Strategy<Value = AllocationStrategy> {
    prop_oneof![
        Just(AllocationStrategy::Priority),
        Just(AllocationStrategy::FewestParcels),
        Just(AllocationStrategy::Nearest),
    ]
}

const NAMES: [&str; 5] = ["a", "b", "c", "d", "e"];
const COUNTRIES: [Option<&str>; 3] = [None, Some("GB"), Some("DE")];

proptest! {
    #[test]
    fn parts_are_positive_distinct_sum_up_and_oversell_only_what_is_missing(
        strategy in any_strategy(),
        facts in prop::collection::vec((0usize..3, -3i64..4, any::<bool>()), 5),
        free in prop::collection::vec(prop::option::of(-20i64..50), 5),
        country in 0usize..3,
        quantity in 1i64..200,
    ) {
        let known: Vec<_> = NAMES.iter().zip(&facts)
            .map(|(name, (country, priority, active))| (*name, COUNTRIES[*country], *priority, *active))
            .collect();
        let table = table(strategy, &known);
        let lying: Vec<_> = NAMES.iter().zip(&free).filter_map(|(name, free)| Some((*name, (*free)?))).collect();
        let lying = levels(&lying);
        let taken = plan(&table, COUNTRIES[country], &lying, quantity);

        prop_assert_eq!(taken.iter().map(|t| t.quantity).sum::<i64>(), quantity);
        prop_assert!(taken.iter().all(|t| t.quantity > 0));
        let mut places: Vec<&LocationId> = taken.iter().map(|t| &t.location).collect();
        places.sort();
        places.dedup();
        prop_assert_eq!(places.len(), taken.len(), "each location at most once");

        let free_at = |id: &LocationId| lying.iter().find(|l| l.location == *id).map_or(0, |l| l.free().max(0));
        let there: i64 = lying.iter().map(|l| l.free().max(0)).sum();
        let beyond: i64 = taken.iter().map(|t| (t.quantity - free_at(&t.location)).max(0)).sum();
        prop_assert_eq!(beyond, (quantity - there).max(0), "only what is missing is oversold");

        if strategy == AllocationStrategy::FewestParcels && lying.iter().any(|l| l.free() >= quantity) {
            prop_assert_eq!(taken.len(), 1);
        }
    }
}
