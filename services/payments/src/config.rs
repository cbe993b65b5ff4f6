//! What the service can be told.

use std::time::Duration;

use crate::{patience::Patience, registry::Providers};

/// When money is captured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CapturePolicy {
    /// When somebody asks for it: at dispatch, usually.
    #[default]
    Manual,
    /// All of it, as soon as the order is confirmed: for goods that need no dispatch.
    OnConfirmation,
}

/// How payments runs.
#[derive(Clone)]
pub struct Config {
    /// The providers it can call. A payment with another one is declined.
    pub providers: Providers,
    /// When money is captured.
    pub capture: CapturePolicy,
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
            capture: CapturePolicy::default(),
            patience: Patience::default(),
            wait: Duration::from_secs(5),
            concurrency: 64,
        }
    }
}
