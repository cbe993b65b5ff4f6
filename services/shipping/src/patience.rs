//! How long to wait before a silent carrier is asked again.

use std::time::Duration;

use kernel::Timestamp;

/// Waits before asking: `first`, then twice as long each time, at most `longest`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// The first wait.
    pub first: Duration,
    /// The longest wait.
    pub longest: Duration,
    /// When an inquiry itself is taken for lost and made again.
    pub lost: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            first: Duration::from_secs(2),
            longest: Duration::from_secs(600),
            lost: Duration::from_secs(600),
        }
    }
}

impl Patience {
    /// When to ask again, at `now`, after `asked` asks in vain.
    pub fn again_at(&self, now: Timestamp, asked: i64) -> Timestamp {
        let doublings = u32::try_from(asked.clamp(0, 20)).unwrap_or(20);
        after(
            now,
            self.first.saturating_mul(1 << doublings).min(self.longest),
        )
    }

    /// When to ask again if nothing is heard of an inquiry made at `now`.
    pub fn lost_at(&self, now: Timestamp) -> Timestamp {
        after(now, self.lost)
    }
}

fn after(now: Timestamp, wait: Duration) -> Timestamp {
    let micros = i64::try_from(wait.as_micros()).unwrap_or(i64::MAX);
    Timestamp(now.0.saturating_add(micros))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_longest() {
        let patience = Patience {
            first: Duration::from_secs(1),
            longest: Duration::from_secs(5),
            ..Patience::default()
        };
        let waits: Vec<i64> = (0..4)
            .map(|asked| patience.again_at(Timestamp(0), asked).seconds())
            .collect();
        assert_eq!(waits, [1, 2, 4, 5]);
        assert_eq!(patience.again_at(Timestamp(0), i64::MAX).seconds(), 5);
    }
}
