//! The rules as events: each carries its object whole.

use kernel::event_set;
use serde::{Deserialize, Serialize};

use super::{
    Campaign, CampaignId, Channel, Coupon, ListedPrice, PriceList, PriceListId, Promotion,
    PromotionId, Region, TaxRate, TaxRateId, TaxSettings,
};

/// A price list was made or changed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PriceListSet {
    /// All of it.
    pub list: PriceList,
}

/// A price list is gone, with its prices.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PriceListRemoved {
    /// Which.
    pub list_id: PriceListId,
}

event_set! {
    /// The life of a price list.
    pub enum PriceListEvent {
        /// Made or changed.
        Set(PriceListSet) = "pricing.price_list.set.v1",
        /// Gone.
        Removed(PriceListRemoved) = "pricing.price_list.removed.v1",
    }
}

/// A SKU has this price in a list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PriceSet {
    /// All of it.
    pub price: ListedPrice,
}

/// A SKU has no price in a list any more.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PriceRemoved {
    /// Which list.
    pub list_id: PriceListId,
    /// Which SKU.
    pub sku: String,
}

event_set! {
    /// The life of a SKU's price in a list; one stream per list and SKU.
    pub enum PriceEvent {
        /// Made or changed.
        Set(PriceSet) = "pricing.price.set.v1",
        /// Gone.
        Removed(PriceRemoved) = "pricing.price.removed.v1",
    }
}

/// A promotion was made or changed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PromotionSet {
    /// All of it.
    pub promotion: Promotion,
}

/// A promotion is gone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PromotionRemoved {
    /// Which.
    pub promotion_id: PromotionId,
}

event_set! {
    /// The life of a promotion.
    pub enum PromotionEvent {
        /// Made or changed.
        Set(PromotionSet) = "pricing.promotion.set.v1",
        /// Gone.
        Removed(PromotionRemoved) = "pricing.promotion.removed.v1",
    }
}

/// A campaign was made or changed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CampaignSet {
    /// All of it.
    pub campaign: Campaign,
}

/// A campaign is gone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CampaignRemoved {
    /// Which.
    pub campaign_id: CampaignId,
}

event_set! {
    /// The life of a campaign.
    pub enum CampaignEvent {
        /// Made or changed.
        Set(CampaignSet) = "pricing.campaign.set.v1",
        /// Gone.
        Removed(CampaignRemoved) = "pricing.campaign.removed.v1",
    }
}

/// A coupon was made or changed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CouponSet {
    /// All of it.
    pub coupon: Coupon,
}

event_set! {
    /// The life of a coupon; its stream is named by its code.
    pub enum CouponEvent {
        /// Made or changed.
        Set(CouponSet) = "pricing.coupon.set.v1",
    }
}

/// A channel was made or changed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ChannelSet {
    /// All of it.
    pub channel: Channel,
}

event_set! {
    /// The life of a channel.
    pub enum ChannelEvent {
        /// Made or changed.
        Set(ChannelSet) = "pricing.channel.set.v1",
    }
}

/// A region was made or changed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RegionSet {
    /// All of it.
    pub region: Region,
}

/// A region is gone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RegionRemoved {
    /// Its code.
    pub code: String,
}

event_set! {
    /// The life of the shop's regions: one stream for all, since a country belongs to one of them.
    pub enum RegionEvent {
        /// Made or changed.
        Set(RegionSet) = "pricing.region.set.v1",
        /// Gone.
        Removed(RegionRemoved) = "pricing.region.removed.v1",
    }
}

/// A tax rate was made or changed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TaxRateSet {
    /// All of it.
    pub rate: TaxRate,
}

/// A tax rate is gone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TaxRateRemoved {
    /// Which.
    pub rate_id: TaxRateId,
}

event_set! {
    /// The life of a tax rate.
    pub enum TaxRateEvent {
        /// Made or changed.
        Set(TaxRateSet) = "pricing.tax_rate.set.v1",
        /// Gone.
        Removed(TaxRateRemoved) = "pricing.tax_rate.removed.v1",
    }
}

/// How the shop is taxed was decided.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TaxSettingsSet {
    /// All of it.
    pub settings: TaxSettings,
}

event_set! {
    /// The shop's tax settings: one stream.
    pub enum TaxSettingsEvent {
        /// Decided.
        Set(TaxSettingsSet) = "pricing.tax_settings.set.v1",
    }
}
