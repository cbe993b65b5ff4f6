//! Tax cases computed by hand. Amounts are minor units: pence, cents, yen, fils.

mod support;

use contracts::{
    orders::TaxLine,
    pricing::{Region, TaxRate, TaxRounding, TaxSettings},
};
use kernel::{Currency, Money, Timestamp};
use support::{Case, given, id};

type Row = (
    &'static str,
    i64,
    &'static str,
    &'static str,
    &'static [&'static str],
    i64,
    &'static str,
);

/// Name, rate in millionths, class, place (country/province), postcodes, priority, and `c`ompound,
/// not on `s`hipping, or only in the second half of `2020`.
#[rustfmt::skip]
const RATES: &[Row] = &[
    ("VAT",       200_000, "standard", "GB",    &[],                 1, ""),
    ("VAT",        50_000, "reduced",  "GB",    &[],                 1, ""),
    ("VAT",             0, "zero",     "GB",    &[],                 1, ""),
    ("MwSt",      190_000, "standard", "DE",    &[],                 1, ""),
    ("MwSt",      160_000, "standard", "DE",    &[],                 1, "2020"),
    ("MwSt",       70_000, "reduced",  "DE",    &[],                 1, ""),
    ("TVA",       200_000, "standard", "FR",    &[],                 1, ""),
    ("TVA",        55_000, "reduced",  "FR",    &[],                 1, ""),
    ("FPA",       240_000, "standard", "GR",    &[],                 1, ""),
    ("IVA",       210_000, "standard", "ES",    &[],                 1, ""),
    ("IVA",             0, "standard", "ES",    &["35???", "38???"], 1, ""),
    ("GST",        50_000, "standard", "CA",    &[],                 1, ""),
    ("QST",        99_750, "standard", "CA/QC", &[],                 2, ""),
    ("PST",       100_000, "standard", "CA/PE", &[],                 2, "c"),
    ("Sales tax",  72_500, "standard", "US/CA", &[],                 1, "s"),
    ("LA County",  95_000, "standard", "US/CA", &["90*"],            1, "s"),
    ("City",       10_000, "standard", "US/CA", &["90210..90213"],   2, "s"),
    ("Tax",       100_000, "standard", "JP",    &[],                 1, ""),
    ("Tax",        80_000, "reduced",  "JP",    &[],                 1, ""),
    ("VAT",       100_000, "standard", "BH",    &[],                 1, ""),
];

/// The shop sells from Germany. Columns: currency; where to (country/province/postcode; `-`: not
/// known; `_` is a space; then a VAT number or a time, if any); whether prices include tax and how it is rounded;
/// lines (class:quantity x price) and shipping; taxes of each of them; the total. Behind `#`, how.
const TABLE: &str = "
# Prices that include tax: price × rate / (1 + rate).
GBP | GB | incl line | 1x1999 | VAT 20 %=333 | 1999               # 1999/6 = 333.17
GBP | GB | incl line | 1x3    | VAT 20 %=1   | 3                  # 3/6 = 0.5, half away from zero
GBP | GB | incl line | 3x333  | VAT 20 %=167 | 999                # 999/6 = 166.5, of the line and not of one
GBP | GB | incl line | 1x1    | VAT 20 %=0   | 1                  # 0.17
GBP | GB | incl line | 1x0    | VAT 20 %=0   | 0
EUR | DE | incl line | 1x1190 | MwSt 19 %=190 | 1190
EUR | DE | incl line | 1x999  | MwSt 19 %=160 | 999               # 999 × 19/119 = 159.50
GBP | GB | incl line | 1x9000000000000000000 | VAT 20 %=1500000000000000000 | 9000000000000000000

# Prices that do not: price × rate.
GBP | GB | excl line | 1x1999 | VAT 20 %=400 | 2399               # 399.8
GBP | GB | excl line | reduced:1x10 | VAT 5 %=1 | 11              # 0.5
GBP | GB | excl line | reduced:1x30 | VAT 5 %=2 | 32              # 1.5
GBP | GB | excl line | reduced:1x50 | VAT 5 %=3 | 53              # 2.5: not to even
GBP | GB | excl line | reduced:1x49 | VAT 5 %=2 | 51              # 2.45

# Mixed rates, shipping, shipping of another class, a class that has no rate there.
GBP | GB | incl line | 1x1200 reduced:1x1050 zero:1x500 | VAT 20 %=200; VAT 5 %=50; VAT 0 %=0 | 2750
EUR | DE | excl line | 1x10000 reduced:2x495 ship:590 | MwSt 19 %=1900; MwSt 7 %=69; MwSt 19 %=112 | 13661 # 69.3, 112.1
GBP | GB | incl line | 1x2400 ship:495 | VAT 20 %=400; VAT 20 %=83 | 2895 # 82.5
EUR | FR | excl line | reduced:1x1000 reduced:ship:500 | TVA 5.5 %=55; TVA 5.5 %=28 | 1583 # 27.5
EUR | DE | incl line | books:1x1000 1x119 | -; MwSt 19 %=19 | 1119

# Rounded per line, and per order with the sum shared out by largest remainder.
GBP | GB | excl line  | 1x33 1x33 1x33 | VAT 20 %=7; VAT 20 %=7; VAT 20 %=7 | 120 # 6.6 each
GBP | GB | excl order | 1x33 1x33 1x33 | VAT 20 %=7; VAT 20 %=7; VAT 20 %=6 | 119 # 19.8
GBP | GB | incl line  | 1x10 1x10 1x10 | VAT 20 %=2; VAT 20 %=2; VAT 20 %=2 | 30  # 1.67 each
GBP | GB | incl order | 1x10 1x10 1x10 | VAT 20 %=2; VAT 20 %=2; VAT 20 %=1 | 30  # 5
GBP | GB | excl order | 1x1 1x2 1x4 | VAT 20 %=0; VAT 20 %=0; VAT 20 %=1 | 8      # 0.2 + 0.4 + 0.8 = 1.4
EUR | DE | excl order | 1x33 ship:33 | MwSt 19 %=7; MwSt 19 %=6 | 79              # 6.27 each, 12.54
EUR | DE | excl order | 1x33 reduced:1x33 | MwSt 19 %=6; MwSt 7 %=2 | 74          # 6.27, 2.31: each tax by itself
JPY | JP | excl line  | 1x55 1x55 1x55 | Tax 10 %=6; Tax 10 %=6; Tax 10 %=6 | 183 # 5.5 each
JPY | JP | excl order | 1x55 1x55 1x55 | Tax 10 %=6; Tax 10 %=6; Tax 10 %=5 | 182 # 16.5

# Several taxes: of the price alone, or compound, of the price and the taxes before.
CAD | CA/QC | excl line | 1x10000 | GST 5 %=500, QST 9.975 %=998 | 11498     # 997.5
CAD | CA/QC | incl line | 1x11498 | GST 5 %=500, QST 9.975 %=998 | 11498     # ÷ 1.14975: 500.02, 997.54
CAD | CA/PE | excl line | 1x10000 | GST 5 %=500, PST 10 %=1050 | 11550       # 10 % of 10500
CAD | CA/PE | incl line | 1x11550 | GST 5 %=500, PST 10 %=1050 | 11550       # ÷ 1.155
CAD | CA/PE | incl line | 1x9999  | GST 5 %=433, PST 10 %=909 | 9999         # 432.86, 909.00; net 8657
CAD | CA/PE | excl line | 1x24    | GST 5 %=1, PST 10 %=3 | 28               # 1.2; 10 % of 25.2, not of 24
CAD | CA/PE | excl order | 1x9 1x9 | GST 5 %=1, PST 10 %=1; GST 5 %=0, PST 10 %=1 | 21 # 0.9; 1.89
CAD | CA/ON | excl line | 1x10000 | GST 5 %=500 | 10500
CAD | CA/ca-qc | excl line | 1x10000 | GST 5 %=500, QST 9.975 %=998 | 11498

# Places: postcode before province before country; further priorities add up; shipping not taxed.
USD | US/CA/94103 | excl line | 1x10000 ship:1000 | Sales tax 7.25 %=725; - | 11725
USD | US/CA/90001 | excl line | 1x10000 | LA County 9.5 %=950 | 10950
USD | US/CA/90210 | excl line | 1x10000 | LA County 9.5 %=950, City 1 %=100 | 11050
USD | US/CA/90214 | excl line | 1x10000 | LA County 9.5 %=950 | 10950
USD | US/CA/90210-1234 | excl line | 1x10000 | LA County 9.5 %=950 | 10950
USD | US/CA/ | excl line | 1x10000 | Sales tax 7.25 %=725 | 10725
USD | US/NV/89101 | excl line | 1x10000 | - | 10000
EUR | ES//28001   | incl line | 1x12100 | IVA 21 %=2100 | 12100
EUR | ES//35001   | incl line | 1x12100 | IVA 0 %=0 | 12100
EUR | ES//38-0_01 | incl line | 1x12100 | IVA 0 %=0 | 12100

# Times: the rate that began last counts while it holds.
EUR | DE 2020-06-30 | excl line | 1x10000 | MwSt 19 %=1900 | 11900
EUR | DE 2020-07-01 | excl line | 1x10000 | MwSt 16 %=1600 | 11600
EUR | DE 2020-12-31 | excl line | 1x10000 | MwSt 16 %=1600 | 11600
EUR | DE 2021-01-01 | excl line | 1x10000 | MwSt 19 %=1900 | 11900

# Not known where to: estimated for the shop's own country. No rates: no tax.
EUR | -  | incl line | 1x1190 ship:119 | MwSt 19 %=190; MwSt 19 %=19 | 1309
USD | NO | incl line | 1x1000 ship:500 | -; - | 1500
USD | NO | excl line | 1x1000 ship:500 | -; - | 1500

# Currencies without minor units and with three digits of them.
JPY | JP | incl line | 1x1100 | Tax 10 %=100 | 1100
JPY | JP | incl line | 1x999  | Tax 10 %=91  | 999                # 90.8
JPY | JP | excl line | 1x999 reduced:1x108 ship:500 | Tax 10 %=100; Tax 8 %=9; Tax 10 %=50 | 1766 # 99.9, 8.64
BHD | BH | excl line | 1x1999 | VAT 10 %=200 | 2199               # 1.999: 0.1999
BHD | BH | excl line | 1x5    | VAT 10 %=1   | 6                  # 0.5 fils
BHD | BH | incl line | 1x1234 ship:1100 | VAT 10 %=112; VAT 10 %=100 | 2334 # 112.18
KWD | KW | excl line | 1x1999 | - | 1999

# Reverse charge: tax in the price is taken off; otherwise none is added.
EUR | FR NL123456789B01 | excl line | 1x1000 ship:500 | Reverse charge=0; Reverse charge=0 | 1500
EUR | FR NL123456789B01 | incl line | 1x1200 ship:600 | Reverse charge=0; Reverse charge=0 | 1500 # 200 and 100 off
EUR | FR FR12345678901  | incl line | reduced:1x1055  | Reverse charge=0 | 1000 # 55 off
EUR | FR fr12345678901  | incl order | 1x10 1x10 1x10 | Reverse charge=0; Reverse charge=0; Reverse charge=0 | 25 # 2 + 2 + 1 off
EUR | GR EL123456789    | incl line | 1x1240 | Reverse charge=0 | 1000
EUR | GB//BT1_1AA XI123456789 | incl line | 1x1200 | Reverse charge=0 | 1000 # Northern Ireland
EUR | FR NL123456789B01 | incl line | books:1x1000 | - | 1000               # nothing there to shift
# Not: a number of the shop's own country, goods that stay there, a malformed number, outside the EU.
EUR | FR DE123456789    | incl line | 1x1200 | TVA 20 %=200 | 1200
EUR | DE NL123456789B01 | incl line | 1x1190 | MwSt 19 %=190 | 1190
EUR | FR NL123          | incl line | 1x1200 | TVA 20 %=200 | 1200
EUR | FR GB123456789    | incl line | 1x1200 | TVA 20 %=200 | 1200
EUR | GB//SW1A_1AA XI123456789 | incl line | 1x1200 | VAT 20 %=200 | 1200
EUR | - NL123456789B01  | incl line | 1x1190 | MwSt 19 %=190 | 1190
";

#[test]
fn every_case_of_the_table_comes_out_as_computed_by_hand() {
    let mut count = 0;
    for row in TABLE.lines() {
        let written = row.split('#').next().unwrap_or_default();
        let columns: Vec<&str> = written.split('|').map(str::trim).collect();
        let &[currency, place, mode, charges, taxes, total] = columns.as_slice() else {
            assert_eq!(written.trim(), "", "six columns: {row}");
            continue;
        };
        let case = case(currency, place, mode, charges);
        let priced = case.price();
        let shipping = priced.shipping.iter().map(|s| &s.taxes);
        let lines = priced.lines.iter().map(|line| &line.taxes);
        let found: Vec<String> = lines
            .chain(shipping)
            .map(|taxes| written_as(taxes))
            .collect();
        assert_eq!(found.join("; "), taxes, "{row}");
        assert_eq!(priced.totals.total.amount.to_string(), total, "{row}");
        assert!(
            priced.tax.reverse_charge || !taxes.contains("Reverse"),
            "{row}"
        );
        assert_eq!(priced.tax.estimated, place.starts_with('-'), "{row}");
        count += 1;
    }
    assert_eq!(count, 73, "no case was lost");
}

fn written_as(taxes: &[TaxLine]) -> String {
    let one = |tax: &TaxLine| format!("{}={}", tax.label, tax.amount.amount);
    match taxes {
        [] => "-".into(),
        taxes => taxes.iter().map(one).collect::<Vec<_>>().join(", "),
    }
}

fn case(currency: &str, place: &str, mode: &str, charges: &str) -> Case {
    let mut case = given();
    case.currency = currency.parse().expect("a currency");
    case.rules.tax_rates = RATES.iter().enumerate().map(rate).collect();
    case.rules.tax_settings = TaxSettings {
        origin_country: "DE".into(),
        reverse_charge: true,
    };
    let mut words = place.split(' ');
    let mut parts = words.next().unwrap_or_default().split('/');
    let mut part = || parts.next().unwrap_or_default().replace('_', " ");
    let to = [part(), part(), part()];
    let rest: Vec<&str> = words.collect();
    match rest.as_slice() {
        [] => {}
        [time] if time.starts_with("20") => case.now = moment(time),
        [vat] => case.vat = Some((*vat).into()),
        other => panic!("{other:?}"),
    }
    let country = if to[0] == "-" {
        "DE".into()
    } else {
        to[0].clone()
    };
    case.to = (to[0] != "-").then_some(to);
    case.rules.regions = vec![region(country, mode, case.currency)];
    for charge in charges.split(' ') {
        let (class, what) = match charge.rsplit_once(':') {
            Some(("ship", amount)) => (None, format!("ship:{amount}")),
            Some((class, amount)) => match class.strip_suffix(":ship") {
                Some(class) => (Some(class.to_owned()), format!("ship:{amount}")),
                None => (Some(class.to_owned()), amount.to_owned()),
            },
            None => (None, charge.to_owned()),
        };
        if let Some(amount) = what.strip_prefix("ship:") {
            let amount = Money::new(amount.parse().expect("an amount"), case.currency);
            case.shipping = Some((amount, class));
        } else {
            let (quantity, price) = what.split_once('x').expect("quantity x price");
            let sku = format!("SKU-{}", case.lines.len());
            let numbers = (
                quantity.parse().expect("a number"),
                price.parse().expect("a price"),
            );
            case = case.line(&sku, numbers.0, numbers.1);
            case.lines.last_mut().expect("a line").class = class;
        }
    }
    case
}

fn rate((at, row): (usize, &Row)) -> TaxRate {
    let (name, rate_ppm, class, place, postcodes, priority, marks) = *row;
    let (country, province) = place.split_once('/').unwrap_or((place, ""));
    let dated = marks == "2020";
    TaxRate {
        id: id("txr", at),
        name: name.into(),
        rate_ppm,
        class: class.into(),
        country: country.into(),
        province: (!province.is_empty()).then(|| province.into()),
        postcodes: postcodes.iter().map(|p| (*p).into()).collect(),
        priority,
        compound: marks == "c",
        shipping: marks != "s",
        starts_at: dated.then(|| moment("2020-07-01")),
        ends_at: dated.then(|| moment("2021-01-01")),
    }
}

fn region(country: String, mode: &str, currency: Currency) -> Region {
    Region {
        code: "here".into(),
        name: "Here".into(),
        currency,
        countries: vec![country],
        prices_include_tax: mode.starts_with("incl"),
        tax_rounding: match mode.ends_with("order") {
            true => TaxRounding::PerOrder,
            false => TaxRounding::PerLine,
        },
    }
}

/// Midnight UTC, or the last moment of a year's half.
fn moment(day: &str) -> Timestamp {
    let (day_number, late) = match day {
        "2020-06-30" => (18_443, true),
        "2020-07-01" => (18_444, false),
        "2020-12-31" => (18_627, true),
        "2021-01-01" => (18_628, false),
        other => panic!("no such day here: {other}"),
    };
    let midnight = Timestamp(0).plus_seconds(day_number * 86_400);
    match late {
        true => Timestamp(midnight.plus_seconds(86_400).0 - 1),
        false => midnight,
    }
}

#[test]
fn tax_is_of_what_promotions_left() {
    let case = given()
        .region(&["GB"], false)
        .rate("GB", 200_000)
        .to("GB")
        .line("A", 1, 1000)
        .shipping(500)
        .promotion("tenth", support::percent(10))
        .promotion("post", support::shipping_off(50, None));
    let priced = case.price();
    assert_eq!(priced.lines[0].taxes[0].amount.amount, 180);
    assert_eq!(priced.shipping.as_ref().map(|s| s.total.amount), Some(300));
    assert_eq!(priced.totals.total.amount, 900 + 180 + 250 + 50);
}

#[test]
fn a_country_of_no_region_has_its_tax_in_the_price() {
    let priced = given()
        .rate("GB", 200_000)
        .to("gb")
        .line("A", 1, 1200)
        .price();
    assert_eq!(priced.totals.tax.amount, 200);
    assert_eq!(priced.totals.total.amount, 1200);
    assert_eq!(
        (priced.tax.region, priced.tax.country.as_deref()),
        (None, Some("GB"))
    );
}

#[test]
fn a_shop_that_named_no_country_estimates_nothing() {
    let priced = given().rate("GB", 200_000).line("A", 1, 1200).price();
    assert_eq!(priced.totals.tax.amount, 0);
    assert_eq!(priced.tax.country, None);
    assert!(
        priced.tax.because.contains("no tax"),
        "{}",
        priced.tax.because
    );
}
