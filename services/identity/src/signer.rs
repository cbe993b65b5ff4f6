//! Makes access tokens: JWS compact serialisation (RFC 7515) with `EdDSA` (RFC 8037).

use std::sync::{Arc, Mutex, PoisonError};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL};
use contracts::identity::api::{AccessToken, Jwk, Jwks};
use kernel::{App, AppError, Personal};
use ring::signature::Ed25519KeyPair;
use serde_json::json;

use crate::{
    grant::Grant,
    keys::{ALL_KEYS, KeyRoll, SigningKey, SigningKeys},
};

/// Signs with the key whose turn it is; keeps the parsed key between calls.
#[derive(Default)]
pub struct Signer {
    ready: Mutex<Option<(String, Arc<Ed25519KeyPair>)>>,
}

impl Signer {
    /// An access token that says what `grant` says, good for `seconds` from now.
    pub async fn sign(
        &self,
        app: &App,
        grant: &Grant,
        seconds: i64,
    ) -> Result<AccessToken, AppError> {
        let roll = app.state::<SigningKeys>(ALL_KEYS).await?.state;
        let now = app.now();
        let key = roll
            .signing(now)
            .ok_or_else(|| AppError::Unavailable("there is no signing key yet".into()))?;
        let pair = self.pair(key)?;
        let claims = web::Claims {
            iss: "souk".into(),
            sub: grant.subject.clone(),
            iat: now.seconds(),
            exp: now.seconds() + seconds,
            jti: app.ids().next(),
            permissions: grant.permissions.clone(),
            person: grant.person.clone(),
        };
        Ok(AccessToken {
            access_token: encode(&key.kid, &pair, &claims)?,
            token_type: "Bearer".into(),
            expires_in: seconds,
        })
    }

    fn pair(&self, key: &SigningKey) -> Result<Arc<Ed25519KeyPair>, AppError> {
        let mut ready = self.ready.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((kid, pair)) = &*ready
            && *kid == key.kid
        {
            return Ok(pair.clone());
        }
        let seed = key.private.as_ref().and_then(Personal::get);
        let seed = seed.and_then(|text| BASE64URL.decode(text).ok());
        let pair = seed.and_then(|seed| Ed25519KeyPair::from_seed_unchecked(&seed).ok());
        let pair = pair.ok_or_else(|| AppError::Internal("a signing key is unreadable".into()))?;
        let pair = Arc::new(pair);
        *ready = Some((key.kid.clone(), pair.clone()));
        Ok(pair)
    }
}

fn encode(kid: &str, pair: &Ed25519KeyPair, claims: &web::Claims) -> Result<String, AppError> {
    let header = json!({"alg": "EdDSA", "typ": "at+jwt", "kid": kid});
    let payload = serde_json::to_vec(claims).map_err(|e| AppError::Internal(e.to_string()))?;
    let mut token = BASE64URL.encode(header.to_string());
    token.push('.');
    BASE64URL.encode_string(payload, &mut token);
    let signature = pair.sign(token.as_bytes());
    token.push('.');
    BASE64URL.encode_string(signature, &mut token);
    Ok(token)
}

/// The public keys, as `GET /api/identity/.well-known/jwks.json` shows them: those that sign, will
/// sign, or have signed tokens that may still be good.
pub fn jwks(roll: &KeyRoll) -> Jwks {
    let keys = roll.keys.iter().map(|key| Jwk {
        kty: "OKP".into(),
        crv: "Ed25519".into(),
        alg: "EdDSA".into(),
        used_for: "sig".into(),
        kid: key.kid.clone(),
        x: key.x.clone(),
    });
    Jwks {
        keys: keys.collect(),
    }
}
