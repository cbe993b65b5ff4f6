//! Limits on what callers send, said in terms of the field.

use kernel::{Money, Rejection};

/// Most money one request may issue to, grant to or correct of an account, minor units.
pub const MAX_AMOUNT: i64 = 1_000_000_000;
/// Most gift cards of one request.
pub const MAX_CARDS: i64 = 500;
/// Longest remark, in characters.
const MAX_TEXT: usize = 500;

/// A positive amount.
pub fn positive(field: &str, amount: Money) -> Result<(), Rejection> {
    match (1..=MAX_AMOUNT).contains(&amount.amount) {
        true => Ok(()),
        false => Err(Rejection::invalid(
            format!("{field}.amount"),
            format!("must be 1 to {MAX_AMOUNT} minor units"),
        )),
    }
}

/// An amount that comes or goes.
pub fn change(field: &str, amount: Money) -> Result<(), Rejection> {
    let size = amount.amount.unsigned_abs();
    match (1..=MAX_AMOUNT.unsigned_abs()).contains(&size) {
        true => Ok(()),
        false => Err(Rejection::invalid(
            format!("{field}.amount"),
            format!("must be 1 to {MAX_AMOUNT} minor units, or so many less than nothing"),
        )),
    }
}

/// A remark of 1 to 500 characters, without control characters.
pub fn text(field: &str, text: &str) -> Result<(), Rejection> {
    let bad = text.trim().is_empty()
        || text.chars().count() > MAX_TEXT
        || text.contains(char::is_control);
    match bad {
        false => Ok(()),
        true => Err(Rejection::invalid(
            field,
            format!("must be 1 to {MAX_TEXT} visible characters"),
        )),
    }
}
