//! Whether an address is in a zone.

use contracts::shipping::{Destination, ShippingZone, ZonePlace};

/// Longest postcode pattern, characters.
pub const MAX_PATTERN: usize = 40;

/// Text as it is compared: without spaces and dashes, in capital letters.
pub fn plain(text: &str) -> String {
    let kept = text.chars().filter(|c| !c.is_whitespace() && *c != '-');
    kept.flat_map(char::to_uppercase).collect()
}

/// Whether a destination is in a zone.
pub fn covers(zone: &ShippingZone, destination: &Destination) -> bool {
    let (province, postcode) = (plain(&destination.province), plain(&destination.postcode));
    zone.places
        .iter()
        .any(|place| is_in(place, &destination.country, &province, &postcode))
}

fn is_in(place: &ZonePlace, country: &str, province: &str, postcode: &str) -> bool {
    place.country == country
        && (place.provinces.is_empty() || place.provinces.iter().any(|p| plain(p) == province))
        && (place.postcodes.is_empty() || place.postcodes.iter().any(|p| fits(p, postcode)))
}

/// Whether a postcode (already [`plain`]) fits a pattern: `?` is one character, a final `*` any
/// others, `35000..35999` a range of numbers.
pub fn fits(pattern: &str, postcode: &str) -> bool {
    let pattern = plain(pattern);
    if let Some((from, to)) = pattern.split_once("..") {
        let numbers = (number(from), number(postcode), number(to));
        return matches!(numbers, (Some(from), Some(it), Some(to)) if (from..=to).contains(&it));
    }
    let (head, open) = match pattern.strip_suffix('*') {
        Some(head) => (head, true),
        None => (pattern.as_str(), false),
    };
    let mut rest = postcode.chars();
    let alike = head
        .chars()
        .all(|wanted| rest.next().is_some_and(|c| wanted == '?' || wanted == c));
    alike && (open || rest.next().is_none())
}

/// What is wrong with a pattern, if anything.
pub fn pattern_problem(pattern: &str) -> Option<&'static str> {
    let text = plain(pattern);
    if text.is_empty() || text.chars().count() > MAX_PATTERN || text.contains(char::is_control) {
        return Some("must be 1 to 40 visible characters");
    }
    if let Some((from, to)) = text.split_once("..") {
        return match (number(from), number(to)) {
            (Some(from), Some(to)) if from <= to => None,
            _ => Some("must be two numbers, the lower one first, as in 35000..35999"),
        };
    }
    let head = text.strip_suffix('*').unwrap_or(&text);
    let odd = head.contains(|c: char| !c.is_alphanumeric() && c != '?');
    odd.then_some("must be letters, digits, `?`, and a `*` only at the end")
}

fn number(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.len() <= 18 && text.bytes().all(|b| b.is_ascii_digit());
    digits.then(|| text.parse().ok())?
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn patterns_mean_what_they_say() {
        for (pattern, postcode, wanted) in [
            ("SW1A 1AA", "SW1A1AA", true),
            ("sw1a*", "SW1A2AB", true),
            ("SW1?1AA", "SW1A1AA", true),
            ("SW1?1AA", "SW11AA", false),
            ("BT*", "B11AA", false),
            ("*", "", true),
            ("35000..35999", "35500", true),
            ("35000..35999", "36000", false),
            ("35000..35999", "35A00", false),
            ("100-01", "10001", true),
            ("10001", "100011", false),
        ] {
            assert_eq!(fits(pattern, postcode), wanted, "{pattern} {postcode}");
        }
    }

    #[test]
    fn a_place_is_a_country_narrowed_by_province_and_postcode() {
        let place = |country: &str, provinces: &[&str], postcodes: &[&str]| ZonePlace {
            country: country.into(),
            provinces: provinces.iter().map(|p| (*p).into()).collect(),
            postcodes: postcodes.iter().map(|p| (*p).into()).collect(),
        };
        let zone = ShippingZone {
            id: "szn_1".parse().expect("an id"),
            name: "Some".into(),
            places: vec![
                place("GB", &[], &["BT*"]),
                place("US", &["CA", "NY"], &[]),
                place("DE", &[], &[]),
            ],
        };
        let to = |country: &str, province: &str, postcode: &str| Destination {
            country: country.into(),
            province: province.into(),
            postcode: postcode.into(),
        };
        assert!(covers(&zone, &to("GB", "", "bt1 1aa")));
        assert!(!covers(&zone, &to("GB", "", "SW1A 1AA")));
        assert!(covers(&zone, &to("US", "ny", "")));
        assert!(!covers(&zone, &to("US", "TX", "")));
        assert!(covers(&zone, &to("DE", "", "10115")));
        assert!(!covers(&zone, &to("FR", "", "75001")));
    }

    #[test]
    fn bad_patterns_are_named() {
        for bad in [
            "",
            " ",
            "9..1",
            "A..B",
            "1..",
            "S*W",
            "SW1%",
            &"1".repeat(41),
        ] {
            assert!(pattern_problem(bad).is_some(), "{bad}");
        }
        for good in ["SW1A 1AA", "SW1*", "?", "*", "01000..01999", "K1A-0B1"] {
            assert_eq!(pattern_problem(good), None, "{good}");
        }
    }

    proptest! {
        #[test]
        fn a_postcode_fits_itself_and_its_beginning(postcode in "[A-Z0-9]{1,10}", cut in 0usize..10) {
            prop_assert!(fits(&postcode, &postcode));
            let head: String = postcode.chars().take(cut).collect();
            let open = format!("{head}*");
            prop_assert!(fits(&open, &postcode));
        }

        #[test]
        fn nothing_makes_it_panic(pattern in "\\PC{0,20}", postcode in "\\PC{0,20}") {
            let _ = (fits(&pattern, &postcode), pattern_problem(&pattern));
        }
    }
}
