//! The real clock and the real source of ids: the only places that ask the machine.

use std::time::{SystemTime, UNIX_EPOCH};

use kernel::{Clock, Ids, Timestamp};
use ring::rand::{SecureRandom as _, SystemRandom};

/// The machine's wall clock.
#[derive(Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[allow(clippy::disallowed_methods)] // The one place that may.
    fn now(&self) -> Timestamp {
        let since = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        Timestamp(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
    }
}

/// UUIDv7 ids (RFC 9562): time-ordered, so that new streams lie side by side on disk.
#[derive(Debug, Default)]
pub struct RandomIds;

impl Ids for RandomIds {
    #[allow(clippy::disallowed_methods)] // The one place that may.
    fn next(&self) -> String {
        uuid::Uuid::now_v7().simple().to_string()
    }

    fn secret(&self) -> [u8; 32] {
        let mut bytes = [0; 32];
        // Without randomness nothing here is safe; the system source does not fail once seeded.
        SystemRandom::new()
            .fill(&mut bytes)
            .expect("the system's random source works");
        bytes
    }
}
