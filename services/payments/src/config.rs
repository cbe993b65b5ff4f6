//! What the service can be told.

use std::time::Duration;

use crate::{patience::Patience, registry::Providers};

/// How payments runs.
#[derive(Clone)]
pub struct Config {
    /// The providers it can call. A payment with another one is declined.
    pub providers: Providers,
    /// How long it waits before asking a silent provider again.
    pub patience: Patience,
    /// How long a capture, void or refund waits for the provider before it answers 202.
    pub wait: Duration,
    /// How many authorisations, and how many other operations, may be under way at once.
    pub concurrency: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            providers: Providers::default(),
            patience: Patience::default(),
            wait: Duration::from_secs(5),
            concurrency: 64,
        }
    }
}
