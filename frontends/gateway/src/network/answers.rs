//! What a client is told when a service cannot answer: what happened, whether anything was done,
//! and what to do.

use std::time::Duration;

use axum::{
    body::Body,
    http::{Response, StatusCode},
    response::IntoResponse as _,
};
use http_body_util::LengthLimitError;
use web::Problem;

use super::measures::Trouble;
use crate::entrance::too_slow;

/// Why a request has no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The service's fault, or the network's.
    Trouble(Trouble),
    /// The client stopped sending its request's body.
    BrokenBody,
    /// The client sends more than it may.
    TooLarge,
}

/// What is wrong with a request's body, when a connection failed because of that.
pub fn of_the_body(error: &hyper::Error) -> Option<Failure> {
    if !error.is_user() {
        return None;
    }
    let mut source = std::error::Error::source(error);
    while let Some(error) = source {
        if error.is::<LengthLimitError>() {
            return Some(Failure::TooLarge);
        }
        source = error.source();
    }
    Some(Failure::BrokenBody)
}

/// Whether an answer says that the service is in trouble, rather than that the request is wrong.
pub fn is_gateway_error(status: StatusCode) -> bool {
    matches!(
        status,
        StatusCode::BAD_GATEWAY | StatusCode::SERVICE_UNAVAILABLE | StatusCode::GATEWAY_TIMEOUT
    )
}

/// Whether an answer tells against the whole service. A service that says 503 itself is alive, says
/// so quickly, and may mean one kind of request only: too many sign-ins must not keep out those who
/// are signed in.
pub fn is_broken(status: StatusCode) -> bool {
    is_gateway_error(status) && status != StatusCode::SERVICE_UNAVAILABLE
}

/// There is no answer.
pub fn failure(service: &str, failure: Failure) -> Response<Body> {
    match failure {
        Failure::Trouble(Trouble::Unreachable) => no_service(service),
        Failure::Trouble(Trouble::TimedOut) => too_slow(),
        Failure::Trouble(Trouble::Lost | Trouble::Answered) => {
            let detail = "the connection to the service was lost; what became of the request is not known: look, or repeat it with the same Idempotency-Key";
            let problem = Problem::new(StatusCode::BAD_GATEWAY, "answer-lost", detail);
            problem.retry_after(1).into_response()
        }
        Failure::BrokenBody => {
            let detail = "the request's body ended too early";
            Problem::new(StatusCode::BAD_REQUEST, "cut-short", detail).into_response()
        }
        Failure::TooLarge => {
            let detail = "the request's body is too large";
            Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too-large", detail).into_response()
        }
    }
}

/// Nobody is there.
pub fn no_service(service: &str) -> Response<Body> {
    let detail = format!("{service} cannot be reached; nothing was done, try again shortly");
    unavailable("no-service", detail, 1)
}

/// Too many wait already.
pub fn overloaded() -> Response<Body> {
    let detail = "there is too much to do at the moment; nothing was done, try again shortly";
    unavailable("overloaded", detail.to_owned(), 1)
}

/// The service has failed so often that it is left alone for a while.
pub fn circuit_open(service: &str, wait: Duration) -> Response<Body> {
    let detail = format!("{service} is in trouble and is left alone; nothing was done");
    unavailable("circuit-open", detail, wait.as_secs() + 1)
}

fn unavailable(code: &'static str, detail: String, seconds: u64) -> Response<Body> {
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, code, detail)
        .retry_after(seconds)
        .into_response()
}
