//! Compression with gzip, when it is asked for and worth it. Costs nothing when not asked for.

use std::{
    convert::Infallible,
    future::{Ready, ready},
    task::{Context, Poll},
};

use axum::{
    body::{Body, HttpBody as _},
    http::{HeaderMap, HeaderValue, Request, Response, header},
};
use tower::{Service, ServiceExt as _};
use tower_http::compression::{Compression, CompressionLevel, predicate::SizeAbove};

/// Below this many bytes packing gains less than it costs.
const WORTH_IT: u64 = 1024;
/// Types that shrink, by their beginnings. Pictures and the like are packed already; a stream of
/// events must not wait in a packer's window.
const SHRINK: [&[u8]; 8] = [
    b"application/json",
    b"application/problem+json",
    b"text/html",
    b"text/css",
    b"text/javascript",
    b"text/plain",
    b"application/javascript",
    b"image/svg+xml",
];

/// What the client accepts, if that includes gzip. (`;q=0` is left to the packer.)
pub fn wanted(headers: &HeaderMap) -> Option<HeaderValue> {
    let accepted = headers.get(header::ACCEPT_ENCODING)?;
    accepted
        .to_str()
        .is_ok_and(|text| text.contains("gzip"))
        .then(|| accepted.clone())
}

/// Packs an answer for a client that accepts `accepted`.
pub async fn compress(accepted: HeaderValue, response: Response<Body>) -> Response<Body> {
    let size = response.body().size_hint().upper();
    let kind = response.headers().get(header::CONTENT_TYPE);
    let shrinks = kind.is_some_and(|kind| {
        SHRINK
            .iter()
            .any(|known| kind.as_bytes().starts_with(known))
    });
    if !shrinks || size.is_some_and(|size| size < WORTH_IT) {
        return response;
    }
    let mut request = Request::new(());
    let headers = request.headers_mut();
    headers.insert(header::ACCEPT_ENCODING, accepted);
    let packed = Compression::new(Once(response))
        .quality(CompressionLevel::Fastest)
        .compress_when(SizeAbove::new(0))
        .oneshot(request)
        .await;
    packed.unwrap_or_else(|never| match never {}).map(Body::new)
}

/// A service that answers its one request with what it was given.
struct Once(Response<Body>);

impl Service<Request<()>> for Once {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Ready<Result<Response<Body>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<()>) -> Self::Future {
        ready(Ok(std::mem::take(&mut self.0)))
    }
}
