//! Patterns of postcodes, as tax rates name them.

/// Longest pattern, in characters.
const MAX_PATTERN: usize = 40;

/// A pattern as it is kept: in capital letters, without spaces and dashes. It is a postcode, in
/// which `?` stands for one character and a final `*` for any others, or two numbers of equally many
/// digits with two dots between, the lower one first.
///
/// # Errors
/// What is wrong with it.
pub fn pattern_of(typed: &str) -> Result<String, &'static str> {
    let plain = |c: &char| !c.is_whitespace() && *c != '-';
    let pattern: String = typed
        .chars()
        .filter(plain)
        .map(|c| c.to_ascii_uppercase())
        .collect();
    if pattern.is_empty() || pattern.len() > MAX_PATTERN {
        return Err("must have 1 to 40 letters and digits");
    }
    if let Some((first, last)) = pattern.split_once("..") {
        return range(first, last);
    }
    let body = pattern.strip_suffix('*').unwrap_or(&pattern);
    let fine = |b: u8| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'?';
    match body.bytes().all(fine) {
        true => Ok(pattern),
        false => {
            Err("must be letters, digits, `?` for one character, and at most one `*`, at the end")
        }
    }
}

fn range(first: &str, last: &str) -> Result<String, &'static str> {
    let number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let fits = number(first) && number(last) && first.len() == last.len() && first.len() <= 18;
    match fits && first <= last {
        true => Ok(format!("{first}..{last}")),
        false => Err(
            "must be two numbers of equally many digits, the lower one first, as in 35000..35999",
        ),
    }
}
