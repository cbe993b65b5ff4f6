//! What protects visitors on every page: forms are taken from the shop's own pages only, and pages
//! may load and send nothing that the shop did not intend.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header},
    middleware::Next,
    response::{IntoResponse, Response},
};

use crate::visit::Shop;

/// Refuses forms that another site sent (CSRF). Browsers say where a request comes from:
/// `Sec-Fetch-Site`, or before that `Origin`. A request with neither comes from no browser that
/// would send another site's cookies along: cookies are `SameSite=Lax`, and tools have no cookies
/// that were not given to them.
pub async fn same_origin(request: Request, next: Next) -> Response {
    let reads = matches!(
        *request.method(),
        Method::GET | Method::HEAD | Method::OPTIONS
    );
    if reads || is_ours(request.headers(), request.uri()) {
        return next.run(request).await;
    }
    tracing::info!("refused a form sent from another site");
    let text = "This form was sent from another site, so it was not accepted. Go back to the shop and try again there.";
    (StatusCode::FORBIDDEN, text).into_response()
}

fn is_ours(headers: &HeaderMap, uri: &Uri) -> bool {
    let text = |name: HeaderName| headers.get(name).map(|value| value.to_str().unwrap_or(""));
    if let Some(site) = text(HeaderName::from_static("sec-fetch-site")) {
        // `none`: typed or reloaded by the person; no page can cause it.
        return matches!(site, "same-origin" | "none");
    }
    let Some(origin) = text(header::ORIGIN) else {
        return true;
    };
    let host = text(header::HOST).or_else(|| uri.authority().map(|authority| authority.as_str()));
    // The scheme is left out: behind a proxy that ends TLS we do not see it.
    match (origin.split_once("://"), host) {
        (Some((_, from)), Some(host)) => from.eq_ignore_ascii_case(host),
        _ => false,
    }
}

/// The policy of every page: nothing but the shop's own files; pictures from wherever the merchant
/// keeps them; and one place that scripts may send data to besides the shop, the payment provider.
fn policy(provider: &str) -> String {
    let provider = origin_of(provider);
    format!(
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' https: http:; \
         connect-src 'self' {provider}; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )
}

/// Scheme, host and port of an address; nothing when it is none, rather than a policy that means
/// something else.
fn origin_of(url: &str) -> String {
    let Ok(uri) = url.parse::<Uri>() else {
        return String::new();
    };
    match (uri.scheme_str(), uri.authority()) {
        (Some(scheme @ ("http" | "https")), Some(authority)) => format!("{scheme}://{authority}"),
        _ => String::new(),
    }
}

/// Adds the policy and its companions to every answer.
pub async fn headers(State(shop): State<Arc<Shop>>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    if let Ok(policy) = policy(&shop.config.provider_url).parse::<HeaderValue>() {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    let fixed = [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        // Not `no-referrer`: browsers would then hide `Origin` from our own forms.
        (header::REFERRER_POLICY, "same-origin"),
        (
            HeaderName::from_static("cross-origin-opener-policy"),
            "same-origin",
        ),
    ];
    for (name, value) in fixed {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(pairs: &[(&'static str, &'static str)]) -> bool {
        let headers: HeaderMap = pairs
            .iter()
            .map(|(name, value)| {
                (
                    HeaderName::from_static(name),
                    HeaderValue::from_static(value),
                )
            })
            .collect();
        is_ours(&headers, &Uri::from_static("/cart/lines"))
    }

    #[test]
    fn forms_are_taken_from_our_own_pages_only() {
        let host = ("host", "shop.example:8080");
        assert!(judged(&[host, ("sec-fetch-site", "same-origin")]));
        assert!(!judged(&[host, ("sec-fetch-site", "cross-site")]));
        assert!(!judged(&[host, ("sec-fetch-site", "same-site")]));
        assert!(judged(&[host, ("origin", "https://shop.example:8080")]));
        assert!(!judged(&[host, ("origin", "https://shop.example")]));
        assert!(!judged(&[host, ("origin", "https://evil.example")]));
        assert!(!judged(&[host, ("origin", "null")]));
        assert!(judged(&[host]), "a tool, not a browser");
    }

    #[test]
    fn the_policy_names_the_provider_and_nothing_else() {
        assert!(
            policy("http://127.0.0.1:9090/x").contains("connect-src 'self' http://127.0.0.1:9090;")
        );
        assert!(policy("'unsafe-inline'; script-src *").contains("connect-src 'self' ;"));
    }
}
