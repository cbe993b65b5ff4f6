//! What shipping needs of a carrier, and no more. An adapter translates; it decides nothing and
//! keeps nothing.

use contracts::{
    address::Address,
    shipping::{Package, Tracking, TrackingInput},
};
use http::HeaderMap;
use kernel::{BoxFuture, Timestamp};

/// A request for a label.
#[derive(Clone)]
pub struct BuyRequest {
    /// Our name for the label; sending the same request with it again must not make another one,
    /// and the carrier must be able to find the label by it.
    pub key: String,
    /// Where the parcel comes from, if the shop says.
    pub sender: Option<Address>,
    /// Where it goes. Personal.
    pub recipient: Address,
    /// What it weighs and measures.
    pub parcel: Package,
}

impl std::fmt::Debug for BuyRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "BuyRequest({}, ***)", self.key)
    }
}

/// A label as the carrier tells of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Shipment {
    /// The carrier's own id.
    pub reference: String,
    /// How the parcel can be followed.
    pub tracking: Tracking,
    /// Whether it was voided.
    pub voided: bool,
}

/// What a call came to.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer<T> {
    /// It was done.
    Done(T),
    /// It was refused for good: nothing was done and nothing will be. The code is for people
    /// (`address_not_served`).
    Refused(String),
    /// Nobody knows: no answer, or an error of the carrier. Never treated as a failure;
    /// [`Carrier::find`] tells.
    Unknown(String),
}

/// A webhook, verified and understood.
#[derive(Clone, Debug, PartialEq)]
pub struct CarrierEvent {
    /// Our name for the label, as the carrier repeats it; not trusted to be one of ours.
    pub key: String,
    /// The news.
    pub news: TrackingInput,
}

/// Why a webhook was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WebhookError {
    /// Not from the carrier, changed on the way, or too old.
    #[error("the signature is missing, wrong or too old")]
    BadSignature,
    /// Genuine, but not understood.
    #[error("the body is not an event of this carrier")]
    Malformed,
}

/// A carrier. Implementations must be safe to call again with the same key for as long as shipping
/// may ask, must never log addresses or keys, and must answer [`Answer::Refused`] only when it is
/// certain that nothing happened.
pub trait Carrier: Send + Sync {
    /// The name by which staff choose it, and by which its webhooks come.
    fn name(&self) -> &str;
    /// Makes a label.
    fn buy(&self, request: BuyRequest) -> BoxFuture<'_, Answer<Shipment>>;
    /// Takes a label back. Of one that is void already it is `Done`.
    fn void(&self, reference: String) -> BoxFuture<'_, Answer<()>>;
    /// The label of our name; `Done(None)` when the carrier never heard of it.
    fn find(&self, key: String) -> BoxFuture<'_, Answer<Option<Shipment>>>;
    /// Checks a webhook's signature over the raw `body` and reads it. `None` is a genuine event
    /// that is of no concern here.
    fn verify_webhook(
        &self,
        headers: &HeaderMap,
        body: &[u8],
        now: Timestamp,
    ) -> Result<Option<CarrierEvent>, WebhookError>;
}
