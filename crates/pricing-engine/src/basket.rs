//! What is to be priced.

use contracts::{cart::LineId, pricing::Coupon};
use kernel::{Currency, Money, Timestamp};

/// A cart, or one that might be. It borrows, so that pricing on every change copies nothing.
#[derive(Clone, Debug)]
pub struct Basket<'a> {
    /// Of all its prices.
    pub currency: Currency,
    /// Code of the channel it is sold in, such as `web`.
    pub channel: &'a str,
    /// Codes of the buyer's customer groups.
    pub groups: &'a [String],
    /// Where the goods go, as far as it is known. Without it tax is estimated for the country the
    /// shop sells from, and promotions for certain countries do not apply.
    pub destination: Option<Destination<'a>>,
    /// The buyer's VAT number, if it is a business.
    pub vat_number: Option<&'a str>,
    /// Whether the buyer has never ordered before; `None`: it is not known who buys.
    pub first_order: Option<bool>,
    /// The codes that were entered, each once.
    pub coupons: &'a [GivenCoupon],
    /// What is bought.
    pub lines: &'a [BasketLine<'a>],
    /// What shipping costs, once a way was chosen.
    pub shipping: Option<ShippingCharge<'a>>,
    /// For what is in force from or until some time.
    pub now: Timestamp,
}

/// Where goods go, as far as tax is concerned.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Destination<'a> {
    /// ISO 3166-1 alpha-2.
    pub country: &'a str,
    /// ISO 3166-2, with or without the country (`CA`, `US-CA`); empty: not known or none.
    pub province: &'a str,
    /// As written; empty: not known or none.
    pub postcode: &'a str,
}

/// A code the buyer entered, and what the shop knows of it.
#[derive(Clone, Debug, PartialEq)]
pub struct GivenCoupon {
    /// As entered, or as [`contracts::pricing::coupon_code`] writes it.
    pub code: String,
    /// The coupon of that code; `None`: the shop has none.
    pub coupon: Option<Coupon>,
}

/// One line of a basket.
#[derive(Clone, Debug)]
pub struct BasketLine<'a> {
    /// Its id in the cart.
    pub id: LineId,
    /// What.
    pub sku: &'a str,
    /// Id of its product, for promotions.
    pub product_id: &'a str,
    /// Category paths of its product, for promotions.
    pub categories: &'a [String],
    /// Tax class; `None`: `standard`.
    pub tax_class: Option<&'a str>,
    /// How many, not negative.
    pub quantity: i64,
    /// Price of one before promotions, not negative; see [`unit_price`](crate::unit_price).
    pub unit_price: Money,
}

/// What shipping costs before promotions.
#[derive(Clone, Copy, Debug)]
pub struct ShippingCharge<'a> {
    /// As quoted, not negative; with tax or without as all prices of the basket.
    pub amount: Money,
    /// Tax class of the service; `None`: `standard`.
    pub tax_class: Option<&'a str>,
}
