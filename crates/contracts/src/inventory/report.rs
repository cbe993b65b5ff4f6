//! What inventory's API reports: levels, the ledger, the books.

use kernel::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{BackorderPolicy, LocationId};

/// Units of one SKU at one location.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Level {
    /// Which SKU.
    pub sku: String,
    /// Where.
    pub location: LocationId,
    /// In the building.
    pub on_hand: i64,
    /// Of these, promised: to holds, to orders in progress, and to confirmed orders.
    pub reserved: i64,
    /// `on_hand - reserved`; negative where more is promised than there is.
    pub available: i64,
}

/// The stock of one SKU. Callers without `inventory:read` get only `sku` and `available`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct StockView {
    /// Which SKU.
    pub sku: String,
    /// For staff: units that may be sold from stock, negative when backordered. For everyone else:
    /// how many can be bought now, backorders included; 100 means 100 or more.
    pub available: i64,
    /// In the buildings.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_hand: Option<i64>,
    /// Promised, allocated units included.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reserved: Option<i64>,
    /// Promised to confirmed orders.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allocated: Option<i64>,
    /// Whether it may be sold beyond its stock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backorder: Option<BackorderPolicy>,
    /// Per location.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub locations: Vec<Level>,
}

/// A row of the ledger.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Movement {
    /// Its number; later rows have higher ones.
    pub id: i64,
    /// Which SKU.
    pub sku: String,
    /// Where.
    pub location: LocationId,
    /// A reason of an adjustment, or `transfer_in`, `transfer_out`, `sold`, `sale_cancelled`,
    /// `dispatched`.
    pub kind: String,
    /// Units that came (positive) or went (negative; `sold` is negative).
    pub delta: i64,
    /// On hand at the location afterwards; absent for sales, whose units are still in the building.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_hand: Option<i64>,
    /// The order of a sale, or the document given with the adjustment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// A remark.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// When.
    pub at: Timestamp,
}

/// The books of one SKU over all locations.
/// `on_hand = opening + received + adjusted + returned - dispatched`,
/// `available = on_hand - reserved`, and `allocated = sold - dispatched`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct StockSummary {
    /// Which SKU.
    pub sku: String,
    /// Opening stock.
    pub opening: i64,
    /// Received.
    pub received: i64,
    /// Counted, damaged, other.
    pub adjusted: i64,
    /// Came back from customers.
    pub returned: i64,
    /// Sold to confirmed orders, less sales cancelled.
    pub sold: i64,
    /// Left the buildings with a parcel.
    #[serde(default)]
    pub dispatched: i64,
    /// In the buildings.
    pub on_hand: i64,
    /// Promised to confirmed orders and still here.
    pub allocated: i64,
    /// Promised, allocated units included.
    pub reserved: i64,
    /// `on_hand - reserved`.
    pub available: i64,
}
