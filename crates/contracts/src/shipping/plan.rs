//! How a shop ships: zones, profiles and options, published whole.

use kernel::{Currency, Money, event_set};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{ShippingOptionId, ShippingProfileId, ShippingZoneId};
use crate::{address::Address, catalog::ProductId, inventory::LocationId};

impl ShippingProfileId {
    /// The built-in profile: of every item that no other profile names.
    pub fn general() -> Self {
        Self("spf_general".into())
    }
}

/// A part of the world. An address is in it when its country is this one, its province one of
/// these (or there are none), and its postcode fits one of the patterns (or there are none).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ZonePlace {
    /// ISO 3166-1 alpha-2.
    #[schema(example = "GB")]
    pub country: String,
    /// ISO 3166-2 without the country (`CA` of `US-CA`), or as shoppers write it; empty: all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub provinces: Vec<String>,
    /// Empty: all. Each is a postcode, in which `?` stands for one character and a final `*` for
    /// any others, or two numbers with dots between (`35000..35999`). Compared without spaces and
    /// dashes, in capital letters.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub postcodes: Vec<String>,
}

/// Places that are shipped to in the same way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ShippingZone {
    /// Its id.
    pub id: ShippingZoneId,
    /// For staff.
    pub name: String,
    /// An address is in the zone when it is in one of them.
    pub places: Vec<ZonePlace>,
}

/// Items that are shipped in the same way. An item belongs to the profile that names its SKU, or
/// else its product, or else the longest path of one of its categories, or else to the built-in
/// one (`spf_general`). Where two profiles name the same, the older one counts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ShippingProfile {
    /// Its id; `spf_general` is built in.
    pub id: ShippingProfileId,
    /// For staff, such as `Bulky`.
    pub name: String,
    /// By SKU.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub skus: Vec<String>,
    /// By product.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub products: Vec<ProductId>,
    /// By category path, such as `furniture`; those below belong too.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub categories: Vec<String>,
}

/// What holds from a value on, up to the next step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PriceStep {
    /// First value it holds for: grams, minor units of the currency, or units, as the rule says.
    pub from: i64,
    /// The price, minor units of the rate's currency.
    pub amount: i64,
}

/// How the price of shipping follows from the items of a profile.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum PriceRule {
    /// Always the same.
    Flat {
        /// Minor units of the rate's currency.
        amount: i64,
    },
    /// By weight in grams.
    Weight {
        /// Ascending; not offered below the first.
        steps: Vec<PriceStep>,
        /// Not offered above this many grams.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        up_to: Option<i64>,
        /// Cubic millimetres that count as one gram: 5000 is the carriers' usual "5000 cm³ to the
        /// kilogram". The larger of this dimensional weight and the weight counts, item by item.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        divisor: Option<i64>,
        /// What an item without a known weight weighs, in grams. Without it, the option is not
        /// offered for carts with such an item.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        unknown_grams: Option<i64>,
    },
    /// By what the items cost, at the catalogue's prices (promotions do not change the class).
    Price {
        /// Ascending; not offered below the first.
        steps: Vec<PriceStep>,
        /// Not offered above this.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        up_to: Option<i64>,
    },
    /// By the number of units.
    Quantity {
        /// Ascending; not offered below the first.
        steps: Vec<PriceStep>,
        /// Not offered above this.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        up_to: Option<i64>,
    },
}

/// The price of an option for the items of a profile, in a currency.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ShippingRate {
    /// Of which items.
    pub profile_id: ShippingProfileId,
    /// In which currency.
    #[schema(value_type = String, example = "EUR")]
    pub currency: Currency,
    /// How much.
    pub price: PriceRule,
}

/// A way of shipping that shoppers may choose. It is offered for a cart when the destination is in
/// its zone and it has a rate for every profile the cart's shipped items belong to; its price is
/// the sum over those profiles.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ShippingOption {
    /// Its id.
    pub id: ShippingOptionId,
    /// Where to; absent: anywhere (click-and-collect).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone_id: Option<ShippingZoneId>,
    /// For shoppers, such as `Standard delivery`.
    pub label: String,
    /// Prices, each profile and currency once.
    pub rates: Vec<ShippingRate>,
    /// Free when the shipped items cost at least this, in each currency at most one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub free_over: Vec<Money>,
    /// Where it is collected, when it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub collect_from: Option<LocationId>,
    /// Earliest delivery, whole days from dispatch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_days: Option<i64>,
    /// Latest delivery, whole days from dispatch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_days: Option<i64>,
    /// Tax class of the service.
    pub tax_class: String,
    /// The lowest is shown first.
    #[serde(default)]
    pub position: i64,
    /// Whether it is offered.
    pub active: bool,
}

/// A zone was added or changed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ShippingZoneSet {
    /// As it is from now on.
    pub zone: ShippingZone,
}

/// A zone was removed; no option used it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ShippingZoneRemoved {
    /// Which.
    pub id: ShippingZoneId,
}

/// A profile was added or changed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ShippingProfileSet {
    /// As it is from now on.
    pub profile: ShippingProfile,
}

/// A profile was removed; no option used it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ShippingProfileRemoved {
    /// Which.
    pub id: ShippingProfileId,
}

/// An option was added or changed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ShippingOptionSet {
    /// As it is from now on.
    pub option: ShippingOption,
}

/// An option was removed. Orders keep what they chose.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ShippingOptionRemoved {
    /// Which.
    pub id: ShippingOptionId,
}

/// Where parcels come from: the business's own address, on every label. Not for personal data.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ShippingSenderSet {
    /// The address.
    pub sender: Address,
}

event_set! {
    /// What happens to the plan of how the shop ships.
    pub enum ShippingPlanEvent {
        /// Zone.
        ZoneSet(ShippingZoneSet) = "shipping.zone.set.v1",
        /// Zone gone.
        ZoneRemoved(ShippingZoneRemoved) = "shipping.zone.removed.v1",
        /// Profile.
        ProfileSet(ShippingProfileSet) = "shipping.profile.set.v1",
        /// Profile gone.
        ProfileRemoved(ShippingProfileRemoved) = "shipping.profile.removed.v1",
        /// Option.
        OptionSet(ShippingOptionSet) = "shipping.option.set.v1",
        /// Option gone.
        OptionRemoved(ShippingOptionRemoved) = "shipping.option.removed.v1",
        /// Sender.
        SenderSet(ShippingSenderSet) = "shipping.sender.set.v1",
    }
}
