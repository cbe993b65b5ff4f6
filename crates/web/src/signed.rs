//! Signed statements that pass through other hands, such as shipping quotes: JWS in compact form
//! (RFC 7515) with `EdDSA` over Ed25519 (RFC 8037) and nothing else. Whoever has the public key
//! checks one without asking who signed it.

use std::{
    collections::HashMap,
    sync::{Arc, RwLock},
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL};
use contracts::shipping::{QuoteKeyEvent, ShippingQuote};
use kernel::{Broadcast, From, Timestamp};
use ring::signature::{ED25519, Ed25519KeyPair, UnparsedPublicKey};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

/// The header's `typ`: a token made for another purpose is never taken for a quote.
pub const QUOTE_TYPE: &str = "quote+jws";

/// Longest token that is looked at, bytes.
pub const MAX_TOKEN: usize = 4_096;

/// Why a signed statement is not accepted. The texts never repeat the token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SignedError {
    /// Longer than [`MAX_TOKEN`].
    #[error("the token is too long")]
    TooLong,
    /// Not a JWS in compact form.
    #[error("the token is malformed")]
    Malformed,
    /// Of another kind or algorithm, or with extensions we do not know.
    #[error("the token is of another kind")]
    WrongKind,
    /// Signed with a key that is not (or no longer) known: forged, foreign, or long retired.
    #[error("the token was signed with a key this shop does not know")]
    UnknownKey,
    /// The signature does not fit: changed or forged.
    #[error("the token's signature is wrong")]
    BadSignature,
    /// Genuine, but its time is over.
    #[error("the token has expired")]
    Expired,
    /// Genuine, but its content is of another shape.
    #[error("the token's content is of another shape")]
    WrongContent,
}

#[derive(Serialize, Deserialize)]
struct Header<'a> {
    alg: &'a str,
    typ: &'a str,
    kid: &'a str,
    /// Extensions that must be understood (RFC 7515, 4.1.11): we understand none.
    #[serde(default, skip_serializing)]
    crit: Option<serde::de::IgnoredAny>,
}

/// Signs `claims` with the key `kid`. Refuses ([`SignedError::TooLong`]) what nobody would read.
pub fn sign<T: Serialize>(
    kid: &str,
    pair: &Ed25519KeyPair,
    claims: &T,
) -> Result<String, SignedError> {
    let header = Header {
        alg: "EdDSA",
        typ: QUOTE_TYPE,
        kid,
        crit: None,
    };
    let json =
        |value: Result<Vec<u8>, _>| value.map_err(|_: serde_json::Error| SignedError::WrongContent);
    let mut token = BASE64URL.encode(json(serde_json::to_vec(&header))?);
    token.push('.');
    BASE64URL.encode_string(json(serde_json::to_vec(claims))?, &mut token);
    let signature = pair.sign(token.as_bytes());
    token.push('.');
    BASE64URL.encode_string(signature, &mut token);
    match token.len() <= MAX_TOKEN {
        true => Ok(token),
        false => Err(SignedError::TooLong),
    }
}

/// What a genuine token says. `key` finds the Ed25519 public key (32 bytes) of a `kid`. Whether it
/// has expired, and whether it is about the thing at hand, is for the caller to check.
pub fn verify<T: DeserializeOwned>(
    key: impl FnOnce(&str) -> Option<Vec<u8>>,
    token: &str,
) -> Result<T, SignedError> {
    if token.len() > MAX_TOKEN {
        return Err(SignedError::TooLong);
    }
    let (signed, signature) = token.rsplit_once('.').ok_or(SignedError::Malformed)?;
    let (header, payload) = signed.split_once('.').ok_or(SignedError::Malformed)?;
    let decode = |part: &str| BASE64URL.decode(part).map_err(|_| SignedError::Malformed);
    let header = decode(header)?;
    let header: Header<'_> = serde_json::from_slice(&header).map_err(|_| SignedError::Malformed)?;
    if header.alg != "EdDSA" || header.typ != QUOTE_TYPE || header.crit.is_some() {
        return Err(SignedError::WrongKind);
    }
    let public = key(header.kid).ok_or(SignedError::UnknownKey)?;
    UnparsedPublicKey::new(&ED25519, public)
        .verify(signed.as_bytes(), &decode(signature)?)
        .map_err(|_| SignedError::BadSignature)?;
    serde_json::from_slice(&decode(payload)?).map_err(|_| SignedError::WrongContent)
}

/// The public keys of shipping's quotes, as their events arrive: for services that accept quotes.
#[derive(Default)]
pub struct QuoteKeys(RwLock<HashMap<String, Vec<u8>>>);

impl QuoteKeys {
    /// The feed that keeps them true to what shipping publishes; the accepting service's module
    /// takes it in.
    pub fn broadcast(self: &Arc<Self>) -> Broadcast {
        let keys = self.clone();
        Broadcast::new("quote-keys", &["shipping"], From::Beginning, move |event| {
            match event.decode::<QuoteKeyEvent>() {
                Ok(Some(event)) => keys.hear(&event),
                Ok(None) => {}
                Err(error) => tracing::error!(%error, "a quote key was passed over"),
            }
        })
    }

    /// Takes one event in.
    pub fn hear(&self, event: &QuoteKeyEvent) {
        let Ok(mut keys) = self.0.write() else {
            return;
        };
        match event {
            QuoteKeyEvent::Published(key) => match BASE64URL.decode(&key.x) {
                Ok(public) => drop(keys.insert(key.kid.clone(), public)),
                Err(_) => {
                    tracing::error!(kid = %key.kid, "a quote key that is none was passed over")
                }
            },
            QuoteKeyEvent::Retired(key) => drop(keys.remove(&key.kid)),
        }
    }

    /// A shipping quote that is genuine and still good at `now`. Whether it is for this cart, its
    /// lines and its destination is for the caller to check.
    pub fn quote(&self, token: &str, now: Timestamp) -> Result<ShippingQuote, SignedError> {
        let quote: ShippingQuote = self.verify(token)?;
        match quote.expires_at > now {
            true => Ok(quote),
            false => Err(SignedError::Expired),
        }
    }

    /// [`verify`] with these keys.
    pub fn verify<T: DeserializeOwned>(&self, token: &str) -> Result<T, SignedError> {
        let find = |kid: &str| self.0.read().ok()?.get(kid).cloned();
        verify(find, token)
    }
}

#[cfg(test)]
mod tests {
    use contracts::shipping::{QuoteKeyPublished, QuoteKeyRetired};
    use proptest::prelude::*;
    use ring::signature::KeyPair as _;

    use super::*;

    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    struct Offer {
        cart: String,
        amount: i64,
    }

    fn pair(seed: u8) -> Ed25519KeyPair {
        Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).expect("a seed of 32 bytes")
    }

    fn knowing(kid: &str, pair: &Ed25519KeyPair) -> QuoteKeys {
        let keys = QuoteKeys::default();
        keys.hear(
            &QuoteKeyPublished {
                kid: kid.into(),
                x: BASE64URL.encode(pair.public_key()),
                not_before: Timestamp(0),
            }
            .into(),
        );
        keys
    }

    fn offer() -> Offer {
        Offer {
            cart: "crt_1".into(),
            amount: 495,
        }
    }

    #[test]
    fn what_is_signed_is_read_until_the_key_is_retired() {
        let keys = knowing("a", &pair(1));
        let token = sign("a", &pair(1), &offer()).expect("signed");
        assert_eq!(keys.verify::<Offer>(&token), Ok(offer()));
        keys.hear(&QuoteKeyRetired { kid: "a".into() }.into());
        assert_eq!(keys.verify::<Offer>(&token), Err(SignedError::UnknownKey));
    }

    #[test]
    fn forged_foreign_and_changed_tokens_are_refused() {
        let keys = knowing("a", &pair(1));
        let forged = sign("a", &pair(2), &offer()).expect("signed");
        assert_eq!(
            keys.verify::<Offer>(&forged),
            Err(SignedError::BadSignature)
        );
        let foreign = sign("b", &pair(2), &offer()).expect("signed");
        assert_eq!(keys.verify::<Offer>(&foreign), Err(SignedError::UnknownKey));
        let good = sign("a", &pair(1), &offer()).expect("signed");
        let parts: Vec<&str> = good.split('.').collect();
        let cheaper = BASE64URL.encode(r#"{"cart":"crt_1","amount":0}"#);
        let changed = format!("{}.{cheaper}.{}", parts[0], parts[2]);
        assert_eq!(
            keys.verify::<Offer>(&changed),
            Err(SignedError::BadSignature)
        );
        let long = format!("{good}{}", "A".repeat(MAX_TOKEN));
        assert_eq!(keys.verify::<Offer>(&long), Err(SignedError::TooLong));
        assert_eq!(
            keys.verify::<Vec<i64>>(&good),
            Err(SignedError::WrongContent)
        );
    }

    #[test]
    fn another_kind_of_token_is_never_taken_for_a_quote() {
        let keys = knowing("a", &pair(1));
        for header in [
            r#"{"alg":"EdDSA","typ":"at+jwt","kid":"a"}"#,
            r#"{"alg":"none","typ":"quote+jws","kid":"a"}"#,
            r#"{"alg":"EdDSA","typ":"quote+jws","kid":"a","crit":["exp"]}"#,
        ] {
            let signed = format!(
                "{}.{}",
                BASE64URL.encode(header),
                BASE64URL.encode(r#"{"cart":"crt_1","amount":1}"#)
            );
            let signature = BASE64URL.encode(pair(1).sign(signed.as_bytes()));
            let token = format!("{signed}.{signature}");
            assert_eq!(keys.verify::<Offer>(&token), Err(SignedError::WrongKind));
        }
    }

    proptest! {
        #[test]
        fn whatever_is_signed_comes_back(cart in "\\PC{0,40}", amount in any::<i64>()) {
            let keys = knowing("a", &pair(1));
            let offer = Offer { cart, amount };
            let token = sign("a", &pair(1), &offer).expect("signed");
            prop_assert_eq!(keys.verify::<Offer>(&token), Ok(offer));
        }

        #[test]
        fn a_changed_letter_anywhere_is_noticed(place in any::<prop::sample::Index>(), letter in "[A-Za-z0-9_-]") {
            let keys = knowing("a", &pair(1));
            let good = sign("a", &pair(1), &offer()).expect("signed");
            let place = place.index(good.len());
            let mut changed = good.clone();
            changed.replace_range(place..=place, &letter);
            prop_assume!(changed != good);
            prop_assert!(keys.verify::<Offer>(&changed).is_err());
        }

        #[test]
        fn no_text_makes_it_panic(text in "\\PC{0,60}(\\.\\PC{0,60}){0,4}") {
            prop_assert!(knowing("a", &pair(1)).verify::<Offer>(&text).is_err());
        }
    }
}
