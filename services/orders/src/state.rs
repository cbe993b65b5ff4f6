//! What is known of an order.

use std::{collections::BTreeMap, sync::Arc};

use contracts::{
    cart::LineId,
    orders::{
        OrderCancelled, OrderFulfilment, OrderPlaced, OrderShipment, OrderStatus, TimelineEntry,
    },
    payments::PaymentId,
};
use kernel::{Money, Timestamp};
use serde::{Deserialize, Serialize};

/// What is known of an order.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct OrderState {
    /// How it began; none before it was placed.
    pub placed: Option<Arc<OrderPlaced>>,
    /// Where it stands.
    pub status: OrderStatus,
    /// The payment that was asked for, if one was.
    pub payment_id: Option<PaymentId>,
    /// Where the buyer must go, while they must.
    pub action_url: Option<String>,
    /// How it was given up, if it was.
    pub cancelled: Option<Arc<OrderCancelled>>,
    /// When it was confirmed, if it was.
    pub confirmed_at: Option<Timestamp>,
    /// Whether its scarce promotions were counted for it.
    #[serde(default)]
    pub redeemed: bool,
    /// Whether its credit is held for it.
    #[serde(default)]
    pub credit_held: bool,
    /// Its parcels, in the order they left.
    #[serde(default)]
    pub shipments: Vec<OrderShipment>,
    /// Line → units that left.
    #[serde(default)]
    pub shipped: BTreeMap<LineId, i64>,
    /// How much of it has left the building.
    #[serde(default)]
    pub fulfilment: OrderFulfilment,
    /// How much payments was asked to take so far, minor units of the order's currency.
    #[serde(default)]
    pub capture_asked: i64,
    /// Captured so far, minor units of the order's currency.
    pub captured: i64,
    /// Refunded so far, minor units of the order's currency.
    pub refunded: i64,
    /// What happened, in order.
    pub history: Vec<Happening>,
}

/// An entry of the timeline, with where the order stood afterwards.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Happening {
    /// Where it stood afterwards.
    pub status: OrderStatus,
    /// What happened.
    pub entry: TimelineEntry,
}

impl OrderState {
    /// Whether it was placed and has neither been confirmed nor given up: its deadline is running.
    pub fn is_pending(&self) -> bool {
        self.placed.is_some()
            && !matches!(self.status, OrderStatus::Confirmed | OrderStatus::Cancelled)
    }

    /// Whether nothing more happens unless a person acts: confirmed, given up, or waiting for the
    /// buyer.
    pub fn is_settled(&self) -> bool {
        self.placed.is_some()
            && !matches!(
                self.status,
                OrderStatus::Placed | OrderStatus::StockReserved
            )
    }

    /// Who placed it, for the timeline.
    pub fn buyer(placed: &OrderPlaced) -> String {
        match &placed.customer_id {
            Some(customer) => format!("customer:{customer}"),
            None => "guest".into(),
        }
    }

    /// Records what happened.
    pub(crate) fn happened(
        &mut self,
        at: Timestamp,
        what: &str,
        who: String,
        note: Option<String>,
    ) {
        self.history.push(Happening {
            status: self.status,
            entry: TimelineEntry {
                at,
                what: what.into(),
                who,
                note,
            },
        });
    }

    /// `amount` in the order's currency.
    pub(crate) fn money(&self, amount: i64) -> Option<Money> {
        let placed = self.placed.as_ref()?;
        Some(Money::new(amount, placed.totals.total.currency))
    }
}
