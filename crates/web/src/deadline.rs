//! How long a caller waits, passed on from process to process, so that nobody works for a caller
//! who has gone.

use std::time::Duration;

use axum::{
    extract::Request,
    http::{HeaderMap, HeaderName, StatusCode},
    middleware::Next,
    response::{IntoResponse as _, Response},
};

use crate::Problem;

/// Milliseconds that are left for the answer to begin. Relative, because clocks differ.
pub const DEADLINE: HeaderName = HeaderName::from_static("souk-deadline-ms");

/// The time a request's caller waits, if it says so.
pub fn deadline_of(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(DEADLINE)?.to_str().ok()?;
    text.parse().ok().map(Duration::from_millis)
}

/// Refuses work whose caller does not wait any more, and gives up work that takes longer than its
/// caller waits. Only until the answer begins: streams are not cut. For
/// [`axum::middleware::from_fn`], around a service's router.
pub async fn enforce_deadline(request: Request, next: Next) -> Response {
    match deadline_of(request.headers()) {
        None => next.run(request).await,
        Some(Duration::ZERO) => passed(),
        Some(left) => match tokio::time::timeout(left, next.run(request)).await {
            Ok(response) => response,
            Err(_) => passed(),
        },
    }
}

fn passed() -> Response {
    let detail = "this took longer than its caller waits; what became of it is not known";
    Problem::new(StatusCode::GATEWAY_TIMEOUT, "deadline", detail).into_response()
}

#[cfg(test)]
mod tests {
    use axum::{Router, body::Body, middleware::from_fn, routing::get};
    use tower::ServiceExt as _;

    use super::*;

    async fn ask(deadline: Option<&str>) -> StatusCode {
        let work = async || tokio::time::sleep(Duration::from_secs(2)).await;
        let router = Router::new().route("/", get(work));
        let mut request = Request::get("/");
        if let Some(deadline) = deadline {
            request = request.header(DEADLINE, deadline);
        }
        let request = request.body(Body::empty()).expect("a request");
        let answer = router.layer(from_fn(enforce_deadline)).oneshot(request);
        answer.await.expect("infallible").status()
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_works_for_a_caller_who_has_gone() {
        assert_eq!(ask(None).await, StatusCode::OK);
        assert_eq!(ask(Some("5000")).await, StatusCode::OK);
        assert_eq!(ask(Some("nonsense")).await, StatusCode::OK);
        assert_eq!(ask(Some("0")).await, StatusCode::GATEWAY_TIMEOUT);
        let before = tokio::time::Instant::now();
        assert_eq!(ask(Some("1000")).await, StatusCode::GATEWAY_TIMEOUT);
        assert_eq!(before.elapsed(), Duration::from_secs(1));
    }
}
