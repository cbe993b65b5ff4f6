//! The keys of personal data: one per person, kept apart from the data, so that deleting a key
//! erases a person. Two adapters: a SQLite file for one process, a PostgreSQL database for many.

mod carry;
mod cipher;
mod keeper;
mod postgres;
mod sqlite;
#[cfg(test)]
mod tests;

pub use carry::carry;
pub use postgres::PostgresKeyRing;
pub use sqlite::SqliteKeyRing;

/// How many keys are kept in memory.
const KEPT: usize = 20_000;
