//! Locations, and the commands of those who run them.

use contracts::inventory::{AllocationStrategy, Location, LocationId};
use kernel::{
    Decide,
    testing::{World, given},
};

use super::{adjustment, loc, world};
use crate::{
    locations::{ALL, LocationTable, Locations, LocationsCommand},
    stock::{Change, Stock},
    stocktaking::{Adjust, Transfer},
};

fn location(name: &str, active: bool) -> Location {
    Location {
        id: loc(name),
        name: name.into(),
        country: None,
        priority: 0,
        active,
    }
}

fn with(locations: &[(&str, bool)]) -> World {
    let mut world = world();
    for (name, active) in locations {
        let add = LocationsCommand::Add(location(name, *active));
        world.run(&Decide::<Locations>::new(ALL, add)).unwrap();
    }
    world
}

fn adjust(lines: Vec<crate::stock::Adjustment>, all_or_none: bool) -> Adjust {
    Adjust {
        lines,
        all_or_none,
        list: "adjustments",
    }
}

#[test]
fn a_fresh_shop_has_a_location() {
    let table = LocationTable::default();
    assert!(table.open(&LocationId::main()).is_ok());
    let mut world = world();
    let line = adjustment("A", &LocationId::main(), Change::By(3));
    let (results, _) = world.run(&adjust(vec![line], true)).unwrap();
    assert_eq!((results[0].on_hand, results[0].available), (3, 3));
}

#[test]
fn the_last_active_location_stays_active_and_the_built_in_one_stays() {
    let mut rooms = given::<Locations>([]);
    let mut main = LocationTable::default()
        .get(&LocationId::main())
        .unwrap()
        .clone();
    main.active = false;
    let refused = rooms
        .when(LocationsCommand::Change(main.clone()))
        .unwrap_err();
    assert_eq!(refused.code, "last-location");
    rooms
        .when(LocationsCommand::Add(location("b", true)))
        .unwrap();
    rooms.when(LocationsCommand::Change(main)).unwrap();
    let refused = rooms
        .when(LocationsCommand::Remove(LocationId::main()))
        .unwrap_err();
    assert_eq!(refused.code, "built-in-location");
}

#[test]
fn a_location_is_made_inactive_before_it_goes_and_going_twice_is_fine() {
    let mut rooms = given::<Locations>([]);
    rooms
        .when(LocationsCommand::Add(location("b", true)))
        .unwrap();
    let refused = rooms.when(LocationsCommand::Remove(loc("b"))).unwrap_err();
    assert_eq!(refused.code, "location-active");
    rooms
        .when(LocationsCommand::Change(location("b", false)))
        .unwrap();
    assert_eq!(
        rooms
            .when(LocationsCommand::Remove(loc("b")))
            .unwrap()
            .len(),
        1
    );
    assert!(
        rooms
            .when(LocationsCommand::Remove(loc("b")))
            .unwrap()
            .is_empty()
    );
    assert!(
        rooms
            .when(LocationsCommand::Change(location("b", true)))
            .is_err()
    );
}

#[test]
fn choosing_the_strategy_in_force_changes_nothing() {
    let mut rooms = given::<Locations>([]);
    let choose = LocationsCommand::Choose;
    assert!(
        rooms
            .when(choose(AllocationStrategy::Priority))
            .unwrap()
            .is_empty()
    );
    assert_eq!(
        rooms
            .when(choose(AllocationStrategy::Nearest))
            .unwrap()
            .len(),
        1
    );
    assert_eq!(rooms.state.strategy(), AllocationStrategy::Nearest);
}

#[test]
fn one_bad_line_stops_all_and_is_named() {
    let mut world = world();
    let main = LocationId::main();
    let lines = || {
        vec![
            adjustment("A", &main, Change::By(3)),
            adjustment("B", &main, Change::By(-1)),
            adjustment("A", &loc("nowhere"), Change::By(1)),
            adjustment("A", &main, Change::By(-1)),
        ]
    };
    let refused = world.run(&adjust(lines(), true)).err().unwrap();
    assert_eq!(refused.field.as_deref(), Some("adjustments[1].delta"));
    assert_eq!(world.state::<Stock>("A").available(), 0);

    let (results, _) = world.run(&adjust(lines(), false)).unwrap();
    let problem = |index: usize| results[index].problem.as_ref().map(|p| p.code.as_str());
    assert_eq!(
        [problem(0), problem(1), problem(2), problem(3)],
        [
            None,
            Some("on-hand-out-of-range"),
            Some("unknown-location"),
            None
        ]
    );
    let deltas: Vec<i64> = results.iter().map(|r| r.delta).collect();
    assert_eq!(deltas, [3, 0, 0, -1]);
    assert_eq!(world.state::<Stock>("A").available(), 2);
}

#[test]
fn lines_of_one_request_see_each_other() {
    let mut world = world();
    let main = LocationId::main();
    let mut second = adjustment("A", &main, Change::To(1));
    second.expected_on_hand = Some(3);
    let lines = vec![adjustment("A", &main, Change::By(3)), second];
    let (results, work) = world.run(&adjust(lines, true)).unwrap();
    assert_eq!((results[1].delta, work.events.len()), (-2, 2));
}

#[test]
fn an_inactive_location_gives_and_does_not_take() {
    let mut world = with(&[("old", true)]);
    let old = loc("old");
    world
        .run(&adjust(vec![adjustment("A", &old, Change::By(5))], true))
        .unwrap();
    let close = LocationsCommand::Change(location("old", false));
    world.run(&Decide::<Locations>::new(ALL, close)).unwrap();
    for change in [Change::By(1), Change::To(6)] {
        let refused = world
            .run(&adjust(vec![adjustment("A", &old, change)], true))
            .err()
            .unwrap();
        assert_eq!(refused.code, "location-inactive");
    }
    let transfer = |from: &LocationId, to: &LocationId| Transfer {
        from: from.clone(),
        to: to.clone(),
        reference: None,
        lines: vec![("A".into(), 5)],
    };
    let (results, _) = world.run(&transfer(&old, &LocationId::main())).unwrap();
    assert_eq!((results[0].on_hand, results[0].available), (5, 5));
    let refused = world
        .run(&transfer(&LocationId::main(), &old))
        .err()
        .unwrap();
    assert_eq!(
        (refused.code, refused.field.as_deref()),
        ("location-inactive", Some("to"))
    );
}

#[test]
fn a_transfer_of_several_lines_is_all_or_none() {
    let mut world = with(&[("b", true)]);
    let main = LocationId::main();
    let lines = vec![
        adjustment("A", &main, Change::By(5)),
        adjustment("B", &main, Change::By(1)),
    ];
    world.run(&adjust(lines, true)).unwrap();
    let transfer = Transfer {
        from: main.clone(),
        to: loc("b"),
        reference: None,
        lines: vec![("A".into(), 5), ("B".into(), 2)],
    };
    let refused = world.run(&transfer).err().unwrap();
    assert_eq!(refused.field.as_deref(), Some("lines[1].quantity"));
    assert_eq!(world.state::<Stock>("A").on_hand(&main), 5);
}
