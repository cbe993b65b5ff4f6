//! What inventory publishes, and the types of its API.

use kernel::{Timestamp, event_set, id};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{orders::OrderId, shipping::FulfilmentId};

mod api;
mod location;
mod report;

pub use api::*;
pub use location::*;
pub use report::*;

id!(
    /// A hold: units kept back for a while without an order, for a till, a marketplace or support.
    HoldId, "hld"
);

/// Whether a SKU may be sold beyond its stock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum BackorderPolicy {
    /// Never below zero.
    #[default]
    Deny,
    /// As many as are asked for.
    Allow,
    /// Down to this many below zero.
    UpTo(i64),
}

/// Why units came or went without a sale.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum MovementReason {
    /// Opening stock.
    Opening,
    /// Goods received.
    Received,
    /// Counted and corrected.
    Count,
    /// Broken, lost or stolen.
    Damaged,
    /// Came back from a customer.
    Returned,
    /// Anything else; say what in the note.
    Other,
}

/// On-hand units of a SKU changed at a location.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StockAdjusted {
    /// Which SKU.
    pub sku: String,
    /// Where.
    pub location: LocationId,
    /// How many came (positive) or went (negative).
    pub delta: i64,
    /// On hand at the location afterwards.
    pub on_hand: i64,
    /// Why.
    pub reason: MovementReason,
    /// The document behind it, such as an order number or delivery note.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// A remark. Not for personal data: it is kept for ever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// Units that may be sold now, over all locations.
    pub available: i64,
}

/// Units moved between two locations.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StockTransferred {
    /// Which SKU.
    pub sku: String,
    /// From where.
    pub from: LocationId,
    /// To where.
    pub to: LocationId,
    /// How many, positive.
    pub quantity: i64,
    /// The document behind it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// Units that may be sold now, over all locations.
    pub available: i64,
}

/// Units were taken out of what may be sold, for an order or a hold.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StockReserved {
    /// Which SKU.
    pub sku: String,
    /// The reservation: an order's id or a hold's id.
    pub reservation: String,
    /// How many from where.
    pub taken: Vec<Taken>,
    /// Units that may be sold now, over all locations.
    pub available: i64,
}

/// Units of a reservation at one location.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Taken {
    /// Where.
    pub location: LocationId,
    /// How many, positive.
    pub quantity: i64,
}

/// Reserved units may be sold again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StockReleased {
    /// Which SKU.
    pub sku: String,
    /// The reservation.
    pub reservation: String,
    /// How many to where.
    pub returned: Vec<Taken>,
    /// Units that may be sold now, over all locations.
    pub available: i64,
}

/// Units left the building with a parcel.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StockDispatched {
    /// Which SKU.
    pub sku: String,
    /// From where.
    pub location: LocationId,
    /// How many, positive.
    pub quantity: i64,
    /// How many of these were promised to the order; the others were free.
    pub promised: i64,
    /// On hand at the location afterwards.
    pub on_hand: i64,
    /// The order.
    pub order_id: OrderId,
    /// The fulfilment they left with.
    pub fulfilment_id: FulfilmentId,
    /// Units that may be sold now, over all locations.
    pub available: i64,
}

/// The backorder policy of a SKU was set.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StockPolicySet {
    /// Which SKU.
    pub sku: String,
    /// The policy from now on.
    pub backorder: BackorderPolicy,
    /// Units that may be sold now, over all locations (without backorders).
    pub available: i64,
}

event_set! {
    /// What happens to the stock of one SKU.
    pub enum StockEvent {
        /// On hand changed.
        Adjusted(StockAdjusted) = "inventory.stock.adjusted.v1",
        /// Moved.
        Transferred(StockTransferred) = "inventory.stock.transferred.v1",
        /// Reserved.
        Reserved(StockReserved) = "inventory.stock.reserved.v1",
        /// Released.
        Released(StockReleased) = "inventory.stock.released.v1",
        /// Policy set.
        PolicySet(StockPolicySet) = "inventory.stock.policy_set.v1",
        /// Left the building.
        Dispatched(StockDispatched) = "inventory.stock.dispatched.v1",
    }
}

/// A SKU of a reservation, with where its units are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReservedLine {
    /// Which SKU.
    pub sku: String,
    /// How many from where.
    pub taken: Vec<Taken>,
}

/// A SKU of which there was not enough.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Shortage {
    /// Which SKU.
    pub sku: String,
    /// Units wanted, lines on the same SKU summed.
    pub wanted: i64,
    /// Units there were.
    pub available: i64,
}

/// Every line of an order (or a hold) was reserved, at once.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ReservationMade {
    /// The reservation: an order's id or a hold's id.
    pub reservation: String,
    /// The order, when it was made for one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order_id: Option<OrderId>,
    /// What was reserved.
    pub lines: Vec<ReservedLine>,
    /// When a hold expires. Never set for an order: the order's own deadline releases it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
}

/// An order could not be reserved; nothing was taken.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ReservationRefused {
    /// The reservation.
    pub reservation: String,
    /// The order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order_id: Option<OrderId>,
    /// What was short.
    pub shortages: Vec<Shortage>,
}

/// The reservation was bound to its confirmed order: it is an allocation now and leaves the
/// building with it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ReservationAllocated {
    /// The reservation.
    pub reservation: String,
    /// The order.
    pub order_id: OrderId,
    /// What is allocated.
    pub lines: Vec<ReservedLine>,
}

/// The reservation was given back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ReservationReleased {
    /// The reservation.
    pub reservation: String,
    /// The order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order_id: Option<OrderId>,
    /// What was given back.
    pub lines: Vec<ReservedLine>,
    /// Why: `order_cancelled`, `expired`, `cancelled`.
    pub reason: String,
    /// Whether it had been allocated: a sale is taken back, not only a promise.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub allocated: bool,
}

/// Units of an allocation left the building: it holds what is left of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ReservationDispatched {
    /// The reservation.
    pub reservation: String,
    /// The order.
    pub order_id: OrderId,
    /// The fulfilment they left with.
    pub fulfilment_id: FulfilmentId,
    /// What left.
    pub lines: Vec<ReservedLine>,
    /// Whether nothing is left of it.
    pub complete: bool,
}

event_set! {
    /// The life of one reservation.
    pub enum ReservationEvent {
        /// Made.
        Made(ReservationMade) = "inventory.reservation.made.v1",
        /// Refused.
        Refused(ReservationRefused) = "inventory.reservation.refused.v1",
        /// Allocated.
        Allocated(ReservationAllocated) = "inventory.reservation.allocated.v1",
        /// Released.
        Released(ReservationReleased) = "inventory.reservation.released.v1",
        /// Left the building.
        Dispatched(ReservationDispatched) = "inventory.reservation.dispatched.v1",
    }
}
