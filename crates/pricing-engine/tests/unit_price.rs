//! The price of one from price lists and the catalogue.

mod support;

use contracts::pricing::{ListedPrice, PriceList, PriceTier};
use kernel::{Currency, Money, Timestamp};
use pricing_engine::{PriceQuery, RuleSet, Rules, UnitPrice, unit_price};
use support::{gbp, id};

/// A list, and the prices of a SKU in it by quantity.
fn list(
    number: usize,
    tiers: &[(i64, i64)],
    change: impl FnOnce(&mut PriceList),
) -> (PriceList, ListedPrice) {
    let mut list = PriceList {
        id: id("plt", number),
        name: format!("List {number}"),
        currency: Currency::GBP,
        channels: Vec::new(),
        groups: Vec::new(),
        starts_at: None,
        ends_at: None,
        priority: 0,
        active: true,
    };
    change(&mut list);
    let tier = |(from_quantity, price): &(i64, i64)| PriceTier {
        from_quantity: *from_quantity,
        price: Money::new(*price, list.currency),
    };
    let price = ListedPrice {
        list_id: list.id.clone(),
        sku: "A".into(),
        tiers: tiers.iter().map(tier).collect(),
        compare_at: Some(Money::new(2000, list.currency)),
    };
    (list, price)
}

struct Buyer<'a> {
    quantity: i64,
    channel: &'a str,
    groups: &'a [&'a str],
    now: i64,
}

const ANYBODY: Buyer<'static> = Buyer {
    quantity: 1,
    channel: "web",
    groups: &[],
    now: 100,
};

fn ask(
    lists: Vec<(PriceList, ListedPrice)>,
    catalogue: Option<i64>,
    buyer: Buyer<'_>,
) -> Option<UnitPrice> {
    let (price_lists, listed): (Vec<_>, Vec<_>) = lists.into_iter().unzip();
    let rules = Rules::new(RuleSet {
        price_lists,
        ..RuleSet::default()
    });
    let groups: Vec<String> = buyer.groups.iter().map(|g| (*g).into()).collect();
    unit_price(
        &rules,
        &PriceQuery {
            listed: &listed,
            catalogue: catalogue.map(gbp),
            compare_at: Some(gbp(1500)),
            quantity: buyer.quantity,
            currency: Currency::GBP,
            channel: buyer.channel,
            groups: &groups,
            now: Timestamp(buyer.now),
        },
    )
}

fn amount(answer: Option<UnitPrice>) -> Option<i64> {
    answer.map(|answer| answer.price.amount)
}

#[test]
fn without_a_list_the_catalogue_counts() {
    let answer = ask(vec![], Some(1000), ANYBODY).expect("a price");
    assert_eq!(
        (answer.price, answer.compare_at, answer.list),
        (gbp(1000), Some(gbp(1500)), None)
    );
    let answer = ask(vec![], Some(1500), ANYBODY).expect("a price");
    assert_eq!(answer.compare_at, None, "what is not more is no comparison");
    assert_eq!(ask(vec![], None, ANYBODY), None);
    assert_eq!(ask(vec![], Some(-1), ANYBODY), None);
}

#[test]
fn the_highest_priority_counts_then_the_lowest_price_then_the_older_list() {
    let lists = |priorities: [i64; 3]| {
        let one = |(at, price): (usize, i64)| {
            list(at + 1, &[(1, price)], |l| l.priority = priorities[at])
        };
        [900, 800, 800]
            .into_iter()
            .enumerate()
            .map(one)
            .collect::<Vec<_>>()
    };
    let answer = ask(lists([5, 0, 0]), Some(700), ANYBODY).expect("a price");
    assert_eq!((answer.price, answer.list), (gbp(900), Some(id("plt", 1))));
    assert_eq!(answer.compare_at, Some(gbp(2000)));
    for shuffled in [[0, 1, 2], [2, 1, 0], [1, 2, 0]] {
        let mut sorted = lists([0, 0, 0]);
        let mixed = shuffled.map(|at| sorted[at].clone());
        sorted = mixed.to_vec();
        let answer = ask(sorted, Some(700), ANYBODY).expect("a price");
        assert_eq!((answer.price, answer.list), (gbp(800), Some(id("plt", 2))));
    }
}

#[test]
fn tiers_count_from_their_quantity_on() {
    let tiers = || vec![list(1, &[(5, 900), (10, 800), (100, 700)], |_| {})];
    for (quantity, price) in [
        (1, 1000),
        (4, 1000),
        (5, 900),
        (9, 900),
        (10, 800),
        (100, 700),
    ] {
        let buyer = Buyer {
            quantity,
            ..ANYBODY
        };
        assert_eq!(
            amount(ask(tiers(), Some(1000), buyer)),
            Some(price),
            "{quantity}"
        );
    }
    assert_eq!(ask(tiers(), None, ANYBODY), None, "no tier is reached");
}

#[test]
fn a_list_holds_for_its_buyers_channels_and_time() {
    let trade = || {
        vec![list(1, &[(1, 500)], |l| {
            l.channels = vec!["app".into(), "web".into()];
            l.groups = vec!["trade".into(), "staff".into()];
            (l.starts_at, l.ends_at) = (Some(Timestamp(50)), Some(Timestamp(200)));
        })]
    };
    let groups: &[&str] = &["vip", "trade"];
    let paid = |buyer| amount(ask(trade(), Some(1000), buyer));
    assert_eq!(paid(Buyer { groups, ..ANYBODY }), Some(500));
    assert_eq!(paid(ANYBODY), Some(1000));
    assert_eq!(
        paid(Buyer {
            groups,
            channel: "store",
            ..ANYBODY
        }),
        Some(1000)
    );
    for (now, price) in [(49, 1000), (50, 500), (199, 500), (200, 1000)] {
        assert_eq!(
            paid(Buyer {
                groups,
                now,
                ..ANYBODY
            }),
            Some(price),
            "{now}"
        );
    }
}

#[test]
fn lists_that_do_not_hold_are_passed_over() {
    let foreign = list(1, &[(1, 1)], |l| l.currency = Currency::EUR);
    let asleep = list(2, &[(1, 2)], |l| l.active = false);
    let (_, unknown) = list(3, &[(1, 3)], |_| {});
    let (mut other, negative) = list(4, &[(1, -4)], |_| {});
    other.priority = 9;
    let (price_lists, mut listed): (Vec<_>, Vec<_>) =
        [foreign, asleep, (other, negative)].into_iter().unzip();
    listed.push(unknown);
    let rules = Rules::new(RuleSet {
        price_lists,
        ..RuleSet::default()
    });
    let query = PriceQuery {
        listed: &listed,
        catalogue: Some(gbp(1000)),
        compare_at: None,
        quantity: 1,
        currency: Currency::GBP,
        channel: "web",
        groups: &[],
        now: Timestamp(0),
    };
    assert_eq!(amount(unit_price(&rules, &query)), Some(1000));
}
