//! Access tokens as services see them: verified with public keys that came as events.

use std::{
    collections::HashMap,
    sync::{Arc, RwLock},
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL};
use kernel::Timestamp;
use ring::signature::{ED25519, UnparsedPublicKey};
use serde::{Deserialize, Serialize};

/// What an access token says (RFC 9068 in spirit): who, what they may do, until when.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Claims {
    /// Always `souk`.
    pub iss: String,
    /// `usr_…`, `cus_…` or `key_…`.
    pub sub: String,
    /// Issued at, seconds.
    pub iat: i64,
    /// Expires at, seconds.
    pub exp: i64,
    /// Token id.
    pub jti: String,
    /// Permissions such as `catalog:write`; `*` is all of them. Empty for customers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub permissions: Vec<String>,
    /// For customers: the person whose key seals their data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<kernel::PersonId>,
}

/// Why a token is not accepted. All of them answer 401.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// Not a JWS in compact form, or not of the one algorithm we accept.
    #[error("the token is malformed")]
    Malformed,
    /// Signed with a key this shop does not know (forged, foreign or long retired).
    #[error("the token was not issued by this shop")]
    UnknownKey,
    /// The signature is wrong.
    #[error("the token was not issued by this shop")]
    BadSignature,
    /// Past its `exp`.
    #[error("the token has expired; sign in again")]
    Expired,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: String,
}

/// Checks tokens (JWS compact serialisation, RFC 7515, `EdDSA` of RFC 8037 and nothing else).
/// Shared by all services of a process; keys are added as their events arrive.
#[derive(Default)]
pub struct Verifier {
    keys: RwLock<HashMap<String, Vec<u8>>>,
    /// Tokens whose signature was checked before: token → claims. Bounded.
    seen: RwLock<HashMap<String, Arc<Claims>>>,
}

const SEEN_LIMIT: usize = 10_000;

impl Verifier {
    /// Accepts tokens signed with this Ed25519 public key from now on.
    pub fn add_key(&self, kid: &str, public: Vec<u8>) {
        if let Ok(mut keys) = self.keys.write() {
            keys.insert(kid.to_owned(), public);
        }
    }

    /// Accepts no token of this key any more.
    pub fn remove_key(&self, kid: &str) {
        if let Ok(mut keys) = self.keys.write() {
            keys.remove(kid);
        }
        if let Ok(mut seen) = self.seen.write() {
            seen.clear();
        }
    }

    /// Whether at least one key has arrived.
    pub fn ready(&self) -> bool {
        self.keys.read().is_ok_and(|keys| !keys.is_empty())
    }

    /// The claims of a good token at `now`.
    pub fn verify(&self, token: &str, now: Timestamp) -> Result<Arc<Claims>, TokenError> {
        let known = self
            .seen
            .read()
            .ok()
            .and_then(|seen| seen.get(token).cloned());
        let claims = match known {
            Some(claims) => claims,
            None => self.check(token)?,
        };
        if claims.exp <= now.seconds() {
            return Err(TokenError::Expired);
        }
        Ok(claims)
    }

    fn check(&self, token: &str) -> Result<Arc<Claims>, TokenError> {
        let (signed, signature) = token.rsplit_once('.').ok_or(TokenError::Malformed)?;
        let (header, payload) = signed.split_once('.').ok_or(TokenError::Malformed)?;
        let decode = |part: &str| BASE64URL.decode(part).map_err(|_| TokenError::Malformed);
        let header: Header =
            serde_json::from_slice(&decode(header)?).map_err(|_| TokenError::Malformed)?;
        if header.alg != "EdDSA" {
            return Err(TokenError::Malformed);
        }
        let public = self
            .keys
            .read()
            .ok()
            .and_then(|keys| keys.get(&header.kid).cloned());
        let public = public.ok_or(TokenError::UnknownKey)?;
        UnparsedPublicKey::new(&ED25519, public)
            .verify(signed.as_bytes(), &decode(signature)?)
            .map_err(|_| TokenError::BadSignature)?;
        let claims: Claims =
            serde_json::from_slice(&decode(payload)?).map_err(|_| TokenError::Malformed)?;
        if claims.iss != "souk" {
            return Err(TokenError::UnknownKey);
        }
        let claims = Arc::new(claims);
        if let Ok(mut seen) = self.seen.write() {
            if seen.len() >= SEEN_LIMIT {
                seen.clear();
            }
            seen.insert(token.to_owned(), claims.clone());
        }
        Ok(claims)
    }
}
