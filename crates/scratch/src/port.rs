//! Free ports of this machine.

use std::{
    hash::{BuildHasher as _, Hasher as _, RandomState},
    net::{Ipv4Addr, TcpListener},
};

/// Below the range from which systems give ports to outgoing connections. A client that tries to
/// reach a stopped server on a port of that range may be given the very port and talk to itself,
/// and the server could not have it back.
const RANGE: std::ops::Range<u16> = 20_000..32_000;

/// A port of 127.0.0.1 on which nobody listens now. Somebody may take it before it is used: be
/// ready to ask again.
pub fn free() -> std::io::Result<u16> {
    let size = u64::from(RANGE.end - RANGE.start);
    let mut last = None;
    for _ in 0..100 {
        let random = RandomState::new().build_hasher().finish();
        let port = RANGE.start + u16::try_from(random % size).unwrap_or(0);
        match TcpListener::bind((Ipv4Addr::LOCALHOST, port)) {
            Ok(_) => return Ok(port),
            Err(error) => last = Some(error),
        }
    }
    Err(last.unwrap_or_else(|| std::io::Error::other("no free port")))
}
