//! What an address must look like to be delivered in its country: a stricter look than
//! [`Address::problem`], for address books.

use super::{
    Address,
    formats::{COUNTRIES, FORMATS},
};

/// What a country asks of the province (state, county, prefecture …).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Province {
    /// It may be left out, and is not looked at.
    Free,
    /// There must be one.
    Required,
    /// It must be one of these codes.
    OneOf(&'static [&'static str]),
}

/// How addresses look in one country.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Format {
    /// ISO 3166-1 alpha-2.
    pub country: &'static str,
    /// Postcodes as masks: `9` is a digit, `A` a letter, `*` either, anything else itself. Spaces
    /// and hyphens do not matter, nor does case. None: the country has no postcodes.
    pub postcodes: &'static [&'static str],
    /// Whether a postcode may be left out.
    pub postcode_optional: bool,
    /// The province.
    pub province: Province,
}

/// Whether `code` is assigned to a country or territory (ISO 3166-1 alpha-2).
pub fn is_country(code: &str) -> bool {
    COUNTRIES
        .split_ascii_whitespace()
        .any(|known| known == code)
}

/// How addresses look in `country`; `None` where we do not know.
pub fn format_of(country: &str) -> Option<&'static Format> {
    FORMATS.iter().find(|format| format.country == country)
}

impl Address {
    /// The first thing that is wrong with it or that its country cannot have: the field (relative
    /// to the address) and what is expected. Stricter than [`problem`](Self::problem). Where a
    /// country's format is not known, only that the country exists is asked.
    pub fn country_problem(&self) -> Option<(&'static str, String)> {
        if let Some((field, expected)) = self.problem() {
            return Some((field, expected.to_owned()));
        }
        if !is_country(&self.country) {
            let text = "must be a country of ISO 3166-1, for example GB";
            return Some(("country", text.into()));
        }
        let format = format_of(&self.country)?;
        if let Some(expected) = format.postcode_problem(&self.postcode) {
            return Some(("postcode", expected));
        }
        let expected = format.province_problem(&self.province)?;
        Some(("province", expected))
    }
}

impl Format {
    fn postcode_problem(&self, postcode: &str) -> Option<String> {
        let (country, given) = (self.country, plain(postcode));
        match (self.postcodes, given.is_empty()) {
            ([], true) => None,
            ([], false) => Some(format!("must be left out: {country} has no postcodes")),
            (_, true) if self.postcode_optional => None,
            ([first, ..], true) => {
                Some(format!("must be given, in {country} like {}", shown(first)))
            }
            (masks, false) if masks.iter().any(|mask| fits(mask, &given)) => None,
            (masks, false) => {
                let masks: Vec<String> = masks.iter().take(3).map(|mask| shown(mask)).collect();
                Some(format!("must in {country} be like {}", masks.join(" or ")))
            }
        }
    }

    fn province_problem(&self, province: &str) -> Option<String> {
        let (country, given) = (self.country, province.trim());
        match self.province {
            Province::Free => None,
            Province::Required if given.is_empty() => Some(format!("must be given in {country}")),
            Province::Required => None,
            Province::OneOf(codes) if codes.iter().any(|code| code.eq_ignore_ascii_case(given)) => {
                None
            }
            Province::OneOf(codes) => {
                let code = codes.first().unwrap_or(&"");
                Some(format!("must in {country} be a code such as {code}"))
            }
        }
    }
}

/// Without what does not matter: upper case, no spaces, no hyphens.
fn plain(postcode: &str) -> String {
    let kept = postcode.chars().filter(|c| !c.is_whitespace() && *c != '-');
    kept.flat_map(char::to_uppercase).collect()
}

fn fits(mask: &str, given: &str) -> bool {
    let mask = plain(mask);
    mask.chars().count() == given.chars().count()
        && mask.chars().zip(given.chars()).all(|(mask, c)| match mask {
            '9' => c.is_ascii_digit(),
            'A' => c.is_ascii_uppercase(),
            '*' => c.is_ascii_alphanumeric(),
            own => c == own,
        })
}

/// A mask as an example for people.
fn shown(mask: &str) -> String {
    let example = mask.chars().map(|c| match c {
        '9' => '1',
        '*' => 'X',
        own => own.to_ascii_uppercase(),
    });
    example.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(country: &str, postcode: &str, province: &str) -> Address {
        Address {
            name: "A. Buyer".into(),
            line1: "1 High Street".into(),
            city: "Town".into(),
            province: province.into(),
            postcode: postcode.into(),
            country: country.into(),
            ..Address::default()
        }
    }

    #[test]
    fn addresses_that_their_country_can_have_pass() {
        let good = [
            ("GB", "SW1A 1AA", ""),
            ("GB", "m1 1ae", ""),
            ("GB", "GIR 0AA", ""),
            ("DE", "01067", ""),
            ("FR", "75008", ""),
            ("US", "94103", "CA"),
            ("US", "94103-1234", "ca"),
            ("CA", "K1A 0B1", "ON"),
            ("CA", "k1a0b1", "QC"),
            ("NL", "1012 AB", ""),
            ("NL", "1012AB", ""),
            ("IE", "", ""),
            ("IE", "D02 AF30", ""),
            ("IE", "D6W XY00", ""),
            ("HK", "", ""),
            ("AE", "", "Dubai"),
            ("JP", "100-0001", "Tokyo"),
            ("AU", "2000", "NSW"),
            ("BR", "01310-100", "SP"),
            ("PL", "00-950", ""),
            ("PT", "1000-205", ""),
            ("SE", "114 55", ""),
            ("CH", "8001", ""),
            ("AT", "1010", ""),
            ("IN", "110 001", "Delhi"),
            ("LV", "LV-1010", ""),
            ("LT", "01100", ""),
            ("LT", "LT-01100", ""),
            ("LU", "L-1234", ""),
            ("LU", "1234", ""),
            ("MT", "VLT 1117", ""),
            ("SG", "018956", ""),
            ("KR", "03187", "Seoul"),
            // A country whose format we do not know is not refused.
            ("MN", "whatever", ""),
        ];
        for (country, postcode, province) in good {
            let problem = at(country, postcode, province).country_problem();
            assert_eq!(problem, None, "{country} {postcode:?} {province:?}");
        }
    }

    #[test]
    fn what_a_country_cannot_have_is_refused_and_the_field_named() {
        let bad = [
            ("GB", "", "", "postcode"),
            ("GB", "12345", "", "postcode"),
            ("GB", "SW1A1AAA", "", "postcode"),
            ("DE", "1067", "", "postcode"),
            ("DE", "0106A", "", "postcode"),
            ("US", "94103", "", "province"),
            ("US", "94103", "ZZ", "province"),
            ("US", "9410", "CA", "postcode"),
            ("CA", "K1A 0B1", "CA", "province"),
            ("CA", "11A 0B1", "ON", "postcode"),
            ("HK", "999077", "", "postcode"),
            ("JP", "100-0001", "", "province"),
            ("AU", "2000", "XYZ", "province"),
            ("BR", "01310-100", "", "province"),
            ("IE", "12345", "", "postcode"),
            ("NL", "0012", "", "postcode"),
            ("ZZ", "1", "", "country"),
            ("gb", "SW1A 1AA", "", "country"),
        ];
        for (country, postcode, province, field) in bad {
            let problem = at(country, postcode, province).country_problem();
            let found = problem.as_ref().map(|(field, _)| *field);
            assert_eq!(found, Some(field), "{country} {postcode:?} {province:?}");
        }
        let plain = Address {
            line1: String::new(),
            ..at("HK", "", "")
        };
        assert_eq!(plain.country_problem().map(|p| p.0), Some("line1"));
    }

    #[test]
    fn the_table_is_large_in_order_and_about_real_countries() {
        assert!(FORMATS.len() >= 40, "{}", FORMATS.len());
        assert_eq!(COUNTRIES.split_ascii_whitespace().count(), 249);
        for pair in FORMATS.windows(2) {
            assert!(pair[0].country < pair[1].country, "{}", pair[1].country);
        }
        for format in FORMATS {
            assert!(is_country(format.country), "{}", format.country);
            for mask in format.postcodes {
                let example = shown(mask);
                assert!(fits(mask, &plain(&example)), "{} {mask}", format.country);
            }
        }
    }
}
