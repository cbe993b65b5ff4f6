//! What inventory's API is asked, and the direct answers.

use kernel::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{AllocationStrategy, BackorderPolicy, LocationId, MovementReason, ReservedLine};
use crate::orders::OrderId;

/// Changes of on-hand units, such as opening stock, a count, breakage.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AdjustStock {
    /// 1 to 5,000 lines, applied in order.
    pub adjustments: Vec<AdjustLine>,
    /// Whether one line that cannot be applied stops all of them (the default), or is only
    /// reported while the others are applied.
    #[serde(default = "yes")]
    pub all_or_none: bool,
}

fn yes() -> bool {
    true
}

/// One change. Exactly one of `delta` and `set_on_hand` must be given.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AdjustLine {
    /// Which SKU, 1 to 100 visible characters.
    pub sku: String,
    /// Where; `loc_main` unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<LocationId>,
    /// How many come (positive) or go (negative); at most 10 million.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delta: Option<i64>,
    /// How many there are at the location, as counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub set_on_hand: Option<i64>,
    /// Refuse the line (409) unless this many are on hand at the location just before it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected_on_hand: Option<i64>,
    /// Why.
    pub reason: MovementReason,
    /// The document behind it, up to 100 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// A remark, up to 500 characters. Not for personal data: it is kept for ever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// Record the loss even if the units are already promised to orders; nothing more is sold
    /// until there is stock again. Without it such a line is refused (409).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub accept_oversold: bool,
}

/// What came of one line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct LineResult {
    /// Which SKU.
    pub sku: String,
    /// Where.
    pub location: LocationId,
    /// How many came or went; 0 if nothing changed.
    pub delta: i64,
    /// On hand at the location afterwards.
    pub on_hand: i64,
    /// Units that may be sold, over all locations.
    pub available: i64,
    /// Why the line was not applied (only without `all_or_none`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<LineProblem>,
}

/// Why a line was not applied.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LineProblem {
    /// Machine-readable.
    pub code: String,
    /// For people.
    pub detail: String,
    /// The field, such as `adjustments[3].expected_on_hand`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
}

/// What came of the lines, in their order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct LineResults {
    /// One for each line.
    pub items: Vec<LineResult>,
}

/// A SKU and a number of units.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Quantity {
    /// Which SKU.
    pub sku: String,
    /// How many, positive.
    pub quantity: i64,
}

/// Goods that came in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReceiveStock {
    /// Where; `loc_main` unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<LocationId>,
    /// The delivery note, up to 100 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// 1 to 5,000 lines, all or none.
    pub lines: Vec<Quantity>,
}

/// Goods that move between two locations. Only units that are not reserved may move.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TransferStock {
    /// From where.
    pub from: LocationId,
    /// To where.
    pub to: LocationId,
    /// The document behind it, up to 100 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// 1 to 5,000 lines, all or none.
    pub lines: Vec<Quantity>,
}

/// Units to be kept back for a while without an order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct HoldStock {
    /// 1 to 1,000 lines, all or none; lines on one SKU are summed.
    pub lines: Vec<Quantity>,
    /// When the units go back on sale by themselves: 1 second to 30 days.
    pub expires_in_seconds: i64,
    /// Where the goods would go (ISO 3166-1 alpha-2), for the strategy `nearest`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
}

/// Where a reservation stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReservationStatus {
    /// The units are kept back.
    Made,
    /// There was not enough; nothing was taken.
    Refused,
    /// The order is confirmed: the units are its own.
    Allocated,
    /// The units have left the building.
    Dispatched,
    /// The units are on sale again.
    Released,
}

/// A reservation for an order, or a hold.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ReservationView {
    /// The order's id or the hold's id.
    pub id: String,
    /// Where it stands.
    pub status: ReservationStatus,
    /// The order, if it was made for one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order_id: Option<OrderId>,
    /// What it holds, or held until it was released.
    pub lines: Vec<ReservedLine>,
    /// When a hold expires.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
}

/// A reservation that still waits: neither allocated nor released.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct WaitingReservation {
    /// The order's id or the hold's id.
    pub id: String,
    /// Since when.
    pub made_at: Timestamp,
    /// When a hold expires; absent for an order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
}

/// Whether a SKU may be sold beyond its stock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetPolicy {
    /// `"deny"`, `"allow"` or `{"up_to": n}`.
    pub backorder: BackorderPolicy,
}

/// A SKU and its policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SkuPolicy {
    /// Which SKU.
    pub sku: String,
    /// `"deny"`, `"allow"` or `{"up_to": n}`.
    pub backorder: BackorderPolicy,
}

/// Policies of many SKUs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetPolicies {
    /// 1 to 5,000, all or none.
    pub policies: Vec<SkuPolicy>,
}

/// A location to be added or changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SaveLocation {
    /// For people, 1 to 100 characters.
    pub name: String,
    /// ISO 3166-1 alpha-2.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
    /// -1,000 to 1,000; units are taken from the highest first. 0 unless given.
    #[serde(default)]
    pub priority: i64,
    /// Whether it takes units in; true unless given.
    #[serde(default = "yes")]
    pub active: bool,
}

/// The strategy in force.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct StrategyChoice {
    /// By which rule units are taken from several locations.
    pub strategy: AllocationStrategy,
}
