//! What identity publishes: signing keys, accounts, credentials, roles, API keys and sessions, one
//! event set per kind of stream. The types of its API are in [`api`].

use kernel::{Personal, Timestamp, event_set, id};
use serde::{Deserialize, Serialize};

pub mod api;

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
id!(
    /// A signed-in session (its name, not its secret).
    SessionId, "ses"
);

/// Whoever can sign in with an e-mail address and a password.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum AccountId {
    /// A member of staff.
    Staff(UserId),
    /// A customer.
    Customer(CustomerId),
}

impl AccountId {
    /// The text of the id.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Staff(id) => id.as_str(),
            Self::Customer(id) => id.as_str(),
        }
    }
}

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

/// The private part of a signing key, sealed under the shop's own reserved person.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SigningKeySealed {
    /// The `kid`.
    pub kid: String,
    /// Ed25519 seed, base64url without padding.
    pub private: Personal<String>,
}

/// It is time to make the key that follows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SigningKeyRotationDue {
    /// How many keys have been published so far: the key asked for is the one after them.
    pub published: i64,
}

/// A key that no token may be accepted from any more.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SigningKeyRetired {
    /// The `kid`.
    pub kid: String,
}

event_set! {
    /// The life of token signing keys, as those see it who verify tokens. Holds nothing sealed.
    pub enum SigningKeyEvent {
        /// Published.
        Published(SigningKeyPublished) = "identity.signing_key.published.v1",
        /// Retired.
        Retired(SigningKeyRetired) = "identity.signing_key.retired.v1",
    }
}

event_set! {
    /// The life of token signing keys, as identity itself sees it.
    pub enum SigningKeysEvent {
        /// Published.
        Published(SigningKeyPublished) = "identity.signing_key.published.v1",
        /// The private part kept.
        Sealed(SigningKeySealed) = "identity.signing_key.sealed.v1",
        /// The next one is wanted.
        RotationDue(SigningKeyRotationDue) = "identity.signing_key.rotation_due.v1",
        /// Retired.
        Retired(SigningKeyRetired) = "identity.signing_key.retired.v1",
    }
}

/// An e-mail address (the stream is named by its keyed hash) belongs to an account.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EmailClaimed {
    /// Whose it is.
    pub account: AccountId,
}

/// An e-mail address belongs to nobody any more.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EmailReleased {
    /// Whose it was.
    pub account: AccountId,
}

event_set! {
    /// Who an e-mail address belongs to.
    pub enum EmailEvent {
        /// Claimed.
        Claimed(EmailClaimed) = "identity.email.claimed.v1",
        /// Free again.
        Released(EmailReleased) = "identity.email.released.v1",
    }
}

/// An account's password was set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CredentialSet {
    /// Whose.
    pub account: AccountId,
    /// Argon2id, in PHC string form. Sealed, so that it goes with its person.
    pub hash: Personal<String>,
    /// It was made by the shop and is good for choosing another one, nothing else.
    pub one_time: bool,
}

/// Every session of an account ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SessionsRevoked {
    /// Whose.
    pub account: AccountId,
}

/// An account's password is gone, and with it every session: nobody signs in to it again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CredentialRemoved {
    /// Whose.
    pub account: AccountId,
}

event_set! {
    /// How an account proves who it is.
    pub enum CredentialEvent {
        /// A password was set; sessions begun with the one before are over.
        Set(CredentialSet) = "identity.credential.set.v1",
        /// Every session ended.
        SessionsRevoked(SessionsRevoked) = "identity.credential.sessions_revoked.v1",
        /// The password is gone.
        Removed(CredentialRemoved) = "identity.credential.removed.v1",
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

/// A customer's account is closed: they were erased, or it was a duplicate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CustomerAccountClosed {
    /// The account.
    pub customer_id: CustomerId,
}

event_set! {
    /// The life of a customer's account.
    pub enum CustomerEvent {
        /// Opened.
        Registered(CustomerRegistered) = "identity.customer.registered.v1",
        /// Closed.
        Closed(CustomerAccountClosed) = "identity.customer.closed.v1",
    }
}

/// A member of staff joined.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StaffAdded {
    /// Who.
    pub user_id: UserId,
    /// Their e-mail address.
    pub email: Personal<String>,
    /// What they are called.
    pub name: Personal<String>,
    /// Names of roles.
    pub roles: Vec<String>,
}

/// A member of staff has other roles now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StaffRolesChanged {
    /// Who.
    pub user_id: UserId,
    /// All their roles from now on.
    pub roles: Vec<String>,
}

/// A member of staff may not sign in any more.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StaffDisabled {
    /// Who.
    pub user_id: UserId,
}

/// A member of staff may sign in again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StaffEnabled {
    /// Who.
    pub user_id: UserId,
}

event_set! {
    /// The life of a member of staff's account.
    pub enum StaffEvent {
        /// Joined.
        Added(StaffAdded) = "identity.staff.added.v1",
        /// Roles changed.
        RolesChanged(StaffRolesChanged) = "identity.staff.roles_changed.v1",
        /// Locked out.
        Disabled(StaffDisabled) = "identity.staff.disabled.v1",
        /// Let in again.
        Enabled(StaffEnabled) = "identity.staff.enabled.v1",
    }
}

/// Someone became one of those who may do everything.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AdminGranted {
    /// Who.
    pub user_id: UserId,
}

/// Someone is no longer one of those who may do everything.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AdminWithdrawn {
    /// Who.
    pub user_id: UserId,
}

event_set! {
    /// Who the active administrators are: one stream, so that the last one cannot be lost.
    pub enum AdminEvent {
        /// One more.
        Granted(AdminGranted) = "identity.admin.granted.v1",
        /// One less.
        Withdrawn(AdminWithdrawn) = "identity.admin.withdrawn.v1",
    }
}

/// A role means these permissions from now on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RoleDefined {
    /// Its name, such as `catalog-manager`.
    pub name: String,
    /// For people: what it is for.
    pub description: String,
    /// Such as `catalog:write`; `*` is all.
    pub permissions: Vec<String>,
}

/// A role was taken away; those who had it have nothing from it any more.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RoleRemoved {
    /// Its name.
    pub name: String,
}

event_set! {
    /// The life of a role.
    pub enum RoleEvent {
        /// Defined, or defined anew.
        Defined(RoleDefined) = "identity.role.defined.v1",
        /// Removed.
        Removed(RoleRemoved) = "identity.role.removed.v1",
    }
}

/// An API key was issued.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ApiKeyIssued {
    /// Its id, which is part of the key.
    pub key_id: ApiKeyId,
    /// For people: what it is for.
    pub name: String,
    /// What it may do.
    pub permissions: Vec<String>,
    /// SHA-256 of the whole key, hex. The key has 256 random bits, so this cannot be guessed back.
    pub secret_hash: String,
    /// When it stops working, if ever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
}

/// An API key works no more.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ApiKeyRevoked {
    /// Which.
    pub key_id: ApiKeyId,
    /// As issued, so that caches can drop it.
    pub secret_hash: String,
}

event_set! {
    /// The life of an API key.
    pub enum ApiKeyEvent {
        /// Issued.
        Issued(ApiKeyIssued) = "identity.api_key.issued.v1",
        /// Revoked.
        Revoked(ApiKeyRevoked) = "identity.api_key.revoked.v1",
    }
}

/// Someone signed in.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SessionStarted {
    /// Its id, which is part of the session token.
    pub session_id: SessionId,
    /// Who.
    pub account: AccountId,
    /// SHA-256 of the whole session token, hex.
    pub secret_hash: String,
    /// How often the account's sessions had been cut off by then: it is over once that grows.
    pub epoch: i64,
    /// When it ends by itself.
    pub expires_at: Timestamp,
}

/// Someone signed out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SessionEnded {
    /// Which.
    pub session_id: SessionId,
    /// As started, so that caches can drop it.
    pub secret_hash: String,
}

event_set! {
    /// The life of a session.
    pub enum SessionEvent {
        /// Signed in.
        Started(SessionStarted) = "identity.session.started.v1",
        /// Signed out.
        Ended(SessionEnded) = "identity.session.ended.v1",
    }
}
