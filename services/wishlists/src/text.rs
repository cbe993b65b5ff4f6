//! What people write, checked: lengths, and nothing that is not plain text.

use kernel::Rejection;

/// Longest name of a list, in characters.
pub const LIST_NAME: usize = 100;
/// Longest name of an owner, in characters.
pub const OWNER_NAME: usize = 60;
/// Longest note, in characters.
pub const NOTE: usize = 500;

/// One line of at most `longest` characters; nothing when it is empty.
pub fn line(field: &str, text: Option<&str>, longest: usize) -> Result<Option<String>, Rejection> {
    // Characters that turn the direction of what follows (Unicode UAX #9) can make a text look
    // like another one.
    let odd = |c: char| {
        c.is_control()
            || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    let text = text.unwrap_or_default().trim();
    if text.chars().count() > longest || text.contains(odd) {
        let detail = format!("must be one line of plain text, at most {longest} characters");
        return Err(Rejection::invalid(field, detail));
    }
    Ok(Some(text.to_owned()).filter(|text| !text.is_empty()))
}

/// A SKU as a caller sent it.
pub fn sku(sku: &str) -> Result<(), Rejection> {
    match sku.is_empty() || sku.len() > 200 || sku.contains(char::is_control) {
        false => Ok(()),
        true => {
            let detail = "must be 1 to 200 characters without control characters";
            Err(Rejection::invalid("sku", detail))
        }
    }
}
