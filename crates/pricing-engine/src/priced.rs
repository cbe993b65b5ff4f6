//! What a basket comes to.

use contracts::{
    cart::LineId,
    orders::{Adjustment, TaxLine, Totals},
    pricing::{AppliedPromotion, CouponAnswer, PromotionUse, TaxBasis},
};
use kernel::Money;

/// A basket with its prices. The sum of the lines' totals and shipping's total is the total.
#[derive(Clone, Debug, PartialEq)]
pub struct Priced {
    /// Lines, in the basket's order.
    pub lines: Vec<PricedLine>,
    /// Shipping, if the basket has it.
    pub shipping: Option<PricedShipping>,
    /// Sums: `total = subtotal + adjustments + shipping + tax not included`.
    pub totals: Totals,
    /// What took something off, in the order it was applied, and why.
    pub promotions: Vec<AppliedPromotion>,
    /// Those of them that pricing must count before the order is charged.
    pub uses: Vec<PromotionUse>,
    /// What became of each code that was given, by code.
    pub coupons: Vec<CouponAnswer>,
    /// By which rules tax was taken.
    pub tax: TaxBasis,
}

/// A line with its price.
#[derive(Clone, Debug, PartialEq)]
pub struct PricedLine {
    /// The basket's line.
    pub id: LineId,
    /// Unit price × quantity.
    pub subtotal: Money,
    /// What promotions (and the reverse charge) take off, in the order they were applied.
    pub adjustments: Vec<Adjustment>,
    /// Its taxes, in the order they were computed. One of rate zero is listed too.
    pub taxes: Vec<TaxLine>,
    /// Subtotal + adjustments + taxes that the price does not include; never below zero.
    pub total: Money,
}

/// Shipping with its price.
#[derive(Clone, Debug, PartialEq)]
pub struct PricedShipping {
    /// As charged before adjustments.
    pub amount: Money,
    /// What is taken off.
    pub adjustments: Vec<Adjustment>,
    /// Its taxes.
    pub taxes: Vec<TaxLine>,
    /// Amount + adjustments + taxes that the price does not include; never below zero.
    pub total: Money,
}
