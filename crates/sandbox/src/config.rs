//! What a sandbox can be told.

use std::path::PathBuf;
use std::time::Duration;

/// How a sandbox provider runs. [`Config::default`] suits tests and demonstrations.
#[derive(Clone)]
pub struct Config {
    /// The directory of its database; made when missing. `None` keeps everything in memory.
    pub data: Option<PathBuf>,
    /// Where webhooks are posted (`http://` only). `None` sends none and stores none.
    pub webhook_url: Option<String>,
    /// Where the carrier's webhooks are posted (`http://` only). `None` sends none.
    pub carrier_webhook_url: Option<String>,
    /// Signs webhooks; the receiver must know it.
    pub webhook_secret: String,
    /// What merchants must show as `Authorization: Bearer`.
    pub api_key: String,
    /// What browsers must show to exchange cards for tokens. Public by nature.
    pub publishable_key: String,
    /// The address people and programs reach it at, when it is not the listener's own.
    pub public_url: Option<String>,
    /// Makes identifiers repeatable in tests. Only counts for a fresh directory: the seed is kept.
    pub seed: Option<u64>,
    /// How long a connection is held before it is dropped, for the time-out behaviours.
    pub hold: Duration,
    /// How late the webhooks of `tok_webhook_late` are.
    pub late_webhook: Duration,
    /// How long the first webhook of `tok_webhook_reordered` waits for a later one to overtake it.
    pub reorder_hold: Duration,
    /// When a webhook is sent again.
    pub retry: Retry,
    /// How many webhooks are under way at the same time.
    pub webhook_concurrency: usize,
    /// How long a receiver may take to answer a webhook.
    pub webhook_timeout: Duration,
}

/// Waits before sending a webhook again: `first`, then twice as long each time, at most `max`.
#[derive(Clone, Copy, Debug)]
pub struct Retry {
    /// The wait after the first failure.
    pub first: Duration,
    /// The longest wait.
    pub max: Duration,
    /// After this many attempts the webhook is given up: whoever missed it must ask.
    pub attempts: u32,
}

impl Retry {
    /// The wait after `attempts` failures, or `None` when it is time to give up.
    pub fn wait_after(&self, attempts: u32) -> Option<Duration> {
        if attempts >= self.attempts {
            return None;
        }
        let doublings = attempts.saturating_sub(1).min(20);
        Some(self.first.saturating_mul(1 << doublings).min(self.max))
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            data: None,
            webhook_url: None,
            carrier_webhook_url: None,
            webhook_secret: "whsec_sandbox".to_owned(),
            api_key: "sk_sandbox".to_owned(),
            publishable_key: "pk_sandbox".to_owned(),
            public_url: None,
            seed: None,
            hold: Duration::from_secs(30),
            late_webhook: Duration::from_secs(3),
            reorder_hold: Duration::from_secs(5),
            retry: Retry {
                first: Duration::from_secs(1),
                max: Duration::from_secs(60),
                attempts: 20,
            },
            webhook_concurrency: 4,
            webhook_timeout: Duration::from_secs(5),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_longest_and_end() {
        let retry = Retry {
            first: Duration::from_secs(1),
            max: Duration::from_secs(5),
            attempts: 5,
        };
        let waits: Vec<_> = (1..=5)
            .map(|n| retry.wait_after(n).map(|wait| wait.as_secs()))
            .collect();
        assert_eq!(waits, [Some(1), Some(2), Some(4), Some(5), None]);
        let endless = Retry {
            attempts: u32::MAX,
            ..retry
        };
        assert_eq!(
            endless.wait_after(u32::MAX - 1),
            Some(Duration::from_secs(5))
        );
    }
}
