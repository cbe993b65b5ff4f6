//! The key ring as the runtime needs it: beneath the services, like the clock.

use std::sync::Arc;

use kernel::{BoxFuture, KeyRing, KeyRingError, PersonId};

/// How often a vault that several processes share could not do what was asked. A batch notes it
/// before it is decided, and compares after [`KeyVault::persist`], which it calls before it
/// commits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lapses {
    /// New keys that turned out to be void, because another process made one for the same person
    /// at the same time, or the person was erased. What was sealed since must be sealed anew:
    /// the batch is decided again, as after a conflict.
    pub replaced: u64,
    /// Keys that could not be had because the vault was not reachable. What could not be opened
    /// since is not damaged: the batch failed for no fault of its own, and nothing of it may be
    /// parked.
    pub unreachable: u64,
}

/// Keeps the keys of personal data. Keys never leave it.
pub trait KeyVault: KeyRing {
    /// Whether new keys wait to be made durable.
    fn has_pending(&self) -> bool;

    /// Makes new keys durable: called before a commit that holds data sealed with them. An error
    /// means that what was sealed meanwhile must be sealed anew.
    fn persist(self: Arc<Self>) -> BoxFuture<'static, Result<(), KeyRingError>>;

    /// What went wrong so far. When it changes while a batch is being decided, the batch must not
    /// be committed as it is: see [`Lapses`].
    fn lapses(&self) -> Lapses {
        Lapses::default()
    }

    /// Fetches keys that will be needed in a moment, all in one trip, so that opening does not
    /// wait for each of them.
    fn prefetch(
        self: Arc<Self>,
        persons: Vec<PersonId>,
    ) -> BoxFuture<'static, Result<(), KeyRingError>>;

    /// How many persons were erased since the start: what holds opened personal data drops it
    /// when this changes.
    fn erasures(&self) -> u64;

    /// Deletes a person's key for good: what was sealed with it can never be read again, and no
    /// new key is made for them. The caller has recorded the erasure as an event before.
    fn erase(self: Arc<Self>, person: PersonId) -> BoxFuture<'static, Result<(), KeyRingError>>;

    /// This vault as services see it.
    fn ring(self: Arc<Self>) -> Arc<dyn KeyRing>;
}
