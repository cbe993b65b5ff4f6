//! What the cart knows of a SKU, and what else its price depends on: its own copy of other services'
//! facts, as looked up for one command. The copy may be a moment old; checkout verifies it again,
//! and whoever owns what is scarce decides.

use std::{collections::HashMap, sync::Arc};

use contracts::{
    cart::CartItem,
    pricing::{Coupon, ListedPrice},
};
use kernel::{Currency, Money, Timestamp};
use pricing_engine::{PriceQuery, Rules, UnitPrice, unit_price};

/// A SKU that is in the catalogue.
#[derive(Clone, Debug, PartialEq)]
pub struct Offer {
    /// The product's name, with the variant's.
    pub title: String,
    /// The product's handle.
    pub handle: String,
    /// One price per currency.
    pub prices: Vec<Money>,
    /// What each is compared with ("was"), per currency.
    pub compare_at: Vec<Money>,
    /// Its prices in price lists, in force or not.
    pub listed: Vec<ListedPrice>,
    /// What promotions and taxes go by.
    pub item: CartItem,
    /// Whether it may be bought.
    pub published: bool,
    /// How many may be sold, backorders included; `None` when nothing limits it or nothing is
    /// known yet.
    pub sellable: Option<i64>,
}

/// Beside the offers, what prices depend on.
#[derive(Clone, Debug, Default)]
pub struct Terms {
    /// Price lists, promotions, taxes, regions, channels.
    pub rules: Arc<Rules>,
    /// Codes of the buyer's customer groups.
    pub groups: Vec<String>,
    /// Whether the buyer has never ordered; `None`: it is not known who buys.
    pub first_order: Option<bool>,
    /// The coupons that were looked up; `None`: there is no such code.
    pub coupons: HashMap<String, Option<Coupon>>,
    /// Whether the shop offers ways of shipping: then what is shipped needs one.
    pub ships: bool,
}

/// In which currency and channel is sold, and when.
#[derive(Clone, Copy, Debug)]
pub struct Selling<'a> {
    /// Of all prices.
    pub currency: Currency,
    /// Code of the channel.
    pub channel: &'a str,
    /// When.
    pub now: Timestamp,
}

/// The offers of the SKUs that were looked up, and the terms.
#[derive(Clone, Debug, Default)]
pub struct Offers {
    by_sku: HashMap<String, Option<Offer>>,
    /// What else prices depend on.
    pub terms: Terms,
}

/// What a look-up found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Found<'a> {
    /// In the catalogue.
    Offer(&'a Offer),
    /// Not in the catalogue.
    Nothing,
    /// Nobody looked: the cart changed in between.
    NotAsked,
}

impl Offers {
    /// Takes in the result of one look-up.
    pub fn insert(&mut self, sku: String, offer: Option<Offer>) {
        self.by_sku.insert(sku, offer);
    }

    /// What is known of `sku`.
    pub fn get(&self, sku: &str) -> Found<'_> {
        match self.by_sku.get(sku) {
            Some(Some(offer)) => Found::Offer(offer),
            Some(None) => Found::Nothing,
            None => Found::NotAsked,
        }
    }

    /// The price of one of `offer` when `quantity` are bought; `None`: it has none in the currency.
    pub fn price(&self, offer: &Offer, quantity: i64, selling: &Selling<'_>) -> Option<UnitPrice> {
        let of = |prices: &[Money]| {
            let found = prices.iter().find(|p| p.currency == selling.currency);
            found.copied().filter(|price| price.amount >= 0)
        };
        let query = PriceQuery {
            listed: &offer.listed,
            catalogue: of(&offer.prices),
            compare_at: of(&offer.compare_at),
            quantity,
            currency: selling.currency,
            channel: selling.channel,
            groups: &self.terms.groups,
            now: selling.now,
        };
        unit_price(&self.terms.rules, &query)
    }
}

/// How many may be sold of `available` units when `backorder` more may be owed (`None`: any number).
pub fn sellable(available: i64, backorder: Option<i64>) -> Option<i64> {
    backorder.map(|more| available.saturating_add(more).max(0))
}
