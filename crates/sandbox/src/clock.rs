//! The time, read in one place.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Unix microseconds.
#[allow(
    clippy::disallowed_methods,
    reason = "the outside world has its own clock; it is read here only"
)]
pub fn now_us() -> i64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, micros)
}

/// Unix seconds.
pub fn now_seconds() -> i64 {
    now_us() / 1_000_000
}

/// A duration in microseconds.
pub fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX / 4)
}
