//! What pricing publishes: price lists, promotions, tax rates, channels and regions as whole objects,
//! so that whoever prices a cart does it from a copy of their own; and the uses of coupons, which
//! pricing alone counts.

mod answer;
mod api;
mod events;
mod place;
mod promotion;
mod redemption;
mod tax;
mod tax_import;
mod usage;

pub use answer::*;
pub use api::*;
pub use events::*;
pub use place::*;
pub use promotion::*;
pub use redemption::*;
pub use tax::*;
pub use tax_import::*;
pub use usage::*;

use kernel::{Currency, Money, Timestamp, id};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

id!(
    /// A price list.
    PriceListId, "plt"
);
id!(
    /// A promotion.
    PromotionId, "prm"
);
id!(
    /// A campaign: promotions that share a budget.
    CampaignId, "cmp"
);
id!(
    /// A tax rate.
    TaxRateId, "txr"
);

/// Prices that hold for some buyers, for some time. Where several lists have a price, the one with
/// the highest priority counts, then the lowest price. Without a list's price the catalogue's counts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PriceList {
    /// Its id.
    pub id: PriceListId,
    /// For staff.
    pub name: String,
    /// Of all its prices.
    #[schema(value_type = String, example = "EUR")]
    pub currency: Currency,
    /// Codes of the channels it holds in; empty: all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub channels: Vec<String>,
    /// Codes of the customer groups it holds for; empty: everybody.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<String>,
    /// First moment, microseconds UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub starts_at: Option<Timestamp>,
    /// First moment it no longer holds, microseconds UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends_at: Option<Timestamp>,
    /// The highest counts.
    #[serde(default)]
    pub priority: i64,
    /// Whether it is in force at all.
    #[serde(default = "crate::pricing::yes")]
    pub active: bool,
}

/// The price of one from a quantity on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PriceTier {
    /// From how many on, at least 1.
    pub from_quantity: i64,
    /// Price of one, never negative.
    pub price: Money,
}

/// The price of a SKU in a list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ListedPrice {
    /// Which list.
    pub list_id: PriceListId,
    /// Which SKU.
    pub sku: String,
    /// By quantity, ascending, each quantity once, at least one tier.
    pub tiers: Vec<PriceTier>,
    /// The price it is compared with ("was").
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compare_at: Option<Money>,
}

pub(crate) fn yes() -> bool {
    true
}

/// Whether a flag that is mostly set is set: it is then left out.
pub(crate) fn is_yes(flag: &bool) -> bool {
    *flag
}
