//! Sealing and opening with a key in hand: AES-256-GCM with a random nonce, bound to the person.

use std::sync::Arc;

use kernel::{KeyRingError, PersonId};
use ring::{
    aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    hmac,
    rand::{SecureRandom, SystemRandom},
};

/// The key made of these bytes.
pub(super) fn key(bytes: &[u8; 32]) -> Result<LessSafeKey, KeyRingError> {
    let key = UnboundKey::new(&AES_256_GCM, bytes).map_err(|_| KeyRingError("bad key".into()))?;
    Ok(LessSafeKey::new(key))
}

/// Nonce and ciphertext of `plain`; fails without a key: the person was erased.
pub(super) fn seal(
    key: Option<Arc<LessSafeKey>>,
    random: &SystemRandom,
    person: &PersonId,
    plain: &[u8],
) -> Result<Vec<u8>, KeyRingError> {
    let key = key.ok_or_else(|| KeyRingError("the person was erased".into()))?;
    let mut nonce = [0; NONCE_LEN];
    random
        .fill(&mut nonce)
        .map_err(|_| KeyRingError("no randomness".into()))?;
    let mut sealed = nonce.to_vec();
    let mut text = plain.to_vec();
    key.seal_in_place_append_tag(
        Nonce::assume_unique_for_key(nonce),
        Aad::from(person.as_str()),
        &mut text,
    )
    .map_err(|_| KeyRingError("cannot seal".into()))?;
    sealed.append(&mut text);
    Ok(sealed)
}

/// What was sealed; nothing without a key.
pub(super) fn open(
    key: Option<Arc<LessSafeKey>>,
    person: &PersonId,
    sealed: &[u8],
) -> Result<Option<Vec<u8>>, KeyRingError> {
    let Some(key) = key else { return Ok(None) };
    let (nonce, text) = sealed
        .split_at_checked(NONCE_LEN)
        .ok_or_else(|| KeyRingError("sealed text too short".into()))?;
    let nonce =
        Nonce::try_assume_unique_for_key(nonce).map_err(|_| KeyRingError("bad nonce".into()))?;
    let mut text = text.to_vec();
    let plain = key
        .open_in_place(nonce, Aad::from(person.as_str()), &mut text)
        .map_err(|_| KeyRingError("sealed text is damaged or not this person's".into()))?;
    Ok(Some(plain.to_vec()))
}

/// A keyed hash of `value`, in hexadecimal.
pub(super) fn blind(key: &hmac::Key, purpose: &str, value: &str) -> String {
    let tag = hmac::sign(key, format!("{purpose}\n{value}").as_bytes());
    tag.as_ref()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}
