//! Packages, labels, and what carriers tell.

use kernel::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{FulfilmentId, FulfilmentLine, Tracking};
use crate::orders::OrderId;

/// A parcel of a fulfilment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Package {
    /// Weight with packing, grams.
    pub weight_grams: i64,
    /// Length, width and height, millimetres, if measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size_mm: Option<[i64; 3]>,
}

/// Some of a fulfilment's goods go by themselves: into another fulfilment, made in the same moment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FulfilmentSplit {
    /// Which lost them.
    pub fulfilment_id: FulfilmentId,
    /// Of which order.
    pub order_id: OrderId,
    /// Which has them now.
    pub into: FulfilmentId,
    /// What moved.
    pub moved: Vec<FulfilmentLine>,
    /// When.
    #[serde(default)]
    pub at: Timestamp,
}

/// Goods were packed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FulfilmentPacked {
    /// Which.
    pub fulfilment_id: FulfilmentId,
    /// Of which order.
    pub order_id: OrderId,
    /// The parcels, numbered from 1.
    pub packages: Vec<Package>,
    /// When.
    #[serde(default)]
    pub at: Timestamp,
}

/// Goods lie ready for the buyer to collect them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FulfilmentReady {
    /// Which.
    pub fulfilment_id: FulfilmentId,
    /// Of which order.
    pub order_id: OrderId,
    /// When.
    #[serde(default)]
    pub at: Timestamp,
}

/// A carrier is asked for a label.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LabelRequested {
    /// For which fulfilment.
    pub fulfilment_id: FulfilmentId,
    /// Of which order.
    pub order_id: OrderId,
    /// The label's number within the fulfilment, from 1; never used again.
    pub label: i64,
    /// For which parcel, from 1.
    pub package: i64,
    /// What it weighs and measures.
    pub parcel: Package,
    /// Which carrier.
    pub carrier: String,
    /// When.
    #[serde(default)]
    pub at: Timestamp,
}

/// The carrier did not answer: nobody knows whether there is a label. It will be asked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LabelUnknown {
    /// For which fulfilment.
    pub fulfilment_id: FulfilmentId,
    /// Which label.
    pub label: i64,
    /// When it is asked next.
    pub ask_at: Timestamp,
}

/// The carrier is to be asked what became of a label.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LabelInquiryDue {
    /// For which fulfilment.
    pub fulfilment_id: FulfilmentId,
    /// Which label.
    pub label: i64,
}

/// The carrier made a label.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LabelBought {
    /// For which fulfilment.
    pub fulfilment_id: FulfilmentId,
    /// Of which order.
    pub order_id: OrderId,
    /// Which label.
    pub label: i64,
    /// The carrier's own id of it.
    pub carrier_reference: String,
    /// How the parcel can be followed.
    pub tracking: Tracking,
    /// When.
    #[serde(default)]
    pub at: Timestamp,
}

/// The carrier refused to make a label; another may be asked for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LabelFailed {
    /// For which fulfilment.
    pub fulfilment_id: FulfilmentId,
    /// Which label.
    pub label: i64,
    /// Why, in the carrier's words.
    pub code: String,
    /// When.
    #[serde(default)]
    pub at: Timestamp,
}

/// A label is not wanted any more: the carrier is to be told.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LabelVoidRequested {
    /// For which fulfilment.
    pub fulfilment_id: FulfilmentId,
    /// Which label.
    pub label: i64,
    /// Which carrier.
    pub carrier: String,
    /// The carrier's own id of it.
    pub carrier_reference: String,
    /// When.
    #[serde(default)]
    pub at: Timestamp,
}

/// The label is void: nothing may be sent with it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LabelVoided {
    /// For which fulfilment.
    pub fulfilment_id: FulfilmentId,
    /// Which label.
    pub label: i64,
    /// When.
    #[serde(default)]
    pub at: Timestamp,
}

/// The carrier refused to void a label (it was used, or is too old).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LabelVoidFailed {
    /// For which fulfilment.
    pub fulfilment_id: FulfilmentId,
    /// Which label.
    pub label: i64,
    /// Why, in the carrier's words.
    pub code: String,
    /// When.
    #[serde(default)]
    pub at: Timestamp,
}

/// What can happen to a parcel on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TrackingStatus {
    /// The carrier has it.
    Accepted,
    /// On its way.
    InTransit,
    /// In the van.
    OutForDelivery,
    /// Nobody was there.
    FailedAttempt,
    /// The buyer has it.
    Delivered,
    /// Lost.
    Lost,
    /// Back at the sender.
    ReturnedToSender,
}

/// The carrier (or staff) tells where a parcel is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TrackingRecorded {
    /// Which fulfilment.
    pub fulfilment_id: FulfilmentId,
    /// Of which order.
    pub order_id: OrderId,
    /// Tells this telling from others: a repeat changes nothing.
    pub event_id: String,
    /// The parcel's number.
    pub number: String,
    /// What happened.
    pub status: TrackingStatus,
    /// Where, in the carrier's words: a depot, never an address.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub place: String,
    /// When it happened.
    pub happened_at: Timestamp,
    /// When it was told.
    #[serde(default)]
    pub at: Timestamp,
}
