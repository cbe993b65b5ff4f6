//! The visitor's cookies: all of the shop's memory of a visitor without an account.
//!
//! `HttpOnly` so that no script can read them, `SameSite=Lax` so that other sites' forms do not
//! carry them (a link or the way back from 3-D Secure does), `Secure` once the shop is on TLS.

use axum::http::{HeaderMap, HeaderValue, header};
use contracts::cart::CartId;

/// The cart's id.
pub const CART: &str = "souk_cart";
/// How many units the cart held when it was last seen, for the badge in the header.
pub const COUNT: &str = "souk_count";
/// A guest's right to one order; its path is that order's page, so several orders do not mix.
pub const ORDER: &str = "souk_order";

/// Ninety days.
const LIFETIME: u32 = 90 * 24 * 60 * 60;

/// The value of a cookie of this request.
pub fn read<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find_map(|(found, value)| (found == name).then_some(value))
}

/// The cart, if the visitor has one. What is not an id is no cart.
pub fn cart(headers: &HeaderMap) -> Option<CartId> {
    read(headers, CART)?.parse().ok()
}

/// How many units the cart held when last seen.
pub fn count(headers: &HeaderMap) -> Option<i64> {
    read(headers, COUNT)?
        .parse()
        .ok()
        .filter(|count| *count > 0)
}

/// The guest's access token of the order this page is about.
pub fn order_token(headers: &HeaderMap) -> Option<&str> {
    read(headers, ORDER).filter(|token| is_order_token(token))
}

/// The token in the address of a link, as messages to guests hold it: `?access_token=gst_…`.
pub fn linked_order_token(query: Option<&str>) -> Option<&str> {
    let mut pairs = query?.split('&');
    let token = pairs.find_map(|pair| pair.strip_prefix("access_token="));
    token.filter(|token| is_order_token(token))
}

fn is_order_token(token: &str) -> bool {
    token.starts_with("gst_") && token.len() <= 256 && token.bytes().all(is_token_byte)
}

fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-'
}

/// A `Set-Cookie` value. `value` is text of ours (an id, a number, a checked token); one that does
/// not fit a header is dropped.
pub fn set(name: &str, value: &str, path: &str, secure: bool) -> Option<HeaderValue> {
    let secure = if secure { "; Secure" } else { "" };
    let line =
        format!("{name}={value}; Path={path}; Max-Age={LIFETIME}; HttpOnly; SameSite=Lax{secure}");
    line.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(cookie: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(header::COOKIE, HeaderValue::from_static(cookie))])
    }

    #[test]
    fn a_link_s_token_is_taken_only_if_it_is_one() {
        let linked = linked_order_token;
        assert_eq!(linked(Some("x=1&access_token=gst_aB-9")), Some("gst_aB-9"));
        for bad in [
            "access_token=eyJ",
            "access_token=gst_a%3B",
            "xaccess_token=gst_a",
        ] {
            assert_eq!(linked(Some(bad)), None, "{bad}");
        }
        assert_eq!(linked(None), None);
    }

    #[test]
    fn cookies_are_found_by_their_whole_name() {
        let headers = headers("xsouk_cart=crt_9; souk_cart=crt_01ab; souk_count=3");
        assert_eq!(cart(&headers).expect("a cart").as_str(), "crt_01ab");
        assert_eq!(count(&headers), Some(3));
    }

    #[test]
    fn forged_values_are_no_values() {
        assert_eq!(cart(&headers("souk_cart=../../orders")), None);
        assert_eq!(count(&headers("souk_count=<b>")), None);
        assert_eq!(order_token(&headers("souk_order=eyJhbGciOi")), None);
        assert_eq!(order_token(&headers("souk_order=gst_a b")), None);
        assert_eq!(
            order_token(&headers("souk_order=gst_aB-9")),
            Some("gst_aB-9")
        );
    }

    #[test]
    fn cookies_are_hidden_from_scripts_and_other_sites() {
        let line = set(ORDER, "gst_x", "/orders/ord_1", true).expect("fits");
        let line = line.to_str().expect("ASCII");
        assert_eq!(
            line,
            "souk_order=gst_x; Path=/orders/ord_1; Max-Age=7776000; HttpOnly; SameSite=Lax; Secure"
        );
    }
}
