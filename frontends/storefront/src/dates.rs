//! Moments as people read them.

use kernel::Timestamp;
use serde::Serialize;

/// A moment for `<time>`: once for machines, once for people.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Moment {
    /// RFC 3339.
    pub machine: String,
    /// `3 May 2030, 14:05 UTC`.
    pub people: String,
}

impl Moment {
    /// A moment; the ends of time for one that no calendar holds.
    pub fn of(at: Timestamp) -> Self {
        let moment = jiff::Timestamp::from_second(at.seconds()).unwrap_or_default();
        let people = moment
            .to_zoned(jiff::tz::TimeZone::UTC)
            .strftime("%-d %B %Y, %H:%M UTC")
            .to_string();
        Self {
            machine: moment.to_string(),
            people,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_written_out() {
        let moment = Moment::of(Timestamp(1_904_047_500_000_000));
        assert_eq!(moment.people, "3 May 2030, 14:05 UTC");
        assert_eq!(moment.machine, "2030-05-03T14:05:00Z");
    }
}
