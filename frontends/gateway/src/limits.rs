//! Rate limits (generic cell rate algorithm): per client network, per credential, and a strict one
//! for everything that tests a password.

use std::{
    hash::Hash,
    net::IpAddr,
    num::NonZeroU32,
    sync::atomic::{AtomicUsize, Ordering},
};

use axum::http::{Method, StatusCode};
use governor::{DefaultKeyedRateLimiter, RateLimiter, clock::Clock as _, clock::DefaultClock};
use web::Problem;

use crate::{
    config::{Config, Quota},
    credentials::Digest,
    headers::Client,
};

/// Paths that test passwords or make accounts.
const LOGIN: [&str; 3] = [
    "/api/identity/login",
    "/api/identity/password",
    "/api/identity/register",
];
/// Look for idle keys every so many checks.
const TIDY_EVERY: usize = 10_000;

/// The limits in force.
pub struct Limits {
    address: Keyed<IpAddr>,
    credential: Keyed<Digest>,
    login: Keyed<IpAddr>,
    exempt_loopback: bool,
}

impl Limits {
    /// The limits of this configuration.
    pub fn new(config: &Config) -> Self {
        Self {
            address: Keyed::new(config.per_address),
            credential: Keyed::new(config.per_credential),
            login: Keyed::new(config.per_address_login),
            exempt_loopback: config.exempt_loopback,
        }
    }

    /// Counts a request, or refuses it (429, with `Retry-After`).
    pub fn check(
        &self,
        client: &Client,
        credential: Option<&Digest>,
        method: &Method,
        path: &str,
    ) -> Result<(), Problem> {
        if method == Method::POST && LOGIN.contains(&path.trim_end_matches('/')) {
            self.login.check(&client.network())?;
        }
        if client.local && self.exempt_loopback {
            return Ok(());
        }
        match credential {
            Some(digest) => self.credential.check(digest),
            None => self.address.check(&client.network()),
        }
    }
}

struct Keyed<K: Hash + Eq + Clone> {
    limiter: DefaultKeyedRateLimiter<K>,
    clock: DefaultClock,
    checks: AtomicUsize,
}

impl<K: Hash + Eq + Clone> Keyed<K> {
    fn new(quota: Quota) -> Self {
        let some = |n: u32| NonZeroU32::new(n).unwrap_or(NonZeroU32::MIN);
        let quota =
            governor::Quota::per_second(some(quota.per_second)).allow_burst(some(quota.burst));
        Self {
            limiter: RateLimiter::keyed(quota),
            clock: DefaultClock::default(),
            checks: AtomicUsize::new(0),
        }
    }

    fn check(&self, key: &K) -> Result<(), Problem> {
        // Keys that are back at their full quota are forgotten: memory follows the active ones.
        if self.checks.fetch_add(1, Ordering::Relaxed) % TIDY_EVERY == TIDY_EVERY - 1 {
            self.limiter.retain_recent();
        }
        self.limiter.check_key(key).map_err(|not_until| {
            let wait = not_until.wait_time_from(self.clock.now());
            let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
            let detail = "too many requests from you; slow down";
            Problem::new(StatusCode::TOO_MANY_REQUESTS, "too-many-requests", detail)
                .retry_after(seconds.max(1))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(address: &str, local: bool) -> Client {
        Client {
            address: address.parse().expect("an address"),
            local,
        }
    }

    fn limits(per_address: u32, login: u32) -> Limits {
        let quota = |burst| Quota {
            per_second: 1,
            burst,
        };
        Limits::new(&Config {
            per_address: quota(per_address),
            per_credential: quota(2 * per_address),
            per_address_login: quota(login),
            ..Config::default()
        })
    }

    fn passed(limits: &Limits, client: &Client, credential: Option<&Digest>, path: &str) -> usize {
        let pass = |_: &i32| {
            limits
                .check(client, credential, &Method::POST, path)
                .is_ok()
        };
        (0..50).filter(pass).count()
    }

    #[test]
    fn each_client_and_each_credential_has_its_own_quota() {
        let limits = limits(3, 3);
        let ann = client("192.0.2.1", false);
        assert_eq!(passed(&limits, &ann, None, "/api/carts"), 3);
        assert_eq!(
            passed(&limits, &client("192.0.2.2", false), None, "/api/carts"),
            3
        );
        assert_eq!(passed(&limits, &ann, Some(&[1; 32]), "/api/carts"), 6);
    }

    #[test]
    fn this_machine_is_free_except_for_passwords() {
        let limits = limits(3, 2);
        let local = client("127.0.0.1", true);
        assert_eq!(passed(&limits, &local, None, "/api/carts"), 50);
        assert_eq!(passed(&limits, &local, None, "/api/identity/login"), 2);
        assert_eq!(passed(&limits, &local, None, "/api/identity/login/"), 0);
    }

    #[test]
    fn the_refusal_says_when_to_come_back() {
        let limits = limits(1, 1);
        let ann = client("192.0.2.1", false);
        let check = || limits.check(&ann, None, &Method::GET, "/api/carts");
        assert!(check().is_ok());
        let refused = check().expect_err("refused");
        assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS);
        assert_eq!(refused.retry_after, Some(1));
    }
}
