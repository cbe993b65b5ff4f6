//! Which rates hold in a place.

use std::cmp::Reverse;

use contracts::pricing::TaxRate;
use kernel::Timestamp;

use crate::rules::{Rules, country_code, in_force};

/// Where goods go, written in the one way that rates are compared with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) country: String,
    province: String,
    pub(crate) postcode: String,
}

impl Place {
    pub(crate) fn new(country: &str, province: &str, postcode: &str) -> Self {
        let country = country_code(country);
        Self {
            province: province_code(&country, province),
            postcode: postcode_form(postcode),
            country,
        }
    }
}

/// Writes a rate's place in that way too.
pub(crate) fn prepare(rate: &mut TaxRate) {
    rate.country = country_code(&rate.country);
    let province = rate.province.as_deref().unwrap_or_default();
    rate.province = Some(province_code(&rate.country, province)).filter(|code| !code.is_empty());
    for postcode in &mut rate.postcodes {
        *postcode = postcode_form(postcode);
    }
}

/// The rates of goods (or shipping) of a class in a place at a time, in the order they are computed:
/// of each priority the one for the smallest place. Postcodes are smaller than a province, and of two
/// lists of postcodes the one that says more of the postcode is smaller; of two rates for the same
/// place the one that began last counts, then the older one.
pub(super) fn rates<'r>(
    rules: &'r Rules,
    place: &Place,
    class: &str,
    shipping: bool,
    now: Timestamp,
) -> Vec<&'r TaxRate> {
    let mut chosen: Vec<(&TaxRate, _)> = Vec::new();
    for rate in rules.tax_rates(&place.country, class) {
        let Some(size) = fit(rate, place) else {
            continue;
        };
        if (shipping && !rate.shipping) || !in_force(rate.starts_at, rate.ends_at, now) {
            continue;
        }
        let rank = (size, rate.starts_at, Reverse(&rate.id));
        match chosen.last_mut() {
            Some((best, best_rank)) if best.priority == rate.priority => {
                if *best_rank < rank {
                    (*best, *best_rank) = (rate, rank);
                }
            }
            _ => chosen.push((rate, rank)),
        }
    }
    chosen.into_iter().map(|(rate, _)| rate).collect()
}

/// How closely a rate names the place; `None` if it is for other places.
fn fit(rate: &TaxRate, place: &Place) -> Option<(usize, bool)> {
    let province = rate.province.as_ref();
    if province.is_some_and(|code| *code != place.province) {
        return None;
    }
    if rate.postcodes.is_empty() {
        return Some((0, province.is_some()));
    }
    let patterns = rate.postcodes.iter();
    let closest = patterns
        .filter_map(|pattern| covers(pattern, &place.postcode))
        .max()?;
    Some((closest, province.is_some()))
}

/// Whether a pattern covers a postcode: 1 and the number of characters it names.
fn covers(pattern: &str, postcode: &str) -> Option<usize> {
    if postcode.is_empty() {
        return None;
    }
    if let Some((from, to)) = pattern.split_once("..") {
        // Three dots mean the same.
        let number = |text: &str| {
            let text = text.trim_matches('.');
            let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
            digits.then(|| text.parse::<u64>().ok()).flatten()
        };
        let inside = number(from)? <= number(postcode)? && number(postcode)? <= number(to)?;
        let same = from.chars().zip(to.trim_matches('.').chars());
        return inside.then(|| 1 + same.take_while(|(a, b)| a == b).count());
    }
    let (pattern, open) = match pattern.strip_suffix('*') {
        Some(start) => (start, true),
        None => (pattern, false),
    };
    let mut rest = postcode.chars();
    let mut named = 1;
    for wanted in pattern.chars() {
        let c = rest.next()?;
        match wanted {
            '?' => {}
            _ if wanted == c => named += 1,
            _ => return None,
        }
    }
    (open || rest.next().is_none()).then_some(named)
}

/// A postcode (or a pattern of them) without spaces and dashes, in capital letters.
fn postcode_form(text: &str) -> String {
    let kept = text.chars().filter(|c| !c.is_whitespace() && *c != '-');
    kept.flat_map(char::to_uppercase).collect()
}

/// A province's code in capital letters, without the country in front.
fn province_code(country: &str, text: &str) -> String {
    let code = text.trim().to_uppercase();
    let bare = code.strip_prefix(country).and_then(|c| c.strip_prefix('-'));
    bare.map(str::to_owned).unwrap_or(code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_cover_postcodes() {
        for (pattern, postcode, covered) in [
            ("90210", "90210", Some(6)),
            ("90210", "9021", None),
            ("90210", "902101", None),
            ("9021?", "90210", Some(5)),
            ("9021?", "9021", None),
            ("90*", "90", Some(3)),
            ("90*", "90210", Some(3)),
            ("90*", "91210", None),
            ("*", "1", Some(1)),
            ("35000..35999", "35000", Some(3)),
            ("35000..35999", "35999", Some(3)),
            ("35000...35999", "35500", Some(3)),
            ("35000..35999", "36000", None),
            ("35000..35999", "3550A", None),
            ("00001..00999", "00950", Some(3)),
            ("1..99999999999999999999999", "5", None),
            ("a..b", "5", None),
            ("..", "5", None),
            ("BT*", "BT11AA", Some(3)),
            ("BT*", "B11AA", None),
            ("*", "", None),
        ] {
            assert_eq!(covers(pattern, postcode), covered, "{pattern} {postcode}");
        }
    }

    #[test]
    fn places_are_compared_in_one_way() {
        let place = Place::new(" us", "us-ca", "902 10-1234");
        assert_eq!(place, Place::new("US", "CA", "902101234"));
        assert_eq!(Place::new("GB", " ", "bt1 1aa").postcode, "BT11AA");
    }
}
