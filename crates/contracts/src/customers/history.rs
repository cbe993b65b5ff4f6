//! What was ordered and by whom: what customers remembers of orders.

use kernel::{Money, PersonId, Timestamp, event_set};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    identity::CustomerId,
    orders::{OrderId, OrderStatus},
};

/// Confirmed orders in one currency.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CurrencyStatistics {
    /// How many.
    pub orders: i64,
    /// Their totals less what was refunded.
    pub spent: Money,
}

/// A confirmed order, as statistics remember it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
pub struct Purchase {
    /// When it was placed, microseconds UTC.
    pub at: Timestamp,
    /// Which.
    pub order_id: OrderId,
}

/// What somebody bought so far: orders that are confirmed and not cancelled.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Statistics {
    /// Per currency, in the order of their codes; none without orders.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub currencies: Vec<CurrencyStatistics>,
    /// The newest ones first, 20 at most.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub recent: Vec<Purchase>,
}

impl Statistics {
    /// How many orders in all currencies.
    pub fn orders(&self) -> i64 {
        self.currencies.iter().map(|one| one.orders).sum()
    }

    /// When the newest one was placed.
    pub fn last_order_at(&self) -> Option<Timestamp> {
        self.recent.first().map(|purchase| purchase.at)
    }
}

/// How an order came to be a customer's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ClaimedBy {
    /// It was placed as a guest with an e-mail address that the customer showed to be theirs.
    VerifiedEmail,
}

/// An order was placed, as customers remembers it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OrderRecorded {
    /// Which.
    pub order_id: OrderId,
    /// The number people use.
    pub number: String,
    /// Whose personal data it holds.
    pub person: PersonId,
    /// The account, when the buyer was signed in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer_id: Option<CustomerId>,
    /// Keyed hash of the buyer's e-mail address; empty once the person was erased.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub email_hash: String,
    /// What it comes to.
    pub total: Money,
    /// When it was placed.
    pub placed_at: Timestamp,
}

/// An order stands elsewhere, or money of it was given back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OrderRecordChanged {
    /// Which.
    pub order_id: OrderId,
    /// Where it stands: `placed`, `confirmed` or `cancelled`.
    pub status: OrderStatus,
    /// What was refunded so far.
    pub refunded: Money,
}

/// An order that was placed as a guest turned out to be a customer's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OrderClaimed {
    /// Which.
    pub order_id: OrderId,
    /// Whose it is.
    pub customer_id: CustomerId,
    /// Whose personal data it holds.
    pub person: PersonId,
    /// By what.
    pub by: ClaimedBy,
    /// When.
    pub at: Timestamp,
}

event_set! {
    /// An order as customers remembers it.
    pub enum OrderRecordEvent {
        /// Placed.
        Recorded(OrderRecorded) = "customers.order.recorded.v1",
        /// It stands elsewhere.
        Changed(OrderRecordChanged) = "customers.order.changed.v1",
        /// Claimed by a customer.
        Claimed(OrderClaimed) = "customers.order.claimed.v1",
    }
}

/// Orders placed with an e-mail address (the stream is named by its keyed hash) are this customer's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MailboxClaimed {
    /// Whose.
    pub customer_id: CustomerId,
}

/// The address is nobody's any more.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MailboxReleased {
    /// Whose it was.
    pub customer_id: CustomerId,
}

event_set! {
    /// Who showed that an e-mail address is theirs.
    pub enum MailboxEvent {
        /// Shown.
        Claimed(MailboxClaimed) = "customers.mailbox.claimed.v1",
        /// Given up.
        Released(MailboxReleased) = "customers.mailbox.released.v1",
    }
}
