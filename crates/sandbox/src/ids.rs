//! Identifiers: a stored number and a keyed check, so that they look random, cannot be guessed,
//! and need no index: `spay_` + ten hex digits of the number + sixteen of the check.

use ring::hmac;

use crate::signature::hex;

/// What an identifier names; also its prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `spay_…`
    Payment,
    /// `op_…`
    Operation,
    /// `evt_…`
    Event,
}

impl Kind {
    fn prefix(self) -> &'static str {
        match self {
            Self::Payment => "spay_",
            Self::Operation => "op_",
            Self::Event => "evt_",
        }
    }
}

/// Makes and reads identifiers under one secret.
pub struct Ids {
    key: hmac::Key,
}

const NUMBER_DIGITS: usize = 10;
const CHECK_BYTES: usize = 8;

impl Ids {
    /// Identifiers under `secret`; another secret makes and accepts other ones.
    pub fn new(secret: &[u8]) -> Self {
        Self {
            key: hmac::Key::new(hmac::HMAC_SHA256, secret),
        }
    }

    /// The identifier of number `n`.
    pub fn mint(&self, kind: Kind, n: u64) -> String {
        let mac = hmac::sign(&self.key, format!("{}{n}", kind.prefix()).as_bytes());
        format!(
            "{}{n:010x}{}",
            kind.prefix(),
            hex(&mac.as_ref()[..CHECK_BYTES])
        )
    }

    /// The number in `id`, or `None` when it was not minted here for this kind.
    pub fn parse(&self, kind: Kind, id: &str) -> Option<u64> {
        let digits = id.strip_prefix(kind.prefix())?;
        if digits.len() != NUMBER_DIGITS + 2 * CHECK_BYTES || !digits.is_ascii() {
            return None;
        }
        let n = u64::from_str_radix(&digits[..NUMBER_DIGITS], 16).ok()?;
        (self.mint(kind, n) == id).then_some(n)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn ids_name_one_number_of_one_kind_under_one_secret(n in 0..(1_u64 << 40), noise in ".{0,40}") {
            let ids = Ids::new(b"one");
            let id = ids.mint(Kind::Payment, n);
            prop_assert_eq!(ids.parse(Kind::Payment, &id), Some(n));
            prop_assert_eq!(ids.parse(Kind::Operation, &id), None);
            prop_assert_eq!(Ids::new(b"two").parse(Kind::Payment, &id), None);
            prop_assert_eq!(ids.parse(Kind::Payment, &noise), None);
            prop_assert_eq!(ids.parse(Kind::Payment, &format!("spay_{noise}")), None);
        }
    }

    #[test]
    fn the_same_secret_mints_the_same_ids() {
        assert_eq!(
            Ids::new(b"s").mint(Kind::Event, 7),
            Ids::new(b"s").mint(Kind::Event, 7)
        );
    }
}
