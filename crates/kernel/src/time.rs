//! Time: microseconds since the Unix epoch, UTC, in one type. Rules never read a clock.

use serde::{Deserialize, Serialize};

/// Microseconds since 1970-01-01T00:00:00Z.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    utoipa::ToSchema,
)]
#[serde(transparent)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// This moment plus whole seconds (negative goes back); saturates at the ends of time.
    pub const fn plus_seconds(self, seconds: i64) -> Self {
        Self(self.0.saturating_add(seconds.saturating_mul(1_000_000)))
    }

    /// This moment plus milliseconds.
    pub const fn plus_millis(self, millis: i64) -> Self {
        Self(self.0.saturating_add(millis.saturating_mul(1_000)))
    }

    /// Whole seconds since the epoch.
    pub const fn seconds(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }
}

/// The only source of the present moment. Real in production, virtual under simulation.
pub trait Clock: Send + Sync {
    /// Now, in microseconds UTC. May jump with the machine's wall clock: never the ground of a
    /// correctness argument.
    fn now(&self) -> Timestamp;

    /// Hands over what is to be called when time was moved by hand, so that waiting timers look
    /// again. A clock that only runs never calls it.
    fn on_jump(&self, _wake: Box<dyn Fn() + Send + Sync>) {}
}
