//! `/api/ops` of a shop that runs as many processes: each process answers for its own services, and
//! the gateway puts the answers together.

use std::sync::Arc;

use axum::{
    body::{Body, Bytes, to_bytes},
    http::{HeaderValue, Method, Request, Response, StatusCode, header, request::Parts},
    response::IntoResponse as _,
};
use kernel::BoxFuture;
use serde_json::Value;
use web::{Problem, Upstream};

/// The name under which the operator's routes are mounted.
pub const OPS: &str = "ops";
/// Larger answers of one service are not put together.
const LARGEST_ANSWER: usize = 16 * 1024 * 1024;
const LARGEST_ORDER: usize = 64 * 1024;
/// Names the services whose answer is not in it, because they could not be reached.
const MISSING: &str = "souk-missing";

/// The services, and the operator's port made of all of theirs.
#[derive(Clone)]
pub struct WithOperators(Arc<Inner>);

struct Inner {
    services: Arc<dyn Upstream>,
    names: Vec<&'static str>,
}

impl WithOperators {
    /// The operator's port over these services.
    pub fn new(services: Arc<dyn Upstream>, names: Vec<&'static str>) -> Self {
        Self(Arc::new(Inner { services, names }))
    }
}

impl Upstream for WithOperators {
    fn call(&self, service: &str, request: Request<Body>) -> BoxFuture<'static, Response<Body>> {
        match service {
            OPS => {
                let inner = self.0.clone();
                Box::pin(async move { inner.operate(request).await })
            }
            _ => self.0.services.call(service, request),
        }
    }

    fn services(&self) -> Vec<String> {
        let mut names = self.0.services.services();
        names.push(OPS.to_owned());
        names
    }
}

impl Inner {
    async fn operate(&self, request: Request<Body>) -> Response<Body> {
        let path = request.uri().path().to_owned();
        let segments: Vec<&str> = path.split('/').skip(3).collect();
        match (request.method().clone(), segments.as_slice()) {
            (Method::GET, ["topics" | "dead-letters" | "projections" | "consumers"]) => {
                self.joined(request).await
            }
            (_, ["events", service] | ["projections", service, _, "rebuild"]) => {
                self.to_one(service, request).await
            }
            (Method::POST, ["dead-letters", "redrive"]) => self.redrive(request).await,
            _ => unknown("there is no such address; see /docs"),
        }
    }

    async fn to_one(&self, service: &str, request: Request<Body>) -> Response<Body> {
        match self.names.iter().find(|name| **name == service) {
            Some(name) => self.services.call(name, request).await,
            None => unknown(&format!("there is no service {service}")),
        }
    }

    /// The order names its service in the body.
    async fn redrive(&self, request: Request<Body>) -> Response<Body> {
        let (parts, body) = request.into_parts();
        let Ok(bytes) = to_bytes(body, LARGEST_ORDER).await else {
            return Problem::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                "too-large",
                "the order is too large",
            )
            .into_response();
        };
        let order: Option<Value> = serde_json::from_slice(&bytes).ok();
        let named = order.as_ref().and_then(|order| order["service"].as_str());
        // A service judges an order that cannot be read: its words are better than ours.
        let service = named.or(self.names.first().copied()).unwrap_or_default();
        let request = Request::from_parts(parts, Body::from(bytes));
        self.to_one(service, request).await
    }

    /// Asks every service and joins the lists. A refusal of one (permissions, say) is the answer.
    async fn joined(&self, request: Request<Body>) -> Response<Body> {
        let (parts, _) = request.into_parts();
        let asked = self.names.iter().map(|name| async {
            let answer = self.services.call(name, again(&parts)).await;
            (*name, answer)
        });
        let (mut all, mut missing) = (Vec::new(), Vec::new());
        for (name, answer) in futures_util::future::join_all(asked).await {
            if answer.status().is_client_error() {
                return answer;
            }
            match list(answer).await {
                Some(items) => all.extend(items),
                None => missing.push(name),
            }
        }
        let mut answer = axum::Json(Value::Array(all)).into_response();
        if let Ok(names) = HeaderValue::from_str(&missing.join(", "))
            && !missing.is_empty()
        {
            answer.headers_mut().insert(MISSING, names);
        }
        answer
    }
}

fn again(parts: &Parts) -> Request<Body> {
    let mut request = Request::new(Body::empty());
    *request.method_mut() = parts.method.clone();
    *request.uri_mut() = parts.uri.clone();
    *request.headers_mut() = parts.headers.clone();
    request.headers_mut().remove(header::CONTENT_LENGTH);
    request
}

async fn list(answer: Response<Body>) -> Option<Vec<Value>> {
    if !answer.status().is_success() {
        return None;
    }
    let bytes: Bytes = to_bytes(answer.into_body(), LARGEST_ANSWER).await.ok()?;
    serde_json::from_slice(&bytes).ok()
}

fn unknown(detail: &str) -> Response<Body> {
    Problem::new(StatusCode::NOT_FOUND, "not-found", detail).into_response()
}
