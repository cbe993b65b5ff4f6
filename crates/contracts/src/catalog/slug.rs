//! How names become parts of an address. Shared, so that importers and the catalogue agree.

/// Turns a name into a handle: lower case ASCII letters and digits, runs of anything else become
/// one dash, none at the ends; common Latin letters lose their accents. At most 200 bytes. Empty
/// when the text has nothing to make a handle of.
///
/// ```
/// assert_eq!(contracts::catalog::slug("Café Crème — Large"), "cafe-creme-large");
/// ```
pub fn slug(text: &str) -> String {
    let mut out = String::with_capacity(text.len().min(MAX_HANDLE));
    for letter in text.chars().flat_map(char::to_lowercase) {
        match letter {
            'a'..='z' | '0'..='9' => out.push(letter),
            // An apostrophe inside a word does not part it: "men's" is "mens".
            '\'' | '\u{2019}' => {}
            other => match plain(other) {
                Some(plain) => out.push_str(plain),
                None if !out.is_empty() && !out.ends_with('-') => out.push('-'),
                None => {}
            },
        }
        if out.len() >= MAX_HANDLE {
            break;
        }
    }
    out.truncate(MAX_HANDLE);
    out.truncate(out.trim_end_matches('-').len());
    out
}

/// Longest handle and longest segment of a slug, in bytes.
pub const MAX_HANDLE: usize = 200;

/// Whether `text` is a handle: groups of lower case letters and digits parted by single dashes.
pub fn is_handle(text: &str) -> bool {
    text.len() <= MAX_HANDLE
        && text.split('-').all(|group| {
            !group.is_empty()
                && group
                    .bytes()
                    .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
        })
}

/// A lower case Latin letter without its accent.
fn plain(letter: char) -> Option<&'static str> {
    Some(match letter {
        'à'..='å' | 'ā' | 'ă' | 'ą' => "a",
        'æ' => "ae",
        'ç' | 'ć' | 'č' | 'ĉ' | 'ċ' => "c",
        'ð' | 'ď' | 'đ' => "d",
        'è'..='ë' | 'ē' | 'ĕ' | 'ė' | 'ę' | 'ě' => "e",
        'ğ' | 'ĝ' | 'ġ' | 'ģ' => "g",
        'ì'..='ï' | 'ī' | 'į' | 'ı' => "i",
        'ķ' => "k",
        'ł' | 'ļ' | 'ľ' => "l",
        'ñ' | 'ń' | 'ņ' | 'ň' => "n",
        'ò'..='ö' | 'ø' | 'ō' | 'ő' => "o",
        'œ' => "oe",
        'ŕ' | 'ř' => "r",
        'ś' | 'š' | 'ş' | 'ș' => "s",
        'ß' => "ss",
        'ţ' | 'ť' | 'ț' => "t",
        'þ' => "th",
        'ù'..='ü' | 'ū' | 'ů' | 'ű' | 'ų' => "u",
        'ý' | 'ÿ' => "y",
        'ź' | 'ż' | 'ž' => "z",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_handles() {
        for (name, handle) in [
            ("T-Shirt  with Logo!", "t-shirt-with-logo"),
            ("Men's Straße N° 5", "mens-strasse-n-5"),
            ("--x--", "x"),
            ("茶", ""),
            ("", ""),
        ] {
            assert_eq!(slug(name), handle, "{name}");
        }
        assert_eq!(slug(&"ab ".repeat(200)).len(), 200);
    }

    #[test]
    fn what_slug_makes_is_a_handle_and_stays_itself() {
        for name in ["A b", "éèß-1", &"x y".repeat(120), "a'b"] {
            let made = slug(name);
            assert!(is_handle(&made), "{made}");
            assert_eq!(slug(&made), made);
        }
        for bad in ["", "-", "a--b", "a-", "A", "a_b", "a b", "prd_1"] {
            assert!(!is_handle(bad), "{bad}");
        }
    }
}
