//! The types of shipping's API: fulfilments, labels, tracking.

use kernel::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{FulfilmentId, FulfilmentLine, Package, ShippingOptionId, Tracking, TrackingStatus};
use crate::{address::Address, cart::LineId, inventory::LocationId, orders::OrderId};

/// Where a fulfilment stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum FulfilmentStatus {
    /// To be picked and packed.
    #[default]
    Open,
    /// Packed.
    Packed,
    /// Lies ready to be collected.
    Ready,
    /// On its way.
    Shipped,
    /// The buyer has it.
    Delivered,
    /// The carrier lost it.
    Lost,
    /// It came back.
    Returned,
    /// It will not be sent.
    Cancelled,
}

impl FulfilmentStatus {
    /// As in JSON and in read models.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Packed => "packed",
            Self::Ready => "ready",
            Self::Shipped => "shipped",
            Self::Delivered => "delivered",
            Self::Lost => "lost",
            Self::Returned => "returned",
            Self::Cancelled => "cancelled",
        }
    }

    /// Reads what [`as_str`](Self::as_str) wrote.
    pub fn parse(text: &str) -> Option<Self> {
        let all = [
            Self::Open,
            Self::Packed,
            Self::Ready,
            Self::Shipped,
            Self::Delivered,
            Self::Lost,
            Self::Returned,
            Self::Cancelled,
        ];
        all.into_iter().find(|status| status.as_str() == text)
    }
}

/// Where a label stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum LabelStatus {
    /// The carrier is being called.
    #[default]
    Requested,
    /// The carrier did not answer and is being asked.
    Unknown,
    /// It can be printed.
    Bought,
    /// Refused by the carrier.
    Failed,
    /// The carrier is being told that it is not wanted.
    Voiding,
    /// Void.
    Voided,
}

/// A label as the API shows it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct LabelView {
    /// Its number within the fulfilment, from 1.
    pub number: i64,
    /// For which parcel, from 1.
    pub package: i64,
    /// Where it stands.
    pub status: LabelStatus,
    /// Which carrier.
    pub carrier: String,
    /// How the parcel can be followed, once it is bought.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tracking: Option<Tracking>,
    /// Why the carrier refused it, or refused to void it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// When a silent carrier is asked next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ask_at: Option<Timestamp>,
}

/// News of a parcel as the API shows them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TrackingView {
    /// The parcel's number.
    pub number: String,
    /// What happened.
    pub status: TrackingStatus,
    /// Where, in the carrier's words.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub place: String,
    /// When.
    pub happened_at: Timestamp,
}

/// A fulfilment as staff see it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct FulfilmentView {
    /// Its id.
    pub id: FulfilmentId,
    /// Of which order.
    pub order_id: OrderId,
    /// The order's number.
    pub number: String,
    /// Where it stands.
    pub status: FulfilmentStatus,
    /// From where.
    pub location: LocationId,
    /// What.
    pub lines: Vec<FulfilmentLine>,
    /// Whether the buyer collects it at the location.
    pub collect: bool,
    /// Which way of shipping was chosen, if one was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub option_id: Option<ShippingOptionId>,
    /// The parcels.
    pub packages: Vec<Package>,
    /// Labels, oldest first.
    pub labels: Vec<LabelView>,
    /// How it can be followed, once it was shipped.
    pub tracking: Vec<Tracking>,
    /// News, oldest first.
    pub events: Vec<TrackingView>,
    /// Where to; absent once the person was erased.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recipient: Option<Address>,
    /// Since when it is, microseconds UTC.
    pub created_at: Timestamp,
    /// When it was shipped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shipped_at: Option<Timestamp>,
    /// When it was delivered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivered_at: Option<Timestamp>,
}

/// A fulfilment in a list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct FulfilmentSummary {
    /// Its id.
    pub id: FulfilmentId,
    /// Of which order.
    pub order_id: OrderId,
    /// The order's number.
    pub number: String,
    /// Where it stands.
    pub status: FulfilmentStatus,
    /// From where.
    pub location: LocationId,
    /// Units in all.
    pub units: i64,
    /// Whether the buyer collects it.
    pub collect: bool,
    /// Whether a label of it needs a look: the carrier refused, or does not answer.
    pub trouble: bool,
    /// Since when it is.
    pub created_at: Timestamp,
    /// Last change of status.
    pub updated_at: Timestamp,
}

/// A shipment as the buyer sees it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ShipmentView {
    /// The fulfilment.
    pub id: FulfilmentId,
    /// Where it stands.
    pub status: FulfilmentStatus,
    /// What.
    pub lines: Vec<FulfilmentLine>,
    /// Where it is collected, when it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub collect_from: Option<LocationId>,
    /// How it can be followed.
    pub tracking: Vec<Tracking>,
    /// News, oldest first.
    pub events: Vec<TrackingView>,
    /// When it was shipped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shipped_at: Option<Timestamp>,
    /// When it was delivered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivered_at: Option<Timestamp>,
}

/// The shipments of an order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct OrderShipments {
    /// The order.
    pub order_id: OrderId,
    /// Its number.
    pub number: String,
    /// Empty until it is confirmed.
    pub shipments: Vec<ShipmentView>,
}

/// Units of an order's line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LineQuantity {
    /// The order's line.
    pub line_id: LineId,
    /// How many, positive.
    pub quantity: i64,
}

/// Some of a fulfilment's goods are to go by themselves.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SplitFulfilment {
    /// What goes into the new one: each line once, not all there is.
    pub lines: Vec<LineQuantity>,
}

/// What came of a split.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SplitAnswer {
    /// What stayed.
    pub remaining: FulfilmentView,
    /// What goes by itself.
    pub split: FulfilmentView,
}

/// Goods were packed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PackFulfilment {
    /// 1 to 50 parcels.
    pub packages: Vec<Package>,
}

/// A label is wanted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BuyLabel {
    /// For which parcel, from 1; 1 unless given.
    #[serde(default)]
    pub package: Option<i64>,
    /// Which carrier; the shop's only one unless given.
    #[serde(default)]
    pub carrier: Option<String>,
}

/// A label is not wanted any more.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct VoidLabel {
    /// Its number.
    pub label: i64,
}

/// Goods left the building.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ShipFulfilment {
    /// Parcels sent without a label of the shop's carriers. Needed when no label was bought and
    /// the goods were not handed over.
    pub tracking: Vec<Tracking>,
    /// They were given to the buyer at the counter, or brought by the shop itself.
    pub handed_over: bool,
}

/// News of a parcel, told by staff or a program.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TrackingInput {
    /// Tells this telling from others: a repeat changes nothing. 1 to 100 visible characters.
    pub event_id: String,
    /// The parcel's number; may be left out when there is one parcel.
    #[serde(default)]
    pub number: Option<String>,
    /// What happened.
    pub status: TrackingStatus,
    /// Where, at most 100 characters. Not for personal data.
    #[serde(default)]
    pub place: String,
    /// When; now unless given.
    #[serde(default)]
    pub happened_at: Option<Timestamp>,
}
