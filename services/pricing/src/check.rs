//! Limits on what callers send, said in terms of the field.

use kernel::{Money, Rejection, Timestamp};

/// The largest amount of money taken, in minor units: far beyond any price, and small enough that
/// no sum overflows.
pub const MAX_AMOUNT: i64 = 100_000_000_000;
/// Longest SKU, in characters.
pub const MAX_SKU: usize = 128;
/// The last moment that is taken: the end of the year 9999.
const MAX_TIME: i64 = 253_402_300_800_000_000;
/// The largest limit of uses.
const MAX_USES: i64 = 1_000_000_000;
/// Most codes of channels or groups in one list.
const MAX_CODES: usize = 50;

/// Visible text of 1 to `limit` characters, without spaces around it.
pub fn text(field: &str, text: &str, limit: usize) -> Result<(), Rejection> {
    let bad = text.is_empty()
        || text.chars().count() > limit
        || text.trim() != text
        || text.contains(char::is_control);
    match bad {
        false => Ok(()),
        true => Err(Rejection::invalid(
            field,
            format!("must be 1 to {limit} visible characters, without spaces around them"),
        )),
    }
}

/// A code: 1 to `limit` lower-case letters, digits and dashes.
pub fn code(field: &str, code: &str, limit: usize) -> Result<(), Rejection> {
    let letters = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    match !code.is_empty() && code.len() <= limit && code.bytes().all(letters) {
        true => Ok(()),
        false => Err(Rejection::invalid(
            field,
            format!("must be 1 to {limit} lower-case letters, digits and dashes"),
        )),
    }
}

/// A list of codes of channels or customer groups, each once.
pub fn codes(field: &str, codes: &[String]) -> Result<(), Rejection> {
    count(field, codes.len(), 0, MAX_CODES)?;
    each_once(field, codes)?;
    for (i, one) in codes.iter().enumerate() {
        code(&format!("{field}[{i}]"), one, 40)?;
    }
    Ok(())
}

/// A list of countries, each once.
pub fn countries(field: &str, countries: &[String]) -> Result<(), Rejection> {
    count(field, countries.len(), 1, 250)?;
    each_once(field, countries)?;
    for (i, one) in countries.iter().enumerate() {
        country(&format!("{field}[{i}]"), one)?;
    }
    Ok(())
}

/// ISO 3166-1 alpha-2.
pub fn country(field: &str, country: &str) -> Result<(), Rejection> {
    match country.len() == 2 && country.bytes().all(|b| b.is_ascii_uppercase()) {
        true => Ok(()),
        false => Err(Rejection::invalid(
            field,
            "must be two capital letters (ISO 3166-1), for example GB",
        )),
    }
}

/// Names what stands in a list twice.
pub fn each_once<T: AsRef<str>>(field: &str, values: &[T]) -> Result<(), Rejection> {
    let mut seen = std::collections::HashSet::new();
    for (i, value) in values.iter().enumerate() {
        if !seen.insert(value.as_ref()) {
            return Err(Rejection::invalid(
                format!("{field}[{i}]"),
                "stands here twice",
            ));
        }
    }
    Ok(())
}

/// A list of `least` to `most`.
pub fn count(field: &str, entries: usize, least: usize, most: usize) -> Result<(), Rejection> {
    match (least..=most).contains(&entries) {
        true => Ok(()),
        false => Err(Rejection::invalid(
            field,
            format!("must have {least} to {most} entries"),
        )),
    }
}

/// A number from `least` to `most`.
pub fn number(field: &str, number: i64, least: i64, most: i64) -> Result<(), Rejection> {
    match (least..=most).contains(&number) {
        true => Ok(()),
        false => Err(Rejection::invalid(
            field,
            format!("must be {least} to {most}"),
        )),
    }
}

/// An order among rules.
pub fn priority(priority: i64) -> Result<(), Rejection> {
    number("priority", priority, -1_000, 1_000)
}

/// A limit of uses, if there is one.
pub fn limit(field: &str, limit: Option<i64>) -> Result<(), Rejection> {
    limit.map_or(Ok(()), |limit| number(field, limit, 1, MAX_USES))
}

/// A share in millionths: 1 to the whole.
pub fn share(field: &str, ppm: i64) -> Result<(), Rejection> {
    match (1..=1_000_000).contains(&ppm) {
        true => Ok(()),
        false => Err(Rejection::invalid(
            field,
            "must be 1 to 1,000,000 millionths (1,000,000 is 100 %)",
        )),
    }
}

/// An amount of at least `least` minor units; `field` is the money's.
pub fn amount(field: &str, money: Money, least: i64) -> Result<(), Rejection> {
    match (least..=MAX_AMOUNT).contains(&money.amount) {
        true => Ok(()),
        false => Err(Rejection::invalid(
            format!("{field}.amount"),
            format!("must be {least} to {MAX_AMOUNT} minor units"),
        )),
    }
}

/// 1 to 128 printable characters; spaces only inside.
pub fn sku(field: &str, sku: &str) -> Result<(), Rejection> {
    text(field, sku, MAX_SKU)
}

/// A time in which something holds: it ends after it starts.
pub fn period(starts: Option<Timestamp>, ends: Option<Timestamp>) -> Result<(), Rejection> {
    for (field, moment) in [("starts_at", starts), ("ends_at", ends)] {
        if moment.is_some_and(|moment| !(0..MAX_TIME).contains(&moment.0)) {
            let detail = "must be microseconds since 1970, at most to the year 9999";
            return Err(Rejection::invalid(field, detail));
        }
    }
    match (starts, ends) {
        (Some(starts), Some(ends)) if ends <= starts => Err(Rejection::invalid(
            "ends_at",
            "must be later than starts_at",
        )),
        _ => Ok(()),
    }
}
