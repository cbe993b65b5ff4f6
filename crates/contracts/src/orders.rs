//! What orders publishes, and the types of its API.

mod api;
mod events;

pub use api::*;
pub use events::*;

use kernel::{Money, id};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::cart::LineId;

id!(
    /// An order.
    OrderId, "ord"
);

/// An amount added to or (negative) taken off a line or an order, and why: the seam for promotions.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Adjustment {
    /// Machine-readable origin, such as `promotion:summer`.
    pub code: String,
    /// For people.
    pub label: String,
    /// Negative for a discount.
    pub amount: Money,
}

/// Tax on a line or on shipping: stored, never recomputed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TaxLine {
    /// For people, such as `VAT 20 %`.
    pub label: String,
    /// Rate in millionths (20 % = 200000).
    pub rate_ppm: i64,
    /// Amount of tax.
    pub amount: Money,
    /// Whether the price already contains it.
    pub included: bool,
}

/// A line of an order, its price frozen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct OrderLine {
    /// Same id as the cart's line.
    pub id: LineId,
    /// What.
    pub sku: String,
    /// Its name at the time.
    pub title: String,
    /// How many.
    pub quantity: i64,
    /// Price of one.
    pub unit_price: Money,
    /// Unit price × quantity, before adjustments.
    pub subtotal: Money,
    /// Discounts and surcharges.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub adjustments: Vec<Adjustment>,
    /// Taxes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub taxes: Vec<TaxLine>,
    /// Whether it is shipped (a gift card is not).
    #[serde(
        default = "crate::pricing::yes",
        skip_serializing_if = "crate::pricing::is_yes"
    )]
    pub requires_shipping: bool,
    /// What it comes to.
    pub total: Money,
}

/// The sums of a cart or an order. `total = subtotal + adjustments + shipping + tax not included`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Totals {
    /// Sum of the lines' subtotals.
    pub subtotal: Money,
    /// Sum of all adjustments (negative for discounts).
    pub adjustments: Money,
    /// Shipping.
    pub shipping: Money,
    /// All tax, included in prices or not.
    pub tax: Money,
    /// What is to be paid.
    pub total: Money,
}

impl Totals {
    /// Nothing, in `currency`.
    pub fn zero(currency: kernel::Currency) -> Self {
        let nothing = Money::zero(currency);
        Self {
            subtotal: nothing,
            adjustments: nothing,
            shipping: nothing,
            tax: nothing,
            total: nothing,
        }
    }
}

/// Where an order stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum OrderStatus {
    /// Taken; stock is being reserved.
    #[default]
    Placed,
    /// Stock is reserved; payment is being authorised.
    StockReserved,
    /// The buyer must act (3-D Secure).
    PaymentActionRequired,
    /// Paid for (authorised) and reserved: it will be sent.
    Confirmed,
    /// Given up; nothing is charged and nothing reserved.
    Cancelled,
}

impl OrderStatus {
    /// As in JSON and in read models.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Placed => "placed",
            Self::StockReserved => "stock_reserved",
            Self::PaymentActionRequired => "payment_action_required",
            Self::Confirmed => "confirmed",
            Self::Cancelled => "cancelled",
        }
    }

    /// Reads what [`as_str`](Self::as_str) wrote.
    pub fn parse(text: &str) -> Option<Self> {
        let all = [
            Self::Placed,
            Self::StockReserved,
            Self::PaymentActionRequired,
            Self::Confirmed,
            Self::Cancelled,
        ];
        all.into_iter().find(|status| status.as_str() == text)
    }
}

/// Why an order was cancelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CancelReason {
    /// Not enough stock.
    SoldOut,
    /// The card was declined.
    PaymentDeclined,
    /// It was not confirmed in time.
    Deadline,
    /// A coupon or promotion was used up meanwhile.
    PromotionUsedUp,
    /// A gift card or store credit had less than was to be taken from it.
    CreditRefused,
    /// The customer asked.
    Customer,
    /// Staff decided.
    Staff,
}

/// How much of an order has left the building.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum OrderFulfilment {
    /// Nothing yet.
    #[default]
    Unfulfilled,
    /// Some of it.
    PartlyShipped,
    /// All of it.
    Shipped,
    /// All of it arrived.
    Delivered,
}
