//! What an operator may tune of the way to the services.

use std::time::Duration;

use super::breaker::BreakerSettings;

/// How services are reached.
#[derive(Clone, Debug)]
pub struct NetworkSettings {
    /// How long a connection may take to be made.
    pub connect: Duration,
    /// How long one process has to begin its answer to a request that can be sent to another one.
    pub per_try: Duration,
    /// How long a request may take until its answer begins, all tries together. Streams are not
    /// cut. A request may bring a shorter time along (`souk-deadline-ms`).
    pub deadline: Duration,
    /// How often a process is asked whether it is ready.
    pub probe_every: Duration,
    /// How long it has to say so.
    pub probe_time: Duration,
    /// So many probes without an answer make a process unwell. One that says that it is not ready
    /// is believed at once.
    pub probe_failures: u32,
    /// So many good probes make it well again.
    pub probe_successes: u32,
    /// When a single process is left alone (ejected).
    pub endpoint_breaker: BreakerSettings,
    /// When a whole service is left alone.
    pub service_breaker: BreakerSettings,
    /// Tries of one request.
    pub tries: u32,
    /// Largest body kept for another try, in bytes.
    pub replayed_body: u64,
    /// Requests to one service whose answers have not begun.
    pub service_limit: usize,
    /// Requests to all services whose answers have not begun.
    pub limit: usize,
    /// How long a connection is kept unused. Must be shorter than what services keep it for (they
    /// close it after 30 s), or requests would meet connections that are being closed.
    pub idle: Duration,
    /// Connections kept unused, per process.
    pub idle_connections: usize,
    /// How often names are looked up again.
    pub resolve_every: Duration,
}

impl Default for NetworkSettings {
    fn default() -> Self {
        let endpoint_breaker = BreakerSettings {
            consecutive: 3,
            failed_percent: 50,
            at_least: 20,
            window: Duration::from_secs(5),
            open_for: Duration::from_secs(1),
            open_at_most: Duration::from_secs(30),
            trials: 1,
        };
        Self {
            connect: Duration::from_secs(1),
            per_try: Duration::from_secs(8),
            deadline: Duration::from_secs(28),
            probe_every: Duration::from_secs(1),
            probe_time: Duration::from_secs(2),
            probe_failures: 2,
            probe_successes: 1,
            endpoint_breaker,
            service_breaker: BreakerSettings {
                consecutive: 10,
                open_for: Duration::from_millis(500),
                open_at_most: Duration::from_secs(2),
                trials: 3,
                ..endpoint_breaker
            },
            tries: 4,
            replayed_body: 256 * 1024,
            service_limit: 512,
            limit: 2_048,
            idle: Duration::from_secs(10),
            idle_connections: 256,
            resolve_every: Duration::from_secs(5),
        }
    }
}
