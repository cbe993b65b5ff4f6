//! Codes of gift cards, and how accounts are found. Pure: the hash comes from the shop's key ring.
//!
//! A code is 15 random characters of Crockford's base 32 (no I, L, O or U) and a check character,
//! written in groups of four. The code is money to whoever reads it: it is shown once, and only
//! `keys.blind(GIFT_CARD_CODES, code.secret())` is kept.

use kernel::Currency;

use super::CreditAccountId;
use crate::identity::CustomerId;

/// What a code's keyed hash is made for: the first argument of `KeyRing::blind`.
pub const GIFT_CARD_CODES: &str = "gift-card";

const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const LENGTH: usize = 16;
const GROUP: usize = 4;
/// Longest text that is read as a code at all.
const LONGEST: usize = 64;
/// Digits of a hash that name an account: 160 bits.
const HASH_LETTERS: usize = 40;

/// The code of a gift card, as it is hashed. A secret: `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct GiftCardCode(String);

/// Text is not the code of any gift card: it has a wrong length, letter, or check character.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this is not a gift card's code; please check it against the card")]
pub struct NotACode;

impl GiftCardCode {
    /// Reads a code as people type it: in any case, with spaces and dashes anywhere, with O for 0
    /// and I or L for 1.
    ///
    /// # Errors
    /// When no card can have this code.
    pub fn parse(typed: &str) -> Result<Self, NotACode> {
        if typed.len() > LONGEST {
            return Err(NotACode);
        }
        let letters = typed.chars().filter(|c| !c.is_whitespace() && !dash(*c));
        let code = letters
            .map(|letter| match letter.to_ascii_uppercase() {
                'O' => '0',
                'I' | 'L' => '1',
                other => other,
            })
            .collect::<String>();
        let values = code.bytes().map(value).collect::<Option<Vec<u32>>>();
        match values.as_deref() {
            Some([body @ .., check]) if body.len() + 1 == LENGTH && checksum(body) == *check => {
                Ok(Self(code))
            }
            _ => Err(NotACode),
        }
    }

    /// The code made of the lowest 75 bits of `random`, which must be unguessable.
    pub fn from_random(random: u128) -> Self {
        let values: Vec<u32> = (0..LENGTH as u32 - 1)
            .map(|i| (random >> (5 * i)) as u32 & 31)
            .collect();
        let check = checksum(&values);
        let all = values.iter().chain(std::iter::once(&check)).copied();
        Self(all.map(letter).collect())
    }

    /// What is hashed: 16 letters and digits without anything between them.
    pub fn secret(&self) -> &str {
        &self.0
    }

    /// As it is printed: `7K3M-9QXT-…`.
    pub fn spelled(&self) -> String {
        let mut spelled = String::with_capacity(LENGTH + LENGTH / GROUP);
        for (i, letter) in self.0.chars().enumerate() {
            if i > 0 && i % GROUP == 0 {
                spelled.push('-');
            }
            spelled.push(letter);
        }
        spelled
    }
}

impl std::fmt::Debug for GiftCardCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("***")
    }
}

/// The account of the gift card whose code has this keyed hash.
pub fn account_of_hash(code_hash: &str) -> CreditAccountId {
    let letters = code_hash.chars().filter(char::is_ascii_alphanumeric);
    let name: String = letters.take(HASH_LETTERS).collect();
    CreditAccountId(format!("{}_{name}", CreditAccountId::PREFIX).into())
}

/// The store credit account of a customer in a currency. The `s` keeps it apart from gift cards,
/// whose names are hexadecimal.
///
/// # Errors
/// When the customer's id is too long to be part of another.
pub fn account_of_customer(
    customer: &CustomerId,
    currency: Currency,
) -> Result<CreditAccountId, String> {
    let (_, name) = customer.as_str().split_once('_').unwrap_or_default();
    let currency = currency.code().to_ascii_lowercase();
    format!("{}_s{name}{currency}", CreditAccountId::PREFIX).parse()
}

/// Dashes of all kinds, as word processors make them.
fn dash(c: char) -> bool {
    matches!(c, '-' | '_' | '\u{2010}'..='\u{2015}' | '\u{2212}')
}

fn value(letter: u8) -> Option<u32> {
    let index = ALPHABET.iter().position(|l| *l == letter)?;
    u32::try_from(index).ok()
}

fn letter(value: u32) -> char {
    char::from(ALPHABET[value as usize & 31])
}

/// ISO/IEC 7064's hybrid system, MOD 33,32: finds every single wrong letter, and nearly every two
/// neighbours that changed places.
fn checksum(values: &[u32]) -> u32 {
    let product = values.iter().fold(32, |product, value| {
        let sum = (product + value) % 32;
        (if sum == 0 { 32 } else { sum }) * 2 % 33
    });
    (33 - product) % 32
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_code_is_read_however_it_is_typed(random in any::<u128>(), lower in any::<bool>()) {
            let code = GiftCardCode::from_random(random);
            let mut typed = format!("  {} ", code.spelled()).replace('-', " – ");
            if lower {
                typed = typed.to_lowercase().replace('0', "o").replace('1', "l");
            }
            prop_assert_eq!(GiftCardCode::parse(&typed), Ok(code.clone()));
            prop_assert_eq!(GiftCardCode::parse(code.secret()), Ok(code));
        }

        #[test]
        fn one_wrong_letter_is_noticed(random in any::<u128>(), at in 0usize..LENGTH, by in 1u32..32) {
            let code = GiftCardCode::from_random(random);
            let mut letters: Vec<char> = code.secret().chars().collect();
            let right = value(letters[at] as u8).expect("of the alphabet");
            letters[at] = letter(right + by);
            let typed: String = letters.into_iter().collect();
            prop_assert_eq!(GiftCardCode::parse(&typed), Err(NotACode));
        }

        #[test]
        fn no_text_breaks_the_reader(text in any::<String>()) {
            let _ = GiftCardCode::parse(&text);
        }
    }

    #[test]
    fn nearly_every_exchange_of_neighbours_is_noticed() {
        let mut missed = 0;
        for (a, b) in (0..32u32).flat_map(|a| (0..32).map(move |b| (a, b))) {
            let body = |x, y| [5, 9, x, y, 30, 2, 17];
            missed += usize::from(a != b && checksum(&body(a, b)) == checksum(&body(b, a)));
        }
        assert!(missed <= 4, "{missed} of 992");
    }

    #[test]
    fn what_is_no_code_is_refused_and_no_code_is_shown() {
        let code = GiftCardCode::from_random(7);
        for bad in [
            "",
            "-",
            "UUUU-UUUU-UUUU-UUUU",
            "0000-0000-0000-000",
            &"0".repeat(1000),
        ] {
            assert_eq!(GiftCardCode::parse(bad), Err(NotACode), "{bad}");
        }
        assert_eq!(format!("{code:?}"), "***");
        assert_eq!(code.spelled().len(), 19);
    }

    #[test]
    fn accounts_are_named_after_hashes_and_customers() {
        let hash = "0123456789abcdef".repeat(4);
        let account = account_of_hash(&hash);
        assert_eq!(account.as_str(), format!("crd_{}", &hash[..40]));
        assert_eq!(account.as_str().parse(), Ok(account));
        let customer: CustomerId = "cus_0190aa".parse().expect("an id");
        let account = account_of_customer(&customer, Currency::GBP).expect("an account");
        assert_eq!(account.as_str(), "crd_s0190aagbp");
        let long: CustomerId = format!("cus_{}", "a".repeat(60)).parse().expect("an id");
        assert!(account_of_customer(&long, Currency::GBP).is_err());
    }
}
