//! The types of shipping's API: the plan and quotes.

use kernel::{Currency, Money, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{ShippingOptionId, ShippingRate, ShippingZoneId, ZonePlace};
use crate::{cart::CartId, catalog::ProductId, inventory::LocationId};

/// A zone as staff give it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ShippingZoneInput {
    /// For staff, 1 to 100 characters.
    pub name: String,
    /// 1 to 500.
    pub places: Vec<ZonePlace>,
}

/// A profile as staff give it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ShippingProfileInput {
    /// For staff, 1 to 100 characters.
    pub name: String,
    /// At most 5,000.
    #[serde(default)]
    pub skus: Vec<String>,
    /// At most 5,000.
    #[serde(default)]
    pub products: Vec<ProductId>,
    /// Paths, at most 500.
    #[serde(default)]
    pub categories: Vec<String>,
}

/// An option as staff give it; see `ShippingOption`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ShippingOptionInput {
    /// Where to. May be left out only for click-and-collect.
    #[serde(default)]
    pub zone_id: Option<ShippingZoneId>,
    /// For shoppers, 1 to 100 characters.
    pub label: String,
    /// 1 to 100.
    pub rates: Vec<ShippingRate>,
    /// Free when the shipped items cost at least this.
    #[serde(default)]
    pub free_over: Vec<Money>,
    /// Where it is collected, when it is.
    #[serde(default)]
    pub collect_from: Option<LocationId>,
    /// Earliest delivery, whole days from dispatch, 0 to 365.
    #[serde(default)]
    pub min_days: Option<i64>,
    /// Latest delivery, not before the earliest.
    #[serde(default)]
    pub max_days: Option<i64>,
    /// Tax class; `standard` unless given.
    #[serde(default)]
    pub tax_class: Option<String>,
    /// The lowest is shown first; 0 unless given.
    #[serde(default)]
    pub position: i64,
    /// Whether it is offered; true unless given.
    #[serde(default = "crate::pricing::yes")]
    pub active: bool,
}

/// Units of a SKU that are to be shipped.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct QuoteItem {
    /// Which SKU.
    pub sku: String,
    /// How many, 1 to 100,000.
    pub quantity: i64,
}

/// What of an address decides the price of shipping.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Destination {
    /// ISO 3166-1 alpha-2.
    #[schema(example = "GB")]
    pub country: String,
    /// State, county or province.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub province: String,
    /// Postal code.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub postcode: String,
}

impl std::fmt::Debug for Destination {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Destination({}, ***)", self.country)
    }
}

/// Asks what shipping would cost.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct QuoteRequest {
    /// For which cart.
    pub cart_id: CartId,
    /// The cart's currency.
    #[schema(value_type = String, example = "GBP")]
    pub currency: Currency,
    /// The cart's lines, all of them, 1 to 500.
    pub items: Vec<QuoteItem>,
    /// Where to.
    pub destination: Destination,
}

/// An offer to ship.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct QuoteOffer {
    /// To be given to the cart as it is (a JWS over `ShippingQuote`).
    pub token: String,
    /// Which way of shipping.
    pub option_id: ShippingOptionId,
    /// For shoppers.
    pub label: String,
    /// What it costs.
    pub amount: Money,
    /// Where it is collected, when it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub collect_from: Option<LocationId>,
    /// Earliest delivery, whole days from dispatch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_days: Option<i64>,
    /// Latest delivery, whole days from dispatch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_days: Option<i64>,
    /// Not accepted from here on, microseconds UTC.
    pub expires_at: Timestamp,
}

/// What shipping would cost.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct QuoteAnswer {
    /// Whether anything of the cart is shipped at all. If not, there is nothing to offer.
    pub requires_shipping: bool,
    /// Every option that fits, in the order to show them.
    pub offers: Vec<QuoteOffer>,
}
