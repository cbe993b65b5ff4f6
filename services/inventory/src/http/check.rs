//! Limits on what callers send, said in terms of the field.

use kernel::Rejection;

/// Longest SKU, in characters.
pub const MAX_SKU: usize = 100;
/// Most lines of a bulk request.
pub const MAX_LINES: usize = 5_000;
/// Most units a line may change or move.
pub const MAX_DELTA: i64 = 10_000_000;

/// 1 to 100 visible characters; spaces only inside.
pub fn sku(field: &str, sku: &str) -> Result<(), Rejection> {
    let bad = sku.is_empty()
        || sku.chars().count() > MAX_SKU
        || sku.trim() != sku
        || sku.contains(char::is_control);
    match bad {
        false => Ok(()),
        true => Err(Rejection::invalid(
            field,
            format!("must be 1 to {MAX_SKU} visible characters"),
        )),
    }
}

/// Optional text of at most `limit` characters, without control characters.
pub fn text(field: &str, text: Option<&str>, limit: usize) -> Result<(), Rejection> {
    let Some(text) = text else { return Ok(()) };
    let bad = text.is_empty() || text.chars().count() > limit || text.contains(char::is_control);
    match bad {
        false => Ok(()),
        true => Err(Rejection::invalid(
            field,
            format!("must be 1 to {limit} visible characters, or be left out"),
        )),
    }
}

/// A list of 1 to `limit`.
pub fn count(field: &str, lines: usize, limit: usize) -> Result<(), Rejection> {
    match (1..=limit).contains(&lines) {
        true => Ok(()),
        false => Err(Rejection::invalid(
            field,
            format!("must have 1 to {limit} entries"),
        )),
    }
}

/// A number from `least` to [`MAX_DELTA`].
pub fn units(field: &str, units: i64, least: i64) -> Result<(), Rejection> {
    match (least..=MAX_DELTA).contains(&units) {
        true => Ok(()),
        false => Err(Rejection::invalid(
            field,
            format!("must be {least} to {MAX_DELTA}"),
        )),
    }
}

/// An optional ISO 3166-1 alpha-2 code: two capital letters.
pub fn country(field: &str, country: Option<&str>) -> Result<(), Rejection> {
    match country {
        Some(c) if c.len() != 2 || !c.bytes().all(|b| b.is_ascii_uppercase()) => Err(
            Rejection::invalid(field, "must be two capital letters (ISO 3166-1), as in GB"),
        ),
        _ => Ok(()),
    }
}
