//! Groups by hand, segments by rule, and what is published of them.

use contracts::customers::{
    Combine, Condition, CustomerEvent, GroupDefined, SegmentDefined, SegmentRule,
};
use kernel::testing::kinds;

use super::*;
use crate::{
    directory::DirectoryCommand,
    profile::{Reassess, SetGroup},
    review::{DayPassed, OnDirectory},
};

fn group(code: &str) -> OnDirectory {
    OnDirectory(DirectoryCommand::DefineGroup(GroupDefined {
        code: code.into(),
        name: "A group".into(),
    }))
}

pub fn segment(code: &str, conditions: Vec<Condition>) -> OnDirectory {
    OnDirectory(DirectoryCommand::DefineSegment(SegmentDefined {
        code: code.into(),
        name: "A segment".into(),
        rule: SegmentRule {
            combine: Combine::All,
            conditions,
        },
    }))
}

fn set(number: u32, code: &str, member: bool) -> SetGroup {
    SetGroup {
        id: id(number),
        code: code.into(),
        member,
    }
}

/// The sets of groups that were published.
fn published(work: &Work) -> Vec<Vec<String>> {
    let events = work.events.iter();
    let events = events.filter_map(|event| event.typed.downcast_ref::<CustomerEvent>());
    events
        .filter_map(|event| match event {
            CustomerEvent::GroupsChanged(changed) => Some(changed.groups.clone()),
            _ => None,
        })
        .collect()
}

#[test]
fn the_whole_sorted_set_is_published_when_it_changes_and_not_otherwise() {
    let mut shop = Shop::open();
    shop.registers(1, "ann@example.org");
    shop.does(&group("trade"));
    shop.does(&group("friends"));
    shop.does(&segment(
        "regulars",
        vec![Condition::OrdersAtLeast { count: 2 }],
    ));
    let joined = shop.does(&set(1, "trade", true)).1;
    assert_eq!(published(&joined), [["trade"]]);
    assert!(kinds(&shop.does(&set(1, "trade", true)).1).is_empty());
    let joined = shop.does(&set(1, "friends", true)).1;
    assert_eq!(published(&joined), [["friends", "trade"]]);
    shop.buys(1, 1, gbp(100));
    shop.places(2, Some(1), "ann@example.org", gbp(100));
    assert_eq!(
        published(&shop.confirms(2)),
        [["friends", "regulars", "trade"]]
    );
    let left = shop.does(&set(1, "trade", false)).1;
    assert_eq!(published(&left), [["friends", "regulars"]]);
}

#[test]
fn a_cancelled_or_refunded_order_may_end_a_membership() {
    let mut shop = Shop::open();
    shop.registers(1, "ann@example.org");
    shop.does(&segment(
        "spenders",
        vec![Condition::SpentAtLeast { amount: gbp(500) }],
    ));
    shop.buys(1, 1, gbp(300));
    shop.buys(2, 1, gbp(200));
    assert_eq!(shop.customer(1).groups, ["spenders"]);
    let refunded = shop.moves(2, RecordCommand::Refunded(gbp(1)));
    assert_eq!(published(&refunded), [Vec::<String>::new()]);
    let again = shop.moves(2, RecordCommand::Refunded(gbp(0)));
    assert_eq!(published(&again), [["spenders"]]);
    let cancelled = shop.moves(1, RecordCommand::Stands(OrderStatus::Cancelled));
    assert_eq!(published(&cancelled), [Vec::<String>::new()]);
}

#[test]
fn groups_and_segments_share_their_codes() {
    let mut shop = Shop::open();
    shop.does(&group("vip"));
    let taken = shop.refused(&segment("vip", vec![Condition::OrdersAtLeast { count: 1 }]));
    assert_eq!(taken.code, "code-taken");
    assert_eq!(shop.refused(&group("V I P")).field.as_deref(), Some("code"));
    assert_eq!(shop.refused(&set(1, "vip", true)).code, "not-found");
    shop.registers(1, "ann@example.org");
    shop.does(&segment(
        "new",
        vec![Condition::RegisteredWithin { days: 7 }],
    ));
    let by_rule = shop.refused(&set(1, "new", true));
    assert_eq!(
        by_rule.code, "not-found",
        "nobody is put into a segment by hand"
    );
}

#[test]
fn rules_that_say_nothing_or_nonsense_are_refused() {
    let mut shop = Shop::open();
    let cases = [
        (vec![], "rule.conditions"),
        (
            vec![Condition::OrdersAtLeast { count: 0 }],
            "rule.conditions[0].count",
        ),
        (
            vec![Condition::SpentAtLeast { amount: gbp(0) }],
            "rule.conditions[0].amount",
        ),
        (
            vec![Condition::LastOrderBefore { days: -1 }],
            "rule.conditions[0].days",
        ),
        (
            vec![Condition::Country {
                countries: vec!["XX".into()],
            }],
            "rule.conditions[0].countries",
        ),
    ];
    for (conditions, field) in cases {
        let refused = shop.refused(&segment("s", conditions));
        assert_eq!(refused.field.as_deref(), Some(field));
    }
}

#[test]
fn country_is_that_of_the_default_address_or_else_of_the_newest_order() {
    let mut shop = Shop::open();
    shop.registers(1, "ann@example.org");
    for country in ["GB", "DE"] {
        let countries = vec![country.to_owned()];
        let code = country.to_lowercase();
        shop.does(&segment(&code, vec![Condition::Country { countries }]));
    }
    assert!(shop.customer(1).groups.is_empty());
    shop.places(1, Some(1), "ann@example.org", gbp(1));
    assert_eq!(shop.customer(1).groups, ["gb"]);
    shop.saves(1, "adr_1", address("DE"));
    assert_eq!(shop.customer(1).groups, ["de"]);
}

#[test]
fn time_alone_moves_people_between_segments_day_by_day() {
    let mut shop = Shop::open();
    shop.registers(1, "ann@example.org");
    let defined = shop
        .does(&segment(
            "new",
            vec![Condition::RegisteredWithin { days: 7 }],
        ))
        .1;
    assert_eq!(
        defined.timers.len(),
        1,
        "the first rule of this kind starts the timer"
    );
    let other = shop
        .does(&segment(
            "lost",
            vec![Condition::LastOrderBefore { days: 30 }],
        ))
        .1;
    assert!(other.timers.is_empty());
    shop.buys(1, 1, gbp(100));
    assert_eq!(shop.customer(1).groups, ["new"]);
    shop.0.now = shop.0.now.plus_seconds(8 * DAY);
    let (_, day) = shop.does(&DayPassed);
    assert_eq!(kinds(&day), ["customers.segment.review_due.v1"]);
    assert_eq!(day.timers.len(), 1, "and again tomorrow");
    let looked = shop.does(&Reassess(vec![id(1)])).1;
    assert_eq!(published(&looked), [Vec::<String>::new()]);
    shop.0.now = shop.0.now.plus_seconds(30 * DAY);
    shop.does(&Reassess(vec![id(1)]));
    assert_eq!(shop.customer(1).groups, ["lost"]);
    for code in ["new", "lost"] {
        let remove = OnDirectory(DirectoryCommand::RemoveSegment(code.into()));
        shop.does(&remove);
    }
    assert!(
        kinds(&shop.does(&DayPassed).1).is_empty(),
        "nothing depends on time any more"
    );
    shop.does(&Reassess(vec![id(1)]));
    assert!(shop.customer(1).groups.is_empty());
}

#[test]
fn nobody_stays_in_a_group_that_is_gone() {
    let mut shop = Shop::open();
    shop.registers(1, "ann@example.org");
    shop.does(&group("trade"));
    shop.does(&set(1, "trade", true));
    shop.does(&OnDirectory(DirectoryCommand::RemoveGroup("trade".into())));
    let looked = shop.does(&Reassess(vec![id(1)])).1;
    assert_eq!(published(&looked), [Vec::<String>::new()]);
}
