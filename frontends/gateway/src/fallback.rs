//! An order that orders does not know yet is answered from the cart's record of its checkout: there
//! is no 404 after a 201.

use std::time::Duration;

use axum::{
    body::Body,
    http::{HeaderMap, Method, Request, Response, StatusCode, Uri, header},
};
use tokio::time::{Instant, sleep};
use web::Upstream;

use crate::headers::REQUEST_ID;

/// How long a stream of events waits for orders to hear of the order.
const PATIENCE: Duration = Duration::from_secs(10);
/// The pauses in between grow from this…
const FIRST_PAUSE: Duration = Duration::from_millis(50);
/// … to this.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// A request for an order that may have to be made again elsewhere.
pub struct AboutOrder {
    order: String,
    events: bool,
    uri: Uri,
    headers: HeaderMap,
}

/// Recognises `GET /api/orders/{id}` and `GET /api/orders/{id}/events`.
pub fn about_order(request: &Request<Body>) -> Option<AboutOrder> {
    if request.method() != Method::GET {
        return None;
    }
    let rest = request.uri().path().strip_prefix("/api/orders/")?;
    let (order, events) = match rest.split_once('/') {
        None => (rest, false),
        Some((order, "events")) => (order, true),
        Some(_) => return None,
    };
    if !order.starts_with("ord_") {
        return None;
    }
    let mut headers = HeaderMap::new();
    for name in [header::AUTHORIZATION, header::ACCEPT, REQUEST_ID] {
        if let Some(value) = request.headers().get(&name) {
            headers.insert(name, value.clone());
        }
    }
    Some(AboutOrder {
        order: order.to_owned(),
        events,
        uri: request.uri().clone(),
        headers,
    })
}

impl AboutOrder {
    /// The answer in place of `unknown`, the 404 that orders gave. Who may not see the order's
    /// checkout gets the 404; while the cart cannot be asked, nobody does.
    pub async fn instead(self, upstream: &dyn Upstream, unknown: Response<Body>) -> Response<Body> {
        let query = self.uri.query().map_or(String::new(), |q| format!("?{q}"));
        let path = format!("/api/carts/checkouts/{}{query}", self.order);
        let Some(record) = self.ask(upstream, "cart", path.parse().ok()).await else {
            return unknown;
        };
        if record.status().is_server_error() {
            // The order may well exist: "not found" would be a lie.
            return record;
        }
        if record.status() != StatusCode::OK {
            return unknown;
        }
        match self.events {
            false => record,
            true => self.until_known(upstream, unknown).await,
        }
    }

    /// Asks orders again until it has heard of the order: the cart says that it is on its way.
    async fn until_known(
        &self,
        upstream: &dyn Upstream,
        unknown: Response<Body>,
    ) -> Response<Body> {
        let until = Instant::now() + PATIENCE;
        let mut pause = FIRST_PAUSE;
        let mut last = unknown;
        while last.status() == StatusCode::NOT_FOUND && Instant::now() < until {
            sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
            match self.ask(upstream, "orders", Some(self.uri.clone())).await {
                Some(answer) => last = answer,
                None => break,
            }
        }
        last
    }

    async fn ask(
        &self,
        upstream: &dyn Upstream,
        service: &str,
        uri: Option<Uri>,
    ) -> Option<Response<Body>> {
        let mut request = Request::new(Body::empty());
        *request.uri_mut() = uri?;
        *request.headers_mut() = self.headers.clone();
        Some(upstream.call(service, request).await)
    }
}
