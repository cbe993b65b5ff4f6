//! What a cart comes to: list prices, promotions, tax. One pure calculation, no I/O, no clock and no
//! floats; whoever prices brings the [`Rules`], kept from pricing's events.
//!
//! - [`unit_price`]: the price of one of a SKU, from price lists and the catalogue.
//! - [`price`]: a [`Basket`] with all its adjustments, tax lines and totals, and why.
//! - [`vat_number_format`]: whether a text could be a VAT number of the EU.
//!
//! The result is the same in whatever order lines and coupons were added. Wherever an order matters
//! (leftover minor units, the cheapest of equals), lines count by SKU, then by whatever else has a say
//! in their price, and by id only between equals; coupons by code; promotions by priority and id.

mod basket;
mod filter;
mod price;
mod priced;
mod promote;
mod rules;
mod tax;
mod unit_price;
mod vat_number;

pub use basket::{Basket, BasketLine, Destination, GivenCoupon, ShippingCharge};
pub use price::price;
pub use priced::{Priced, PricedLine, PricedShipping};
pub use rules::{RuleSet, Rules};
pub use tax::REVERSE_CHARGE_CODE;
pub use unit_price::{PriceQuery, UnitPrice, unit_price};
pub use vat_number::{vat_member_state, vat_number_format};
