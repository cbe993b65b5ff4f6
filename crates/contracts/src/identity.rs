//! What identity publishes. Accounts' own events are added here too, one set per kind of stream.

use kernel::{Personal, Timestamp, event_set, id};
use serde::{Deserialize, Serialize};

id!(
    /// A member of staff.
    UserId, "usr"
);
id!(
    /// A customer's account.
    CustomerId, "cus"
);
id!(
    /// An API key (its name, not its secret).
    ApiKeyId, "key"
);

/// A key that access tokens will be signed with: published well before its first use, so that every
/// service can verify tokens without asking anyone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SigningKeyPublished {
    /// The token header's `kid`.
    pub kid: String,
    /// JWS algorithm (RFC 8037): `EdDSA`.
    pub alg: String,
    /// Public key, base64url without padding.
    pub x: String,
    /// First moment it may sign.
    pub not_before: Timestamp,
}

/// A key that no token may be accepted from any more.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SigningKeyRetired {
    /// The `kid`.
    pub kid: String,
}

event_set! {
    /// The life of token signing keys.
    pub enum SigningKeyEvent {
        /// Published.
        Published(SigningKeyPublished) = "identity.signing_key.published.v1",
        /// Retired.
        Retired(SigningKeyRetired) = "identity.signing_key.retired.v1",
    }
}

/// A customer opened an account.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CustomerRegistered {
    /// The account.
    pub customer_id: CustomerId,
    /// Their e-mail address.
    pub email: Personal<String>,
}

event_set! {
    /// The life of a customer's account.
    pub enum CustomerEvent {
        /// Opened.
        Registered(CustomerRegistered) = "identity.customer.registered.v1",
    }
}
