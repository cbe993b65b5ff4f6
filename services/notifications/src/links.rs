//! Addresses of the shop's own pages, made in one place so that no value reaches one unescaped.

use std::fmt::Write as _;

use contracts::cart::CartId;
use kernel::App;
use web::hash_token;

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

/// An address that came from outside, if a mail may link to it: never `javascript:` or the like.
pub fn outside(url: &str) -> Option<&str> {
    let good = url.starts_with("https://") || url.starts_with("http://");
    (good && url.len() <= 2_000 && !url.contains(|c: char| c.is_control() || c.is_whitespace()))
        .then_some(url)
}

/// An order's page; with the guest's right to see it, when there is a token.
pub fn order(shop: &str, id: &str, token: Option<&str>) -> String {
    let page = format!("{shop}/orders/{}", encode(id));
    match token {
        Some(token) => format!("{page}?access_token={}", encode(token)),
        None => page,
    }
}

/// The token that lets a guest see the order that came from this cart. The cart derives it in the
/// same way instead of keeping it; what does not fit the order's own hash of it is not used.
pub fn guest_token(app: &App, cart: &CartId, hash: &str) -> Option<String> {
    let token = format!("gst_{}", app.keys().blind("guest-token", cart.as_str()));
    (hash_token(&token) == hash).then_some(token)
}

/// A product's page.
pub fn product(shop: &str, handle: &str) -> String {
    format!("{shop}/p/{}", encode(handle))
}

/// Where an address is verified.
pub fn verify(shop: &str, token: &str) -> String {
    format!("{shop}/account/verify?token={}", encode(token))
}

/// Where a reader says "no more": signed, so that nobody says it for another.
pub fn unsubscribe(app: &App, shop: &str, message_id: &str) -> String {
    let (id, signature) = (encode(message_id), encode(&signature(app, message_id)));
    format!("{shop}/api/notifications/unsubscribe?message={id}&signature={signature}")
}

/// Whether the signature of such an address is ours. Compared as hashes: the time it takes says
/// nothing about how much of it was right.
pub fn is_signed(app: &App, message_id: &str, given: &str) -> bool {
    hash_token(&signature(app, message_id)) == hash_token(given)
}

fn signature(app: &App, message_id: &str) -> String {
    app.keys().blind("notifications-unsubscribe", message_id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_values_stay_values() {
        assert_eq!(
            product("https://s", "a/../b?c#d"),
            "https://s/p/a%2F..%2Fb%3Fc%23d"
        );
        assert_eq!(
            order("https://s", "ord_1", Some("gst_a&b")),
            "https://s/orders/ord_1?access_token=gst_a%26b"
        );
    }

    #[test]
    fn only_web_addresses_are_linked_to() {
        assert_eq!(
            outside("https://post.example/1"),
            Some("https://post.example/1")
        );
        for bad in ["javascript:alert(1)", "data:x", "//a", "", "http://a\nb"] {
            assert_eq!(outside(bad), None, "{bad}");
        }
    }
}
