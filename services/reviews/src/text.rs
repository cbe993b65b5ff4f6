//! What people write, checked: lengths, and nothing that is not plain text.

use contracts::reviews::{
    Objection, ReviewContent,
    api::{ImportedReview, NewReview, ReviewChange},
};
use kernel::Rejection;

/// Longest title, in characters.
pub const TITLE: usize = 120;
/// Longest review, in characters.
pub const TEXT: usize = 5_000;
/// Longest name, in characters.
pub const NAME: usize = 60;
/// Longest note of a moderator or reporter, in characters.
pub const NOTE: usize = 1_000;
/// Longest answer of the shop, in characters.
pub const REPLY: usize = 2_000;

/// Characters that turn the direction of what follows (Unicode UAX #9): they can make a text look
/// like another one.
fn turns(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// One line of at most `longest` characters; may be empty.
pub fn line(field: &str, text: &str, longest: usize) -> Result<String, Rejection> {
    let text = text.trim();
    let odd = |c: char| c.is_control() || turns(c);
    if text.chars().count() > longest || text.contains(odd) {
        let detail = format!("must be one line of plain text, at most {longest} characters");
        return Err(Rejection::invalid(field, detail));
    }
    Ok(text.to_owned())
}

/// Some lines, 1 to `longest` characters.
pub fn lines(field: &str, text: &str, longest: usize) -> Result<String, Rejection> {
    let text = text.replace("\r\n", "\n");
    let text = text.trim();
    let odd = |c: char| c.is_control() && c != '\n' && c != '\t' || turns(c);
    let length = text.chars().count();
    if length == 0 || length > longest || text.contains(odd) {
        let detail = format!("must be plain text of 1 to {longest} characters");
        return Err(Rejection::invalid(field, detail));
    }
    Ok(text.to_owned())
}

/// 1 to 5.
pub fn rating(rating: u8) -> Result<u8, Rejection> {
    match rating {
        1..=5 => Ok(rating),
        _ => Err(Rejection::invalid("rating", "must be from 1 to 5")),
    }
}

/// A note, which `other` cannot do without.
pub fn note(reason: Objection, note: Option<&str>) -> Result<Option<String>, Rejection> {
    match note.map(str::trim).filter(|note| !note.is_empty()) {
        Some(note) => lines("note", note, NOTE).map(Some),
        None if reason == Objection::Other => {
            Err(Rejection::invalid("note", "must say what is wrong"))
        }
        None => Ok(None),
    }
}

fn name(text: Option<&str>) -> Result<Option<String>, Rejection> {
    let name = line("display_name", text.unwrap_or_default(), NAME)?;
    Ok(Some(name).filter(|name| !name.is_empty()))
}

/// What a new review says.
pub fn content(new: &NewReview) -> Result<ReviewContent, Rejection> {
    Ok(ReviewContent {
        title: line("title", &new.title, TITLE)?,
        text: lines("text", &new.text, TEXT)?,
        display_name: name(new.display_name.as_deref())?,
    })
}

/// What an imported review says.
pub fn imported(new: &ImportedReview) -> Result<ReviewContent, Rejection> {
    content(&NewReview {
        rating: new.rating,
        title: new.title.clone(),
        text: new.text.clone(),
        display_name: new.display_name.clone(),
    })
}

/// What a review says after `change`.
pub fn changed(old: &ReviewContent, change: &ReviewChange) -> Result<ReviewContent, Rejection> {
    let mut new = old.clone();
    if let Some(title) = &change.title {
        new.title = line("title", title, TITLE)?;
    }
    if let Some(text) = &change.text {
        new.text = lines("text", text, TEXT)?;
    }
    if change.display_name.is_some() {
        new.display_name = name(change.display_name.as_deref())?;
    }
    Ok(new)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_text_is_taken_and_trimmed() {
        assert_eq!(line("title", " Good ", TITLE).expect("taken"), "Good");
        assert_eq!(lines("text", "a\r\nb\n", TEXT).expect("taken"), "a\nb");
        assert_eq!(
            lines("text", "<b>é 🙂</b>", TEXT).expect("taken"),
            "<b>é 🙂</b>"
        );
    }

    #[test]
    fn what_is_no_plain_text_or_too_long_is_refused() {
        let (title, text) = ("x".repeat(TITLE + 1), "é".repeat(TEXT + 1));
        for bad in ["a\nb", "a\u{0}", "a\u{202e}b", &title] {
            let refused = line("title", bad, TITLE).expect_err(bad);
            assert_eq!(refused.field.as_deref(), Some("title"));
        }
        for bad in ["", " \n ", "a\u{7}", "\u{2066}a", &text] {
            assert!(lines("text", bad, TEXT).is_err(), "{bad:?}");
        }
        assert!(rating(0).is_err() && rating(6).is_err() && rating(5).is_ok());
        assert!(note(Objection::Other, Some(" ")).is_err());
        assert_eq!(note(Objection::Spam, None), Ok(None));
    }
}
