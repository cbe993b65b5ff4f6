//! The types of the API of orders.

use kernel::{Money, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{CancelReason, OrderFulfilment, OrderId, OrderLine, OrderStatus, Totals};
use crate::{
    cart::CartId,
    credit::CreditUse,
    identity::CustomerId,
    inventory::Shortage,
    payments::PaymentId,
    shipping::{FulfilmentId, OrderShipping, Tracking},
};

/// A parcel of an order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct OrderShipment {
    /// Its fulfilment.
    pub fulfilment_id: FulfilmentId,
    /// When it left, microseconds UTC.
    pub shipped_at: Timestamp,
    /// When it arrived, microseconds UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivered_at: Option<Timestamp>,
    /// How it can be followed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tracking: Option<Tracking>,
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
    /// How much of it has left the building.
    #[serde(default)]
    pub fulfilment: OrderFulfilment,
    /// How it is shipped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shipping: Option<OrderShipping>,
    /// Its parcels.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub shipments: Vec<OrderShipment>,
    /// Gift cards and store credit it is paid with.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub credits: Vec<CreditUse>,
    /// Code of the channel it was sold in.
    #[serde(default = "crate::cart::web")]
    pub channel: String,
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
