//! What the cart knows of a SKU: its own copy of price and availability, as looked up for one
//! command. The copy may be a moment old; checkout verifies it again and inventory decides.

use std::collections::HashMap;

use kernel::{Currency, Money};

/// A SKU that is in the catalogue.
#[derive(Clone, Debug, PartialEq)]
pub struct Offer {
    /// The product's name, with the variant's.
    pub title: String,
    /// The product's handle.
    pub handle: String,
    /// One price per currency.
    pub prices: Vec<Money>,
    /// Whether it may be bought.
    pub published: bool,
    /// How many may be sold, backorders included; `None` when nothing limits it or nothing is
    /// known yet.
    pub sellable: Option<i64>,
}

impl Offer {
    /// Its price in `currency`. A negative price is none.
    pub fn price_in(&self, currency: Currency) -> Option<Money> {
        let price = self.prices.iter().find(|price| price.currency == currency);
        price.copied().filter(|price| price.amount >= 0)
    }
}

/// The offers of the SKUs that were looked up.
#[derive(Clone, Debug, Default)]
pub struct Offers(HashMap<String, Option<Offer>>);

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
        self.0.insert(sku, offer);
    }

    /// What is known of `sku`.
    pub fn get(&self, sku: &str) -> Found<'_> {
        match self.0.get(sku) {
            Some(Some(offer)) => Found::Offer(offer),
            Some(None) => Found::Nothing,
            None => Found::NotAsked,
        }
    }
}

/// How many may be sold of `available` units when `backorder` more may be owed (`None`: any number).
pub fn sellable(available: i64, backorder: Option<i64>) -> Option<i64> {
    backorder.map(|more| available.saturating_add(more).max(0))
}
