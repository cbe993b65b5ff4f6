//! The form of EU VAT identification numbers. Only the form: whether a number is given to somebody
//! is known to the tax offices alone (VIES).

/// Member states by the prefix of their numbers, with the forms of what follows it. `d` stands for a
/// digit, `a` for a letter, `x` for either, `s` for either or `+` or `*`; capital letters and digits
/// stand for themselves. `EL` is Greece (ISO 3166: GR), `XI` Northern Ireland, which counts as a
/// member state for goods.
///
/// Source: European Commission, VIES frequently asked questions, "What is the format of a VAT number
/// in each Member State?".
const FORMATS: &[(&str, &[&str])] = &[
    ("AT", &["Udddddddd"]),
    ("BE", &["0ddddddddd", "1ddddddddd"]),
    ("BG", &["ddddddddd", "dddddddddd"]),
    ("CY", &["dddddddda"]),
    ("CZ", &["dddddddd", "ddddddddd", "dddddddddd"]),
    ("DE", &["ddddddddd"]),
    ("DK", &["dddddddd"]),
    ("EE", &["ddddddddd"]),
    ("EL", &["ddddddddd"]),
    // The first and the last may be letters or digits, but not both digits.
    ("ES", &["adddddddx", "xddddddda"]),
    ("FI", &["dddddddd"]),
    ("FR", &["xxddddddddd"]),
    ("HR", &["ddddddddddd"]),
    ("HU", &["dddddddd"]),
    ("IE", &["dsddddda", "dddddddaa"]),
    ("IT", &["ddddddddddd"]),
    ("LT", &["ddddddddd", "dddddddddddd"]),
    ("LU", &["dddddddd"]),
    ("LV", &["ddddddddddd"]),
    ("MT", &["dddddddd"]),
    ("NL", &["dddddddddBdd"]),
    ("PL", &["dddddddddd"]),
    ("PT", &["ddddddddd"]),
    (
        "RO",
        &[
            "dd",
            "ddd",
            "dddd",
            "ddddd",
            "dddddd",
            "ddddddd",
            "dddddddd",
            "ddddddddd",
            "dddddddddd",
        ],
    ),
    ("SE", &["dddddddddddd"]),
    ("SI", &["dddddddd"]),
    ("SK", &["dddddddddd"]),
    ("XI", &["ddddddddd", "dddddddddddd", "GDddd", "HAddd"]),
];

/// Whether a text has the form of an EU VAT number, prefix included. Spaces, dots and dashes do not
/// count, nor does the case of letters.
pub fn vat_number_format(text: &str) -> bool {
    vat_member_state(text).is_some()
}

/// The prefix of the member state whose form the VAT number has (`EL` for Greece).
pub fn vat_member_state(text: &str) -> Option<&'static str> {
    let plain = text.chars().filter(|c| !matches!(c, ' ' | '.' | '-'));
    // No form is longer than 14 characters; a text of megabytes is not copied to find that out.
    let number: String = plain.take(15).map(|c| c.to_ascii_uppercase()).collect();
    let (prefix, rest) = number.split_at_checked(2)?;
    let (state, forms) = FORMATS.iter().find(|(state, _)| *state == prefix)?;
    forms.iter().any(|form| fits(form, rest)).then_some(*state)
}

/// The prefix of the member state that goods sent to a place are in, as far as VAT on goods is
/// concerned: Northern Ireland is a part of GB by ISO 3166, and of the EU here.
pub(crate) fn member_state(country: &str, postcode: &str) -> Option<&'static str> {
    let prefix = match country {
        "GR" => "EL",
        "GB" if postcode.starts_with("BT") => "XI",
        // Prefixes that are no countries.
        "EL" | "XI" => return None,
        other => other,
    };
    let states = FORMATS.iter().map(|(state, _)| *state);
    states.into_iter().find(|state| *state == prefix)
}

fn fits(form: &str, text: &str) -> bool {
    let one = |(form, c): (char, char)| match form {
        'd' => c.is_ascii_digit(),
        'a' => c.is_ascii_uppercase(),
        'x' => c.is_ascii_uppercase() || c.is_ascii_digit(),
        's' => c.is_ascii_uppercase() || c.is_ascii_digit() || matches!(c, '+' | '*'),
        itself => c == itself,
    };
    form.len() == text.len() && form.chars().zip(text.chars()).all(one)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_member_state_has_its_form() {
        for good in [
            "ATU12345678",
            "BE0123456789",
            "BE1123456789",
            "BG123456789",
            "BG1234567890",
            "CY12345678L",
            "CZ12345678",
            "CZ123456789",
            "CZ1234567890",
            "DE123456789",
            "DK12345678",
            "EE123456789",
            "EL123456789",
            "ESX12345678",
            "ES12345678X",
            "ESX1234567X",
            "FI12345678",
            "FR12345678901",
            "FRXX123456789",
            "HR12345678901",
            "HU12345678",
            "IE1234567A",
            "IE1A23456B",
            "IE1+23456B",
            "IE1234567WI",
            "IT12345678901",
            "LT123456789",
            "LT123456789012",
            "LU12345678",
            "LV12345678901",
            "MT12345678",
            "NL123456789B01",
            "PL1234567890",
            "PT123456789",
            "RO12",
            "RO1234567890",
            "SE123456789001",
            "SI12345678",
            "SK1234567890",
            "XI123456789",
            "XI123456789012",
            "XIGD123",
            "XIHA567",
            " de 123.456-789 ",
        ] {
            assert!(vat_number_format(good), "{good}");
        }
    }

    #[test]
    fn anything_else_has_not() {
        let long = "DE123456789".repeat(100_000);
        for bad in [
            "",
            "D",
            "DE",
            "DE12345678",
            "DE1234567890",
            "DE12345678X",
            "GR123456789",
            "GB123456789",
            "US123456789",
            "CHE123456789",
            "AT12345678",
            "BE2123456789",
            "ES123456789",
            "NL123456789X01",
            "XIGB123",
            "RO1",
            "DE１２３４５６７８９",
            "éé123456789",
            "DE12345678\u{0}",
            &long,
        ] {
            assert!(!vat_number_format(bad), "{bad:.40}");
        }
        assert_eq!(FORMATS.len(), 28, "27 member states and Northern Ireland");
    }

    #[test]
    fn places_are_in_a_member_state_or_in_none() {
        assert_eq!(member_state("GR", ""), Some("EL"));
        assert_eq!(member_state("DE", "10115"), Some("DE"));
        assert_eq!(member_state("GB", "BT11AA"), Some("XI"));
        for (country, postcode) in [("GB", "SW1A1AA"), ("GB", ""), ("US", ""), ("XI", "")] {
            assert_eq!(member_state(country, postcode), None);
        }
    }
}
