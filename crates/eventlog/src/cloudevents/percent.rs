//! Text in headers: printable ASCII, the rest percent-encoded (CloudEvents HTTP binding 3.1.3.2,
//! which NATS headers follow).

use std::borrow::Cow;

fn plain(byte: u8) -> bool {
    matches!(byte, 0x21..=0x7E) && byte != b'"' && byte != b'%'
}

/// Makes any text fit for a header.
pub fn encode(text: &str) -> Cow<'_, str> {
    if text.bytes().all(plain) {
        return Cow::Borrowed(text);
    }
    const HEX: [char; 16] = [
        '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'A', 'B', 'C', 'D', 'E', 'F',
    ];
    let mut encoded = String::with_capacity(text.len() + 16);
    for byte in text.bytes() {
        if plain(byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push('%');
            encoded.push(HEX[usize::from(byte >> 4)]);
            encoded.push(HEX[usize::from(byte & 15)]);
        }
    }
    Cow::Owned(encoded)
}

/// The text behind a header; `None` when that is not UTF-8. A `%` that begins no code stands for
/// itself.
pub fn decode(header: &str) -> Option<Cow<'_, str>> {
    if !header.contains('%') {
        return Some(Cow::Borrowed(header));
    }
    let bytes = header.as_bytes();
    let digit = |at: usize| bytes.get(at).and_then(|b| char::from(*b).to_digit(16));
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        match (byte, digit(at + 1), digit(at + 2)) {
            (b'%', Some(high), Some(low)) => {
                decoded.push((high * 16 + low) as u8);
                at += 3;
            }
            _ => {
                decoded.push(*byte);
                at += 1;
            }
        }
    }
    String::from_utf8(decoded).ok().map(Cow::Owned)
}
