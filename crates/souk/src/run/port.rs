//! The internal port of a process: its services' routes, their history, and what operators' machines
//! ask. It is for the gateway and for other services, never for the public.

use std::{
    collections::HashMap,
    convert::Infallible,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use axum::{
    Router,
    extract::Request,
    http::{HeaderValue, StatusCode, header},
    middleware::{from_fn, from_fn_with_state},
    response::{IntoResponse as _, Response},
    routing::get,
};
use tower::ServiceExt as _;
use web::{Drain, Problem, announce_drain, enforce_deadline};

use crate::metrics;

/// What is still missing before requests should be sent here; empty when nothing is.
pub type Readiness = Arc<dyn Fn() -> Vec<String> + Send + Sync>;

/// Ready until the process is about to end, and only when `others` are.
pub fn readiness(drain: &Drain, others: Readiness) -> Readiness {
    let drain = drain.clone();
    Arc::new(move || match drain.has_begun() {
        true => vec!["shutting down".to_owned()],
        false => others(),
    })
}

/// The routers of this process's services, by their paths' first two segments.
#[derive(Default)]
pub struct Dispatch(HashMap<String, Router>);

impl Dispatch {
    /// Adds a service.
    pub fn add(&mut self, prefixes: &[String], router: &Router) {
        for prefix in prefixes {
            self.0.insert(prefix.clone(), router.clone());
        }
    }

    async fn answer(&self, request: Request) -> Response {
        let path = request.uri().path();
        let mut slashes = path.match_indices('/').map(|(at, _)| at);
        let prefix = slashes.nth(2).map_or(path, |end| &path[..end]);
        match self.0.get(prefix).cloned() {
            Some(router) => {
                let answer: Result<Response, Infallible> = router.oneshot(request).await;
                answer.unwrap_or_else(|never| match never {})
            }
            None => Problem::new(
                StatusCode::NOT_FOUND,
                "no-route",
                "no service of this process has such an address",
            )
            .into_response(),
        }
    }
}

/// Everything the port serves. `feed` is the history of this process's topics.
pub fn router(dispatch: Dispatch, feed: Router, readiness: Readiness, drain: Drain) -> Router {
    let dispatch = Arc::new(dispatch);
    let open = Arc::new(AtomicBool::new(false));
    let becomes_ready = readiness.clone();
    // By fallback, so that no path parameter of this router reaches a service's handlers.
    feed.route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(move || async move { ready(&readiness) }))
        .route("/metrics", get(|| async { exposition() }))
        .fallback(move |request: Request| {
            let (dispatch, open) = (dispatch.clone(), open.clone());
            // A process that has just been started does not know whose tokens are good: whoever
            // still thinks that the one before it is here must not be told they are bad.
            let ready = open.load(Ordering::Acquire) || becomes_ready().is_empty();
            open.fetch_or(ready, Ordering::AcqRel);
            async move {
                match ready {
                    true => dispatch.answer(request).await,
                    false => starting(),
                }
            }
        })
        .layer(from_fn(enforce_deadline))
        .layer(from_fn_with_state(drain, announce_drain))
}

fn starting() -> Response {
    Problem::new(
        StatusCode::SERVICE_UNAVAILABLE,
        "starting",
        "this process has just been started; nothing was done, try again",
    )
    .retry_after(1)
    .into_response()
}

fn ready(readiness: &Readiness) -> Response {
    let missing = readiness();
    let status = match missing.is_empty() {
        true => StatusCode::OK,
        false => StatusCode::SERVICE_UNAVAILABLE,
    };
    let body = serde_json::json!({"ready": missing.is_empty(), "missing": missing});
    (status, axum::Json(body)).into_response()
}

fn exposition() -> Response {
    let text = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    ([(header::CONTENT_TYPE, text)], metrics::render()).into_response()
}
