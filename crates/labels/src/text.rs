//! Text as the base fonts of PDF can show it.

/// The characters of Windows code page 1252 from 0x80 to 0x9F (PDF 32000-1, annex D: WinAnsi);
/// below and above, code and code point are the same.
const HIGH: [char; 32] = [
    '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž', '\u{8f}',
    '\u{90}', '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}', 'ž', 'Ÿ',
];

fn win_ansi(c: char) -> Option<u8> {
    match c {
        ' '..='~' | '\u{a0}'..='\u{ff}' => u8::try_from(u32::from(c)).ok(),
        '\u{0}'..='\u{9f}' => None,
        _ => {
            let place = HIGH.iter().position(|high| *high == c)?;
            u8::try_from(place + 0x80).ok()
        }
    }
}

/// Text in the encoding of the base fonts. What they do not have is written in the Latin letters
/// nearest to it; what has none is left out. Control characters become spaces.
pub fn encode(text: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    for c in text.chars() {
        match win_ansi(c) {
            Some(byte) => out.push(byte),
            None if c.is_control() => out.push(b' '),
            None => {
                let near = deunicode::deunicode_char(c).unwrap_or_default();
                out.extend(near.bytes().filter(|b| (b' '..=b'~').contains(b)));
            }
        }
    }
    out
}

/// The text as it will be read on paper.
pub fn latin(text: &str) -> String {
    let back = |byte: u8| match byte {
        0x80..=0x9f => HIGH[usize::from(byte - 0x80)],
        byte => char::from(byte),
    };
    encode(text).into_iter().map(back).collect()
}

/// At most `limit` characters; what is cut off shows as an ellipsis.
pub fn clip(text: &str, limit: usize) -> String {
    match text.chars().count() <= limit {
        true => text.to_owned(),
        false => {
            let kept: String = text.chars().take(limit.saturating_sub(1)).collect();
            kept.trim_end().to_owned() + "…"
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn western_letters_stay_and_others_become_the_nearest() {
        assert_eq!(
            latin("Zoë Müller, Čapek & Łódź – 5 €"),
            "Zoë Müller, Capek & Lódz – 5 €"
        );
        assert_eq!(latin("Москва"), "Moskva");
        assert_eq!(latin("Αθήνα"), "Athena");
        assert_eq!(latin("a\u{0}b\nc"), "a b c");
        assert_eq!(encode("é€"), [0xe9, 0x80]);
    }

    #[test]
    fn long_text_is_clipped_visibly() {
        assert_eq!(clip("abcdef", 6), "abcdef");
        assert_eq!(clip("abcdefg", 6), "abcde…");
    }
}
