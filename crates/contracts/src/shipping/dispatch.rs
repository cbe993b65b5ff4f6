//! What shipping keeps of an order until it is sent, and the whole life of a fulfilment.

use kernel::{PersonId, Personal, Timestamp, event_set};
use serde::{Deserialize, Serialize};

use super::{
    FulfilmentCancelled, FulfilmentCreated, FulfilmentDelivered, FulfilmentId, FulfilmentLine,
    FulfilmentLost, FulfilmentPacked, FulfilmentReady, FulfilmentReturned, FulfilmentShipped,
    FulfilmentSplit, LabelBought, LabelFailed, LabelInquiryDue, LabelRequested, LabelUnknown,
    LabelVoidFailed, LabelVoidRequested, LabelVoided, ShippingOptionId, TrackingRecorded,
};
use crate::{
    address::Contact, identity::CustomerId, inventory::LocationId, inventory::ReservedLine,
    orders::OrderId,
};

/// An order with goods to be shipped was placed: what is needed to ship it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DispatchNoted {
    /// Which order.
    pub order_id: OrderId,
    /// The order's number.
    pub number: String,
    /// Whose personal data it holds.
    pub person: PersonId,
    /// Who gets it.
    pub recipient: Personal<Contact>,
    /// Lines that are shipped.
    pub lines: Vec<FulfilmentLine>,
    /// Which way of shipping was chosen, if one was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub option_id: Option<ShippingOptionId>,
    /// Where it is collected, when it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub collect_from: Option<LocationId>,
    /// The account, when the buyer was signed in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer_id: Option<CustomerId>,
    /// SHA-256 of the guest's access token, hex.
    pub access_token_hash: String,
}

/// Inventory said where the order's goods are.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DispatchAllocated {
    /// Which order.
    pub order_id: OrderId,
    /// What is where.
    pub lines: Vec<ReservedLine>,
}

/// The order's fulfilments were made (or further ones, by splitting).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DispatchPlanned {
    /// Which order.
    pub order_id: OrderId,
    /// The new ones.
    pub fulfilments: Vec<FulfilmentId>,
}

/// The order was given up: nothing more of it is sent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DispatchCancelled {
    /// Which order.
    pub order_id: OrderId,
    /// When.
    #[serde(default)]
    pub at: Timestamp,
}

event_set! {
    /// From an order to its fulfilments.
    pub enum DispatchEvent {
        /// The order is known.
        Noted(DispatchNoted) = "shipping.dispatch.noted.v1",
        /// Where its goods are is known.
        Allocated(DispatchAllocated) = "shipping.dispatch.allocated.v1",
        /// Fulfilments were made.
        Planned(DispatchPlanned) = "shipping.dispatch.planned.v1",
        /// Given up.
        Cancelled(DispatchCancelled) = "shipping.dispatch.cancelled.v1",
    }
}

event_set! {
    /// The whole life of a fulfilment, as shipping records it.
    pub enum FulfilmentEvent {
        /// To be sent.
        Created(FulfilmentCreated) = "shipping.fulfilment.created.v1",
        /// Some of it goes by itself.
        Split(FulfilmentSplit) = "shipping.fulfilment.split.v1",
        /// Packed.
        Packed(FulfilmentPacked) = "shipping.fulfilment.packed.v1",
        /// Lies ready.
        Ready(FulfilmentReady) = "shipping.fulfilment.ready.v1",
        /// On its way.
        Shipped(FulfilmentShipped) = "shipping.fulfilment.shipped.v1",
        /// There.
        Delivered(FulfilmentDelivered) = "shipping.fulfilment.delivered.v1",
        /// Lost.
        Lost(FulfilmentLost) = "shipping.fulfilment.lost.v1",
        /// Came back.
        Returned(FulfilmentReturned) = "shipping.fulfilment.returned.v1",
        /// Given up.
        Cancelled(FulfilmentCancelled) = "shipping.fulfilment.cancelled.v1",
        /// A label is wanted.
        LabelRequested(LabelRequested) = "shipping.label.requested.v1",
        /// No answer.
        LabelUnknown(LabelUnknown) = "shipping.label.unknown.v1",
        /// To be asked.
        LabelInquiryDue(LabelInquiryDue) = "shipping.label.inquiry_due.v1",
        /// There is a label.
        LabelBought(LabelBought) = "shipping.label.bought.v1",
        /// Refused.
        LabelFailed(LabelFailed) = "shipping.label.failed.v1",
        /// Not wanted any more.
        LabelVoidRequested(LabelVoidRequested) = "shipping.label.void_requested.v1",
        /// Void.
        LabelVoided(LabelVoided) = "shipping.label.voided.v1",
        /// Could not be voided.
        LabelVoidFailed(LabelVoidFailed) = "shipping.label.void_failed.v1",
        /// News of a parcel.
        Tracked(TrackingRecorded) = "shipping.tracking.recorded.v1",
    }
}
