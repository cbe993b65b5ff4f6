//! `Prefer: wait=N` (RFC 7240) on a checkout: the answer is held back until the order is confirmed,
//! cancelled, or waits for its buyer.

use std::time::Duration;

use axum::{
    body::{Body, to_bytes},
    http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, header},
    response::IntoResponse as _,
};
use contracts::orders::{CheckoutAnswer, OrderStatus, OrderView};
use tokio::time::{Instant, timeout_at};
use web::{Problem, Upstream};

use crate::{
    headers::REQUEST_ID,
    outcomes::{Interest, Outcome, Outcomes},
};

/// The longest wait a caller may ask for, in seconds.
const LONGEST: u64 = 30;
/// An order that is not heard of for so long may have had its outcome before anyone waited (a
/// checkout that is repeated): orders is asked once.
const THEN_ASK: Duration = Duration::from_millis(400);
/// Answers of a checkout are smaller than this, even of the largest cart.
const LARGEST: usize = 16 * 1024 * 1024;

const PREFERENCE_APPLIED: HeaderName = HeaderName::from_static("preference-applied");

/// How many seconds the caller of a checkout is willing to wait; `None` for other requests.
pub fn preferred_wait(method: &Method, path: &str, headers: &HeaderMap) -> Option<u64> {
    let is_checkout = method == Method::POST
        && path.starts_with("/api/carts/")
        && path.trim_end_matches('/').ends_with("/checkout");
    if !is_checkout {
        return None;
    }
    let lines = headers.get_all("prefer").iter();
    let preferences = lines
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(','));
    let seconds = preferences
        .filter_map(|preference| preference.split(';').next()?.trim().split_once('='))
        .find(|(name, _)| name.trim().eq_ignore_ascii_case("wait"))
        .and_then(|(_, value)| value.trim().trim_matches('"').parse::<u64>().ok())?;
    (seconds > 0).then_some(seconds.min(LONGEST))
}

/// A checkout whose caller waits.
pub struct Checkout<'a> {
    /// The way to orders.
    pub upstream: &'a dyn Upstream,
    /// What becomes of orders.
    pub outcomes: &'a Outcomes,
    /// Taken before the checkout was sent on.
    pub interest: Interest,
    /// See [`same_caller`].
    pub same_caller: HeaderMap,
    /// How long the caller waits.
    pub seconds: u64,
}

impl Checkout<'_> {
    /// Holds `response`, the cart's answer, back until the order has come to something.
    pub async fn follow(self, mut response: Response<Body>) -> Response<Body> {
        if !matches!(response.status(), StatusCode::CREATED | StatusCode::OK) {
            return response;
        }
        let until = Instant::now() + Duration::from_secs(self.seconds);
        if let Ok(applied) = HeaderValue::try_from(format!("wait={}", self.seconds)) {
            let headers = response.headers_mut();
            headers.insert(PREFERENCE_APPLIED, applied);
        }
        let (parts, body) = response.into_parts();
        let Ok(Ok(bytes)) = timeout_at(until, to_bytes(body, LARGEST)).await else {
            tracing::error!("a checkout's answer was cut short");
            return answer_lost();
        };
        let Ok(mut answer) = serde_json::from_slice::<CheckoutAnswer>(&bytes) else {
            // Not ours to judge: it is passed on as it is.
            return Response::from_parts(parts, Body::from(bytes));
        };
        match self.settle(&mut answer, until).await {
            true => rewritten(parts, &answer),
            false => Response::from_parts(parts, Body::from(bytes)),
        }
    }

    /// Brings the order up to date once it has come to something; false when time ran out.
    async fn settle(self, answer: &mut CheckoutAnswer, until: Instant) -> bool {
        let mut waiting = self.outcomes.follow(&self.interest, &answer.order.id);
        let soon = until.min(Instant::now() + THEN_ASK);
        let mut outcome = timeout_at(soon, waiting.outcome()).await.ok().flatten();
        if outcome.is_none() && soon < until {
            // Orders may be slow, or not there: the outcome may come meanwhile, and time runs out.
            tokio::select! {
                heard = timeout_at(until, waiting.outcome()) => outcome = heard.ok().flatten(),
                order = look_up(self.upstream, answer, self.same_caller) => {
                    if let Some(order) = order.filter(|order| is_settled(order.status)) {
                        answer.order = order;
                        return true;
                    }
                    outcome = timeout_at(until, waiting.outcome()).await.ok().flatten();
                }
            }
        }
        match outcome {
            Some(outcome) => {
                apply(&mut answer.order, outcome);
                true
            }
            None => false,
        }
    }
}

fn is_settled(status: OrderStatus) -> bool {
    !matches!(status, OrderStatus::Placed | OrderStatus::StockReserved)
}

fn apply(order: &mut OrderView, outcome: Outcome) {
    match outcome {
        Outcome::Confirmed { payment } => {
            order.status = OrderStatus::Confirmed;
            order.payment_id = Some(payment);
        }
        Outcome::Cancelled {
            reason,
            shortages,
            payment,
        } => {
            order.status = OrderStatus::Cancelled;
            order.cancel_reason = Some(reason);
            order.shortages = shortages;
            order.payment_id = payment;
        }
        Outcome::ActionRequired { url } => {
            order.status = OrderStatus::PaymentActionRequired;
            order.payment_action_url = Some(url);
        }
    }
}

fn rewritten(mut parts: axum::http::response::Parts, answer: &CheckoutAnswer) -> Response<Body> {
    let Ok(body) = serde_json::to_vec(answer) else {
        return answer_lost();
    };
    parts.headers.remove(header::CONTENT_LENGTH);
    Response::from_parts(parts, Body::from(body))
}

fn answer_lost() -> Response<Body> {
    let detail = "the order was placed, but the answer was lost; repeat the request with the same Idempotency-Key";
    Problem::new(StatusCode::BAD_GATEWAY, "answer-lost", detail).into_response()
}

/// The headers by which a second request is seen as the same caller's.
pub fn same_caller(headers: &HeaderMap) -> HeaderMap {
    let mut same = HeaderMap::new();
    for name in [header::AUTHORIZATION, REQUEST_ID] {
        if let Some(value) = headers.get(&name) {
            same.insert(name, value.clone());
        }
    }
    same
}

/// The order as orders knows it, if it does.
async fn look_up(
    upstream: &dyn Upstream,
    answer: &CheckoutAnswer,
    mut headers: HeaderMap,
) -> Option<OrderView> {
    if !headers.contains_key(header::AUTHORIZATION) {
        let token = HeaderValue::try_from(format!("Bearer {}", answer.access_token)).ok()?;
        headers.insert(header::AUTHORIZATION, token);
    }
    let mut request = Request::get(format!("/api/orders/{}", answer.order.id))
        .body(Body::empty())
        .ok()?;
    *request.headers_mut() = headers;
    let response = upstream.call("orders", request).await;
    if response.status() != StatusCode::OK {
        return None;
    }
    let body = to_bytes(response.into_body(), LARGEST).await.ok()?;
    serde_json::from_slice(&body).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_preference_is_read_leniently_and_bounded() {
        let path = "/api/carts/crt_1/checkout";
        let wait = |method: &Method, path: &str, prefer: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert("prefer", HeaderValue::from_static(prefer));
            preferred_wait(method, path, &headers)
        };
        for (prefer, seconds) in [
            ("wait=5", Some(5)),
            ("respond-async, WAIT = 5", Some(5)),
            ("wait=\"5\"; x=y", Some(5)),
            ("wait=500", Some(30)),
            ("wait=0", None),
            ("wait=-1", None),
            ("wait=x", None),
            ("wait", None),
            ("return=minimal", None),
        ] {
            assert_eq!(wait(&Method::POST, path, prefer), seconds, "{prefer}");
        }
        assert_eq!(wait(&Method::GET, path, "wait=5"), None);
        assert_eq!(
            wait(&Method::POST, "/api/carts/crt_1/lines", "wait=5"),
            None
        );
        assert_eq!(preferred_wait(&Method::POST, path, &HeaderMap::new()), None);
    }
}
