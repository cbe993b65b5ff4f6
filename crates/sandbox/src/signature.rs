//! Signatures of webhooks: HMAC-SHA-256 (RFC 2104) over `<unix seconds>.<body>`.
//!
//! The receiver must verify over the exact bytes it received, before parsing them.

use std::time::Duration;

use ring::hmac;

/// The header that carries the signature: `t=<unix seconds>,v1=<hex>`.
pub const HEADER: &str = "Souk-Sandbox-Signature";

/// Longer headers are refused unread.
const MAX_HEADER: usize = 512;

/// Why a signature was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// Not of the form `t=<unix seconds>,v1=<64 hex digits>`.
    #[error("the signature header is malformed")]
    Malformed,
    /// Signed too long ago, or in the future: perhaps replayed.
    #[error("the signature's time is outside the tolerance")]
    OutsideTolerance,
    /// Another secret, or another body.
    #[error("the signature does not match")]
    Mismatch,
}

/// Signs `body` at `unix_seconds`; answers the header's value.
pub fn sign(secret: &[u8], unix_seconds: i64, body: &[u8]) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
    let mac = hmac::sign(&key, &signed_bytes(unix_seconds, body));
    format!("t={unix_seconds},v1={}", hex(mac.as_ref()))
}

/// Verifies `header` over `body`, in constant time. `now` is in unix seconds; `tolerance` is how
/// far the signature's time may lie before or after it. Several `v1` values are allowed (a
/// sender changing its secret signs with both); one must match.
pub fn verify(
    secret: &[u8],
    header: &str,
    body: &[u8],
    now: i64,
    tolerance: Duration,
) -> Result<(), SignatureError> {
    if header.len() > MAX_HEADER {
        return Err(SignatureError::Malformed);
    }
    let mut signed_at = None;
    let mut macs = Vec::new();
    for part in header.split(',') {
        match part.trim().split_once('=') {
            Some(("t", value)) => {
                let seconds = value
                    .parse::<i64>()
                    .map_err(|_| SignatureError::Malformed)?;
                signed_at = Some(seconds);
            }
            Some(("v1", value)) => macs.push(unhex(value).ok_or(SignatureError::Malformed)?),
            Some(_) => {}
            None => return Err(SignatureError::Malformed),
        }
    }
    let signed_at = signed_at.ok_or(SignatureError::Malformed)?;
    if macs.is_empty() {
        return Err(SignatureError::Malformed);
    }
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
    let bytes = signed_bytes(signed_at, body);
    if !macs
        .iter()
        .any(|mac| hmac::verify(&key, &bytes, mac).is_ok())
    {
        return Err(SignatureError::Mismatch);
    }
    if now.abs_diff(signed_at) > tolerance.as_secs() {
        return Err(SignatureError::OutsideTolerance);
    }
    Ok(())
}

fn signed_bytes(unix_seconds: i64, body: &[u8]) -> Vec<u8> {
    let mut bytes = unix_seconds.to_string().into_bytes();
    bytes.push(b'.');
    bytes.extend_from_slice(body);
    bytes
}

/// Lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |nibble: u8| char::from(DIGITS[usize::from(nibble)]);
    bytes
        .iter()
        .flat_map(|byte| [digit(byte >> 4), digit(byte & 15)])
        .collect()
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) || text.is_empty() {
        return None;
    }
    let nibble = |byte: u8| {
        char::from(byte)
            .to_digit(16)
            .and_then(|digit| u8::try_from(digit).ok())
    };
    text.as_bytes()
        .chunks_exact(2)
        .map(|pair| Some(nibble(pair[0])? << 4 | nibble(pair[1])?))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const WINDOW: Duration = Duration::from_secs(300);

    #[test]
    fn matches_a_known_vector() {
        // HMAC-SHA-256 of "1700000000.{}" under "whsec_test", computed with an independent tool.
        let header = sign(b"whsec_test", 1_700_000_000, b"{}");
        assert_eq!(
            header,
            "t=1700000000,v1=35495024f4ef3f94e5a93e22221544c4b75e9a42300cd965ab81cb85cd994e91"
        );
    }

    #[test]
    fn refuses_other_secrets_bodies_and_times() {
        let header = sign(b"secret", 1_000, b"body");
        assert_eq!(verify(b"secret", &header, b"body", 1_300, WINDOW), Ok(()));
        assert_eq!(verify(b"secret", &header, b"body", 700, WINDOW), Ok(()));
        for now in [1_301, 699, i64::MIN, i64::MAX] {
            let outcome = verify(b"secret", &header, b"body", now, WINDOW);
            assert_eq!(outcome, Err(SignatureError::OutsideTolerance));
        }
        let mismatch = Err(SignatureError::Mismatch);
        assert_eq!(verify(b"other", &header, b"body", 1_000, WINDOW), mismatch);
        assert_eq!(verify(b"secret", &header, b"bodY", 1_000, WINDOW), mismatch);
        let moved = header.replace("t=1000", "t=1001");
        assert_eq!(verify(b"secret", &moved, b"body", 1_001, WINDOW), mismatch);
    }

    #[test]
    fn one_of_several_signatures_is_enough() {
        let old = sign(b"old", 50, b"x");
        let new = sign(b"new", 50, b"x");
        let both = format!("{old},{}", new.split_once(',').expect("two parts").1);
        assert_eq!(verify(b"new", &both, b"x", 50, WINDOW), Ok(()));
        assert_eq!(verify(b"old", &both, b"x", 50, WINDOW), Ok(()));
    }

    #[test]
    fn malformed_headers_are_named_so() {
        for header in [
            "",
            "t=1",
            "v1=00",
            "t=x,v1=00",
            "t=1,v1=0",
            "t=1,v1=zz",
            "t=1,v1=",
            "nonsense",
        ] {
            assert_eq!(
                verify(b"s", header, b"", 1, WINDOW),
                Err(SignatureError::Malformed),
                "{header}"
            );
        }
        let long = format!("t=1,v1={}", "0".repeat(1_000));
        assert_eq!(
            verify(b"s", &long, b"", 1, WINDOW),
            Err(SignatureError::Malformed)
        );
    }

    proptest! {
        #[test]
        fn what_is_signed_verifies_and_nothing_else_panics(
            body in proptest::collection::vec(any::<u8>(), 0..200),
            at in any::<i64>(),
            hostile in ".{0,80}",
        ) {
            let header = sign(b"secret", at, &body);
            prop_assert_eq!(verify(b"secret", &header, &body, at, WINDOW), Ok(()));
            prop_assert!(verify(b"secret", &hostile, &body, at, WINDOW).is_err());
        }
    }
}
