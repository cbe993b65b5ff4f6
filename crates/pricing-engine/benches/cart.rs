//! How long it takes to price a cart of twenty lines with a hundred promotions in force and tax, in
//! process. Run with `cargo bench -p pricing-engine`. The goal is a p99 of at most a millisecond. On a
//! machine that is busy with other things, those carts say more that nothing else ran in between.

#[path = "../tests/support/mod.rs"]
mod support;

use std::{
    hint::black_box,
    io::Write as _,
    time::{Duration, Instant},
};

use contracts::pricing::{Benefit, Condition, LineFilter, Stacking, TaxRounding};
use pricing_engine::{Basket, BasketLine, Destination, Rules, ShippingCharge, price};
use support::{Case, amount_off, gbp, given, holds, shipping_off};

// As in the binary.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// How long each measurement lasts.
const SPAN: Duration = Duration::from_secs(3);
const LINES: usize = 20;
const PROMOTIONS: usize = 100;

fn main() {
    for (name, rounding, all_apply) in [
        (
            "a few of them apply, tax per line",
            TaxRounding::PerLine,
            false,
        ),
        (
            "a few of them apply, tax per order",
            TaxRounding::PerOrder,
            false,
        ),
        ("nearly all apply, tax per line", TaxRounding::PerLine, true),
        (
            "nearly all apply, tax per order",
            TaxRounding::PerOrder,
            true,
        ),
    ] {
        measure(name, &cart(rounding, all_apply));
    }
}

fn measure(name: &str, case: &Case) {
    let applied = case.price().promotions.len();
    let rules = Rules::new(case.rules.clone());
    let lines: Vec<BasketLine<'_>> = case.lines.iter().map(support::Line::of_basket).collect();
    let basket = Basket {
        currency: case.currency,
        channel: &case.channel,
        groups: &case.groups,
        destination: Some(Destination {
            country: "GB",
            province: "",
            postcode: "SW1A 1AA",
        }),
        vat_number: None,
        first_order: Some(false),
        coupons: &case.coupons,
        lines: &lines,
        shipping: Some(ShippingCharge {
            amount: gbp(495),
            tax_class: None,
        }),
        now: case.now,
    };
    holds(&price(&rules, &basket).expect("a price"));
    let (begin, mut all, mut alone) = (Instant::now(), Vec::new(), Vec::new());
    while begin.elapsed() < SPAN {
        let before = queued();
        let asked = Instant::now();
        let priced = price(&rules, black_box(&basket));
        black_box(&priced);
        let took = asked.elapsed();
        all.push(took);
        if queued() == before {
            alone.push(took);
        }
    }
    let _ = writeln!(
        std::io::stdout().lock(),
        "{LINES} lines, {PROMOTIONS} promotions, {applied} applied ({name}):\n    all {}\n    undisturbed {}",
        summary(all),
        summary(alone),
    );
}

fn summary(mut waits: Vec<Duration>) -> String {
    waits.sort();
    let at = |permille: usize| {
        let wait = waits.get(waits.len().saturating_sub(1) * permille / 1000);
        wait.map_or(0, Duration::as_micros)
    };
    let (p50, p99, p999) = (at(500), at(990), at(999));
    let count = waits.len();
    format!("{count} carts: {p50} µs (p50), {p99} µs (p99), {p999} µs (p99.9)")
}

/// How long this thread has been waiting for a processor so far, as Linux counts it.
fn queued() -> Option<String> {
    let counted = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    counted.split(' ').nth(1).map(str::to_owned)
}

/// A cart of many kinds of things, and promotions of every kind.
fn cart(rounding: TaxRounding, all_apply: bool) -> Case {
    let mut case = given().region(&["GB"], true).to("GB").shipping(495);
    case.rules.regions[0].tax_rounding = rounding;
    for country in ["GB", "DE", "FR", "IT", "ES", "NL", "BE", "AT", "IE", "PL"] {
        case = case.rate(country, 200_000).rate(country, 50_000);
        let last = case.rules.tax_rates.last_mut().expect("a rate");
        last.class = "reduced".into();
    }
    for at in 0..LINES {
        let categories = [
            format!("clothing/kind-{}", at % 7),
            format!("sale/week-{}", at % 3),
        ];
        let categories: Vec<&str> = categories.iter().map(String::as_str).collect();
        let (quantity, price) = (at as i64 % 4 + 1, 10_000 + 137 * at as i64);
        case = case.line_in(&format!("SKU-{at:05}"), quantity, price, &categories);
        if at % 3 == 0 {
            case.lines[at].class = Some("reduced".into());
        }
    }
    for at in 0..PROMOTIONS {
        case = case.promotion_with(&format!("promotion-{at}"), benefit(at), |promotion| {
            promotion.priority = at as i64 % 5;
            let below = if all_apply { 1 } else { 20_000 * at as i64 };
            promotion.conditions = vec![
                Condition::Subtotal {
                    at_least: gbp(below),
                    of: LineFilter::default(),
                },
                Condition::Countries {
                    any_of: ["DE", "FR", "GB"].map(String::from).to_vec(),
                },
            ];
            if !all_apply {
                promotion.stacking = Stacking::OneOf(format!("group-{}", at % 10));
            }
            promotion.needs_coupon = at % 25 == 24;
        });
    }
    for at in [24, 49, 74, 99] {
        case = case.code(&format!("code-{at}"), at + 1);
    }
    case
}

fn benefit(at: usize) -> Benefit {
    let of = match at % 4 {
        0 => LineFilter::default(),
        1 => LineFilter {
            categories: vec!["clothing".into(), format!("sale/week-{}", at % 3)],
            ..LineFilter::default()
        },
        2 => LineFilter {
            skus: (0..50).map(|n| format!("SKU-{:05}", n * 3)).collect(),
            ..LineFilter::default()
        },
        _ => LineFilter {
            except_skus: (0..50).map(|n| format!("SKU-{:05}", n * 7)).collect(),
            ..LineFilter::default()
        },
    };
    match at % 7 {
        0 => Benefit::PercentOff { ppm: 10_000, of },
        1 => amount_off(100),
        2 => Benefit::AmountOffEach { amount: gbp(5), of },
        3 => Benefit::FixedPrice {
            price: gbp(9_900),
            of,
        },
        4 => Benefit::BuyGet {
            buy: of.clone(),
            buy_quantity: 2,
            get: of,
            get_quantity: 1,
            ppm: 10_000,
            at_most: Some(3),
        },
        5 => Benefit::PercentOff { ppm: 5_000, of },
        _ => shipping_off(5, None),
    }
}
