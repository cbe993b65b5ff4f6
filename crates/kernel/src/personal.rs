//! Personal data in events: sealed with a key of that person, so that deleting the key erases them.

use std::{cell::RefCell, fmt, sync::Arc};

use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD as BASE64};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::DeserializeOwned};

use crate::PersonId;

/// The key ring failed.
#[derive(Debug, Clone, thiserror::Error)]
#[error("key ring: {0}")]
pub struct KeyRingError(pub String);

/// Seals and opens personal data. Infrastructure, like the clock: the runtime supplies it.
/// Keys never leave it.
pub trait KeyRing: Send + Sync {
    /// Encrypts `plain` for `person`, making their key if this is the first time. The runtime
    /// makes a new key durable before the commit that needs it.
    fn seal(&self, person: &PersonId, plain: &[u8]) -> Result<Vec<u8>, KeyRingError>;
    /// Decrypts; `None` when the person was erased. A forged or damaged text is an error.
    fn open(&self, person: &PersonId, sealed: &[u8]) -> Result<Option<Vec<u8>>, KeyRingError>;
    /// A keyed hash (HMAC) for unique values such as e-mail addresses: equal values give equal
    /// text, and nobody without the ring can test a guess.
    fn blind(&self, purpose: &str, value: &str) -> String;
}

thread_local! {
    static SCOPE: RefCell<Option<Arc<dyn KeyRing>>> = const { RefCell::new(None) };
}

/// Runs `work` with `keys` in scope for every [`Personal`] that is (de)serialised inside it on
/// this thread. Outside such a scope personal data refuses to be serialised at all, so it cannot
/// leak into a log or an answer by accident.
pub fn with_keys<T>(keys: &Arc<dyn KeyRing>, work: impl FnOnce() -> T) -> T {
    struct Restore(Option<Arc<dyn KeyRing>>);
    impl Drop for Restore {
        fn drop(&mut self) {
            SCOPE.set(self.0.take());
        }
    }
    let _restore = Restore(SCOPE.replace(Some(keys.clone())));
    work()
}

/// The keyed hash of `value` ([`KeyRing::blind`]) by the ring in scope: for projections,
/// subscriptions and commands, which the runtime runs inside [`with_keys`].
///
/// # Errors
/// Outside such a scope.
pub fn blinded(purpose: &str, value: &str) -> Result<String, KeyRingError> {
    let keys = ring(|reason| KeyRingError(reason.to_owned()))?;
    Ok(keys.blind(purpose, value))
}

/// A personal value that belongs to a person. `Debug` never shows it; it serialises only inside
/// [`with_keys`], as ciphertext.
#[derive(Clone, PartialEq)]
pub struct Personal<T> {
    person: PersonId,
    value: Option<T>,
}

impl<T> Personal<T> {
    /// `value`, which is about `person`.
    pub fn new(person: PersonId, value: T) -> Self {
        Self {
            person,
            value: Some(value),
        }
    }

    /// Whose it is.
    pub fn person(&self) -> &PersonId {
        &self.person
    }

    /// The value, or `None` if the person was erased.
    pub fn get(&self) -> Option<&T> {
        self.value.as_ref()
    }
}

/// The value inside, if there is one: for optional personal fields.
pub fn opened<T>(field: &Option<Personal<T>>) -> Option<&T> {
    field.as_ref().and_then(Personal::get)
}

impl<T> fmt::Debug for Personal<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Personal({}, ***)", self.person)
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Sealed {
    person: PersonId,
    /// Base64 of nonce and ciphertext; absent once erased.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sealed: Option<String>,
}

fn ring<E>(error: impl FnOnce(&'static str) -> E) -> Result<Arc<dyn KeyRing>, E> {
    SCOPE.with_borrow(Clone::clone).ok_or_else(|| {
        error("personal data may be read or written only with the key ring in scope")
    })
}

impl<T: Serialize> Serialize for Personal<T> {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        use serde::ser::Error;
        let keys = ring(S::Error::custom)?;
        let sealed = match &self.value {
            None => None,
            Some(value) => {
                let plain = serde_json::to_vec(value).map_err(S::Error::custom)?;
                Some(BASE64.encode(keys.seal(&self.person, &plain).map_err(S::Error::custom)?))
            }
        };
        Sealed {
            person: self.person.clone(),
            sealed,
        }
        .serialize(s)
    }
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for Personal<T> {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        use serde::de::Error;
        let Sealed { person, sealed } = Sealed::deserialize(d)?;
        let Some(text) = sealed else {
            return Ok(Self {
                person,
                value: None,
            });
        };
        let keys = ring(D::Error::custom)?;
        let bytes = BASE64
            .decode(text)
            .map_err(|_| D::Error::custom("sealed field is not base64"))?;
        let value = match keys.open(&person, &bytes).map_err(D::Error::custom)? {
            None => None,
            // The reason is dropped on purpose: a parser's message may quote the value.
            Some(plain) => Some(
                serde_json::from_slice(&plain)
                    .map_err(|_| D::Error::custom("sealed field has an unexpected shape"))?,
            ),
        };
        Ok(Self { person, value })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::plain_keys;

    #[test]
    fn personal_data_is_never_written_in_clear() {
        let person: PersonId = "per_1".parse().expect("an id");
        let email = Personal::new(person, "ann@example.org".to_owned());
        assert!(serde_json::to_string(&email).is_err());
        assert!(!format!("{email:?}").contains("ann"));
        let keys = plain_keys();
        let text = with_keys(&keys, || serde_json::to_string(&email)).expect("sealed");
        assert!(!text.contains("ann@"));
        let back: Personal<String> =
            with_keys(&keys, || serde_json::from_str(&text)).expect("opened");
        assert_eq!(back, email);
    }
}
