//! What an operator may tune. The defaults are meant to be right.

/// Durations and costs of identity. All times are in seconds.
#[derive(Clone, Debug)]
pub struct Config {
    /// How long an access token is good for. Services cannot be told that one was taken back, so
    /// this is how long a revoked right may live on: keep it short.
    pub token_seconds: i64,
    /// How long a staff session lasts.
    pub staff_session_seconds: i64,
    /// How long a customer's session lasts.
    pub customer_session_seconds: i64,
    /// How long one key signs before the next takes over.
    pub key_seconds: i64,
    /// How long before its first use a key is published, so that every service knows it by then.
    pub key_lead_seconds: i64,
    /// How long a key that signs no more is kept beyond the life of its last token: clocks differ.
    pub key_retire_margin_seconds: i64,
    /// Argon2id memory, in KiB.
    pub argon2_memory_kib: u32,
    /// Argon2id passes.
    pub argon2_passes: u32,
    /// How many passwords may be hashed at the same time: each takes the memory above and a core.
    pub argon2_at_once: usize,
    /// How many may wait for that before callers are told to come back later.
    pub argon2_waiting: usize,
}

const DAY: i64 = 24 * 60 * 60;

impl Default for Config {
    fn default() -> Self {
        Self {
            token_seconds: 5 * 60,
            staff_session_seconds: DAY / 2,
            customer_session_seconds: 30 * DAY,
            key_seconds: 30 * DAY,
            key_lead_seconds: DAY,
            key_retire_margin_seconds: 60 * 60,
            // The OWASP password storage cheat sheet's first recommendation for Argon2id.
            argon2_memory_kib: 19 * 1024,
            argon2_passes: 2,
            argon2_at_once: 2,
            argon2_waiting: 64,
        }
    }
}
