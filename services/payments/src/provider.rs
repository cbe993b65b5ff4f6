//! What payments needs of a payment provider, and no more. An adapter translates; it decides
//! nothing and keeps nothing.

use contracts::payments::OperationKind;
use http::HeaderMap;
use kernel::{BoxFuture, Money, Timestamp};

/// A request to hold money.
#[derive(Clone)]
pub struct Authorise {
    /// Sending the same request with the same key again must not charge again.
    pub key: String,
    /// Our name for the payment; the provider must be able to find it by this.
    pub reference: String,
    /// How much.
    pub amount: Money,
    /// The provider's token for the buyer's card. A secret.
    pub token: String,
}

/// A request to capture, void or refund.
#[derive(Clone, Debug)]
pub struct Operate {
    /// As in [`Authorise::key`].
    pub key: String,
    /// The provider's own id of the payment.
    pub provider_reference: String,
    /// How much; all of it for a void.
    pub amount: Money,
}

/// Which payment is asked for.
#[derive(Clone, Debug)]
pub struct Lookup {
    /// Our name for it.
    pub reference: String,
    /// The provider's own id, if it ever told us.
    pub provider_reference: Option<String>,
}

/// What a call came to.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer<T> {
    /// It was done.
    Done(T),
    /// It was refused for good: nothing was done and nothing will be. The code is for people and
    /// reports (`insufficient_funds`).
    Refused(String),
    /// Nobody knows: no answer, an error of the provider, or accepted but not yet carried out.
    /// Never treated as a failure; the same call with the same key, or [`Provider::find`], tells.
    Unknown(String),
}

impl<T> Answer<T> {
    /// Goes on with what was done.
    pub fn and_then<U>(self, next: impl FnOnce(T) -> Answer<U>) -> Answer<U> {
        match self {
            Self::Done(value) => next(value),
            Self::Refused(code) => Answer::Refused(code),
            Self::Unknown(why) => Answer::Unknown(why),
        }
    }
}

/// Where a payment stands at the provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProviderStatus {
    /// Accepted, not decided yet.
    Pending,
    /// The buyer must go to this address first.
    ActionRequired {
        /// Where.
        url: String,
    },
    /// Held.
    Authorised,
    /// Held, and some or all of it captured.
    Captured,
    /// Refused.
    Declined {
        /// The provider's reason.
        code: String,
    },
    /// The hold was given up.
    Voided,
}

/// An operation as the provider tells of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProviderOperation {
    /// The provider's own id, by which a repeat is recognised.
    pub id: String,
    /// What.
    pub kind: OperationKind,
    /// How much.
    pub amount: Money,
}

/// A payment as the provider tells of it, at some moment, perhaps a past one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProviderPayment {
    /// The provider's own id.
    pub provider_reference: String,
    /// Where it stood.
    pub status: ProviderStatus,
    /// What is or would be held.
    pub amount: Money,
    /// Captures and refunds this telling mentions; not necessarily all.
    pub operations: Vec<ProviderOperation>,
}

/// The answer to a capture, void or refund.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// The provider's own id of the operation.
    pub provider_operation: String,
    /// How much was moved.
    pub amount: Money,
}

/// A webhook, verified and understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProviderEvent {
    /// The provider's own id of the event.
    pub id: String,
    /// The provider's own name for what happened.
    pub kind: String,
    /// Our name for the payment, as the provider repeats it; not trusted to be one of ours.
    pub reference: String,
    /// The payment.
    pub payment: ProviderPayment,
}

/// Why a webhook was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WebhookError {
    /// Not from the provider, changed on the way, or too old.
    #[error("the signature is missing, wrong or too old")]
    BadSignature,
    /// Genuine, but not understood.
    #[error("the body is not an event of this provider")]
    Malformed,
}

/// A payment provider. Implementations must be safe to call again with the same key for as long
/// as payments may ask (a day at least), must never log tokens or keys, and must answer
/// [`Answer::Refused`] only when it is certain that nothing happened.
pub trait Provider: Send + Sync {
    /// The name by which orders choose it, and by which its webhooks come.
    fn name(&self) -> &str;
    /// Holds money. A refusal by the bank is `Done` with [`ProviderStatus::Declined`].
    fn authorise(&self, request: Authorise) -> BoxFuture<'_, Answer<ProviderPayment>>;
    /// Takes money that is held, in part or whole.
    fn capture(&self, request: Operate) -> BoxFuture<'_, Answer<Receipt>>;
    /// Gives the hold up; also ends a payment whose buyer never acted.
    fn void(&self, request: Operate) -> BoxFuture<'_, Answer<Receipt>>;
    /// Gives captured money back, in part or whole.
    fn refund(&self, request: Operate) -> BoxFuture<'_, Answer<Receipt>>;
    /// What became of a payment; `Done(None)` when the provider never heard of it.
    fn find(&self, lookup: Lookup) -> BoxFuture<'_, Answer<Option<ProviderPayment>>>;
    /// Checks a webhook's signature over the raw `body` and reads it. `None` is a genuine event
    /// that is of no concern here.
    fn verify_webhook(
        &self,
        headers: &HeaderMap,
        body: &[u8],
        now: Timestamp,
    ) -> Result<Option<ProviderEvent>, WebhookError>;
}

impl std::fmt::Debug for Authorise {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Authorise({}, {}, ***)", self.key, self.amount)
    }
}
