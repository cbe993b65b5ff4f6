//! The header `Souk-Position`: a caller says what it has seen, so that a copy of the database may
//! answer that is no further behind; the answer says what the caller has seen now.

use std::sync::Arc;

use axum::{extract::Request, http::HeaderValue, middleware::Next, response::Response};
use kernel::freshness::{self, Freshness};

/// The header's name. Its text is a [`Freshness`].
pub const POSITION: &str = "souk-position";

/// Serves a request with its freshness in scope.
pub(crate) async fn scope(request: Request, next: Next) -> Response {
    let token = request.headers().get(POSITION);
    let fresh = match token.and_then(|token| token.to_str().ok()) {
        Some(token) => Freshness::from_token(token),
        None => Freshness::default(),
    };
    let fresh = Arc::new(fresh);
    let mut response = freshness::with(fresh.clone(), next.run(request)).await;
    let seen = fresh.to_string();
    if !seen.is_empty()
        && let Ok(seen) = HeaderValue::from_str(&seen)
    {
        response.headers_mut().insert(POSITION, seen);
    }
    response
}
