//! The types of payments' API.

use kernel::{Money, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{OperationKind, PaymentId};
use crate::orders::OrderId;

/// Where a payment stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PaymentStatus {
    /// Being authorised.
    #[default]
    Pending,
    /// The provider did not answer and is being asked.
    Unknown,
    /// The buyer must act (3-D Secure).
    ActionRequired,
    /// Held, nothing captured.
    Authorised,
    /// Some of it captured.
    PartiallyCaptured,
    /// All of it captured.
    Captured,
    /// Some of what was captured given back.
    PartiallyRefunded,
    /// All that was captured given back.
    Refunded,
    /// Refused; nothing is held.
    Declined,
    /// The hold was given up; nothing was charged.
    Voided,
}

impl PaymentStatus {
    /// The name used in JSON, in queries and in the read model.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Unknown => "unknown",
            Self::ActionRequired => "action_required",
            Self::Authorised => "authorised",
            Self::PartiallyCaptured => "partially_captured",
            Self::Captured => "captured",
            Self::PartiallyRefunded => "partially_refunded",
            Self::Refunded => "refunded",
            Self::Declined => "declined",
            Self::Voided => "voided",
        }
    }
}

/// How far an operation at the provider has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum OperationStatus {
    /// Decided; the provider is being called.
    #[default]
    Requested,
    /// No answer; the provider is being asked.
    Unknown,
    /// Done.
    Succeeded,
    /// Refused by the provider.
    Failed,
}

/// A capture, void or refund as the API shows it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct OperationView {
    /// Its number within the payment, from 1.
    pub number: i64,
    /// What.
    pub kind: OperationKind,
    /// How much.
    pub amount: Money,
    /// How far it has come.
    pub status: OperationStatus,
    /// Why the provider refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// Why it was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// A payment as the API shows it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PaymentView {
    /// Its id.
    pub id: PaymentId,
    /// The order it pays.
    pub order_id: OrderId,
    /// Where it stands.
    pub status: PaymentStatus,
    /// What the order comes to.
    pub amount: Money,
    /// Captured so far.
    pub captured: Money,
    /// Refunded so far.
    pub refunded: Money,
    /// Which provider.
    pub provider: String,
    /// The provider's own id of it, once known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider_reference: Option<String>,
    /// Where the buyer must go, while they must.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub action_url: Option<String>,
    /// Why it was declined.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decline_code: Option<String>,
    /// Captures, voids and refunds, oldest first.
    pub operations: Vec<OperationView>,
    /// In the answer to a capture, void or refund: the number of that operation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation: Option<i64>,
}

/// A payment in a list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PaymentSummary {
    /// Its id.
    pub id: PaymentId,
    /// The order it pays.
    pub order_id: OrderId,
    /// Where it stands.
    pub status: String,
    /// What the order comes to.
    pub amount: Money,
    /// Captured so far.
    pub captured: Money,
    /// Refunded so far.
    pub refunded: Money,
    /// When it was asked for.
    pub at: Timestamp,
}

/// Asks for a capture.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CapturePayment {
    /// How much; all that is still held unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<Money>,
}

/// Asks for a refund.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RefundPayment {
    /// How much; all that is captured and not yet given back unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<Money>,
    /// Why, for people: at most 500 characters, no personal data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// Asks for a void; has no members.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct VoidPayment {}

/// One line of the ledger. The lines of one (payment, version) sum to nothing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct LedgerEntry {
    /// The payment.
    pub payment_id: PaymentId,
    /// The version of the payment that it comes from.
    pub version: i64,
    /// The line within the posting, from 1.
    pub line: i64,
    /// The account, such as `provider:sandbox:receivable`.
    pub account: String,
    /// Positive is a debit, negative a credit.
    pub amount: Money,
    /// The order.
    pub order_id: OrderId,
    /// When it was booked.
    pub at: Timestamp,
}

/// What one account comes to in one currency, in minor units.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct LedgerAccount {
    /// The account.
    pub account: String,
    /// ISO 4217.
    #[schema(value_type = String)]
    pub currency: kernel::Currency,
    /// Sum of its debits.
    pub debit: i64,
    /// Sum of its credits, as a positive number.
    pub credit: i64,
    /// Debits minus credits.
    pub balance: i64,
}

/// The sums of all accounts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct LedgerSummary {
    /// By account and currency.
    pub accounts: Vec<LedgerAccount>,
    /// Whether the balances sum to nothing in every currency. Never false.
    pub balanced: bool,
}

/// An operation that needs patience or a person: without an answer, or a compensation that the
/// provider refuses.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PaymentTrouble {
    /// The payment.
    pub payment_id: PaymentId,
    /// Number of the operation.
    pub operation: i64,
    /// `unknown`, `refused` or `unexplained`.
    pub problem: String,
    /// The provider's reason, for `refused`; its operation, for `unexplained`.
    pub code: String,
    /// When it is tried or asked again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub again_at: Option<Timestamp>,
    /// Since when.
    pub since: Timestamp,
}
