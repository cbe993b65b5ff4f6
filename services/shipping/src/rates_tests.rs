use contracts::shipping::{
    ShippingOptionSet, ShippingPlanEvent, ShippingProfileSet, ShippingRate, ShippingZone,
    ShippingZoneSet, ZonePlace,
};
use kernel::testing::given;
use proptest::prelude::*;

use super::*;
use crate::plan::Plans;

const GBP: Currency = Currency::GBP;

fn item(sku: &str, quantity: i64) -> Item {
    Item {
        sku: sku.into(),
        product_id: "prd_1".parse().expect("an id"),
        categories: vec!["home/chairs".into()],
        quantity,
        price: Some(1_000),
        grams: Some(500),
        size_mm: None,
    }
}

fn profile(id: &str, skus: &[&str], categories: &[&str]) -> ShippingProfile {
    ShippingProfile {
        id: id.parse().expect("an id"),
        name: id.into(),
        skus: skus.iter().map(|s| (*s).into()).collect(),
        products: vec![],
        categories: categories.iter().map(|c| (*c).into()).collect(),
    }
}

fn rate(profile: &str, price: PriceRule) -> ShippingRate {
    ShippingRate {
        profile_id: profile.parse().expect("an id"),
        currency: GBP,
        price,
    }
}

fn option(id: &str, rates: Vec<ShippingRate>) -> ShippingOption {
    ShippingOption {
        id: id.parse().expect("an id"),
        zone_id: Some("szn_gb".parse().expect("an id")),
        label: "Standard".into(),
        rates,
        free_over: vec![],
        collect_from: None,
        min_days: Some(1),
        max_days: Some(3),
        tax_class: "standard".into(),
        position: 0,
        active: true,
    }
}

fn plan(profiles: Vec<ShippingProfile>, options: Vec<ShippingOption>) -> Plan {
    let zone = ShippingZone {
        id: "szn_gb".parse().expect("an id"),
        name: "GB".into(),
        places: vec![ZonePlace {
            country: "GB".into(),
            provinces: vec![],
            postcodes: vec![],
        }],
    };
    let mut events: Vec<ShippingPlanEvent> = vec![ShippingZoneSet { zone }.into()];
    events.extend(
        profiles
            .into_iter()
            .map(|profile| ShippingProfileSet { profile }.into()),
    );
    events.extend(
        options
            .into_iter()
            .map(|option| ShippingOptionSet { option }.into()),
    );
    given::<Plans>(events).state
}

fn quoted(plan: &Plan, items: &[Item]) -> Vec<(String, i64)> {
    let destination = Destination {
        country: "GB".into(),
        ..Destination::default()
    };
    let offers = offers(plan, items, GBP, &destination);
    let show =
        |(option, amount): &(Arc<ShippingOption>, Money)| (option.id.to_string(), amount.amount);
    offers.iter().map(show).collect()
}

fn steps(steps: &[(i64, i64)]) -> Vec<PriceStep> {
    let step = |(from, amount): &(i64, i64)| PriceStep {
        from: *from,
        amount: *amount,
    };
    steps.iter().map(step).collect()
}

#[test]
fn each_rule_reads_its_own_measure() {
    let flat = PriceRule::Flat { amount: 495 };
    let weight = PriceRule::Weight {
        steps: steps(&[(0, 300), (1_000, 500), (5_000, 900)]),
        up_to: Some(10_000),
        divisor: None,
        unknown_grams: None,
    };
    let by_price = PriceRule::Price {
        steps: steps(&[(0, 400), (2_000, 100)]),
        up_to: None,
    };
    let quantity = PriceRule::Quantity {
        steps: steps(&[(2, 250)]),
        up_to: Some(4),
    };
    let of = |rule: &PriceRule, quantity| {
        let plan = plan(
            vec![],
            vec![option("sho_1", vec![rate("spf_general", rule.clone())])],
        );
        quoted(&plan, &[item("a", quantity)])
            .first()
            .map(|(_, amount)| *amount)
    };
    assert_eq!(of(&flat, 7), Some(495));
    assert_eq!(
        [
            of(&weight, 1),
            of(&weight, 2),
            of(&weight, 20),
            of(&weight, 21)
        ],
        [Some(300), Some(500), Some(900), None]
    );
    assert_eq!([of(&by_price, 1), of(&by_price, 2)], [Some(400), Some(100)]);
    assert_eq!(
        [of(&quantity, 1), of(&quantity, 2), of(&quantity, 5)],
        [None, Some(250), None]
    );
}

#[test]
fn the_larger_of_weight_and_dimensional_weight_counts() {
    let rule = |divisor, unknown_grams| PriceRule::Weight {
        steps: steps(&[(0, 1), (501, 2), (8_000, 3)]),
        up_to: None,
        divisor,
        unknown_grams,
    };
    let of = |rule, item: Item| {
        let plan = plan(
            vec![],
            vec![option("sho_1", vec![rate("spf_general", rule)])],
        );
        quoted(&plan, &[item]).first().map(|(_, amount)| *amount)
    };
    // 400 × 300 × 333.3 mm / 5000 is just under 8 kg; a millimetre more is over it.
    let sized = |last| Item {
        size_mm: Some([400, 300, last]),
        ..item("a", 1)
    };
    assert_eq!(of(rule(Some(5_000), None), sized(333)), Some(2));
    assert_eq!(of(rule(Some(5_000), None), sized(334)), Some(3));
    assert_eq!(
        of(rule(None, None), sized(334)),
        Some(1),
        "no divisor, no dimensional weight"
    );
    let unknown = Item {
        grams: None,
        ..item("a", 1)
    };
    assert_eq!(of(rule(None, None), unknown.clone()), None);
    assert_eq!(of(rule(None, Some(600)), unknown), Some(2));
}

#[test]
fn several_profiles_add_up_and_all_must_be_covered() {
    let flat = |amount| PriceRule::Flat { amount };
    let both = option(
        "sho_1",
        vec![
            rate("spf_general", flat(400)),
            rate("spf_bulky", flat(2_000)),
        ],
    );
    let one = option("sho_2", vec![rate("spf_general", flat(100))]);
    let plan = plan(vec![profile("spf_bulky", &["sofa"], &[])], vec![both, one]);
    assert_eq!(
        quoted(&plan, &[item("a", 1)]),
        [("sho_2".into(), 100), ("sho_1".into(), 400)]
    );
    assert_eq!(
        quoted(&plan, &[item("a", 1), item("sofa", 1)]),
        [("sho_1".into(), 2_400)]
    );
}

#[test]
fn a_sku_counts_before_its_category_and_a_longer_path_before_a_shorter() {
    let profiles = [
        profile("spf_a", &[], &["home"]),
        profile("spf_b", &[], &["home/chairs"]),
        profile("spf_c", &["x"], &[]),
        profile("spf_d", &[], &["home/chair"]),
    ];
    let profiles: Vec<&ShippingProfile> = profiles.iter().collect();
    assert_eq!(profile_of(&profiles, &item("x", 1)).as_str(), "spf_c");
    assert_eq!(profile_of(&profiles, &item("y", 1)).as_str(), "spf_b");
    let elsewhere = Item {
        categories: vec!["garden".into()],
        ..item("y", 1)
    };
    assert_eq!(
        profile_of(&profiles, &elsewhere),
        ShippingProfileId::general()
    );
}

#[test]
fn free_over_counts_the_catalogues_prices_and_inactive_or_foreign_options_are_not_offered() {
    let mut free = option(
        "sho_1",
        vec![rate("spf_general", PriceRule::Flat { amount: 400 })],
    );
    free.free_over = vec![Money::new(3_000, GBP)];
    let mut inactive = free.clone();
    inactive.id = "sho_2".parse().expect("an id");
    inactive.active = false;
    let plan = plan(vec![], vec![free, inactive]);
    assert_eq!(quoted(&plan, &[item("a", 2)]), [("sho_1".into(), 400)]);
    assert_eq!(quoted(&plan, &[item("a", 3)]), [("sho_1".into(), 0)]);
    let unpriced = Item {
        price: None,
        ..item("a", 3)
    };
    assert_eq!(quoted(&plan, &[unpriced]), [("sho_1".into(), 400)]);
    let abroad = Destination {
        country: "FR".into(),
        ..Destination::default()
    };
    assert!(offers(&plan, &[item("a", 1)], GBP, &abroad).is_empty());
    assert!(
        offers(
            &plan,
            &[item("a", 1)],
            Currency::EUR,
            &Destination {
                country: "GB".into(),
                ..Destination::default()
            }
        )
        .is_empty()
    );
}

proptest! {
    #[test]
    fn a_table_whose_prices_rise_never_gives_more_for_less(
        raw in proptest::collection::btree_map(0i64..100_000, 0i64..1_000, 1..20),
        a in 0i64..200_000,
        b in 0i64..200_000,
    ) {
        let mut sum = 0;
        let table: Vec<PriceStep> = raw.into_iter().map(|(from, more)| {
            sum += more;
            PriceStep { from, amount: sum }
        }).collect();
        let (low, high) = (a.min(b), a.max(b));
        let (cheap, dear) = (look_up(&table, None, low), look_up(&table, None, high));
        prop_assert!(cheap <= dear, "None, not offered, is below every price");
    }

    #[test]
    fn a_look_up_is_the_last_step_at_or_below(
        froms in proptest::collection::btree_set(0i64..1_000, 1..20),
        value in 0i64..1_100,
        up_to in proptest::option::of(0i64..1_100),
    ) {
        let table: Vec<PriceStep> = froms.iter().map(|from| PriceStep { from: *from, amount: *from }).collect();
        let slow = froms.iter().copied().filter(|from| *from <= value).max();
        let wanted = slow.filter(|_| up_to.is_none_or(|up_to| value <= up_to));
        prop_assert_eq!(look_up(&table, up_to, value), wanted);
    }

    #[test]
    fn huge_carts_do_not_overflow(quantity in 1i64..=i64::MAX, price in 0i64..=i64::MAX, grams in 0i64..=i64::MAX, mm in 1i64..=i64::MAX) {
        let rules = [
            PriceRule::Weight { steps: steps(&[(0, 1)]), up_to: None, divisor: Some(1), unknown_grams: None },
            PriceRule::Price { steps: steps(&[(0, 1)]), up_to: None },
            PriceRule::Quantity { steps: steps(&[(0, 1)]), up_to: None },
        ];
        let item = Item { price: Some(price), grams: Some(grams), size_mm: Some([mm, mm, mm]), ..item("a", quantity) };
        for rule in rules {
            let plan = plan(vec![], vec![option("sho_1", vec![rate("spf_general", rule)])]);
            prop_assert_eq!(quoted(&plan, &[item.clone(), item.clone()]), [("sho_1".to_owned(), 1)]);
        }
    }
}
