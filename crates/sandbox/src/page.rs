//! The pages people see: the 3-D Secure step, and a list of test cards.

use std::fmt::Write as _;

use axum::response::{Html, IntoResponse, Response};
use http::{HeaderName, HeaderValue, StatusCode, Uri, header};

use crate::behaviour::TEST_CARDS;
use crate::payment::Status;
use crate::store::PaymentRow;

const STYLE: &str = "
:root{color-scheme:light dark;--ink:#1b2430;--soft:#5c6878;--paper:#fff;--ground:#eef1f5;--line:#d5dbe3;--yes:#12663f;--no:#a3262a}
@media(prefers-color-scheme:dark){:root{--ink:#eef2f7;--soft:#a5b0bf;--paper:#1d2530;--ground:#12171f;--line:#394453;--yes:#1d8a58;--no:#c4474b}}
*{box-sizing:border-box}
body{margin:0;min-height:100vh;display:grid;place-items:center;padding:1rem;background:var(--ground);color:var(--ink);font:1.05rem/1.5 system-ui,sans-serif}
main{width:100%;max-width:26rem;background:var(--paper);border:1px solid var(--line);border-radius:14px;padding:1.6rem}
main.wide{max-width:52rem}
.who{display:flex;justify-content:space-between;gap:1rem;color:var(--soft);font-size:.9rem}
h1{font-size:1.35rem;line-height:1.25;margin:1rem 0 .4rem}
.sum{font-size:2.1rem;font-weight:650;margin:.2rem 0 1rem;font-variant-numeric:tabular-nums}
dl{display:grid;grid-template-columns:auto 1fr;gap:.3rem 1rem;margin:0 0 1.4rem;padding:1rem 0;border-block:1px solid var(--line)}
dt{color:var(--soft)}dd{margin:0;text-align:right;overflow-wrap:anywhere}
form{display:grid;gap:.7rem}
button,.back{display:block;min-height:3rem;padding:.7rem 1rem;border-radius:10px;font:inherit;font-weight:600;text-align:center;text-decoration:none;cursor:pointer}
button.yes{background:var(--yes);border:2px solid var(--yes);color:#fff}
button.no{background:transparent;border:2px solid var(--no);color:var(--no)}
@media(prefers-color-scheme:dark){button.no{color:#ff9a9d}}
.back{border:2px solid var(--line);color:inherit}
button:focus-visible,.back:focus-visible{outline:3px solid #3b82f6;outline-offset:2px}
p.note{color:var(--soft);font-size:.88rem;margin:1.2rem 0 0}
table{width:100%;border-collapse:collapse;font-size:.92rem}th,td{text-align:left;padding:.45rem .6rem .45rem 0;border-bottom:1px solid var(--line)}
.scroll{overflow-x:auto}code{font-size:.92em}
";

/// The page on which a cardholder approves or refuses. `return_url` was checked before.
pub fn challenge(row: &PaymentRow, return_url: Option<&str>) -> Response {
    if row.state.status != Status::RequiresAction {
        return decided(row.state.status, return_url);
    }
    let hidden = return_url.map_or_else(String::new, |url| {
        format!(
            "<input type=\"hidden\" name=\"return_url\" value=\"{}\">",
            escape(url)
        )
    });
    let body = format!(
        "<div class=\"who\"><span>Sandbox Bank</span><span>Test mode</span></div>\
         <h1>Is this payment yours?</h1><p class=\"sum\">{sum}</p>\
         <dl><dt>Card</dt><dd>{brand} ending in {last4}</dd><dt>Reference</dt><dd>{reference}</dd></dl>\
         <form method=\"post\">{hidden}\
         <button class=\"yes\" name=\"decision\" value=\"approve\">Approve</button>\
         <button class=\"no\" name=\"decision\" value=\"refuse\">Refuse</button></form>\
         <p class=\"note\">This is a test. No money moves.</p>",
        sum = escape(&money(row.state.amount, &row.currency)),
        brand = escape(&row.brand),
        last4 = escape(&row.last4),
        reference = escape(&row.reference),
    );
    html(StatusCode::OK, "Confirm your payment", "", &body)
}

/// The page after the decision, for those who have nowhere to go back to, or come again.
pub fn decided(status: Status, return_url: Option<&str>) -> Response {
    let (title, text) = match status {
        Status::Authorised | Status::Captured => ("Payment approved", "You can close this page."),
        Status::Declined => ("Payment refused", "Nothing was charged."),
        Status::Voided => (
            "Payment withdrawn",
            "The shop no longer asks for this payment.",
        ),
        Status::RequiresAction => ("Payment waiting", "It still has to be approved."),
    };
    let back = return_url.map_or_else(String::new, |url| {
        format!(
            "<a class=\"back\" href=\"{}\">Back to the shop</a>",
            escape(url)
        )
    });
    let body = format!(
        "<div class=\"who\"><span>Sandbox Bank</span></div><h1>{title}</h1><p>{text}</p>{back}"
    );
    html(StatusCode::OK, title, "", &body)
}

/// A page that says what went wrong.
pub fn problem(status: StatusCode, text: &str) -> Response {
    let body = format!("<h1>This does not work</h1><p>{}</p>", escape(text));
    html(status, "This does not work", "", &body)
}

/// The front page: what this is and which cards it knows.
pub fn test_cards() -> Response {
    let mut rows = String::new();
    for card in TEST_CARDS {
        // Writing to a text cannot fail.
        let _ = write!(
            rows,
            "<tr><td><code>{}</code></td><td><code>{}</code></td><td>{}</td></tr>",
            card.number, card.token, card.meaning
        );
    }
    let body = format!(
        "<h1>Sandbox payment provider</h1><p>It behaves like a real provider, but no money moves. \
         Use any expiry date to come and any three digits.</p><div class=\"scroll\"><table>\
         <thead><tr><th>Card</th><th>Token</th><th>What happens</th></tr></thead><tbody>{rows}</tbody></table></div>"
    );
    html(StatusCode::OK, "Sandbox payment provider", "wide", &body)
}

fn html(status: StatusCode, title: &str, class: &str, body: &str) -> Response {
    let page = format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\"><title>{title}</title>\
         <style>{STYLE}</style></head><body><main class=\"{class}\">{body}</main></body></html>"
    );
    let mut response = (status, Html(page)).into_response();
    // Redirects after a form are governed by form-action too, hence the schemes.
    let policy = "default-src 'none'; style-src 'unsafe-inline'; form-action 'self' http: https:; \
                  frame-ancestors 'none'; base-uri 'none'";
    let headers: [(HeaderName, &'static str); 3] = [
        (header::CONTENT_SECURITY_POLICY, policy),
        (header::CACHE_CONTROL, "no-store"),
        (header::REFERRER_POLICY, "no-referrer"),
    ];
    for (name, value) in headers {
        response
            .headers_mut()
            .insert(name, HeaderValue::from_static(value));
    }
    response
}

/// Whether a browser may be sent to `url`: absolute, http or https, of a sane length.
pub fn is_return_url(url: &str) -> bool {
    let sane = url.len() <= 2_048 && url.bytes().all(|byte| byte.is_ascii_graphic());
    sane && url.parse::<Uri>().is_ok_and(|uri| {
        matches!(uri.scheme_str(), Some("http" | "https"))
            && uri.host().is_some_and(|host| !host.is_empty())
    })
}

fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            c => safe.push(c),
        }
    }
    safe
}

/// `1234` of `GBP` is `12.34 GBP`. Digits after ISO 4217.
fn money(amount: u64, currency: &str) -> String {
    let digits = match currency {
        "BIF" | "CLP" | "DJF" | "GNF" | "ISK" | "JPY" | "KMF" | "KRW" | "PYG" | "RWF" | "UGX"
        | "UYI" | "VND" | "VUV" | "XAF" | "XOF" | "XPF" => 0,
        "BHD" | "IQD" | "JOD" | "KWD" | "LYD" | "OMR" | "TND" => 3,
        _ => 2,
    };
    if digits == 0 {
        return format!("{amount} {currency}");
    }
    let unit = 10_u64.pow(digits);
    format!(
        "{}.{:0width$} {currency}",
        amount / unit,
        amount % unit,
        width = digits as usize
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_web_addresses_are_returned_to() {
        for good in [
            "http://127.0.0.1:8080/orders/1?x=1",
            "https://shop.example/thanks",
        ] {
            assert!(is_return_url(good), "{good}");
        }
        let bad = [
            "javascript:alert(1)",
            "data:text/html,x",
            "//evil.example/",
            "/relative",
            "ftp://host/",
            "http://",
            "",
            "http://host/\r\nSet-Cookie: a=b",
            "https:evil",
        ];
        for bad in bad {
            assert!(!is_return_url(bad), "{bad}");
        }
        assert!(!is_return_url(&format!(
            "http://host/{}",
            "a".repeat(3_000)
        )));
    }

    #[test]
    fn money_reads_as_its_currency_is_written() {
        assert_eq!(money(1_234, "GBP"), "12.34 GBP");
        assert_eq!(money(5, "EUR"), "0.05 EUR");
        assert_eq!(money(1_234, "JPY"), "1234 JPY");
        assert_eq!(money(1_234, "KWD"), "1.234 KWD");
    }

    #[test]
    fn text_cannot_become_markup() {
        assert_eq!(
            escape("<b a=\"1\" c='2'>&"),
            "&lt;b a=&quot;1&quot; c=&#39;2&#39;&gt;&amp;"
        );
    }
}
