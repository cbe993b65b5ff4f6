//! The addresses of the shop's own pages and of the API it reads, made in one place so that no
//! value reaches an address unescaped.

use std::fmt::Write as _;

/// Percent-encodes everything but RFC 3986's unreserved characters.
pub fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                encoded.push(char::from(byte));
            }
            _ => {
                let _ = write!(encoded, "%{byte:02X}");
            }
        }
    }
    encoded
}

/// `path?name=value&…` of those values that are there and not empty.
pub fn with_query(path: &str, values: &[(&str, Option<&str>)]) -> String {
    let mut address = path.to_owned();
    let given = values.iter().filter_map(|(name, value)| {
        let value = value.filter(|value| !value.is_empty())?;
        Some((name, value))
    });
    for (place, (name, value)) in given.enumerate() {
        let mark = if place == 0 { '?' } else { '&' };
        let _ = write!(address, "{mark}{name}={}", encode(value));
    }
    address
}

/// `/p/{handle}`
pub fn product(handle: &str) -> String {
    format!("/p/{}", encode(handle))
}

/// `/c/{path}`, or `/` for the root.
pub fn category(path: &str) -> String {
    let steps: Vec<_> = path
        .split('/')
        .filter(|step| !step.is_empty())
        .map(encode)
        .collect();
    match steps.is_empty() {
        true => "/".into(),
        false => format!("/c/{}", steps.join("/")),
    }
}

/// `/orders/{id}`
pub fn order(id: &str) -> String {
    format!("/orders/{}", encode(id))
}

/// An address for an `src` or `href` that came from outside, if it is one that a page may use:
/// `https:`, `http:`, or a path of this shop. Never `javascript:` or the like.
pub fn outside(url: &str) -> Option<&str> {
    let own_path = url.starts_with('/') && !url.starts_with("//") && !url.starts_with("/\\");
    (own_path || url.starts_with("https://") || url.starts_with("http://")).then_some(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_values_stay_values() {
        assert_eq!(product("a/../b?c#d"), "/p/a%2F..%2Fb%3Fc%23d");
        assert_eq!(category("home//büro & co"), "/c/home/b%C3%BCro%20%26%20co");
        assert_eq!(category(""), "/");
        assert_eq!(
            with_query(
                "/",
                &[("q", Some("tea & cake")), ("cursor", None), ("x", Some(""))]
            ),
            "/?q=tea%20%26%20cake"
        );
    }

    #[test]
    fn only_web_addresses_and_own_paths_pass() {
        for good in [
            "https://cdn.example/a.jpg",
            "http://cdn.example/a.jpg",
            "/media/a.svg",
        ] {
            assert_eq!(outside(good), Some(good));
        }
        for bad in [
            "javascript:alert(1)",
            "data:text/html,x",
            "//evil.example/",
            "/\\evil.example",
            "a.jpg",
            "",
        ] {
            assert_eq!(outside(bad), None, "{bad}");
        }
    }
}
