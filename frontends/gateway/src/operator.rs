//! What operators and their machines ask: is it up, is it ready, how is it doing.

use axum::{
    body::Body,
    http::{HeaderMap, HeaderValue, Response, StatusCode, header},
    response::IntoResponse as _,
};
use kernel::Clock;
use serde_json::json;
use web::{Problem, Verifier};

use crate::{Readiness, RenderMetrics, headers::Client};

/// Answers operators' requests.
pub struct Operator {
    pub readiness: Readiness,
    pub metrics: RenderMetrics,
    pub metrics_on_loopback: bool,
}

impl Operator {
    /// `GET /healthz`: the process answers. Says nothing about anything else on purpose: what
    /// restarts processes looks here, and a restart helps nothing else.
    pub fn health() -> Response<Body> {
        (StatusCode::OK, "ok\n").into_response()
    }

    /// `GET /readyz`: whether requests should be sent here, and if not, what is missing.
    pub fn ready(&self) -> Response<Body> {
        let missing = (self.readiness)();
        let status = match missing.is_empty() {
            true => StatusCode::OK,
            false => StatusCode::SERVICE_UNAVAILABLE,
        };
        let body = json!({"ready": missing.is_empty(), "missing": missing}).to_string();
        let json = HeaderValue::from_static("application/json");
        (status, [(header::CONTENT_TYPE, json)], body).into_response()
    }

    /// `GET /metrics`, in Prometheus' text format.
    pub fn metrics(
        &self,
        client: &Client,
        headers: &HeaderMap,
        verifier: &Verifier,
        clock: &dyn Clock,
    ) -> Response<Body> {
        if !(client.local && self.metrics_on_loopback) {
            let token = headers.get(header::AUTHORIZATION);
            let token = token
                .and_then(|value| value.to_str().ok())
                .and_then(web::bearer_token);
            let claims = token.and_then(|token| verifier.verify(token, clock.now()).ok());
            match claims {
                None => {
                    let detail = "sign in, or send an API key with `ops:read`";
                    let code = "unauthenticated";
                    return Problem::new(StatusCode::UNAUTHORIZED, code, detail).into_response();
                }
                Some(claims)
                    if !claims
                        .permissions
                        .iter()
                        .any(|p| p == "*" || p == "ops:read") =>
                {
                    let detail = "this needs the permission `ops:read`";
                    return Problem::new(StatusCode::FORBIDDEN, "forbidden", detail)
                        .into_response();
                }
                Some(_) => {}
            }
        }
        let text = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
        ([(header::CONTENT_TYPE, text)], (self.metrics)()).into_response()
    }
}
