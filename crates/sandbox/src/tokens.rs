//! Tokens in exchange for test cards.
//!
//! A token is the sealed answer itself (behaviour, brand, last four digits, time of issue) under
//! the provider's key. Nothing about a card is stored, so there is nothing to leak or to clean
//! up, and an anonymous caller cannot fill the disk.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::StatusCode;
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::rand::{SecureRandom, SystemRandom};

use crate::behaviour::{Behaviour, TEST_CARDS, TestCard};
use crate::input::Fields;
use crate::problem::Problem;

/// How long a token may be used, in seconds.
const LIFETIME: i64 = 24 * 60 * 60;

/// What is known of a card once it has become a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Card {
    /// What it makes the provider do.
    pub behaviour: Behaviour,
    /// `visa`, `mastercard` or `amex`.
    pub brand: &'static str,
    /// The last four digits.
    pub last4: &'static str,
}

impl Card {
    fn of(card: &'static TestCard) -> Self {
        Self {
            behaviour: card.behaviour,
            brand: card.brand,
            last4: &card.number[card.number.len() - 4..],
        }
    }
}

/// Seals and opens tokens.
pub struct Vault {
    key: LessSafeKey,
    random: SystemRandom,
}

impl Vault {
    /// A vault under `key`.
    pub fn new(key: &[u8; 32]) -> Self {
        let key = UnboundKey::new(&CHACHA20_POLY1305, key).expect("32 bytes are a ChaCha20 key");
        Self {
            key: LessSafeKey::new(key),
            random: SystemRandom::new(),
        }
    }

    /// Exchanges card details for a token. `now` is in unix seconds.
    pub fn tokenise(&self, mut fields: Fields, now: i64) -> Result<(String, Card), Problem> {
        let mut card = fields.nested("card")?;
        fields.end("card")?;
        let index = test_card(&card.text("number", 40).map_err(|p| p.at("card.number"))?)?;
        check_expiry(
            card.number("exp_month")
                .map_err(|p| p.at("card.exp_month"))?,
            card.number("exp_year").map_err(|p| p.at("card.exp_year"))?,
            now,
        )?;
        let cvc = card.text("cvc", 8).map_err(|p| p.at("card.cvc"))?;
        if !(3..=4).contains(&cvc.len()) || !cvc.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(Problem::invalid(
                "card.cvc",
                "must have three or four digits",
            ));
        }
        card.end("card.number, card.exp_month, card.exp_year, card.cvc")?;
        Ok((
            self.seal(index, now)?,
            Card::of(&TEST_CARDS[usize::from(index)]),
        ))
    }

    /// The card behind a token, fixed or sealed. `now` is in unix seconds.
    pub fn open(&self, token: &str, now: i64) -> Result<Card, Problem> {
        if let Some(card) = TEST_CARDS.iter().find(|card| card.token == token) {
            return Ok(Card::of(card));
        }
        let unknown = || {
            Problem::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "invalid_token",
                "no such token",
            )
            .at("token")
        };
        let sealed = token.strip_prefix("tok_").ok_or_else(unknown)?;
        let (behaviour_row, issued) = self.unseal(sealed).ok_or_else(unknown)?;
        let card = TEST_CARDS
            .get(usize::from(behaviour_row))
            .ok_or_else(unknown)?;
        if now - issued > LIFETIME {
            let detail = "the token has expired; exchange the card again";
            return Err(
                Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "token_expired", detail).at("token"),
            );
        }
        Ok(Card::of(card))
    }

    fn seal(&self, index: u8, now: i64) -> Result<String, Problem> {
        let mut nonce = [0; NONCE_LEN];
        self.random
            .fill(&mut nonce)
            .map_err(|_| Problem::unavailable())?;
        let mut sealed = vec![index];
        sealed.extend_from_slice(&now.to_be_bytes());
        self.key
            .seal_in_place_append_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::empty(),
                &mut sealed,
            )
            .map_err(|_| Problem::unavailable())?;
        Ok(format!(
            "tok_{}",
            URL_SAFE_NO_PAD.encode([&nonce[..], &sealed].concat())
        ))
    }

    fn unseal(&self, sealed: &str) -> Option<(u8, i64)> {
        let mut bytes = URL_SAFE_NO_PAD.decode(sealed).ok()?;
        let (nonce, sealed) = bytes.split_first_chunk_mut::<NONCE_LEN>()?;
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let plain = self.key.open_in_place(nonce, Aad::empty(), sealed).ok()?;
        let (index, issued) = plain.split_first()?;
        Some((*index, i64::from_be_bytes(issued.try_into().ok()?)))
    }
}

/// The row of the test card with this number. Real cards are refused: they do not belong here.
fn test_card(number: &str) -> Result<u8, Problem> {
    let digits: String = number.chars().filter(|c| !matches!(c, ' ' | '-')).collect();
    if !(12..=19).contains(&digits.len()) || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Problem::invalid("card.number", "must have 12 to 19 digits"));
    }
    if !passes_luhn(&digits) {
        return Err(Problem::invalid(
            "card.number",
            "is not a card number: its check digit is wrong",
        ));
    }
    let index = TEST_CARDS.iter().position(|card| card.number == digits);
    index
        .and_then(|index| u8::try_from(index).ok())
        .ok_or_else(|| {
            let detail = "is not a test card; real cards are never accepted here";
            Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "not_a_test_card", detail)
                .at("card.number")
        })
}

/// The Luhn check (ISO/IEC 7812-1, annex B). Only digits are expected.
pub fn passes_luhn(digits: &str) -> bool {
    let sum: u32 = digits
        .bytes()
        .rev()
        .enumerate()
        .map(|(place, byte)| {
            let digit = u32::from(byte.wrapping_sub(b'0'));
            match (place % 2 == 1, digit * 2) {
                (false, _) => digit,
                (true, double) if double > 9 => double - 9,
                (true, double) => double,
            }
        })
        .sum();
    sum.is_multiple_of(10)
}

/// A card is good until the end of its month (UTC). Two-digit years belong to this century.
fn check_expiry(month: u32, year: u32, now: i64) -> Result<(), Problem> {
    if !(1..=12).contains(&month) {
        return Err(Problem::invalid("card.exp_month", "must be from 1 to 12"));
    }
    let year = if year < 100 { year + 2000 } else { year };
    let today = jiff::Timestamp::from_second(now)
        .unwrap_or_default()
        .to_zoned(jiff::tz::TimeZone::UTC);
    let this_year = u32::try_from(today.year()).unwrap_or_default();
    let this_month = u32::try_from(today.month()).unwrap_or_default();
    if year > this_year + 50 {
        return Err(Problem::invalid("card.exp_year", "lies too far ahead"));
    }
    if year < this_year {
        return Err(Problem::invalid("card.exp_year", "the card has expired"));
    }
    if year == this_year && month < this_month {
        return Err(Problem::invalid("card.exp_month", "the card has expired"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::object;
    use proptest::prelude::*;

    /// 15 June 2030.
    const NOW: i64 = 1_907_712_000;

    fn vault() -> Vault {
        Vault::new(&[7; 32])
    }

    fn exchange(
        number: &str,
        month: &str,
        year: &str,
        cvc: &str,
    ) -> Result<(String, Card), Problem> {
        let body = format!(
            r#"{{"card": {{"number": "{number}", "exp_month": {month}, "exp_year": {year}, "cvc": "{cvc}"}}}}"#
        );
        vault().tokenise(object(body.as_bytes()).expect("valid JSON"), NOW)
    }

    #[test]
    fn every_test_card_becomes_a_token_that_opens_to_its_behaviour() {
        for row in TEST_CARDS {
            let (token, card) = exchange(row.number, "6", "2030", "123").expect("a test card");
            assert_eq!(card.behaviour, row.behaviour);
            assert!(row.number.ends_with(card.last4) && card.last4.len() == 4);
            assert!(!token.contains(card.last4), "a token is opaque");
            assert_eq!(vault().open(&token, NOW), Ok(card));
            assert_eq!(vault().open(row.token, NOW), Ok(card));
        }
    }

    #[test]
    fn spaces_in_numbers_and_short_years_are_what_people_type() {
        let (_, card) =
            exchange("4242 4242-4242 4242", "\"07\"", "\"30\"", "123").expect("a test card");
        assert_eq!((card.brand, card.last4), ("visa", "4242"));
    }

    #[test]
    fn errors_name_the_field() {
        let cases = [
            (
                exchange("4242424242424241", "6", "2030", "123"),
                "card.number",
                "invalid_field",
            ),
            (
                exchange("4111111111111111", "6", "2030", "123"),
                "card.number",
                "not_a_test_card",
            ),
            (
                exchange("42", "6", "2030", "123"),
                "card.number",
                "invalid_field",
            ),
            (
                exchange("4242x24242424242", "6", "2030", "123"),
                "card.number",
                "invalid_field",
            ),
            (
                exchange("4242424242424242", "13", "2030", "123"),
                "card.exp_month",
                "invalid_field",
            ),
            (
                exchange("4242424242424242", "5", "2030", "123"),
                "card.exp_month",
                "invalid_field",
            ),
            (
                exchange("4242424242424242", "12", "2029", "123"),
                "card.exp_year",
                "invalid_field",
            ),
            (
                exchange("4242424242424242", "12", "9999", "123"),
                "card.exp_year",
                "invalid_field",
            ),
            (
                exchange("4242424242424242", "6", "2030", "12"),
                "card.cvc",
                "invalid_field",
            ),
            (
                exchange("4242424242424242", "6", "2030", "12a"),
                "card.cvc",
                "invalid_field",
            ),
            (
                exchange("4242424242424242", "null", "2030", "123"),
                "card.exp_month",
                "invalid_field",
            ),
        ];
        for (outcome, field, code) in cases {
            let problem = outcome.expect_err("refused");
            assert_eq!((problem.field, problem.code), (Some(field), code));
        }
        let none = vault()
            .tokenise(object(b"{}").expect("JSON"), NOW)
            .expect_err("no card");
        assert_eq!(none.field, Some("card"));
    }

    #[test]
    fn tokens_expire_and_cannot_be_forged() {
        let (token, _) = exchange("4242424242424242", "6", "2030", "123").expect("a test card");
        assert!(vault().open(&token, NOW + LIFETIME).is_ok());
        let late = vault()
            .open(&token, NOW + LIFETIME + 1)
            .expect_err("expired");
        assert_eq!(late.code, "token_expired");
        let foreign = Vault::new(&[8; 32])
            .open(&token, NOW)
            .expect_err("another provider's");
        assert_eq!(
            (foreign.code, foreign.field),
            ("invalid_token", Some("token"))
        );
    }

    proptest! {
        #[test]
        fn luhn_catches_every_single_wrong_digit(place in 0..16_usize, by in 1..10_u8) {
            let mut digits = b"4242424242424242".to_vec();
            digits[place] = b'0' + (digits[place] - b'0' + by) % 10;
            prop_assert!(!passes_luhn(std::str::from_utf8(&digits).expect("digits")));
        }

        #[test]
        fn hostile_tokens_never_open(noise in "(tok_)?.{0,90}") {
            prop_assume!(!TEST_CARDS.iter().any(|card| card.token == noise));
            prop_assert!(vault().open(&noise, NOW).is_err());
        }
    }
}
