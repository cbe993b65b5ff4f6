//! What orders publishes, and the types of its API.

use kernel::{Money, PersonId, Personal, Timestamp, event_set, id};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    address::Contact,
    cart::{CartId, LineId, PaymentMethod},
    credit::{CreditRefundTo, CreditUse},
    identity::CustomerId,
    inventory::Shortage,
    payments::PaymentId,
    pricing::{CaptureMode, PromotionUse},
    shipping::OrderShipping,
};

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
    #[serde(default = "crate::pricing::yes")]
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

/// An order was placed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OrderPlaced {
    /// Which.
    pub order_id: OrderId,
    /// The number people use.
    pub number: String,
    /// The cart it came from.
    pub cart_id: CartId,
    /// Whose personal data it holds.
    pub person: PersonId,
    /// The account, when the buyer was signed in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer_id: Option<CustomerId>,
    /// E-mail and address.
    pub contact: Personal<Contact>,
    /// Lines.
    pub lines: Vec<OrderLine>,
    /// Sums.
    pub totals: Totals,
    /// How it will be paid.
    pub payment: PaymentMethod,
    /// How it is shipped; absent when nothing is, or the shop offers no ways of shipping.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shipping: Option<OrderShipping>,
    /// Code of the channel it was sold in.
    #[serde(default = "crate::cart::web")]
    pub channel: String,
    /// Uses of scarce promotions, to be claimed before it is charged.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub redemptions: Vec<PromotionUse>,
    /// Gift cards and store credit to be used before a card is charged.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub credits: Vec<CreditUse>,
    /// Equal for the same buyer: a keyed hash of the account or the e-mail address. For limits per
    /// buyer.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub buyer_key: String,
    /// When the money is taken.
    #[serde(default)]
    pub capture: CaptureMode,
    /// The buyer's language, BCP 47, such as `de`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub locale: Option<String>,
    /// SHA-256 of the guest's access token, hex.
    pub access_token_hash: String,
    /// When it is given up unless it is confirmed.
    pub deadline: Timestamp,
    /// When.
    #[serde(default)]
    pub at: Timestamp,
}

/// All lines are reserved.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OrderStockReserved {
    /// Which order.
    pub order_id: OrderId,
    /// When.
    #[serde(default)]
    pub at: Timestamp,
}

/// Payments is asked to authorise the order's total.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OrderPaymentRequested {
    /// Which order.
    pub order_id: OrderId,
    /// The number people use.
    pub number: String,
    /// The payment to be made; named here, so that asking twice is the same payment.
    pub payment_id: PaymentId,
    /// How much.
    pub amount: Money,
    /// With what.
    pub method: PaymentMethod,
    /// An authorisation later than this is to be voided.
    pub deadline: Timestamp,
    /// SHA-256 of the guest's access token, hex: who else may see the payment.
    pub access_token_hash: String,
    /// The account, when the buyer was signed in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer_id: Option<CustomerId>,
}

/// The buyer must act before the payment can go on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OrderPaymentActionRequired {
    /// Which order.
    pub order_id: OrderId,
    /// Where the buyer is to be sent.
    pub url: String,
    /// When.
    #[serde(default)]
    pub at: Timestamp,
}

/// Reserved and authorised: the shop owes the goods.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OrderConfirmed {
    /// Which order.
    pub order_id: OrderId,
    /// Its number.
    pub number: String,
    /// The payment that covers it.
    pub payment_id: PaymentId,
    /// What was authorised.
    pub total: Money,
    /// When.
    #[serde(default)]
    pub at: Timestamp,
}

/// The order was given up: stock is to be released, money to be voided or refunded.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OrderCancelled {
    /// Which order.
    pub order_id: OrderId,
    /// Its number.
    pub number: String,
    /// Why.
    pub reason: CancelReason,
    /// What was short, if it was sold out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub shortages: Vec<Shortage>,
    /// The payment that was asked for, if one was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment_id: Option<PaymentId>,
    /// Who did it (`staff:usr_…`, `customer:cus_…`, `guest`); absent when the shop itself did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// When.
    #[serde(default)]
    pub at: Timestamp,
}

/// Money of the order was captured (in part or whole).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OrderPaymentCaptured {
    /// Which order.
    pub order_id: OrderId,
    /// How much this time.
    pub amount: Money,
    /// How much in all.
    pub captured: Money,
    /// When.
    #[serde(default)]
    pub at: Timestamp,
}

/// Money of the order was given back (in part or whole).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OrderPaymentRefunded {
    /// Which order.
    pub order_id: OrderId,
    /// How much this time.
    pub amount: Money,
    /// How much in all.
    pub refunded: Money,
    /// When.
    #[serde(default)]
    pub at: Timestamp,
}

/// Credit is asked to give money of the order back, to the accounts that paid or as store credit.
/// Credit answers `credit.refund.made.v1` or `credit.refund.refused.v1`, once per refund id.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OrderRefundToCreditRequested {
    /// Which order.
    pub order_id: OrderId,
    /// The refund's own id, unique within the order; asking twice is the same refund.
    pub refund_id: String,
    /// The account, when the buyer was signed in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer_id: Option<CustomerId>,
    /// How much, positive.
    pub amount: Money,
    /// Where to.
    pub to: CreditRefundTo,
    /// When.
    #[serde(default)]
    pub at: Timestamp,
}

event_set! {
    /// The life of an order.
    pub enum OrderEvent {
        /// Placed.
        Placed(OrderPlaced) = "orders.order.placed.v1",
        /// Stock reserved.
        StockReserved(OrderStockReserved) = "orders.order.stock_reserved.v1",
        /// Payment asked for.
        PaymentRequested(OrderPaymentRequested) = "orders.order.payment_requested.v1",
        /// The buyer must act.
        PaymentActionRequired(OrderPaymentActionRequired) = "orders.order.payment_action_required.v1",
        /// Confirmed.
        Confirmed(OrderConfirmed) = "orders.order.confirmed.v1",
        /// Cancelled.
        Cancelled(OrderCancelled) = "orders.order.cancelled.v1",
        /// Captured.
        PaymentCaptured(OrderPaymentCaptured) = "orders.order.payment_captured.v1",
        /// Refunded.
        PaymentRefunded(OrderPaymentRefunded) = "orders.order.payment_refunded.v1",
    }
}

/// One entry of an order's timeline: what happened, when, and who did it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TimelineEntry {
    /// Microseconds UTC.
    pub at: Timestamp,
    /// What: `placed`, `stock_reserved`, `confirmed`, `cancelled`, …
    pub what: String,
    /// Who: `customer:cus_…`, `guest`, `staff:usr_…`, `system`.
    pub who: String,
    /// More about it, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// An order as the API shows it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct OrderView {
    /// Its id.
    pub id: OrderId,
    /// Its number.
    pub number: String,
    /// Where it stands.
    pub status: OrderStatus,
    /// The cart it came from.
    pub cart_id: CartId,
    /// When it was placed.
    pub placed_at: Timestamp,
    /// Lines.
    pub lines: Vec<OrderLine>,
    /// Sums.
    pub totals: Totals,
    /// E-mail; absent once the person was erased.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Address; absent once the person was erased.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shipping_address: Option<crate::address::Address>,
    /// The payment, once asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment_id: Option<PaymentId>,
    /// Where the buyer must go (3-D Secure), while they must.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment_action_url: Option<String>,
    /// Why it was cancelled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cancel_reason: Option<CancelReason>,
    /// What was short.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub shortages: Vec<Shortage>,
    /// Captured so far.
    pub captured: Money,
    /// Refunded so far.
    pub refunded: Money,
    /// What happened.
    pub timeline: Vec<TimelineEntry>,
}

/// One change of an order, as `GET /api/orders/{id}/events` sends it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct OrderUpdate {
    /// The order.
    pub id: OrderId,
    /// Its number.
    pub number: String,
    /// Where it stands after the change.
    pub status: OrderStatus,
    /// What happened, when, and who did it.
    pub entry: TimelineEntry,
    /// Where the buyer must go (3-D Secure), while they must.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment_action_url: Option<String>,
    /// Why it was cancelled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cancel_reason: Option<CancelReason>,
}

/// An order in a list: without its lines and without personal data.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct OrderSummary {
    /// Its id.
    pub id: OrderId,
    /// Its number.
    pub number: String,
    /// Where it stands.
    pub status: OrderStatus,
    /// The account, when the buyer was signed in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer_id: Option<CustomerId>,
    /// What is to be paid.
    pub total: Money,
    /// Microseconds UTC.
    pub placed_at: Timestamp,
    /// Last change of status, microseconds UTC.
    pub updated_at: Timestamp,
    /// The whole order, when the list was asked for with `include=lines`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order: Option<OrderView>,
}

/// The answer to a checkout.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CheckoutAnswer {
    /// The order.
    pub order: OrderView,
    /// The right to see and cancel the order without an account (`Authorization: Bearer gst_…`).
    /// A secret: kept only as a hash, and given again only to who completes the same cart again.
    pub access_token: String,
}
