//! Postal addresses and how to reach a person. Personal data: inside events always `Personal<Contact>`.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

mod country;
mod formats;

pub use country::{Format, Province, format_of, is_country};

/// A postal address.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Address {
    /// Who it is addressed to.
    pub name: String,
    /// The business, where it goes to one.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub company: String,
    /// Street and number.
    pub line1: String,
    /// Flat, floor, care of.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub line2: String,
    /// Town.
    pub city: String,
    /// State, county or province.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub province: String,
    /// Postal code; empty where a country has none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub postcode: String,
    /// ISO 3166-1 alpha-2.
    #[schema(example = "GB")]
    pub country: String,
    /// For the carrier.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub phone: String,
}

impl std::fmt::Debug for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Address(***)")
    }
}

impl Address {
    /// The first thing wrong with it: the field (relative to the address) and what is expected.
    pub fn problem(&self) -> Option<(&'static str, &'static str)> {
        let too_long = |text: &str| text.chars().count() > 200;
        let fields = [
            ("name", &self.name, true),
            ("company", &self.company, false),
            ("line1", &self.line1, true),
            ("line2", &self.line2, false),
            ("city", &self.city, true),
            ("province", &self.province, false),
            ("postcode", &self.postcode, false),
            ("phone", &self.phone, false),
        ];
        for (field, text, required) in fields {
            if required && text.trim().is_empty() {
                return Some((field, "must not be empty"));
            }
            if too_long(text) {
                return Some((field, "must be at most 200 characters"));
            }
            if text.contains(char::is_control) {
                return Some((field, "must hold no control characters"));
            }
        }
        let country = self.country.as_bytes();
        if country.len() != 2 || !country.iter().all(u8::is_ascii_uppercase) {
            return Some((
                "country",
                "must be two capital letters (ISO 3166-1), for example GB",
            ));
        }
        None
    }
}

/// How to reach the buyer.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contact {
    /// E-mail address.
    pub email: String,
    /// Where the goods go.
    pub shipping_address: Address,
    /// VAT identification number of a business, without spaces, such as `DE123456789`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vat_number: Option<String>,
}

/// Whether `email` looks like an address that mail could be sent to (one `@`, a dot behind it, no
/// spaces, at most 254 octets, RFC 5321).
pub fn is_email(email: &str) -> bool {
    let Some((local, domain)) = email.split_once('@') else {
        return false;
    };
    email.len() <= 254
        && !local.is_empty()
        && local.len() <= 64
        && domain.contains('.')
        && !domain.starts_with('.')
        && !domain.ends_with('.')
        && !domain.contains('@')
        && !email.chars().any(|c| c.is_whitespace() || c.is_control())
}
