//! What credit publishes, and the types of its API: gift cards and store credit, which pay for (part
//! of) an order beside a card.

use kernel::{Money, Timestamp, event_set, id};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{identity::CustomerId, orders::OrderId};

mod api;
mod code;
mod refund;

pub use api::*;
pub use code::*;
pub use refund::*;

id!(
    /// Money the shop owes to who holds a gift card's code, or to a customer.
    CreditAccountId, "crd"
);

/// What an account is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CreditKind {
    /// Belongs to who knows the code.
    GiftCard,
    /// Belongs to a customer.
    StoreCredit,
}

/// An account was opened, empty.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CreditAccountOpened {
    /// Which.
    pub account_id: CreditAccountId,
    /// What it is.
    pub kind: CreditKind,
    /// The customer, of store credit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer_id: Option<CustomerId>,
    /// Nothing yet; names the currency.
    pub balance: Money,
    /// Keyed hash of the code, of a gift card: the code itself is known to its holder alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code_hash: Option<String>,
    /// First moment it pays no more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// When.
    #[serde(default)]
    pub at: Timestamp,
}

/// Why a balance changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CreditReason {
    /// A gift card was sold or given away; store credit was granted.
    Issued,
    /// Held for an order that is being placed.
    Held,
    /// A hold was given back.
    Released,
    /// Money of an order was given back as credit.
    Refunded,
    /// Staff corrected it.
    Adjusted,
    /// Its time is over.
    Expired,
}

/// What may be spent of an account changed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CreditChanged {
    /// Which account.
    pub account_id: CreditAccountId,
    /// What it is.
    pub kind: CreditKind,
    /// Why.
    pub reason: CreditReason,
    /// How much came (positive) or went (negative).
    pub amount: Money,
    /// What may be spent afterwards; never negative.
    pub balance: Money,
    /// The order, when one was the cause.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order_id: Option<OrderId>,
    /// A remark. Not for personal data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// When.
    #[serde(default)]
    pub at: Timestamp,
}

/// Staff blocked an account: it keeps its balance, but pays no more until it is enabled.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CreditAccountDisabled {
    /// Which account.
    pub account_id: CreditAccountId,
    /// Why. Not for personal data.
    pub note: String,
    /// When.
    #[serde(default)]
    pub at: Timestamp,
}

/// A blocked account pays again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CreditAccountEnabled {
    /// Which account.
    pub account_id: CreditAccountId,
    /// Why. Not for personal data.
    pub note: String,
    /// When.
    #[serde(default)]
    pub at: Timestamp,
}

/// The end of an account was moved: by staff, or because money came back to it after its end.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CreditExpirySet {
    /// Which account.
    pub account_id: CreditAccountId,
    /// First moment it pays no more; absent: it never ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// When this was decided.
    #[serde(default)]
    pub at: Timestamp,
}

event_set! {
    /// The life of an account.
    pub enum CreditAccountEvent {
        /// Opened.
        Opened(CreditAccountOpened) = "credit.account.opened.v1",
        /// Its balance changed.
        Changed(CreditChanged) = "credit.account.changed.v1",
        /// Blocked.
        Disabled(CreditAccountDisabled) = "credit.account.disabled.v1",
        /// Pays again.
        Enabled(CreditAccountEnabled) = "credit.account.enabled.v1",
        /// Its end was moved.
        ExpirySet(CreditExpirySet) = "credit.account.expiry_set.v1",
    }
}

/// So much of an account, for an order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CreditUse {
    /// Which account.
    pub account_id: CreditAccountId,
    /// How much, positive.
    pub amount: Money,
}

/// All credit an order asked for is held for it, at once.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CreditHeld {
    /// Which order.
    pub order_id: OrderId,
    /// What is held.
    pub uses: Vec<CreditUse>,
}

/// Why an account does not pay for an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CreditRefusal {
    /// There is no such account.
    Unknown,
    /// It is in another currency.
    WrongCurrency,
    /// It has less than the order asked for.
    TooLittle,
    /// Its time is over.
    Expired,
    /// Staff blocked it.
    Disabled,
    /// It is another customer's store credit.
    NotTheirs,
    /// The order asked for nothing, or for less than nothing.
    BadAmount,
}

/// Some account had less than the order asked for, or had ended; none was touched.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CreditRefused {
    /// Which order.
    pub order_id: OrderId,
    /// The first account in the way.
    pub account_id: CreditAccountId,
    /// What is in the way.
    pub reason: CreditRefusal,
}

/// The order was confirmed: what was held is spent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CreditSpent {
    /// Which order.
    pub order_id: OrderId,
    /// What was spent.
    pub uses: Vec<CreditUse>,
}

/// The order was given up: what was held or spent is back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CreditReleased {
    /// Which order.
    pub order_id: OrderId,
    /// What came back: of what was spent, only what was not refunded before.
    pub uses: Vec<CreditUse>,
    /// Whether it had been spent; otherwise it was only held.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub spent: bool,
}

event_set! {
    /// What one order has to do with credit.
    pub enum CreditHoldEvent {
        /// Held.
        Held(CreditHeld) = "credit.hold.made.v1",
        /// Refused.
        Refused(CreditRefused) = "credit.hold.refused.v1",
        /// Spent.
        Spent(CreditSpent) = "credit.hold.spent.v1",
        /// Given back.
        Released(CreditReleased) = "credit.hold.released.v1",
        /// Refunded as credit.
        RefundMade(CreditRefundMade) = "credit.refund.made.v1",
        /// A refund as credit is not possible.
        RefundRefused(CreditRefundRefused) = "credit.refund.refused.v1",
    }
}
