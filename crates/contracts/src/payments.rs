//! What payments publishes, and the types of its API.

use kernel::{Money, Timestamp, event_set, id};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{cart::PaymentMethod, identity::CustomerId, orders::OrderId};

mod api;

pub use api::*;

id!(
    /// A payment: one order's money at one provider.
    PaymentId, "pay"
);

/// A payment was asked for by an order; the worker will authorise it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PaymentIntended {
    /// Which payment.
    pub payment_id: PaymentId,
    /// For which order.
    pub order_id: OrderId,
    /// How much.
    pub amount: Money,
    /// With what.
    pub method: PaymentMethod,
    /// An authorisation later than this is voided.
    pub deadline: Timestamp,
    /// SHA-256 of the guest's access token, hex.
    pub access_token_hash: String,
    /// The account, when the buyer was signed in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer_id: Option<CustomerId>,
}

/// The provider holds the money for us.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PaymentAuthorised {
    /// Which payment.
    pub payment_id: PaymentId,
    /// For which order.
    pub order_id: OrderId,
    /// How much.
    pub amount: Money,
    /// The provider's own id of it.
    pub provider_reference: String,
}

/// The provider refused.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PaymentDeclined {
    /// Which payment.
    pub payment_id: PaymentId,
    /// For which order.
    pub order_id: OrderId,
    /// The provider's reason, such as `insufficient_funds`.
    pub code: String,
}

/// The buyer must act (3-D Secure).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PaymentActionRequired {
    /// Which payment.
    pub payment_id: PaymentId,
    /// For which order.
    pub order_id: OrderId,
    /// Where the buyer is to be sent.
    pub url: String,
    /// The provider's own id of it.
    pub provider_reference: String,
}

/// What an operation at the provider is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum OperationKind {
    /// Take a hold on the money.
    Authorise,
    /// Take the money.
    Capture,
    /// Give up the hold.
    Void,
    /// Give money back.
    Refund,
}

/// An operation at the provider was decided; the worker performs it. The key sent to the provider
/// is `payment id + operation number`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PaymentOperationRequested {
    /// Which payment.
    pub payment_id: PaymentId,
    /// For which order.
    pub order_id: OrderId,
    /// Number of the operation within the payment, from 1 (the authorisation is number 0).
    pub operation: i64,
    /// What.
    pub kind: OperationKind,
    /// How much.
    pub amount: Money,
    /// The provider's own id of the payment.
    pub provider_reference: String,
    /// Which provider.
    #[serde(default)]
    pub provider: String,
    /// Why, for people; a refund's reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// It undoes what an order that was given up holds or paid: tried again for ever.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub compensation: bool,
}

/// No answer came: the outcome is unknown until the provider has been asked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PaymentOperationUnknown {
    /// Which payment.
    pub payment_id: PaymentId,
    /// Which operation (0 is the authorisation).
    pub operation: i64,
    /// How often it has been tried or asked so far.
    pub attempt: i64,
    /// When it will be asked again.
    pub ask_at: Timestamp,
}

/// It is time to ask the provider what became of an operation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PaymentInquiryRequested {
    /// Which payment.
    pub payment_id: PaymentId,
    /// Which operation (0 is the authorisation).
    pub operation: i64,
    /// How often it has been tried or asked so far.
    pub attempt: i64,
}

/// Money was taken.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PaymentCaptured {
    /// Which payment.
    pub payment_id: PaymentId,
    /// For which order.
    pub order_id: OrderId,
    /// Which operation.
    pub operation: i64,
    /// How much this time.
    pub amount: Money,
    /// How much in all.
    pub captured: Money,
    /// Which provider moved it: names the account in the ledger.
    #[serde(default)]
    pub provider: String,
    /// The provider's own id of this operation, by which a repeat is recognised.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider_operation: Option<String>,
}

/// Money was given back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PaymentRefunded {
    /// Which payment.
    pub payment_id: PaymentId,
    /// For which order.
    pub order_id: OrderId,
    /// Which operation.
    pub operation: i64,
    /// How much this time.
    pub amount: Money,
    /// How much in all.
    pub refunded: Money,
    /// Which provider moved it: names the account in the ledger.
    #[serde(default)]
    pub provider: String,
    /// The provider's own id of this operation, by which a repeat is recognised.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider_operation: Option<String>,
}

/// The hold was given up; nothing was charged.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PaymentVoided {
    /// Which payment.
    pub payment_id: PaymentId,
    /// For which order.
    pub order_id: OrderId,
    /// How much had been held.
    pub amount: Money,
}

/// The provider refused a capture, void or refund for good.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PaymentOperationFailed {
    /// Which payment.
    pub payment_id: PaymentId,
    /// For which order.
    pub order_id: OrderId,
    /// Which operation.
    pub operation: i64,
    /// What it was.
    pub kind: OperationKind,
    /// The provider's reason.
    pub code: String,
    /// When it is tried again under a new number; only what must succeed in the end is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_at: Option<Timestamp>,
}

/// The provider reported an operation that cannot be booked yet: one of ours of the same kind is
/// still without an answer, or what it builds on has not been reported. Booked later, once.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PaymentProviderEventNoted {
    /// Which payment.
    pub payment_id: PaymentId,
    /// What the provider did.
    pub kind: OperationKind,
    /// How much.
    pub amount: Money,
    /// The provider's own id of the operation.
    pub provider_operation: String,
}

/// The order was given up: hold nothing and keep nothing, now or later.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PaymentAbandoned {
    /// Which payment.
    pub payment_id: PaymentId,
    /// For which order.
    pub order_id: OrderId,
}

event_set! {
    /// The life of a payment.
    pub enum PaymentEvent {
        /// Asked for; to be authorised.
        Intended(PaymentIntended) = "payments.payment.intended.v1",
        /// Authorised.
        Authorised(PaymentAuthorised) = "payments.payment.authorised.v1",
        /// Declined.
        Declined(PaymentDeclined) = "payments.payment.declined.v1",
        /// The buyer must act.
        ActionRequired(PaymentActionRequired) = "payments.payment.action_required.v1",
        /// A capture, void or refund was decided.
        OperationRequested(PaymentOperationRequested) = "payments.payment.operation_requested.v1",
        /// Outcome unknown.
        OperationUnknown(PaymentOperationUnknown) = "payments.payment.operation_unknown.v1",
        /// To be asked.
        InquiryRequested(PaymentInquiryRequested) = "payments.payment.inquiry_requested.v1",
        /// Captured.
        Captured(PaymentCaptured) = "payments.payment.captured.v1",
        /// Refunded.
        Refunded(PaymentRefunded) = "payments.payment.refunded.v1",
        /// Voided.
        Voided(PaymentVoided) = "payments.payment.voided.v1",
        /// Refused for good.
        OperationFailed(PaymentOperationFailed) = "payments.payment.operation_failed.v1",
        /// Given up with its order.
        Abandoned(PaymentAbandoned) = "payments.payment.abandoned.v1",
        /// Reported by the provider, to be booked later.
        ProviderEventNoted(PaymentProviderEventNoted) = "payments.payment.provider_event_noted.v1",
    }
}

/// A provider's genuine webhook belongs to no payment we know: kept for a person to look at.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ProviderEventUnmatched {
    /// Which provider.
    pub provider: String,
    /// Its own id of the event.
    pub event_id: String,
    /// Its own name for what happened.
    pub kind: String,
    /// Our reference, as the provider repeats it.
    pub reference: String,
    /// The provider's own id of the payment.
    pub provider_reference: String,
    /// The provider's own id of the operation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider_operation: Option<String>,
    /// How much it was about.
    pub amount: Money,
}

event_set! {
    /// Webhooks without a payment.
    pub enum ProviderEventEvent {
        /// Kept.
        Unmatched(ProviderEventUnmatched) = "payments.provider_event.unmatched.v1",
    }
}
