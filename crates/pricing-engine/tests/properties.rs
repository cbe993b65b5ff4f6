//! Whatever the basket and whatever the rules: sums are right, nothing falls below zero, the order in
//! which things were added does not matter, and nothing panics.

mod support;

use contracts::pricing::{
    Benefit, Condition, LineFilter, Stacking, TaxRate, TaxRounding, TaxSettings,
};
use kernel::{Currency, Money, MoneyError};
use pricing_engine::Priced;
use proptest::{collection::vec, option, prelude::*, sample::select};
use support::{Case, Line, given, holds, id};

const SKUS: [&str; 5] = ["A", "B", "C", "D", "E"];
const CATEGORIES: [&str; 4] = ["x", "x/y", "x/y/z", "w"];

fn filter() -> impl Strategy<Value = LineFilter> {
    let names = |from: &'static [&'static str]| vec(select(from).prop_map(String::from), 0..3);
    (names(&SKUS), names(&CATEGORIES), names(&SKUS)).prop_map(|(skus, categories, except_skus)| {
        LineFilter {
            skus,
            products: Vec::new(),
            categories,
            except_skus,
        }
    })
}

/// Mostly sensible numbers, some odd ones.
fn number() -> impl Strategy<Value = i64> {
    prop_oneof![6 => 0i64..20, 6 => 0i64..5_000, 1 => any::<i64>()]
}

fn ppm() -> impl Strategy<Value = i64> {
    prop_oneof![8 => 1i64..=1_000_000, 2 => Just(1_000_000), 1 => any::<i64>()]
}

fn money() -> impl Strategy<Value = Money> {
    let currency = prop_oneof![9 => Just(Currency::GBP), 1 => Just(Currency::EUR)];
    (number(), currency).prop_map(|(amount, currency)| Money::new(amount, currency))
}

fn benefit() -> impl Strategy<Value = Benefit> {
    let few = || prop_oneof![9 => 1i64..4, 1 => any::<i64>()];
    let sizes = (few(), few(), option::of(few()));
    prop_oneof![
        (ppm(), filter()).prop_map(|(ppm, of)| Benefit::PercentOff { ppm, of }),
        (money(), filter()).prop_map(|(amount, of)| Benefit::AmountOff { amount, of }),
        (money(), filter()).prop_map(|(amount, of)| Benefit::AmountOffEach { amount, of }),
        (money(), filter()).prop_map(|(price, of)| Benefit::FixedPrice { price, of }),
        (few(), filter()).prop_map(|(of_every, of)| Benefit::CheapestFree { of_every, of }),
        (ppm(), option::of(money())).prop_map(|(ppm, up_to)| Benefit::ShippingOff { ppm, up_to }),
        (filter(), filter(), sizes, ppm()).prop_map(|(buy, get, sizes, ppm)| Benefit::BuyGet {
            buy,
            buy_quantity: sizes.0,
            get,
            get_quantity: sizes.1,
            ppm,
            at_most: sizes.2,
        }),
    ]
}

fn condition() -> impl Strategy<Value = Condition> {
    prop_oneof![
        (money(), filter()).prop_map(|(at_least, of)| Condition::Subtotal { at_least, of }),
        (1i64..5, filter()).prop_map(|(at_least, of)| Condition::Quantity { at_least, of }),
        Just(Condition::Countries {
            any_of: vec!["GB".into()]
        }),
        Just(Condition::FirstOrder {}),
    ]
}

fn stacking() -> impl Strategy<Value = Stacking> {
    prop_oneof![
        6 => Just(Stacking::Stackable),
        2 => Just(Stacking::OneOf("one".into())),
        1 => Just(Stacking::Exclusive),
    ]
}

fn rate() -> impl Strategy<Value = TaxRate> {
    let ppm = prop_oneof![20 => 0i64..300_000, 2 => 0i64..20_000_000, 1 => any::<i64>()];
    let class = select(&["standard", "reduced"][..]);
    let country = select(&["GB", "DE", "FR"][..]);
    (
        ppm,
        class,
        country,
        1i64..4,
        any::<bool>(),
        any::<bool>(),
        any::<bool>(),
    )
        .prop_map(
            |(rate_ppm, class, country, priority, compound, shipping, local)| TaxRate {
                id: id("txr", 1),
                name: "Tax".into(),
                rate_ppm,
                class: class.into(),
                country: country.into(),
                province: None,
                postcodes: local.then(|| "1*".into()).into_iter().collect(),
                priority,
                compound,
                shipping,
                starts_at: None,
                ends_at: None,
            },
        )
}

fn line() -> impl Strategy<Value = Line> {
    let price = prop_oneof![10 => 0i64..10, 40 => 0i64..100_000, 1 => any::<i64>()];
    let quantity = prop_oneof![9 => 0i64..8, 1 => 0i64..1_000_000];
    let class = option::of(select(&["standard", "reduced", "none"][..]));
    let categories = vec(select(&CATEGORIES[..]).prop_map(String::from), 0..2);
    (select(&SKUS[..]), quantity, price, class, categories).prop_map(
        |(sku, quantity, price, class, categories)| Line {
            id: id("lin", 1),
            sku: sku.into(),
            product: sku.into(),
            categories,
            class: class.map(String::from),
            quantity,
            price: Money::new(price, Currency::GBP),
        },
    )
}

prop_compose! {
    fn case()(
        lines in vec(line(), 0..8),
        promotions in vec((benefit(), vec(condition(), 0..2), stacking(), -2i64..3, any::<bool>()), 0..8),
        rates in vec(rate(), 0..8),
        shipping in option::of((0i64..2_000, option::of(Just("reduced".to_owned())))),
        to in option::of(select(&["GB", "DE", "FR", "US"][..])),
        vat in option::of(Just("NL123456789B01".to_owned())),
        (included, per_order) in (any::<bool>(), any::<bool>()),
        (first_order, given_codes) in (option::of(any::<bool>()), vec(1usize..9, 0..4)),
    ) -> Case {
        let mut case = given();
        case = case.region(&["GB", "DE", "FR"], included);
        if per_order {
            case.rules.regions[0].tax_rounding = TaxRounding::PerOrder;
        }
        for (at, (benefit, conditions, stacking, priority, needs_coupon)) in promotions.into_iter().enumerate() {
            case = case.promotion_with(&format!("p{at}"), benefit, |p| {
                p.conditions = conditions;
                p.stacking = stacking;
                p.priority = priority;
                p.needs_coupon = needs_coupon;
            });
        }
        for promotion in given_codes {
            case = case.code(&format!("code-{promotion}"), promotion);
        }
        case.rules.tax_rates = rates;
        for (at, rate) in case.rules.tax_rates.iter_mut().enumerate() {
            rate.id = id("txr", at);
        }
        case.rules.tax_settings = TaxSettings { origin_country: "DE".into(), reverse_charge: true };
        case.lines = lines;
        for (at, line) in case.lines.iter_mut().enumerate() {
            line.id = id("lin", at);
        }
        case.shipping = shipping.map(|(amount, class)| (Money::new(amount, Currency::GBP), class));
        case.to = to.map(|country| [country.into(), String::new(), "12345".into()]);
        case.vat = vat;
        case.first_order = first_order;
        case
    }
}

/// What each SKU comes to, with all it is made of, in no order.
fn by_sku(case: &Case, priced: &Priced) -> Vec<String> {
    let lines = case.lines.iter().zip(&priced.lines);
    let mut found: Vec<String> = lines
        .map(|(line, priced)| {
            let adjustments = &priced.adjustments;
            format!(
                "{} {:?} {adjustments:?} {:?} {}",
                line.sku, line.class, priced.taxes, priced.total
            )
        })
        .collect();
    found.sort();
    found
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, ..ProptestConfig::default() })]

    #[test]
    fn sums_are_right_or_it_is_refused(case in case()) {
        match case.try_price() {
            Ok(priced) => {
                holds(&priced);
                prop_assert_eq!(case.try_price(), Ok(priced), "the same again");
            }
            Err(error) => {
                let negative = case.lines.iter().any(|line| line.price.amount < 0);
                let bad = negative && error == MoneyError::BadAmount;
                prop_assert!(bad || error == MoneyError::Overflow, "{error}");
            }
        }
    }

    #[test]
    fn the_order_of_adding_does_not_matter(case in case(), seed in any::<u64>()) {
        let mut other = case.clone();
        shuffle(&mut other.lines, seed);
        shuffle(&mut other.coupons, seed);
        shuffle(&mut other.rules.promotions, seed);
        shuffle(&mut other.rules.tax_rates, seed);
        // Ids are given in the order lines are added.
        for (at, line) in other.lines.iter_mut().enumerate() {
            line.id = id("lin", at);
        }
        match (case.try_price(), other.try_price()) {
            (Ok(one), Ok(two)) => {
                prop_assert_eq!(by_sku(&case, &one), by_sku(&other, &two));
                prop_assert_eq!(one.totals, two.totals);
                prop_assert_eq!(one.promotions, two.promotions);
                prop_assert_eq!(one.uses, two.uses);
                prop_assert_eq!(one.coupons, two.coupons);
                prop_assert_eq!(one.shipping, two.shipping);
            }
            (one, two) => prop_assert_eq!(one.is_err(), two.is_err()),
        }
    }

    #[test]
    fn taxes_are_within_a_minor_unit_of_what_they_are_exactly(
        prices in vec(0i64..100_000, 1..12),
        ppm in 0i64..300_000,
        included in any::<bool>(),
        per_order in any::<bool>(),
    ) {
        let mut case = given().region(&["GB"], included).rate("GB", ppm).to("GB");
        if per_order {
            case.rules.regions[0].tax_rounding = TaxRounding::PerOrder;
        }
        for (at, price) in prices.iter().enumerate() {
            case = case.line(&format!("S{at}"), 1, *price);
        }
        let priced = case.price();
        let (num, den) = (i128::from(ppm), i128::from(if included { 1_000_000 + ppm } else { 1_000_000 }));
        for (line, price) in priced.lines.iter().zip(&prices) {
            let tax = i128::from(line.taxes[0].amount.amount);
            let away = (tax * den - i128::from(*price) * num).abs();
            let most = if per_order { den - 1 } else { den / 2 };
            prop_assert!(away <= most);
        }
        if per_order {
            let sum: i64 = prices.iter().sum();
            let away = (i128::from(priced.totals.tax.amount) * den - i128::from(sum) * num).abs();
            prop_assert!(2 * away <= den);
        }
    }
}

/// Another order of the same things.
fn shuffle<T>(items: &mut [T], mut seed: u64) {
    for at in (1..items.len()).rev() {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        items.swap(at, (seed >> 33) as usize % (at + 1));
    }
}
