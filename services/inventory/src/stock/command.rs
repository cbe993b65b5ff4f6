//! What can be asked of one SKU's stock.

use contracts::{
    inventory::{BackorderPolicy, LocationId, MovementReason, Taken},
    orders::OrderId,
    shipping::FulfilmentId,
};

use crate::locations::LocationTable;

/// How on-hand units change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// By this many.
    By(i64),
    /// To this many.
    To(i64),
}

/// A change of on-hand units at one location.
#[derive(Clone, Debug)]
pub struct Adjustment {
    /// Which SKU: the stream's id.
    pub sku: String,
    /// Where; must exist.
    pub location: LocationId,
    /// How.
    pub change: Change,
    /// Compare-and-set: on hand at the location before.
    pub expected_on_hand: Option<i64>,
    /// Why.
    pub reason: MovementReason,
    /// The document behind it.
    pub reference: Option<String>,
    /// A remark.
    pub note: Option<String>,
    /// Record a loss of units that are already promised.
    pub accept_oversold: bool,
}

/// What can be asked of a SKU's stock.
pub enum StockCommand {
    /// Changes on hand.
    Adjust(Adjustment),
    /// Moves free units.
    Transfer {
        /// Which SKU.
        sku: String,
        /// From where.
        from: LocationId,
        /// To where; must exist.
        to: LocationId,
        /// How many, positive.
        quantity: i64,
        /// The document behind it.
        reference: Option<String>,
    },
    /// Takes units out of what may be sold.
    Reserve {
        /// Which SKU.
        sku: String,
        /// For which order or hold.
        reservation: String,
        /// How many, positive.
        quantity: i64,
        /// Where the goods will go, if known.
        country: Option<String>,
        /// The locations and the strategy.
        locations: LocationTable,
    },
    /// Puts reserved units back on sale.
    Release {
        /// Which SKU.
        sku: String,
        /// Of which order or hold.
        reservation: String,
        /// What it had taken.
        returned: Vec<Taken>,
    },
    /// Units left the building.
    Dispatch {
        /// Which SKU.
        sku: String,
        /// From where.
        location: LocationId,
        /// How many, positive.
        quantity: i64,
        /// How many of these the order's allocation holds there.
        promised: i64,
        /// The order.
        order_id: OrderId,
        /// The fulfilment.
        fulfilment_id: FulfilmentId,
    },
    /// Sets the backorder policy.
    SetPolicy {
        /// Which SKU.
        sku: String,
        /// The policy.
        backorder: BackorderPolicy,
    },
}
