//! Fulfilments: goods of one order that leave one place together.

use kernel::{PersonId, Personal, Timestamp, event_set};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{FulfilmentId, ShippingOptionId};
use crate::{address::Contact, cart::LineId, inventory::LocationId, orders::OrderId};

/// So many units of an order's line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FulfilmentLine {
    /// The order's line.
    pub line_id: LineId,
    /// What.
    pub sku: String,
    /// Its name at the time of the order.
    pub title: String,
    /// How many, positive.
    pub quantity: i64,
}

/// How a shipment can be followed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Tracking {
    /// The carrier's name, such as `souk-post`.
    pub carrier: String,
    /// Its number of the shipment.
    pub number: String,
    /// Where the carrier shows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

/// Goods are to be sent, or made ready to be collected.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FulfilmentCreated {
    /// Which.
    pub fulfilment_id: FulfilmentId,
    /// Of which order.
    pub order_id: OrderId,
    /// The order's number.
    pub number: String,
    /// From where.
    pub location: LocationId,
    /// Whose personal data it holds.
    pub person: PersonId,
    /// Who gets it.
    pub recipient: Personal<Contact>,
    /// What.
    pub lines: Vec<FulfilmentLine>,
    /// Which way of shipping was chosen, if one was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub option_id: Option<ShippingOptionId>,
    /// Whether the buyer collects it at the location.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub collect: bool,
    /// The fulfilment these goods were taken out of, when it was split.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub split_from: Option<FulfilmentId>,
    /// When.
    #[serde(default)]
    pub at: Timestamp,
}

/// Goods left the building (or were handed over at the counter).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FulfilmentShipped {
    /// Which.
    pub fulfilment_id: FulfilmentId,
    /// Of which order.
    pub order_id: OrderId,
    /// The order's number.
    pub number: String,
    /// From where.
    pub location: LocationId,
    /// What.
    pub lines: Vec<FulfilmentLine>,
    /// How it can be followed; absent when it was handed over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tracking: Option<Tracking>,
    /// Its other parcels, when there are several.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub more_tracking: Vec<Tracking>,
    /// When.
    #[serde(default)]
    pub at: Timestamp,
}

/// The buyer has it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FulfilmentDelivered {
    /// Which.
    pub fulfilment_id: FulfilmentId,
    /// Of which order.
    pub order_id: OrderId,
    /// When.
    #[serde(default)]
    pub at: Timestamp,
}

/// The carrier lost it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FulfilmentLost {
    /// Which.
    pub fulfilment_id: FulfilmentId,
    /// Of which order.
    pub order_id: OrderId,
    /// When.
    #[serde(default)]
    pub at: Timestamp,
}

/// It could not be delivered and came back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FulfilmentReturned {
    /// Which.
    pub fulfilment_id: FulfilmentId,
    /// Of which order.
    pub order_id: OrderId,
    /// When.
    #[serde(default)]
    pub at: Timestamp,
}

/// It will not be sent: the order was given up or changed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FulfilmentCancelled {
    /// Which.
    pub fulfilment_id: FulfilmentId,
    /// Of which order.
    pub order_id: OrderId,
    /// When.
    #[serde(default)]
    pub at: Timestamp,
}

event_set! {
    /// The life of a fulfilment, as other services see it.
    pub enum FulfilmentNews {
        /// To be sent.
        Created(FulfilmentCreated) = "shipping.fulfilment.created.v1",
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
    }
}
