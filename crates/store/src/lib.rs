//! Where a service keeps its events and read models: one write primitive, [`Store::commit`], and
//! read-only queries. Adapters: SQLite ([`sqlite`]), where one process owns the database, and
//! PostgreSQL ([`postgres`]), where several share it.

use std::sync::Arc;

mod batch;
#[cfg(feature = "chaos-bugs")]
pub mod bugs;
mod dialect;
mod held;
pub mod postgres;
pub mod sharing;
pub mod sqlite;
pub mod system;

pub use batch::{Batch, Committed, LoadStream, LoadedStream, LogHead};
pub use kernel::{BoxFuture, Recorded, Row, Rows, Statement, StreamId, Value};

/// Why the store did not do what was asked. Whatever it is, nothing of the batch was written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// A stream was not at the asserted version: load again and decide again.
    #[error("a stream has moved on")]
    Conflict,
    /// A condition did not hold: a position or an epoch is not ours any more.
    #[error("a condition did not hold: {0}")]
    Condition(String),
    /// A statement cannot be executed with its values: the batch's own fault.
    #[error("a statement failed: {0}")]
    Data(String),
    /// The store cannot be written or read now: full disk, lost file, shutting down. The batch is
    /// blameless; try it again later.
    #[error("the store is unavailable: {0}")]
    Unavailable(String),
}

/// A service's database.
pub trait Store: Send + Sync {
    /// Writes the whole batch in one transaction, or nothing. When this answers `Ok` it survives
    /// power loss. Events get their positions here, in commit order and without gaps.
    fn commit(&self, batch: Batch) -> BoxFuture<'_, Result<Committed, StoreError>>;

    /// Runs read-only statements in one trip, on a consistent snapshot.
    fn query(&self, statements: Vec<Statement>) -> BoxFuture<'_, Result<Vec<Rows>, StoreError>>;

    /// The last position that was written through this store, as far as that matters: where copies
    /// of the database answer queries, a caller who is told of it sees what was written (see
    /// [`kernel::freshness`]).
    fn written(&self) -> i64 {
        0
    }

    /// Loads streams: a usable snapshot, if there is one, and the events after it.
    fn load(
        &self,
        streams: Vec<LoadStream>,
    ) -> BoxFuture<'_, Result<Vec<LoadedStream>, StoreError>>;

    /// Reads the log behind `after`, in position order: at most `limit` events and about
    /// `max_bytes` of payload (but at least one event).
    fn read_log(
        &self,
        after: i64,
        limit: usize,
        max_bytes: usize,
    ) -> BoxFuture<'_, Result<Vec<Recorded>, StoreError>>;

    /// The head of the log.
    fn head(&self) -> BoxFuture<'_, Result<LogHead, StoreError>>;

    /// Applies schema changes that have not been applied, in order, each in a transaction. `owner`
    /// and the script's number identify it; a released script that changed is an error.
    fn migrate(
        &self,
        owner: &'static str,
        scripts: &'static [&'static str],
    ) -> BoxFuture<'_, Result<(), StoreError>>;

    /// Runs data-definition statements (portable text, semicolons between) and a batch in one
    /// transaction: how a rebuilt projection takes the place of the old one.
    fn define(&self, ddl: String, batch: Batch) -> BoxFuture<'_, Result<Committed, StoreError>>;

    /// Makes sure that what was deleted or overwritten is in none of the database's files any more:
    /// called after somebody was erased.
    fn scrub(&self) -> BoxFuture<'_, Result<(), StoreError>>;

    /// Takes the head of the log and keeps it: nobody else commits until what is answered is
    /// committed or dropped. For a batch that lost its race with other instances before; the
    /// holder must not wait for anything but this database meanwhile.
    fn hold(&self) -> BoxFuture<'_, Result<Box<dyn HeldHead>, StoreError>>;

    /// Ends the background work; later calls answer [`StoreError::Unavailable`].
    fn close(&self) -> BoxFuture<'_, ()>;
}

/// The head of a log, held: what is loaded cannot change before the commit.
pub trait HeldHead: Send {
    /// Like [`Store::load`], of what is committed now.
    fn load(
        &mut self,
        streams: Vec<LoadStream>,
    ) -> BoxFuture<'_, Result<Vec<LoadedStream>, StoreError>>;

    /// Like [`Store::query`], of what is committed now.
    fn query(&mut self, statements: Vec<Statement>)
    -> BoxFuture<'_, Result<Vec<Rows>, StoreError>>;

    /// Like [`Store::commit`]; lets the head go.
    fn commit(self: Box<Self>, batch: Batch) -> BoxFuture<'static, Result<Committed, StoreError>>;
}

/// Where services' databases are.
pub trait Stores: Send + Sync {
    /// Opens the database of `service`, makes it if it is missing, and brings the system tables up
    /// to date. `incarnation` names its log if it is new.
    fn open(
        &self,
        service: &'static str,
        incarnation: String,
    ) -> BoxFuture<'_, Result<Arc<dyn Store>, StoreError>>;

    /// Whether this process alone writes the databases: then what is cached is true, and no leases
    /// are needed.
    fn sole_owner(&self) -> bool;
}
