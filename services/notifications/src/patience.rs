//! How long a message that could not be sent waits for its next attempt.

/// The pauses between attempts, seconds: 1 minute at first, 6 hours at last, given up after about
/// a day and a half. A mail server that is down for a night loses nothing.
const PAUSES: [i64; 11] = [
    60, 300, 900, 1_800, 3_600, 7_200, 14_400, 21_600, 21_600, 21_600, 21_600,
];

/// The pauses between attempts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Patience {
    /// Seconds, by attempt; after the last pause one more attempt is made, the last.
    pub pauses: Vec<i64>,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            pauses: PAUSES.to_vec(),
        }
    }
}

impl Patience {
    /// Seconds until the next attempt after so many that failed (at least 1); `None`: give up.
    pub fn after(&self, failed: i64) -> Option<i64> {
        let place = usize::try_from(failed - 1).ok()?;
        self.pauses.get(place).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_from_a_minute_to_six_hours_and_end() {
        let patience = Patience::default();
        assert_eq!(patience.after(1), Some(60));
        assert_eq!(patience.after(11), Some(6 * 3_600));
        assert_eq!((patience.after(12), patience.after(0)), (None, None));
        let total: i64 = patience.pauses.iter().sum();
        assert!(total > 24 * 3_600);
        assert!(patience.pauses.is_sorted());
    }
}
