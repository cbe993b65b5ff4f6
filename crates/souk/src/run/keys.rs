//! The key ring of a process that has no personal data to seal or open.

use std::sync::Arc;

use kernel::{BoxFuture, KeyRing, KeyRingError, PersonId};
use runtime::KeyVault;

/// No keys at all. What the gateway hears of events is about orders and credentials, not persons.
pub struct NoKeys;

fn none() -> KeyRingError {
    KeyRingError("this process has no key ring".into())
}

impl KeyRing for NoKeys {
    fn seal(&self, _: &PersonId, _: &[u8]) -> Result<Vec<u8>, KeyRingError> {
        Err(none())
    }

    /// As if everybody had been erased: what is about persons stays closed.
    fn open(&self, _: &PersonId, _: &[u8]) -> Result<Option<Vec<u8>>, KeyRingError> {
        Ok(None)
    }

    fn blind(&self, _: &str, _: &str) -> String {
        String::new()
    }
}

impl KeyVault for NoKeys {
    fn has_pending(&self) -> bool {
        false
    }

    fn persist(self: Arc<Self>) -> BoxFuture<'static, Result<(), KeyRingError>> {
        Box::pin(async { Ok(()) })
    }

    fn prefetch(self: Arc<Self>, _: Vec<PersonId>) -> BoxFuture<'static, Result<(), KeyRingError>> {
        Box::pin(async { Ok(()) })
    }

    fn erasures(&self) -> u64 {
        0
    }

    fn erase(self: Arc<Self>, _: PersonId) -> BoxFuture<'static, Result<(), KeyRingError>> {
        Box::pin(async { Err(none()) })
    }

    fn ring(self: Arc<Self>) -> Arc<dyn KeyRing> {
        self
    }
}
