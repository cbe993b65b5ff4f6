//! Properties: sums over any history, merging in any order, rules over any facts.

use contracts::{
    address::format_of,
    customers::{Combine, Condition, ConsentChanged, ConsentSource, Purpose, SegmentRule},
};
use proptest::prelude::*;

use super::*;
use crate::{
    consent::{Consents, stricter},
    segment::{Facts, fits},
    statistics::{Counted, changed, combined},
};

fn counted() -> impl Strategy<Value = Counted> {
    (0u32..40, 0i64..1_000, 0i64..100_000, any::<bool>()).prop_map(|(number, at, amount, euro)| {
        let currency = if euro { Currency::EUR } else { Currency::GBP };
        Counted {
            order_id: order(number),
            at: Timestamp(at * 1_000_000),
            amount: Money::new(amount, currency),
        }
    })
}

/// Orders of one person: each id once.
fn orders() -> impl Strategy<Value = Vec<Counted>> {
    prop::collection::vec(counted(), 0..40).prop_map(|mut all| {
        all.sort_by(|a, b| a.order_id.cmp(&b.order_id));
        all.dedup_by(|a, b| a.order_id == b.order_id);
        all
    })
}

fn of(orders: &[Counted]) -> Statistics {
    let nothing = Statistics::default();
    orders
        .iter()
        .fold(nothing, |sums, one| changed(&sums, None, Some(one)))
}

fn condition() -> impl Strategy<Value = Condition> {
    prop_oneof![
        (1i64..200_000).prop_map(|amount| Condition::SpentAtLeast {
            amount: gbp(amount)
        }),
        (1i64..20).prop_map(|count| Condition::OrdersAtLeast { count }),
        (1i64..400).prop_map(|days| Condition::LastOrderBefore { days }),
        (1i64..400).prop_map(|days| Condition::LastOrderWithin { days }),
        Just(Condition::Country {
            countries: vec!["GB".into(), "DE".into()]
        }),
        (0i64..1_000).prop_map(|at| Condition::RegisteredSince {
            at: Timestamp(at * 1_000_000)
        }),
        (1i64..400).prop_map(|days| Condition::RegisteredWithin { days }),
    ]
}

fn facts() -> impl Strategy<Value = Facts> {
    let country = prop::option::of(prop_oneof![Just("GB"), Just("DE"), Just("FR")]);
    let day = 86_400_000_000i64;
    (orders(), country, prop::option::of(0i64..500), 0i64..500).prop_map(
        move |(orders, country, registered, now)| Facts {
            statistics: of(&orders),
            country: country.map(str::to_owned),
            registered_at: registered.map(|days| Timestamp(days * day)),
            now: Timestamp(now * day),
        },
    )
}

fn consents() -> impl Strategy<Value = Consents> {
    prop::collection::btree_map(0usize..5, any::<bool>(), 0..5).prop_map(|chosen| {
        let current = chosen.into_iter().map(|(purpose, granted)| {
            let purpose = Purpose::ALL[purpose];
            let change = ConsentChanged {
                customer_id: None,
                person: person(1),
                purpose,
                granted,
                source: ConsentSource::Account,
                policy_version: String::new(),
                at: Timestamp(0),
            };
            (purpose, change)
        });
        Consents {
            current: current.collect(),
        }
    })
}

proptest! {
    #[test]
    fn sums_do_not_depend_on_the_order_of_events(orders in orders(), seed in any::<u64>()) {
        let mut shuffled = orders.clone();
        shuffled.sort_by_key(|one| one.order_id.as_str().bytes().fold(seed, |hash, byte| {
            hash.wrapping_mul(0x0100_0000_01b3) ^ u64::from(byte)
        }));
        prop_assert_eq!(of(&orders), of(&shuffled));
    }

    #[test]
    fn sums_are_those_of_the_orders(orders in orders()) {
        let sums = of(&orders);
        prop_assert_eq!(sums.orders(), orders.len() as i64);
        for one in &sums.currencies {
            let same = orders.iter().filter(|order| order.amount.currency == one.spent.currency);
            prop_assert_eq!(one.spent.amount, same.map(|order| order.amount.amount).sum::<i64>());
        }
        let newest = orders.iter().map(|order| order.at).max();
        prop_assert_eq!(sums.last_order_at(), newest);
    }

    #[test]
    fn taking_an_order_back_is_as_if_it_had_not_been(orders in orders(), which in 0usize..40) {
        // More than are remembered one by one cannot be put back into their places.
        prop_assume!(!orders.is_empty() && orders.len() <= 20);
        let gone = &orders[which % orders.len()];
        let mut rest = orders.clone();
        rest.retain(|order| order.order_id != gone.order_id);
        prop_assert_eq!(changed(&of(&orders), Some(gone), None), of(&rest));
    }

    #[test]
    fn two_histories_together_are_one(orders in orders(), split in 0usize..40) {
        let (ours, theirs) = orders.split_at(split.min(orders.len()));
        let whole = of(&orders);
        prop_assert_eq!(combined(&of(ours), &of(theirs)), whole.clone());
        prop_assert_eq!(combined(&of(theirs), &of(ours)), whole);
    }

    #[test]
    fn all_means_every_condition_and_any_means_one(
        conditions in prop::collection::vec(condition(), 1..6),
        facts in facts(),
    ) {
        let alone = |condition: &Condition| fits(
            &SegmentRule { combine: Combine::All, conditions: vec![condition.clone()] },
            &facts,
        );
        let rule = |combine| SegmentRule { combine, conditions: conditions.clone() };
        prop_assert_eq!(fits(&rule(Combine::All), &facts), conditions.iter().all(alone));
        prop_assert_eq!(fits(&rule(Combine::Any), &facts), conditions.iter().any(alone));
    }

    #[test]
    fn an_order_was_either_before_or_within_so_many_days(facts in facts(), days in 1i64..400) {
        let one = |condition| fits(
            &SegmentRule { combine: Combine::All, conditions: vec![condition] },
            &facts,
        );
        let (before, within) = (
            one(Condition::LastOrderBefore { days }),
            one(Condition::LastOrderWithin { days }),
        );
        prop_assert_eq!(before ^ within, facts.statistics.last_order_at().is_some());
    }

    #[test]
    fn time_changes_only_rules_that_say_so(
        conditions in prop::collection::vec(condition(), 1..6),
        facts in facts(),
        later in 0i64..500,
    ) {
        let rule = SegmentRule { combine: Combine::All, conditions };
        prop_assume!(!crate::segment::is_timed(&rule));
        let then = Facts { now: facts.now.plus_seconds(later * DAY), ..facts.clone() };
        prop_assert_eq!(fits(&rule, &facts), fits(&rule, &then));
    }

    #[test]
    fn no_merge_ever_grants_what_one_of_both_refused(ours in consents(), theirs in consents()) {
        let mut merged = ours.clone();
        for change in stricter(&ours, &theirs) {
            merged.current.insert(change.purpose, change);
        }
        for purpose in Purpose::ALL {
            let of = |book: &Consents| book.current.get(&purpose).map(|one| one.granted);
            let wanted = match (of(&ours), of(&theirs)) {
                (Some(one), Some(other)) => Some(one && other),
                (one, other) => one.or(other),
            };
            prop_assert_eq!(of(&merged), wanted);
        }
    }

    #[test]
    fn merging_profiles_loses_no_order(
        ours in orders(),
        theirs in orders(),
        late in any::<bool>(),
    ) {
        let mut shop = Shop::open();
        shop.registers(1, "a@example.org");
        shop.registers(2, "b@example.org");
        let mut number = 0;
        let mut all = Statistics::default();
        for (who, orders) in [(1, &ours), (2, &theirs)] {
            for one in orders {
                number += 1;
                shop.places(number, Some(who), "a@example.org", one.amount);
                if !late {
                    shop.confirms(number);
                }
                let same = Counted { order_id: order(number), at: shop.0.now, ..one.clone() };
                all = changed(&all, None, Some(&same));
            }
        }
        shop.does(&super::merging::merge(2, 1));
        if late {
            (1..=number).for_each(|number| drop(shop.confirms(number)));
        }
        prop_assert_eq!(shop.statistics(1), all);
        prop_assert_eq!(shop.statistics(2), Statistics::default());
    }

    #[test]
    fn no_address_makes_the_check_fall_over(
        postcode in "\\PC{0,12}", province in "\\PC{0,6}", country in "[A-Z]{2}",
    ) {
        let odd = Address { postcode: postcode.clone(), province, ..address(&country) };
        let problem = odd.country_problem();
        if format_of(&country).is_some_and(|format| format.postcodes.is_empty()) {
            let given = postcode.chars().any(|c| !c.is_whitespace() && c != '-');
            prop_assert!(!given || problem.is_some());
        }
    }
}
