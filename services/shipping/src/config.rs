//! What the service can be told.

use crate::{patience::Patience, registry::Carriers};

/// How shipping runs. Times in seconds.
#[derive(Clone)]
pub struct Config {
    /// How long a quote is good for.
    pub quote_seconds: i64,
    /// How long one key signs quotes before the next takes over.
    pub key_seconds: i64,
    /// How long before its first use a key is published, so that everybody knows it by then.
    pub key_lead_seconds: i64,
    /// How long a key that signs no more is kept beyond the life of its last quote: clocks differ.
    pub key_retire_margin_seconds: i64,
    /// The carriers labels can be bought from.
    pub carriers: Carriers,
    /// How long it waits before asking a silent carrier again.
    pub patience: Patience,
    /// How many calls to carriers may be under way at once.
    pub concurrency: usize,
}

const DAY: i64 = 24 * 60 * 60;

impl Default for Config {
    fn default() -> Self {
        Self {
            quote_seconds: 30 * 60,
            key_seconds: 30 * DAY,
            key_lead_seconds: DAY,
            key_retire_margin_seconds: 60 * 60,
            carriers: Carriers::default(),
            patience: Patience::default(),
            concurrency: 16,
        }
    }
}
