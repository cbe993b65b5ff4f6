//! Reading single values, exactly: no floats, and a message for the merchant when it fails.

use std::collections::HashSet;

use contracts::catalog::slug;
use kernel::{Currency, Money, MoneyError};

/// Longest SKU the catalogue takes, in characters.
const MAX_SKU: usize = 128;

/// A price of at least nothing.
pub(crate) fn price(text: &str, currency: Currency) -> Result<Money, String> {
    let text = text.trim();
    if text.is_empty() {
        return Err("the price is missing".into());
    }
    match Money::parse_decimal(text, currency) {
        Ok(price) if price.amount >= 0 => Ok(price),
        Ok(_) => Err("a price below zero".into()),
        Err(MoneyError::Overflow) => Err("the price is too large".into()),
        Err(_) => Err(format!(
            "not a price in {currency}: write it like 19.99, with at most {} decimals",
            currency.minor_digits()
        )),
    }
}

/// A whole number such as `12`, `-3` or `5.0`; nothing is 0.
pub(crate) fn whole(text: &str) -> Result<i64, String> {
    let text = text.trim();
    let whole = match text.split_once('.') {
        Some((whole, zeros)) if zeros.bytes().all(|b| b == b'0') => whole,
        _ => text,
    };
    if whole.is_empty() && text.is_empty() {
        return Ok(0);
    }
    whole.parse().map_err(|_| "not a whole number".into())
}

/// A weight in grams: `text` times `numerator / denominator` grams, rounded to the nearest.
pub(crate) fn grams(text: &str, numerator: i128, denominator: i128) -> Result<Option<i64>, String> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    let wrong = || "not a weight".to_owned();
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |part: &str| part.len() <= 12 && part.bytes().all(|b| b.is_ascii_digit());
    if !digits(whole) || !digits(fraction) || (whole.is_empty() && fraction.is_empty()) {
        return Err(wrong());
    }
    let units: i128 = format!("0{whole}{fraction}").parse().map_err(|_| wrong())?;
    let scale = denominator * 10i128.pow(fraction.len() as u32);
    let grams = (units * numerator + scale / 2) / scale;
    i64::try_from(grams).map(Some).map_err(|_| wrong())
}

/// `true`, `false`, `1`, `0`, `yes`, `no`; nothing is `blank`.
pub(crate) fn flag(text: &str, blank: bool) -> Result<bool, String> {
    match text.trim().to_ascii_lowercase().as_str() {
        "" => Ok(blank),
        "true" | "1" | "yes" | "y" => Ok(true),
        "false" | "0" | "no" | "n" => Ok(false),
        _ => Err("must be true or false".into()),
    }
}

/// The address of a picture as the catalogue takes it.
pub(crate) fn picture(text: &str) -> Result<String, String> {
    let text = text.trim();
    let absolute = match text.strip_prefix("//") {
        Some(rest) => format!("https://{rest}"),
        None => text.to_owned(),
    };
    let url = absolute.replace(' ', "%20");
    let odd = |c: char| c.is_control() || c.is_whitespace() || matches!(c, '"' | '<' | '>' | '\\');
    let is_web = url.starts_with("https://") || url.starts_with("http://");
    match is_web && url.len() <= 2_048 && !url.contains(odd) {
        true => Ok(url),
        false => Err("not an address of a picture (http or https)".into()),
    }
}

/// A SKU as it stands in the file; `None` when there is none.
pub(crate) fn sku(text: &str) -> Result<Option<String>, String> {
    let text = text.trim();
    if text.chars().count() > MAX_SKU {
        return Err(format!("longer than {MAX_SKU} characters"));
    }
    if text.chars().any(char::is_control) {
        return Err("holds control characters".into());
    }
    Ok((!text.is_empty()).then(|| text.to_owned()))
}

/// A SKU for a variant that has none of its own: its handle and option values, so that it is the
/// same again at the next import; with a number when that is taken.
pub(crate) fn generated_sku(handle: &str, values: &[&str], taken: &HashSet<String>) -> String {
    let mut made = handle.to_owned();
    for value in values {
        let part = slug(value);
        if !part.is_empty() {
            made.push('-');
            made.push_str(&part);
        }
    }
    // Slugs are ASCII.
    made.truncate(MAX_SKU - 8);
    if !taken.contains(&made) {
        return made;
    }
    let numbered = (2u64..).map(|n| format!("{made}-{n}"));
    let mut free = numbered.filter(|sku| !taken.contains(sku));
    free.next().unwrap_or(made)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn prices_are_exact_or_refused() {
        let gbp = |text| price(text, Currency::GBP).map(|m| m.amount).ok();
        assert_eq!(gbp(" 19.99 "), Some(1_999));
        assert_eq!(gbp("0"), Some(0));
        for bad in [
            "",
            "-1",
            "1.999",
            "£5",
            "1,50",
            "1e3",
            "NaN",
            "99999999999999999999",
        ] {
            assert_eq!(gbp(bad), None, "{bad}");
        }
        let yen = "JPY".parse().unwrap();
        assert!(price("100", yen).is_ok() && price("100.5", yen).is_err());
    }

    #[test]
    fn whole_numbers_may_be_written_with_a_point() {
        let read = |text| whole(text).ok();
        assert_eq!(
            ["5", "5.0", "-3", "", " 7 "].map(read),
            [Some(5), Some(5), Some(-3), Some(0), Some(7)]
        );
        assert_eq!(["5.5", "x", ".", "1.0x"].map(read), [None; 4]);
    }

    #[test]
    fn weights_are_converted_by_integers() {
        assert_eq!(grams("1.5", 1_000, 1), Ok(Some(1_500)));
        assert_eq!(grams("1", 45_359_237, 100_000), Ok(Some(454)));
        assert_eq!(grams("", 1, 1), Ok(None));
        assert!(grams("-1", 1, 1).is_err() && grams(".", 1, 1).is_err());
    }

    #[test]
    fn pictures_are_web_addresses() {
        assert_eq!(
            picture("//cdn.example/a b.png").as_deref(),
            Ok("https://cdn.example/a%20b.png")
        );
        for bad in ["javascript:x", "a.png", "https://x/\"", ""] {
            assert!(picture(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn generated_skus_are_stable_and_free() {
        let mut taken = HashSet::new();
        assert_eq!(
            generated_sku("mug", &["Blue", "Large / tall"], &taken),
            "mug-blue-large-tall"
        );
        taken.insert("mug".to_owned());
        taken.insert("mug-2".to_owned());
        assert_eq!(generated_sku("mug", &[], &taken), "mug-3");
        assert!(generated_sku(&"x".repeat(300), &[], &taken).len() <= MAX_SKU);
    }

    proptest! {
        #[test]
        fn no_text_makes_them_panic(text in ".{0,40}") {
            let _ = (price(&text, Currency::GBP), whole(&text), grams(&text, 45_359_237, 100_000));
            let _ = (flag(&text, true), picture(&text), sku(&text));
        }
    }
}
