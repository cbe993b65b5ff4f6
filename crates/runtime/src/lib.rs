//! Gives services life: decides and commits their commands in batches, feeds their subscriptions,
//! workers, timers and projections, keeps the keys of personal data, starts and stops it all.
//!
//! Services are written against `kernel` and do not know this crate.

mod batcher;
mod broadcast;
mod caused;
mod clock;
mod consumer;
mod engine;
mod item;
mod keyring;
mod known;
mod opening;
mod ops;
mod plan;
mod projections;
mod rename;
mod service;
mod start;
mod states;
mod subscription;
mod timers;
mod vault;
mod wiring;
mod worker;

pub use clock::{RandomIds, SystemClock};
pub use keyring::{PostgresKeyRing, SqliteKeyRing};
pub use ops::{DeadLetter, Ops, OpsError};
pub use start::{Runtime, RuntimeConfig, StartError};
pub use vault::{KeyVault, Lapses};

#[cfg(test)]
#[path = "../tests/it/toys.rs"]
mod toys;
