//! What pricing's API is asked, and the direct answers that are more than the objects themselves.

use kernel::{Currency, Money, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    Benefit, Campaign, CampaignId, CaptureMode, Condition, PriceTier, Promotion, PromotionId,
    PromotionUse, RedemptionRefusal, Stacking, TaxRounding,
};
use crate::orders::OrderId;

/// A price list as it is to be.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PriceListInput {
    /// For staff; 1 to 100 characters.
    pub name: String,
    /// Of all its prices. It cannot be changed later.
    #[schema(value_type = String, example = "EUR")]
    pub currency: Currency,
    /// At most 50 channels it holds in; empty: all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub channels: Vec<String>,
    /// At most 50 customer groups it holds for; empty: everybody.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<String>,
    /// First moment, microseconds UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub starts_at: Option<Timestamp>,
    /// First moment it no longer holds, microseconds UTC; later than `starts_at`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends_at: Option<Timestamp>,
    /// The highest counts; -1,000 to 1,000.
    #[serde(default)]
    pub priority: i64,
    /// Whether it is in force at all.
    #[serde(default = "crate::pricing::yes")]
    pub active: bool,
}

/// The price of a SKU in a list, as it is to be.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PriceInput {
    /// Which SKU, 1 to 128 printable characters.
    pub sku: String,
    /// 1 to 20 tiers in any order, each quantity once, in the list's currency.
    pub tiers: Vec<PriceTier>,
    /// The price it is compared with ("was"), in the list's currency.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compare_at: Option<Money>,
}

/// The price of the SKU that the address names, as it is to be.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PriceOfSku {
    /// 1 to 20 tiers in any order, each quantity once, in the list's currency.
    pub tiers: Vec<PriceTier>,
    /// The price it is compared with ("was"), in the list's currency.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compare_at: Option<Money>,
}

/// Many prices of a list: all are set or none.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetPrices {
    /// 1 to 2,000 prices, each SKU once.
    pub prices: Vec<PriceInput>,
}

/// What came of many prices.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PricesSet {
    /// How many SKUs had no price in the list before.
    pub created: i64,
    /// How many had another one.
    pub updated: i64,
    /// How many had this one already.
    pub unchanged: i64,
}

/// A promotion as it is to be.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PromotionInput {
    /// For staff, and the code of its adjustments (`promotion:summer-sale`): 1 to 60 lower-case
    /// letters, digits and dashes.
    pub name: String,
    /// For shoppers, such as `Summer sale`; 1 to 100 characters.
    pub label: String,
    /// What it does. All its amounts and those of the conditions are of one currency.
    pub benefit: Benefit,
    /// When it applies; at most 20, all must hold.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<Condition>,
    /// Whether the buyer must give one of its coupon codes.
    #[serde(default)]
    pub needs_coupon: bool,
    /// Higher ones are tried first; -1,000 to 1,000.
    #[serde(default)]
    pub priority: i64,
    /// How it gets along with others.
    #[serde(default)]
    pub stacking: Stacking,
    /// First moment, microseconds UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub starts_at: Option<Timestamp>,
    /// First moment it no longer holds, microseconds UTC; later than `starts_at`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends_at: Option<Timestamp>,
    /// How many orders may use it; absent: any number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<i64>,
    /// How many orders of one buyer may use it; absent: any number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit_per_buyer: Option<i64>,
    /// Whose budget it draws on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub campaign: Option<CampaignId>,
    /// Whether it is in force at all.
    #[serde(default = "crate::pricing::yes")]
    pub active: bool,
}

/// A promotion with what came of it so far.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PromotionView {
    /// The promotion.
    #[serde(flatten)]
    pub promotion: Promotion,
    /// How many orders use it. Counted only while its uses are claimed: with coupons, limits or a
    /// campaign.
    pub uses: i64,
    /// What it takes off them, per currency.
    pub spent: Vec<Money>,
}

/// A campaign as it is to be.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CampaignInput {
    /// For staff; 1 to 100 characters.
    pub name: String,
    /// How many orders may use its promotions, all together; absent: any number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uses: Option<i64>,
    /// How much its promotions may take off, all together; its promotions then hold in this
    /// currency only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spend: Option<Money>,
}

/// A campaign with what came of it so far.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CampaignView {
    /// The campaign.
    pub campaign: Campaign,
    /// How many orders use its promotions.
    pub used: i64,
    /// What they take off, per currency.
    pub spent: Vec<Money>,
    /// The promotions that draw on it.
    pub promotions: Vec<PromotionId>,
}

/// A coupon with a code of one's own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CouponInput {
    /// 1 to 64 letters, digits, dashes and underscores; case, spaces around it and full-width forms
    /// make no difference.
    pub code: String,
    /// How many orders may use it; absent: any number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<i64>,
}

/// A coupon's changeable part.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CouponChange {
    /// How many orders may use it; absent: any number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<i64>,
    /// Whether it may still be used.
    pub active: bool,
}

/// Many coupons with codes nobody can guess.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GenerateCoupons {
    /// How many, 1 to 1,000.
    pub count: i64,
    /// What each begins with, before a dash; at most 32 letters, digits, dashes and underscores.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prefix: Option<String>,
    /// How many orders may use each; one unless given.
    #[serde(default = "first")]
    pub limit: i64,
}

/// The codes that were generated.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct GeneratedCoupons {
    /// Which promotion they give.
    pub promotion_id: PromotionId,
    /// How many orders may use each.
    pub limit: i64,
    /// The codes.
    pub codes: Vec<String>,
}

/// A coupon with how often it was used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CouponView {
    /// Its code.
    pub code: String,
    /// What it gives.
    pub promotion_id: PromotionId,
    /// How many orders may use it; absent: any number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<i64>,
    /// Whether it may still be used.
    pub active: bool,
    /// How many orders use it.
    pub uses: i64,
}

/// A channel as it is to be; its code stands in the address.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChannelInput {
    /// For people; 1 to 100 characters.
    pub name: String,
    /// When the money is taken.
    #[serde(default)]
    pub capture: CaptureMode,
    /// Whether carts may be opened in it.
    #[serde(default = "crate::pricing::yes")]
    pub active: bool,
}

/// A region as it is to be; its code stands in the address.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RegionInput {
    /// For people; 1 to 100 characters.
    pub name: String,
    /// The currency carts of this region are opened in.
    #[schema(value_type = String, example = "EUR")]
    pub currency: Currency,
    /// 1 to 250 countries, ISO 3166-1 alpha-2, none of another region.
    pub countries: Vec<String>,
    /// Whether prices contain the tax already.
    pub prices_include_tax: bool,
    /// How tax is rounded.
    #[serde(default)]
    pub tax_rounding: TaxRounding,
}

/// What a storefront needs to know of a channel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PublicChannel {
    /// Its code.
    pub code: String,
    /// For people.
    pub name: String,
}

/// What a storefront needs to know of a region.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PublicRegion {
    /// Its code.
    pub code: String,
    /// For people.
    pub name: String,
    /// The currency carts of this region are opened in.
    #[schema(value_type = String, example = "EUR")]
    pub currency: Currency,
    /// Its countries.
    pub countries: Vec<String>,
    /// Whether prices contain the tax already.
    pub prices_include_tax: bool,
}

/// Where the shop sells, for storefronts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WhereSold {
    /// Channels that carts may be opened in.
    pub channels: Vec<PublicChannel>,
    /// Regions.
    pub regions: Vec<PublicRegion>,
}

/// A tax rate as it is to be.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TaxRateInput {
    /// For people, such as `VAT`; 1 to 80 characters.
    pub name: String,
    /// In millionths, 0 to 1,000,000: 20 % is 200000.
    pub rate_ppm: i64,
    /// Of goods of which class: 1 to 40 lower-case letters, digits and dashes.
    pub class: String,
    /// ISO 3166-1 alpha-2.
    pub country: String,
    /// ISO 3166-2 without the country (`CA` of `US-CA`); absent: the whole country.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub province: Option<String>,
    /// At most 1,000 postcodes, patterns (`35???`, `99*`) and ranges (`35000..35999`); empty: all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub postcodes: Vec<String>,
    /// Lower ones are computed first; 1 to 100.
    #[serde(default = "first")]
    pub priority: i64,
    /// Whether it is taken of the price with the taxes of lower priority.
    #[serde(default)]
    pub compound: bool,
    /// Whether shipping is taxed with it too.
    #[serde(default = "crate::pricing::yes")]
    pub shipping: bool,
    /// First moment, microseconds UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub starts_at: Option<Timestamp>,
    /// First moment it no longer holds, microseconds UTC; later than `starts_at`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends_at: Option<Timestamp>,
}

fn first() -> i64 {
    1
}

/// Where an order's uses of promotions stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RedemptionStatus {
    /// Counted.
    Made,
    /// Refused: none was counted.
    Refused,
    /// Given back with the order.
    Released,
}

/// An order's uses of promotions.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RedemptionView {
    /// Which order.
    pub order_id: OrderId,
    /// Where they stand.
    pub status: RedemptionStatus,
    /// What was counted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub uses: Vec<PromotionUse>,
    /// Why they were refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<RedemptionRefusal>,
}
