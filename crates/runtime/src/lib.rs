//! Gives services life: decides and commits their commands in batches, feeds their subscriptions,
//! workers, timers and projections, keeps the keys of personal data, starts and stops it all.
//!
//! Services are written against `kernel` and do not know this crate.

mod access;
mod assignment;
mod attempt;
mod batcher;
mod begun;
mod broadcast;
mod caused;
mod clock;
mod config;
mod consumer;
mod consumers;
mod engine;
mod erasure;
mod inbound;
mod incarnation;
mod item;
mod keyring;
mod known;
mod leases;
mod lock;
mod mask;
mod opening;
mod ops;
mod persons;
mod plan;
mod progress;
mod projections;
mod rebuild;
mod relay;
mod rename;
mod running;
mod service;
mod sightings;
mod start;
mod states;
mod subscription;
mod tenancy;
mod timers;
mod vault;
mod view;
mod wiring;
mod worker;

pub use clock::{RandomIds, SystemClock};
pub use config::{LEASE_TIMEOUT, LogFactory, Neighbours, Placement, RuntimeConfig, StartError};
pub use keyring::{PostgresKeyRing, SqliteKeyRing, carry as carry_keys};
pub use ops::{DeadLetter, Ops, OpsError};
pub use running::Runtime;
pub use vault::{KeyVault, Lapses};

#[cfg(test)]
#[path = "../tests/it/toys.rs"]
mod toys;
