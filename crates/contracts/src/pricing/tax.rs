//! Tax: rates by place and class.

use kernel::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::TaxRateId;

/// The class of what names no other.
pub const STANDARD_CLASS: &str = "standard";

/// A tax on goods of a class in a place. Of the rates with the same `priority` the one for the
/// smallest place counts (postcode before province before country); rates of different priorities
/// add up.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TaxRate {
    /// Its id.
    pub id: TaxRateId,
    /// For people, such as `VAT`.
    pub name: String,
    /// In millionths: 20 % is 200000.
    pub rate_ppm: i64,
    /// Of goods of which class, such as `standard`, `reduced`.
    pub class: String,
    /// ISO 3166-1 alpha-2.
    pub country: String,
    /// ISO 3166-2 without the country (`CA` of `US-CA`); absent: the whole country.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub province: Option<String>,
    /// Postcodes it is for; empty: all. Each is a postcode, in which `?` stands for one character
    /// and a final `*` for any others, or two numbers with dots between (`35000..35999`).
    /// Compared without spaces and dashes, in capital letters.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub postcodes: Vec<String>,
    /// Lower ones are computed first.
    #[serde(default = "first")]
    pub priority: i64,
    /// Whether it is taken of the price with the taxes of lower priority, not of the price alone.
    #[serde(default)]
    pub compound: bool,
    /// Whether shipping is taxed with it too (the class `standard` counts for shipping unless the
    /// shipping option names another).
    #[serde(default = "crate::pricing::yes")]
    pub shipping: bool,
    /// First moment, microseconds UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub starts_at: Option<Timestamp>,
    /// First moment it no longer holds, microseconds UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends_at: Option<Timestamp>,
}

fn first() -> i64 {
    1
}

/// How the shop is taxed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct TaxSettings {
    /// Where the shop sells from, ISO 3166-1 alpha-2; empty until it is set.
    pub origin_country: String,
    /// Whether businesses of other EU countries with a VAT number are sold to without VAT (reverse
    /// charge, Directive 2006/112/EC articles 138 and 196). Holds only for an origin in the EU.
    pub reverse_charge: bool,
}
