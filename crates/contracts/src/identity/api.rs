//! The types of identity's API. Those that hold a secret have no `Debug`.

use kernel::{PersonId, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{ApiKeyId, UserId};

/// Signing in.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Login {
    /// E-mail address.
    pub email: String,
    /// Password.
    pub password: String,
}

/// Opening a customer's account.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Register {
    /// E-mail address, not yet in use.
    pub email: String,
    /// Password, 10 to 200 characters.
    pub password: String,
}

/// Choosing another password; also how a one-time password is used.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangePassword {
    /// E-mail address.
    pub email: String,
    /// The password so far.
    pub current_password: String,
    /// The password from now on, 10 to 200 characters.
    pub new_password: String,
}

/// A session token or API key, to be exchanged for an access token.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Exchange {
    /// `ses_…` or `souk_…`.
    pub token: String,
}

/// Signing out.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Logout {
    /// `ses_…`
    pub session_token: String,
}

/// An access token (RFC 6750).
#[derive(Serialize, Deserialize, ToSchema)]
pub struct AccessToken {
    /// The token: `Authorization: Bearer …`.
    pub access_token: String,
    /// Always `Bearer`.
    pub token_type: String,
    /// Seconds it is good for.
    pub expires_in: i64,
}

/// Signed in.
#[derive(Serialize, Deserialize, ToSchema)]
pub struct SignedIn {
    /// Who: `usr_…` or `cus_…`.
    pub account: String,
    /// The token: `Authorization: Bearer …`.
    pub access_token: String,
    /// Always `Bearer`.
    pub token_type: String,
    /// Seconds the access token is good for.
    pub expires_in: i64,
    /// For new access tokens (`POST /api/identity/token`), or sent as a bearer token itself
    /// through the gateway. Shown once, kept only as a hash.
    pub session_token: String,
    /// When the session ends by itself, microseconds UTC.
    pub session_expires_at: Timestamp,
}

/// Who the caller is.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Me {
    /// `usr_…`, `cus_…` or `key_…`.
    pub id: String,
    /// `staff`, `customer` or `api_key`.
    pub kind: String,
    /// E-mail address, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// What a member of staff or a key is called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Names of roles, for staff.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<String>,
    /// What they may do, as their access token says.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub permissions: Vec<String>,
    /// For customers: the person whose key seals their data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<PersonId>,
}

/// An API key to be made.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewApiKey {
    /// What it is for, 1 to 100 characters.
    pub name: String,
    /// What it may do, such as `["catalog:write"]`; at most what its maker may do.
    pub permissions: Vec<String>,
    /// Days until it stops working, 1 to 3650; never, unless given.
    #[serde(default)]
    pub expires_in_days: Option<i64>,
}

/// An API key as lists show it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ApiKeyView {
    /// Its id.
    pub id: ApiKeyId,
    /// What it is for.
    pub name: String,
    /// What it may do.
    pub permissions: Vec<String>,
    /// When it was made, microseconds UTC.
    pub created_at: Timestamp,
    /// When it stops working.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// Whether it was revoked.
    pub revoked: bool,
}

/// A new API key, with its secret.
#[derive(Serialize, Deserialize, ToSchema)]
pub struct ApiKeyMade {
    /// The key.
    pub api_key: ApiKeyView,
    /// `souk_…`: shown once, kept only as a hash.
    pub secret: String,
}

/// A member of staff to be added.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewStaff {
    /// E-mail address, not yet in use.
    pub email: String,
    /// What they are called, 1 to 100 characters.
    pub name: String,
    /// Names of roles.
    pub roles: Vec<String>,
}

/// A member of staff.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct StaffView {
    /// Their id.
    pub id: UserId,
    /// E-mail address; absent once the person was erased.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// What they are called; absent once the person was erased.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Names of roles.
    pub roles: Vec<String>,
    /// Whether they may sign in.
    pub active: bool,
}

/// A member of staff with a new one-time password.
#[derive(Serialize, Deserialize, ToSchema)]
pub struct StaffWithPassword {
    /// Who.
    pub staff: StaffView,
    /// Shown once; good only for choosing another one (`POST /api/identity/password`).
    pub one_time_password: String,
}

/// All roles of a member of staff.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct StaffRoles {
    /// Names of roles.
    pub roles: Vec<String>,
}

/// What a role means.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RoleBody {
    /// For people, at most 500 characters.
    #[serde(default)]
    pub description: String,
    /// Such as `["catalog:write"]`.
    pub permissions: Vec<String>,
}

/// A role.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RoleView {
    /// Its name.
    pub name: String,
    /// For people.
    pub description: String,
    /// What it allows.
    pub permissions: Vec<String>,
}

/// A JSON Web Key Set (RFC 7517).
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Jwks {
    /// The keys.
    pub keys: Vec<Jwk>,
}

/// A public Ed25519 key (RFC 8037).
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Jwk {
    /// `OKP`.
    pub kty: String,
    /// `Ed25519`.
    pub crv: String,
    /// `EdDSA`.
    pub alg: String,
    /// `sig`.
    #[serde(rename = "use")]
    pub used_for: String,
    /// Names the key.
    pub kid: String,
    /// The public key, base64url without padding.
    pub x: String,
}
