//! Signs quotes with the key whose turn it is.

use std::sync::{Arc, Mutex, PoisonError};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL};
use contracts::shipping::ShippingQuote;
use kernel::{App, AppError, Personal};
use ring::signature::Ed25519KeyPair;

use crate::{
    keys::{ALL_KEYS, QuoteKey, QuoteKeys},
    rotation::{KeyTimes, ensure_key},
};

/// Keeps the parsed key between calls.
pub struct Signer {
    times: KeyTimes,
    ready: Mutex<Option<(String, Arc<Ed25519KeyPair>)>>,
}

impl Signer {
    /// A signer whose first key, if it has to make it, lives by `times`.
    pub fn new(times: KeyTimes) -> Self {
        Self {
            times,
            ready: Mutex::default(),
        }
    }

    /// The key that signs now: its `kid` and its pair.
    pub async fn key(&self, app: &App) -> Result<(String, Arc<Ed25519KeyPair>), AppError> {
        let mut roll = app.state::<QuoteKeys>(ALL_KEYS).await?.state;
        if roll.keys.is_empty() {
            ensure_key(app, self.times).await?;
            roll = app.state::<QuoteKeys>(ALL_KEYS).await?.state;
        }
        let key = roll
            .signing(app.now())
            .ok_or_else(|| AppError::Unavailable("there is no quote key yet".into()))?;
        Ok((key.kid.clone(), self.pair(key)?))
    }

    fn pair(&self, key: &QuoteKey) -> Result<Arc<Ed25519KeyPair>, AppError> {
        let mut ready = self.ready.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((kid, pair)) = &*ready
            && *kid == key.kid
        {
            return Ok(pair.clone());
        }
        let seed = key.private.as_ref().and_then(Personal::get);
        let seed = seed.and_then(|text| BASE64URL.decode(text).ok());
        let pair = seed.and_then(|seed| Ed25519KeyPair::from_seed_unchecked(&seed).ok());
        let pair = pair.ok_or_else(|| AppError::Internal("a quote key is unreadable".into()))?;
        let pair = Arc::new(pair);
        *ready = Some((key.kid.clone(), pair.clone()));
        Ok(pair)
    }
}

/// A quote as a token.
pub fn sign(kid: &str, pair: &Ed25519KeyPair, quote: &ShippingQuote) -> Result<String, AppError> {
    web::signed::sign(kid, pair, quote).map_err(|e| AppError::Internal(e.to_string()))
}
