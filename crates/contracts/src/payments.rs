//! What payments publishes, and the types of its API.

use kernel::{Money, Timestamp, event_set, id};
use serde::{Deserialize, Serialize};

use crate::{cart::PaymentMethod, identity::CustomerId, orders::OrderId};

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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
    /// Why, for people; a refund's reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
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
    }
}
