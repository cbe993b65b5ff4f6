//! Tables of tax rates from elsewhere.

use contracts::pricing::{TaxRate, TaxRowStatus};
use kernel::{DeciderSpec, Timestamp, testing::World};
use proptest::prelude::*;

use crate::{
    import::{self, Row, patterns_of, read_vat_rates, read_woocommerce},
    postcodes::pattern_of,
    whole::Whole,
};

const WOOCOMMERCE: &str = "\u{feff}Country Code,State Code,ZIP/Postcode,City,Rate %,Tax Name,Priority,Compound,Shipping,Tax Class
GB,*,*,*,20.0000,VAT,1,1,1,
GB,*,*,*,5.0000,VAT,1,0,0,reduced-rate
us,ca,90001; 902*;90210...90299,*,7.2500,CA,2,0,0,books
*,*,*,*,1.0000,World,1,0,0,
US,CA,*,Los Angeles,1.0000,City,3,0,0,
US,CA,*,*,1.00001,Odd,3,0,0,
US,CA,9*0,*,1,Odd,3,0,0,
US,CA,*,*,1,Odd,first,0,0,
US,CA,*,*,1,Odd,1,maybe,0,
GB,*,*,*,17.5,VAT,1,1,1,standard
GB,*,*,*,0.0000,,1,1,1,zero-rate
";

fn rates(rows: &[Row]) -> Vec<&TaxRate> {
    rows.iter()
        .filter_map(|row| row.outcome.as_ref().ok())
        .collect()
}

fn problems(rows: &[Row]) -> Vec<(i64, &str)> {
    let problems = rows.iter().filter_map(|row| {
        let problem = row.outcome.as_ref().err()?;
        Some((row.row, problem.field.as_str()))
    });
    problems.collect()
}

#[test]
fn woocommerces_table_is_read_row_by_row() {
    let rows = read_woocommerce(WOOCOMMERCE).unwrap();
    assert_eq!(
        problems(&rows),
        [
            (5, "Country Code"),
            (6, "City"),
            (7, "Rate %"),
            (8, "ZIP/Postcode"),
            (9, "Priority"),
            (10, "Compound"),
            (11, "row"),
        ]
    );
    let rates = rates(&rows);
    let short: Vec<_> = rates
        .iter()
        .map(|r| {
            (
                r.country.as_str(),
                r.class.as_str(),
                r.rate_ppm,
                r.name.as_str(),
            )
        })
        .collect();
    assert_eq!(
        short,
        [
            ("GB", "standard", 200_000, "VAT"),
            ("GB", "reduced", 50_000, "VAT"),
            ("US", "books", 72_500, "CA"),
            ("GB", "zero", 0, "Tax"),
        ]
    );
    assert_eq!(rates[2].province.as_deref(), Some("CA"));
    assert_eq!(rates[2].postcodes, ["90001", "902*", "90210..90299"]);
    assert_eq!(
        (
            rates[0].compound,
            rates[0].shipping,
            rates[1].compound,
            rates[1].shipping
        ),
        (true, true, false, false)
    );
}

#[test]
fn what_is_no_table_is_refused_whole() {
    assert!(read_woocommerce("").is_err());
    let refused = read_woocommerce("Country Code,Rate %\nGB,20").unwrap_err();
    assert!(refused.detail.contains("State Code"), "{}", refused.detail);
    for bad in ["", "[]", "{}", r#"{"items": {"DE": [{"rates": {}}]}}"#] {
        assert!(read_vat_rates(bad).is_err(), "{bad}");
    }
}

const VAT: &str = r#"{"items": {
  "DE": [
    {"effective_from": "2021-01-01", "rates": {"reduced": 7, "standard": 19},
     "exceptions": [{"name": "Heligoland", "postcode": "27498", "standard": 0}]},
    {"effective_from": "2020-07-01", "rates": {"reduced": 5, "standard": 16}},
    {"effective_from": "0000-01-01", "rates": {"reduced": 7, "standard": 19}}
  ],
  "FR": [
    {"effective_from": "0000-01-01", "rates": {"super_reduced": 2.1, "standard": 20},
     "exceptions": [
       {"name": "Guadeloupe", "postcode": "971\\d{2,}", "standard": 8.5},
       {"name": "Nowhere", "postcode": "9.+", "standard": 1},
       {"name": "Broken", "postcode": 5, "standard": 1}
     ]}
  ],
  "XX": [{"effective_from": "yesterday", "rates": {"standard": 1}}]
}}"#;

#[test]
fn the_table_of_vat_rates_is_read_with_its_periods_and_exceptions() {
    let rows = read_vat_rates(VAT).unwrap();
    assert_eq!(
        problems(&rows),
        [
            (12, "items.FR[0].exceptions[1].postcode"),
            (13, "items.FR[0].exceptions[2].postcode"),
            (14, "items.XX[0].effective_from"),
        ]
    );
    let named: Vec<&str> = rows.iter().map(|row| row.rate.as_str()).collect();
    assert_eq!(
        named,
        [
            "DE reduced",
            "DE standard",
            "DE standard, Heligoland",
            "DE reduced, Heligoland",
            "DE reduced",
            "DE standard",
            "DE reduced",
            "DE standard",
            "FR standard",
            "FR super-reduced",
            "FR standard, Guadeloupe",
            "FR standard, Nowhere",
            "FR",
            "XX",
        ]
    );
    let rates = rates(&rows);
    let (new_year, july) = (
        Timestamp(1_609_459_200_000_000),
        Timestamp(1_593_561_600_000_000),
    );
    let period = |i: usize| (rates[i].starts_at, rates[i].ends_at);
    assert_eq!(period(1), (Some(new_year), None));
    assert_eq!(period(5), (Some(july), Some(new_year)));
    assert_eq!(period(7), (None, Some(july)));
    assert_eq!(rates[9].rate_ppm, 21_000, "exactly");
    assert_eq!(
        (rates[10].rate_ppm, rates[10].postcodes.as_slice()),
        (85_000, &["971??*".to_owned()][..])
    );
    // Outside of the tax, every class is.
    assert_eq!((rates[3].rate_ppm, rates[3].class.as_str()), (0, "reduced"));
    assert_eq!(rates[2].name, "VAT (Heligoland)");
}

fn world() -> World {
    World::new([DeciderSpec::of::<Whole<TaxRate>>()])
}

fn import(world: &mut World, rows: Vec<Row>) -> (i64, i64, i64, i64) {
    let mut done: Vec<TaxRowStatus> = Vec::new();
    for command in import::commands(&rows) {
        done.extend(world.run(&command).unwrap().0);
    }
    let answer = import::answer(rows, done);
    (
        answer.created,
        answer.updated,
        answer.unchanged,
        answer.refused,
    )
}

#[test]
fn the_same_table_again_changes_nothing_and_a_new_one_what_it_must() {
    let mut world = world();
    assert_eq!(
        import(&mut world, read_vat_rates(VAT).unwrap()),
        (11, 0, 0, 3)
    );
    assert_eq!(
        import(&mut world, read_vat_rates(VAT).unwrap()),
        (0, 0, 11, 3)
    );
    let dearer = VAT.replace("8.5", "9.25").replace("19}},", "20}},");
    assert_eq!(
        import(&mut world, read_vat_rates(&dearer).unwrap()),
        (0, 1, 10, 3)
    );
    // A period that is added ends the one before it.
    let later = r#""FR": [{"effective_from": "2030-01-01", "rates": {"standard": 21}},"#;
    let later = VAT.replace(r#""FR": ["#, later);
    let (created, updated, ..) = import(&mut world, read_vat_rates(&later).unwrap());
    assert_eq!((created, updated), (1, 3));
    assert_eq!(
        import(&mut world, read_woocommerce(WOOCOMMERCE).unwrap()),
        (4, 0, 0, 7)
    );
    assert_eq!(
        import(&mut world, read_woocommerce(WOOCOMMERCE).unwrap()),
        (0, 0, 4, 7)
    );
}

/// Whether a pattern means a postcode, as its definition says.
fn means(pattern: &str, postcode: &str) -> bool {
    if let Some((first, last)) = pattern.split_once("..") {
        return postcode.len() == first.len() && (first..=last).contains(&postcode);
    }
    let (body, open) = match pattern.strip_suffix('*') {
        Some(body) => (body, true),
        None => (pattern, false),
    };
    let fits = |(wanted, found): (char, char)| wanted == '?' || wanted == found;
    (postcode.len() == body.len() || open && postcode.len() > body.len())
        && body.chars().zip(postcode.chars()).all(fits)
}

#[test]
fn an_expression_and_its_patterns_mean_the_same_postcodes() {
    type Meant = fn(u32) -> bool;
    let cases: &[(&str, Meant)] = &[
        (
            r"(35\d{3}|38\d{3})",
            |n| matches!(n, 35_000..=35_999 | 38_000..=38_999),
        ),
        (r"(5100[1-5]|5107[0-1]|51081)", |n| {
            matches!(n, 51_001..=51_005 | 51_070 | 51_071 | 51_081)
        }),
        (r"971\d{2,}", |n| matches!(n, 97_100..=97_199)),
        (r"9[0-4]\d{2,}", |n| matches!(n, 90_000..=94_999)),
        (r"22061", |n| n == 22_061),
        (r"699[123]\d", |n| matches!(n, 69_910..=69_939)),
        (r"6[13]\d{2}[57]", |n| {
            matches!(n / 1_000, 61 | 63) && matches!(n % 10, 5 | 7)
        }),
        (r"(1|2(3|4))\d\d[0-9]", |n| matches!(n / 1_000, 23 | 24)),
        (r"0[1-2]\d{3}", |n| matches!(n, 1_000..=2_999)),
        (r"[13579]\d{4}", |n| (n / 10_000) % 2 == 1),
        (r"\d{5}", |_| true),
    ];
    for (expression, meant) in cases {
        let patterns = patterns_of(expression).unwrap();
        for pattern in &patterns {
            assert_eq!(pattern_of(pattern).as_ref(), Ok(pattern), "{expression}");
        }
        for number in 0..100_000u32 {
            let postcode = format!("{number:05}");
            let found = patterns.iter().any(|pattern| means(pattern, &postcode));
            assert_eq!(found, meant(number), "{expression} {patterns:?} {postcode}");
        }
    }
}

#[test]
fn what_patterns_cannot_say_is_refused() {
    let bad = [
        "",
        "()",
        "a||b",
        "(35",
        "35)",
        "9.+",
        "9+",
        "9*",
        "9?",
        "^9$",
        r"\w",
        r"\",
        "[",
        "[]",
        "[^1]",
        "[5-1]",
        "[1-z]",
        r"\d{2,4}",
        r"\d{a}",
        r"\d{99}",
        r"\d{2,}5",
        "(1|2){2,}",
        r"[1-9][1-9][1-9][1-9]x",
        "ä",
        "{2}",
        r"[13579][13579][13579][13579]",
    ];
    for expression in bad {
        assert!(patterns_of(expression).is_err(), "{expression}");
    }
    let deep = format!("{}1{}", "(".repeat(50), ")".repeat(50));
    assert!(patterns_of(&deep).is_err());
    assert!(patterns_of(&"1".repeat(501)).is_err());
}

#[test]
fn patterns_are_kept_in_one_way_of_writing() {
    for (typed, kept) in [
        ("bt1 1aa", "BT11AA"),
        ("12-345", "12345"),
        ("35???", "35???"),
        ("99*", "99*"),
        ("35000 .. 35999", "35000..35999"),
        ("*", "*"),
    ] {
        assert_eq!(pattern_of(typed).as_deref(), Ok(kept));
    }
    for bad in [
        "",
        " - ",
        "1*2",
        "**",
        "5..4",
        "1..22",
        "A..B",
        "..",
        "1..",
        "ü",
        &"1".repeat(41),
    ] {
        assert!(pattern_of(bad).is_err(), "{bad}");
    }
}

proptest! {
    #[test]
    fn no_expression_makes_it_panic_or_grow(text in r"[0-9\\d\[\]\(\)\|\{\},\-a-c\.]{0,40}") {
        if let Ok(patterns) = patterns_of(&text) {
            prop_assert!(patterns.len() <= 200);
        }
    }

    #[test]
    fn no_table_makes_it_panic(text in ".{0,300}") {
        let _ = read_woocommerce(&text);
        let _ = read_vat_rates(&text);
        let header = WOOCOMMERCE.lines().next().unwrap_or_default();
        let _ = read_woocommerce(&format!("{header}\n{text}"));
    }
}
