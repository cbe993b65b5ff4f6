//! Where is sold: channels and regions.

use kernel::Currency;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// When the money of an order is taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CaptureMode {
    /// By staff.
    #[default]
    Manual,
    /// As soon as the order is confirmed.
    OnConfirmation,
    /// With each shipment, its part.
    OnShipment,
}

impl CaptureMode {
    /// Whether staff take the money: what an order that does not say means.
    pub fn is_manual(&self) -> bool {
        *self == Self::Manual
    }
}

/// A way to sell: web shop, app, store, marketplace. Carts that name none are of channel `web`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Channel {
    /// Lower-case letters, digits and dashes, such as `web`; unique.
    pub code: String,
    /// For people.
    pub name: String,
    /// When the money is taken.
    #[serde(default)]
    pub capture: CaptureMode,
    /// Whether carts may be opened in it.
    #[serde(default = "crate::pricing::yes")]
    pub active: bool,
}

/// How tax is rounded to minor units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TaxRounding {
    /// Each tax of each line by itself, half away from zero.
    #[default]
    PerLine,
    /// The sum of each tax over the order, shared out to the lines by largest remainder.
    PerOrder,
}

/// Countries that are sold to in the same way. A country belongs to one region at most.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Region {
    /// Lower-case letters, digits and dashes, such as `eu`; unique.
    pub code: String,
    /// For people.
    pub name: String,
    /// The currency carts of this region are opened in.
    #[schema(value_type = String, example = "EUR")]
    pub currency: Currency,
    /// ISO 3166-1 alpha-2.
    pub countries: Vec<String>,
    /// Whether prices (lists, catalogue, shipping) contain the tax already.
    pub prices_include_tax: bool,
    /// How tax is rounded.
    #[serde(default)]
    pub tax_rounding: TaxRounding,
}
