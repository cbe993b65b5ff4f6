//! Access tokens as services see them: verified with public keys that came as events.

use std::{
    collections::HashMap,
    sync::{Arc, RwLock},
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL};
use contracts::identity::SigningKeyEvent;
use kernel::{Broadcast, From, Timestamp};
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
    /// Extensions that must be understood (RFC 7515, 4.1.11): we understand none.
    #[serde(default)]
    crit: Option<serde::de::IgnoredAny>,
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
    /// The feed that keeps this verifier's keys true to what identity publishes.
    pub fn broadcast(self: &Arc<Self>) -> Broadcast {
        let verifier = self.clone();
        Broadcast::new("token-keys", &["identity"], From::Beginning, move |event| {
            match event.decode::<SigningKeyEvent>() {
                Ok(Some(event)) => verifier.hear(&event),
                Ok(None) => {}
                Err(error) => tracing::error!(%error, "a token key was passed over"),
            }
        })
    }

    fn hear(&self, event: &SigningKeyEvent) {
        match event {
            SigningKeyEvent::Published(key) => match BASE64URL.decode(&key.x) {
                Ok(public) if key.alg == "EdDSA" => self.add_key(&key.kid, public),
                _ => {
                    tracing::error!(kid = %key.kid, "a token key of an unknown kind was passed over")
                }
            },
            SigningKeyEvent::Retired(key) => self.remove_key(&key.kid),
        }
    }

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
        if header.alg != "EdDSA" || header.crit.is_some() {
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

#[cfg(test)]
mod tests {
    use contracts::identity::{SigningKeyPublished, SigningKeyRetired};
    use proptest::prelude::*;
    use ring::signature::{Ed25519KeyPair, KeyPair as _};

    use super::*;

    const NOW: Timestamp = Timestamp(1_700_000_000_000_000);

    fn pair(seed: u8) -> Ed25519KeyPair {
        Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).expect("a seed of 32 bytes")
    }

    fn published(kid: &str, pair: &Ed25519KeyPair) -> SigningKeyEvent {
        SigningKeyPublished {
            kid: kid.into(),
            alg: "EdDSA".into(),
            x: BASE64URL.encode(pair.public_key()),
            not_before: NOW,
        }
        .into()
    }

    fn knowing(kid: &str, pair: &Ed25519KeyPair) -> Verifier {
        let verifier = Verifier::default();
        verifier.hear(&published(kid, pair));
        verifier
    }

    fn claims(exp: i64) -> Claims {
        Claims {
            iss: "souk".into(),
            sub: "usr_1".into(),
            iat: NOW.seconds(),
            exp,
            jti: "1".into(),
            permissions: vec!["catalog:write".into()],
            person: None,
        }
    }

    fn token(header: &str, claims: &Claims, pair: &Ed25519KeyPair) -> String {
        let payload = serde_json::to_string(claims).expect("plain data");
        let signed = format!("{}.{}", BASE64URL.encode(header), BASE64URL.encode(payload));
        let signature = BASE64URL.encode(pair.sign(signed.as_bytes()));
        format!("{signed}.{signature}")
    }

    const HEADER: &str = r#"{"alg":"EdDSA","kid":"a"}"#;

    #[test]
    fn a_good_token_is_accepted_until_it_expires() {
        let verifier = knowing("a", &pair(1));
        let token = token(HEADER, &claims(NOW.seconds() + 300), &pair(1));
        for _ in 0..2 {
            let claims = verifier.verify(&token, NOW).expect("good");
            assert_eq!(claims.sub, "usr_1");
        }
        let later = NOW.plus_seconds(300);
        assert_eq!(verifier.verify(&token, later), Err(TokenError::Expired));
    }

    #[test]
    fn forged_and_foreign_tokens_are_refused() {
        let verifier = knowing("a", &pair(1));
        let good = claims(NOW.seconds() + 300);
        let forged = token(HEADER, &good, &pair(2));
        assert_eq!(verifier.verify(&forged, NOW), Err(TokenError::BadSignature));
        let foreign = token(r#"{"alg":"EdDSA","kid":"b"}"#, &good, &pair(2));
        assert_eq!(verifier.verify(&foreign, NOW), Err(TokenError::UnknownKey));
        let elsewhere = Claims {
            iss: "bazaar".into(),
            ..good
        };
        let elsewhere = token(HEADER, &elsewhere, &pair(1));
        assert_eq!(
            verifier.verify(&elsewhere, NOW),
            Err(TokenError::UnknownKey)
        );
    }

    #[test]
    fn a_changed_token_is_refused() {
        let verifier = knowing("a", &pair(1));
        let good = token(HEADER, &claims(NOW.seconds() + 300), &pair(1));
        let mut other = claims(NOW.seconds() + 300);
        other.permissions = vec!["*".into()];
        let raised = BASE64URL.encode(serde_json::to_string(&other).expect("plain data"));
        let parts: Vec<&str> = good.split('.').collect();
        let changed = format!("{}.{raised}.{}", parts[0], parts[2]);
        assert_eq!(
            verifier.verify(&changed, NOW),
            Err(TokenError::BadSignature)
        );
    }

    #[test]
    fn no_algorithm_but_ours_is_accepted() {
        let verifier = knowing("a", &pair(1));
        let good = claims(NOW.seconds() + 300);
        for alg in ["none", "None", "HS256", "RS256", "ES256", "eddsa", ""] {
            let header = format!(r#"{{"alg":"{alg}","kid":"a"}}"#);
            let signed = token(&header, &good, &pair(1));
            assert_eq!(verifier.verify(&signed, NOW), Err(TokenError::Malformed));
            let unsigned = signed.rsplit_once('.').expect("three parts").0;
            let unsigned = format!("{unsigned}.");
            assert_eq!(verifier.verify(&unsigned, NOW), Err(TokenError::Malformed));
        }
        let critical = r#"{"alg":"EdDSA","kid":"a","crit":["exp"]}"#;
        let critical = token(critical, &good, &pair(1));
        assert_eq!(verifier.verify(&critical, NOW), Err(TokenError::Malformed));
    }

    #[test]
    fn a_retired_key_is_forgotten_with_all_its_tokens() {
        let verifier = knowing("a", &pair(1));
        let token = token(HEADER, &claims(NOW.seconds() + 300), &pair(1));
        verifier.verify(&token, NOW).expect("good");
        verifier.hear(&SigningKeyRetired { kid: "a".into() }.into());
        assert_eq!(verifier.verify(&token, NOW), Err(TokenError::UnknownKey));
        assert!(!verifier.ready());
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "\\PC{0,60}(\\.\\PC{0,60}){0,4}") {
            let verifier = knowing("a", &pair(1));
            prop_assert!(verifier.verify(&text, NOW).is_err());
        }
    }
}
