//! What an operator may tune.

use std::time::Duration;

use ipnet::IpNet;

/// So many requests at once, and so many more each second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    /// Refilled each second; at least 1.
    pub per_second: u32,
    /// Most at once; at least 1.
    pub burst: u32,
}

/// The gateway's settings.
#[derive(Clone, Debug)]
pub struct Config {
    /// Largest request body in bytes. Services have their own, smaller limits per route.
    pub body_limit: usize,
    /// How long a service has to begin its answer. Streams are not cut.
    pub timeout: Duration,
    /// Other sites whose pages may call the API, such as `https://admin.example.org`; `*` is any,
    /// without cookies.
    pub cors_origins: Vec<String>,
    /// Requests of one client address.
    pub per_address: Quota,
    /// Requests of one API key or session.
    pub per_credential: Quota,
    /// Signing in, registering and changing passwords, of one client address. Holds for this
    /// machine's own programs too.
    pub per_address_login: Quota,
    /// Whether requests from this machine itself are free of [`per_address`](Self::per_address) and
    /// [`per_credential`](Self::per_credential). A request that says it was forwarded is not from
    /// this machine.
    pub exempt_loopback: bool,
    /// Networks of proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpNet>,
    /// Whether programs on this machine may read `/metrics`; anyone with `ops:read` may.
    pub metrics_on_loopback: bool,
    /// Whether to tell browsers to come back by HTTPS only (RFC 6797): when TLS ends before this.
    pub hsts: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            body_limit: 32 * 1024 * 1024,
            timeout: Duration::from_secs(30),
            cors_origins: Vec::new(),
            per_address: Quota {
                per_second: 50,
                burst: 300,
            },
            per_credential: Quota {
                per_second: 500,
                burst: 2_000,
            },
            per_address_login: Quota {
                per_second: 1,
                burst: 30,
            },
            exempt_loopback: true,
            trusted_proxies: Vec::new(),
            metrics_on_loopback: true,
            hsts: false,
        }
    }
}
