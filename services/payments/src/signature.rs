//! Signatures of webhooks of the form `t=<unix seconds>,v1=<hex of HMAC-SHA-256("t.body")>`
//! (HMAC: RFC 2104), as the sandbox and others use it.

use ring::hmac;

/// Longer headers are refused unread.
const MAX_HEADER: usize = 512;

/// Checks signatures with one secret. The secret is never shown.
pub struct Signatures {
    key: hmac::Key,
    /// How far the time of signing may lie from now, in seconds: limits replay.
    tolerance: u64,
}

impl Signatures {
    /// Checks with `secret`; signatures older or newer than `tolerance` seconds are refused.
    pub fn new(secret: &str, tolerance: u64) -> Self {
        Self {
            key: hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes()),
            tolerance,
        }
    }

    /// Whether `header` signs exactly these bytes, now (seconds). Compared in constant time. One
    /// of several `v1` is enough: a sender that changes its secret signs with both.
    pub fn verify(&self, header: &str, body: &[u8], now: i64) -> bool {
        if header.len() > MAX_HEADER {
            return false;
        }
        let mut time = None;
        let mut macs = Vec::new();
        for part in header.split(',') {
            match part.trim().split_once('=') {
                Some(("t", seconds)) => time = Some(seconds),
                Some(("v1", hex)) => macs.extend(from_hex(hex)),
                _ => {}
            }
        }
        let Some((text, seconds)) = time.and_then(|t| Some((t, t.parse::<i64>().ok()?))) else {
            return false;
        };
        if now.abs_diff(seconds) > self.tolerance {
            return false;
        }
        let mut signed = Vec::with_capacity(text.len() + 1 + body.len());
        signed.extend_from_slice(text.as_bytes());
        signed.push(b'.');
        signed.extend_from_slice(body);
        macs.iter()
            .any(|mac| hmac::verify(&self.key, &signed, mac).is_ok())
    }
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    if text.len() != 64 {
        return None;
    }
    let digit = |byte: u8| char::from(byte).to_digit(16);
    text.as_bytes()
        .chunks_exact(2)
        .map(|pair| u8::try_from(digit(pair[0])? * 16 + digit(pair[1])?).ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// HMAC-SHA-256 of `1700000000.{}` under `whsec_test`, computed with an independent tool.
    const HEADER: &str =
        "t=1700000000,v1=35495024f4ef3f94e5a93e22221544c4b75e9a42300cd965ab81cb85cd994e91";
    const THEN: i64 = 1_700_000_000;

    fn signatures() -> Signatures {
        Signatures::new("whsec_test", 300)
    }

    #[test]
    fn a_genuine_signature_is_accepted_for_a_while() {
        assert!(signatures().verify(HEADER, b"{}", THEN));
        assert!(signatures().verify(HEADER, b"{}", THEN + 300));
        assert!(!signatures().verify(HEADER, b"{}", THEN + 301));
        assert!(!signatures().verify(HEADER, b"{}", THEN - 301));
    }

    #[test]
    fn another_body_time_or_secret_is_refused() {
        assert!(!signatures().verify(HEADER, b"{ }", THEN));
        let moved = HEADER.replace("t=1700000000", "t=1700000001");
        assert!(!signatures().verify(&moved, b"{}", THEN));
        assert!(!Signatures::new("other", 300).verify(HEADER, b"{}", THEN));
    }

    #[test]
    fn one_good_signature_among_several_is_enough() {
        let both = HEADER.replace(",v1=", &format!(",v1={},v1=", "0".repeat(64)));
        assert!(signatures().verify(&both, b"{}", THEN));
    }

    proptest! {
        #[test]
        fn nonsense_is_refused_and_never_panics(header in ".{0,200}", now in any::<i64>()) {
            let taken = signatures().verify(&header, b"{}", now);
            prop_assert!(!taken);
        }

        #[test]
        fn numbers_out_of_range_are_refused(t in any::<i64>(), mac in "[0-9a-f]{64}", now in any::<i64>()) {
            let taken = signatures().verify(&format!("t={t},v1={mac}"), b"{}", now);
            prop_assert!(!taken);
        }
    }
}
