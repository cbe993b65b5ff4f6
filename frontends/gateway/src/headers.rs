//! Headers the gateway reads and writes: request ids, the client's address, security headers.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::atomic::{AtomicU64, Ordering},
};

use axum::{
    extract::ConnectInfo,
    http::{Extensions, HeaderMap, HeaderName, HeaderValue, header},
};
use ipnet::IpNet;

/// Names a request in logs, events and answers.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// The client's address, for services.
pub const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// Makes request ids: 16 random digits of this process, 16 that count.
pub struct RequestIds {
    process: [u8; 16],
    count: AtomicU64,
}

impl RequestIds {
    /// Ids that begin with digits made of `seed`.
    pub fn new(seed: [u8; 32]) -> Self {
        let mut process = [0; 16];
        for (digit, byte) in process.iter_mut().zip(seed) {
            *digit = hex_digit(byte);
        }
        Self {
            process,
            count: AtomicU64::new(0),
        }
    }

    /// The id the request came with, if it is a sane one, or a new one.
    pub fn accept(&self, headers: &HeaderMap) -> HeaderValue {
        match headers.get(REQUEST_ID) {
            Some(id) if is_sane(id.as_bytes()) => id.clone(),
            _ => self.make(),
        }
    }

    fn make(&self) -> HeaderValue {
        let count = self.count.fetch_add(1, Ordering::Relaxed);
        let mut id = [0; 32];
        id[..16].copy_from_slice(&self.process);
        for (place, digit) in id[16..].iter_mut().enumerate() {
            *digit = hex_digit((count >> (60 - 4 * place)) as u8);
        }
        // Hex digits are always a valid value.
        HeaderValue::from_bytes(&id).unwrap_or_else(|_| HeaderValue::from_static("0"))
    }
}

fn hex_digit(value: u8) -> u8 {
    b"0123456789abcdef"[usize::from(value & 15)]
}

/// Short enough for a log line, and of characters that mean nothing anywhere.
fn is_sane(id: &[u8]) -> bool {
    (1..=64).contains(&id.len())
        && id
            .iter()
            .all(|b| b.is_ascii_alphanumeric() || b"-_.:".contains(b))
}

/// Who is at the other end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Client {
    /// Their address.
    pub address: IpAddr,
    /// Whether it is a program on this machine that speaks for itself.
    pub local: bool,
}

impl Client {
    /// The client of a request. `X-Forwarded-For` is believed only from `trusted` proxies, and
    /// read from its end: what stands further in front may be anyone's invention.
    pub fn of(extensions: &Extensions, headers: &HeaderMap, trusted: &[IpNet]) -> Self {
        let peer = extensions.get::<ConnectInfo<SocketAddr>>();
        let peer = peer.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |info| info.0.ip());
        let peer = peer.to_canonical();
        let forwarded = headers.contains_key(FORWARDED_FOR) || headers.contains_key("forwarded");
        if !forwarded {
            return Self {
                address: peer,
                local: peer.is_loopback(),
            };
        }
        let mut address = peer;
        let is_trusted = |address: &IpAddr| trusted.iter().any(|net| net.contains(address));
        if is_trusted(&peer) {
            let lines = headers.get_all(FORWARDED_FOR).iter();
            let text: Vec<&str> = lines.filter_map(|line| line.to_str().ok()).collect();
            let hops = text.iter().rev().flat_map(|line| line.rsplit(','));
            let hops = hops.map_while(|hop| hop.trim().parse::<IpAddr>().ok());
            for hop in hops {
                address = hop.to_canonical();
                if !is_trusted(&address) {
                    break;
                }
            }
        }
        Self {
            address,
            local: false,
        }
    }

    /// What one client's requests are counted under: an IPv6 customer has at least a whole /64.
    pub fn network(&self) -> IpAddr {
        match self.address {
            IpAddr::V6(address) => {
                let [a, b, c, d, ..] = address.segments();
                IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
            }
            v4 => v4,
        }
    }
}

/// Writes the client's address down for the services, in place of what the client said.
pub fn forward(headers: &mut HeaderMap, client: &Client, changes_something: bool) {
    headers.remove(FORWARDED_FOR);
    if changes_something && let Ok(value) = HeaderValue::try_from(client.address.to_string()) {
        headers.insert(FORWARDED_FOR, value);
    }
}

/// Headers every answer carries, unless whoever made it knew better.
pub fn secure(headers: &mut HeaderMap, api: bool, private: bool, hsts: bool) {
    let mut default = |name: HeaderName, value: &'static str| {
        if !headers.contains_key(&name) {
            headers.insert(name, HeaderValue::from_static(value));
        }
    };
    default(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    default(header::X_FRAME_OPTIONS, "DENY");
    default(header::REFERRER_POLICY, "same-origin");
    if api {
        let nothing = "default-src 'none'; frame-ancestors 'none'";
        default(header::CONTENT_SECURITY_POLICY, nothing);
    }
    if private {
        default(header::CACHE_CONTROL, "no-store");
    }
    if hsts {
        let year = "max-age=31536000; includeSubDomains";
        default(header::STRICT_TRANSPORT_SECURITY, year);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut map = HeaderMap::new();
        for (name, value) in pairs {
            map.append(*name, HeaderValue::from_static(value));
        }
        map
    }

    fn from(peer: &str, headers: &[(&'static str, &'static str)], trusted: &[&str]) -> Client {
        let mut extensions = Extensions::new();
        let peer: SocketAddr = format!("{peer}:1").parse().expect("an address");
        extensions.insert(ConnectInfo(peer));
        let trusted: Vec<IpNet> = trusted
            .iter()
            .map(|t| t.parse().expect("a network"))
            .collect();
        Client::of(&extensions, &map(headers), &trusted)
    }

    #[test]
    fn sane_request_ids_are_kept_and_others_replaced() {
        let ids = RequestIds::new([7; 32]);
        let kept = ids.accept(&map(&[("x-request-id", "abc-1.2_3:4")]));
        assert_eq!(kept, "abc-1.2_3:4");
        let (one, two) = (
            ids.accept(&HeaderMap::new()),
            ids.accept(&map(&[("x-request-id", "a b")])),
        );
        assert_eq!(one.len(), 32);
        assert_ne!(one, two);
        assert_ne!(ids.accept(&map(&[("x-request-id", "")])), "");
    }

    #[test]
    fn nobody_but_a_trusted_proxy_says_who_the_client_is() {
        let ip = |text: &str| text.parse::<IpAddr>().expect("an address");
        let spoofed = from("192.0.2.9", &[("x-forwarded-for", "127.0.0.1")], &[]);
        assert_eq!((spoofed.address, spoofed.local), (ip("192.0.2.9"), false));
        let hops = [("x-forwarded-for", "6.6.6.6, 198.51.100.7, 10.0.0.2")];
        let client = from("10.0.0.1", &hops, &["10.0.0.0/30"]);
        assert_eq!(client.address, ip("198.51.100.7"));
        let broken = from("10.0.0.1", &[("x-forwarded-for", "x")], &["10.0.0.1/32"]);
        assert_eq!(broken.address, ip("10.0.0.1"));
    }

    #[test]
    fn a_proxy_on_this_machine_does_not_make_its_clients_local() {
        assert!(from("127.0.0.1", &[], &[]).local);
        assert!(!from("127.0.0.1", &[("x-forwarded-for", "192.0.2.1")], &[]).local);
        assert!(!from("127.0.0.1", &[("forwarded", "for=192.0.2.1")], &[]).local);
    }

    #[test]
    fn an_ipv6_network_counts_as_one_client() {
        let [one, two] = ["2001:db8:1:2::3", "2001:db8:1:2:ffff::4"].map(|address| Client {
            address: address.parse().expect("an address"),
            local: false,
        });
        assert_eq!(one.network(), two.network());
    }
}
