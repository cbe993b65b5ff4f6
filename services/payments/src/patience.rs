//! How long to wait before a silent provider is asked again.

use std::time::Duration;

use kernel::Timestamp;

/// Waits before asking: `first`, then twice as long each time, at most `longest`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// The first wait.
    pub first: Duration,
    /// The longest wait.
    pub longest: Duration,
    /// The longest wait before a refused compensation is tried again.
    pub stubborn: Duration,
    /// The first wait for a buyer who must act (3-D Secure): the webhook usually tells earlier.
    pub buyer: Duration,
    /// When an inquiry itself is taken for lost and made again.
    pub lost: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            first: Duration::from_secs(1),
            longest: Duration::from_secs(300),
            stubborn: Duration::from_secs(3600),
            buyer: Duration::from_secs(20),
            lost: Duration::from_secs(600),
        }
    }
}

/// The present, and how patient to be from here.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    /// Now.
    pub at: Timestamp,
    /// How patient.
    pub patience: Patience,
}

impl Moment {
    /// When to ask again after `asked` asks in vain. Payments that fell silent together are
    /// spread over an eighth of the wait, so that a provider that comes back is not run over.
    pub fn again_at(self, payment: &str, asked: i64) -> Timestamp {
        self.doubled(payment, asked, self.patience.longest)
    }

    /// When to try a compensation again that was refused `refusals` times before.
    pub fn retry_at(self, payment: &str, refusals: i64) -> Timestamp {
        self.doubled(payment, refusals, self.patience.stubborn)
    }

    fn doubled(self, payment: &str, asked: i64, longest: Duration) -> Timestamp {
        let doublings = u32::try_from(asked.clamp(0, 30)).unwrap_or(30);
        let wait = self.patience.first.saturating_mul(1 << doublings);
        let wait = i64::try_from(wait.min(longest).as_micros()).unwrap_or(i64::MAX);
        let spread = wait / 8 / 256 * i64::from(fold(payment));
        Timestamp(self.at.0.saturating_add(wait).saturating_add(spread))
    }

    /// `wait` from now.
    pub fn after(self, wait: Duration) -> Timestamp {
        let micros = i64::try_from(wait.as_micros()).unwrap_or(i64::MAX);
        Timestamp(self.at.0.saturating_add(micros))
    }
}

/// One byte out of a payment's id, evenly spread.
fn fold(text: &str) -> u8 {
    text.bytes()
        .fold(0u8, |hash, byte| hash.wrapping_mul(167).wrapping_add(byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_longest_and_stay_there() {
        let patience = Patience {
            first: Duration::from_secs(1),
            longest: Duration::from_secs(60),
            ..Patience::default()
        };
        let moment = Moment {
            at: Timestamp(0),
            patience,
        };
        let wait = |asked| moment.again_at("pay_1", asked).0;
        for (asked, seconds) in [(0, 1), (1, 2), (5, 32), (6, 60), (60, 60), (i64::MAX, 60)] {
            let least = seconds * 1_000_000;
            let range = least..=least + least / 8;
            assert!(range.contains(&wait(asked)), "{asked}: {}", wait(asked));
        }
        assert_ne!(moment.again_at("pay_1", 6), moment.again_at("pay_2", 6));
    }
}
