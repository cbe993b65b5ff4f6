//! HTTP calls to a carrier: one pool of kept-alive connections, small bodies, no surprises.

use bytes::Bytes;
use http::{HeaderValue, Method, Request, StatusCode, Uri, header};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::{TokioExecutor, TokioTimer},
};
use std::time::Duration;

/// Longer answers are not read.
const MAX_ANSWER: usize = 512 * 1024;
/// Connections kept for the next calls.
const IDLE_CONNECTIONS: usize = 32;
/// How long they are kept; less than servers usually do.
const IDLE_FOR: Duration = Duration::from_secs(20);

/// No answer came. The text says why and holds nothing that was sent.
#[derive(Debug)]
pub struct NoAnswer(pub String);

/// The way to one carrier.
pub struct Calls {
    client: Client<HttpConnector, Full<Bytes>>,
    base: String,
    authorization: HeaderValue,
}

impl Calls {
    /// Calls below `base`, such as `http://127.0.0.1:4242`; `None` if that is no such address.
    pub fn new(base: &str, authorization: HeaderValue) -> Option<Self> {
        let base = base.trim_end_matches('/');
        let uri: Uri = base.parse().ok()?;
        if uri.scheme_str() != Some("http") || uri.host().is_none() || uri.query().is_some() {
            return None;
        }
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        let client = Client::builder(TokioExecutor::new())
            .pool_idle_timeout(IDLE_FOR)
            .pool_max_idle_per_host(IDLE_CONNECTIONS)
            .pool_timer(TokioTimer::new())
            .build(connector);
        Some(Self {
            client,
            base: base.to_owned(),
            authorization,
        })
    }

    /// Sends a request and reads the whole answer. Has no time limit of its own.
    pub async fn send(
        &self,
        method: Method,
        path: &str,
        idempotency_key: Option<&str>,
        body: Bytes,
    ) -> Result<(StatusCode, Bytes), NoAnswer> {
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.base))
            .header(header::AUTHORIZATION, self.authorization.clone());
        if !body.is_empty() {
            let json = HeaderValue::from_static("application/json");
            request = request.header(header::CONTENT_TYPE, json);
        }
        if let Some(key) = idempotency_key {
            request = request.header("idempotency-key", key);
        }
        let request = request
            .body(Full::new(body))
            .map_err(|_| NoAnswer("the request could not be built".into()))?;
        let answer = self.client.request(request).await.map_err(|error| {
            let what = if error.is_connect() {
                "connect"
            } else {
                "send"
            };
            NoAnswer(format!("could not {what}"))
        })?;
        let status = answer.status();
        let body = Limited::new(answer.into_body(), MAX_ANSWER).collect().await;
        let body = body.map_err(|_| NoAnswer("the answer broke off".into()))?;
        Ok((status, body.to_bytes()))
    }
}
