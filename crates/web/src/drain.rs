//! Going without being missed: a process that is about to stop says so on every answer, while it
//! still answers. Whoever sends requests hears it and sends the next ones elsewhere.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use axum::{
    extract::{Request, State},
    http::{HeaderName, HeaderValue, header},
    middleware::Next,
    response::Response,
};

/// On answers of a process that is about to stop: no new requests, please.
pub const DRAINING: HeaderName = HeaderName::from_static("souk-draining");

/// How long a process goes on answering after it has begun to drain, before it closes its port and
/// its connections: long enough that every gateway has asked for `/readyz` twice (each second, give
/// or take a fifth) and heard the answer.
pub const DRAIN_FOR: Duration = Duration::from_secs(3);

/// Whether this process is about to stop. Clones share it.
#[derive(Clone, Default)]
pub struct Drain(Arc<AtomicBool>);

impl Drain {
    /// From now on every answer says so. `/readyz` must answer 503 from now on too.
    pub fn begin(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    /// Whether it has begun.
    pub fn has_begun(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

/// Says it. For [`axum::middleware::from_fn_with_state`], around everything a process serves,
/// `/readyz` included.
pub async fn announce_drain(State(drain): State<Drain>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    // Looked at last: a request that was under way when it began says it too.
    if drain.has_begun() {
        let headers = response.headers_mut();
        headers.insert(DRAINING, HeaderValue::from_static("1"));
        headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

#[cfg(test)]
mod tests {
    use axum::{Router, body::Body, middleware::from_fn_with_state, routing::get};
    use tower::ServiceExt as _;

    use super::*;

    #[tokio::test]
    async fn every_answer_says_it_from_then_on() {
        let drain = Drain::default();
        let router = Router::new()
            .route("/", get(async || "hello"))
            .layer(from_fn_with_state(drain.clone(), announce_drain));
        for draining in [false, true] {
            let request = Request::get("/").body(Body::empty()).expect("a request");
            let answer = router.clone().oneshot(request).await.expect("infallible");
            assert_eq!(answer.headers().contains_key(DRAINING), draining);
            assert_eq!(answer.headers().contains_key("connection"), draining);
            drain.begin();
        }
    }
}
