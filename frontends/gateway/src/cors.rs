//! Cross-origin requests (the Fetch standard's CORS protocol): none unless configured.

use axum::{
    body::Body,
    http::{HeaderMap, HeaderValue, Method, Response, StatusCode, header},
};

const METHODS: HeaderValue = HeaderValue::from_static("GET, POST, PUT, PATCH, DELETE");
const HEADERS: HeaderValue = HeaderValue::from_static(
    "authorization, content-type, idempotency-key, prefer, traceparent, x-api-key, x-request-id",
);
const EXPOSED: HeaderValue =
    HeaderValue::from_static("location, preference-applied, retry-after, x-request-id");
const TEN_MINUTES: HeaderValue = HeaderValue::from_static("600");

/// Which other sites' pages may call.
pub struct Cors {
    any: bool,
    origins: Vec<HeaderValue>,
}

/// What to add to an answer.
pub struct Allowed {
    origin: HeaderValue,
    /// Whether cookies may go along: only for sites that were named.
    credentials: bool,
}

impl Cors {
    /// Lets these origins in; `*` is any.
    pub fn new(origins: &[String]) -> Self {
        let listed = origins.iter().filter(|origin| *origin != "*");
        Self {
            any: origins.iter().any(|origin| origin == "*"),
            origins: listed
                .filter_map(|origin| HeaderValue::from_str(origin).ok())
                .collect(),
        }
    }

    /// Whether the request comes from another site's page that may call.
    pub fn check(&self, headers: &HeaderMap) -> Option<Allowed> {
        let origin = headers.get(header::ORIGIN)?;
        if self.origins.contains(origin) {
            return Some(Allowed {
                origin: origin.clone(),
                credentials: true,
            });
        }
        self.any.then_some(Allowed {
            origin: HeaderValue::from_static("*"),
            credentials: false,
        })
    }

    /// Whether any other site is let in at all, so that answers differ by origin.
    pub fn varies(&self) -> bool {
        !self.origins.is_empty()
    }
}

/// Whether a browser asks beforehand.
pub fn is_preflight(method: &Method, headers: &HeaderMap) -> bool {
    method == Method::OPTIONS
        && headers.contains_key(header::ORIGIN)
        && headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
}

/// The answer to a browser that asks beforehand. Without leave it says nothing, which is a no.
pub fn preflight(allowed: Option<&Allowed>) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    if allowed.is_some() {
        let headers = response.headers_mut();
        headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, METHODS);
        headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, HEADERS);
        headers.insert(header::ACCESS_CONTROL_MAX_AGE, TEN_MINUTES);
    }
    response
}

/// Lets the page read the answer.
pub fn allow(headers: &mut HeaderMap, allowed: Allowed) {
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, allowed.origin);
    headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
    if allowed.credentials {
        let yes = HeaderValue::from_static("true");
        headers.insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, yes);
    }
}
