//! The secrets identity hands out. Each is shown once and kept as a hash.

use std::fmt::{self, Write as _};

use contracts::identity::{ApiKeyId, SessionId};
use kernel::Ids;
use web::hash_token;

/// A secret text on its way to whom it belongs. Its `Debug` shows nothing.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

impl Token {
    /// The text, to be shown to its owner.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// What is kept of it.
    pub fn hash(&self) -> String {
        hash_token(&self.0)
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// A new session's name and token: `ses_<id>_<64 hex digits>`.
pub fn new_session(ids: &dyn Ids) -> (SessionId, Token) {
    let id = SessionId::generate(ids);
    let token = Token(format!("{id}_{}", hex(&ids.secret())));
    (id, token)
}

/// A new API key's name and token: `souk_<id>_<64 hex digits>`.
pub fn new_api_key(ids: &dyn Ids) -> (ApiKeyId, Token) {
    let id = ApiKeyId::generate(ids);
    let short = id.as_str().trim_start_matches("key_");
    let token = Token(format!("souk_{short}_{}", hex(&ids.secret())));
    (id, token)
}

/// What a token names, by its form alone.
#[derive(Debug, PartialEq)]
pub enum Named {
    /// A session.
    Session(SessionId),
    /// An API key.
    ApiKey(ApiKeyId),
}

/// Reads which stream a token belongs to; `None` for text that is no token of ours.
pub fn name_of(token: &str) -> Option<Named> {
    if token.len() > 200 {
        return None;
    }
    let (kind, rest) = token.split_once('_')?;
    let (id, _secret) = rest.split_once('_')?;
    match kind {
        "ses" => format!("ses_{id}").parse().ok().map(Named::Session),
        "souk" => format!("key_{id}").parse().ok().map(Named::ApiKey),
        _ => None,
    }
}

/// A password made by the shop: four groups of five letters and digits, 100 random bits, without
/// characters that look alike (Crockford's base 32).
pub fn one_time_password(ids: &dyn Ids) -> String {
    const LETTERS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
    let mut text = String::with_capacity(23);
    for (i, byte) in ids.secret().iter().take(20).enumerate() {
        if i > 0 && i % 5 == 0 {
            text.push('-');
        }
        text.push(char::from(LETTERS[usize::from(byte & 31)]));
    }
    text
}

fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        let _ = write!(text, "{byte:02x}");
    }
    text
}

#[cfg(test)]
mod tests {
    use kernel::testing::CountingIds;

    use super::*;

    #[test]
    fn a_token_names_its_stream_and_hides_itself() {
        let ids = CountingIds::default();
        let (session, token) = new_session(&ids);
        assert_eq!(name_of(token.reveal()), Some(Named::Session(session)));
        let (key, token) = new_api_key(&ids);
        assert!(token.reveal().starts_with("souk_"));
        assert_eq!(name_of(token.reveal()), Some(Named::ApiKey(key)));
        assert_eq!(format!("{token:?}"), "***");
    }

    #[test]
    fn what_is_no_token_names_nothing() {
        let long = format!("ses_1_{}", "a".repeat(300));
        for bad in ["", "ses", "ses_1", "gst_1_2", "souk_-_x", "souk__x", &long] {
            assert_eq!(name_of(bad), None, "{bad}");
        }
    }

    #[test]
    fn one_time_passwords_are_long_enough_and_easy_to_type() {
        let password = one_time_password(&CountingIds::default());
        assert_eq!(password.len(), 23);
        assert_eq!(password.matches('-').count(), 3);
    }
}
