//! A client, a webhook receiver and a running provider for the tests.
#![allow(
    dead_code,
    missing_docs,
    reason = "every test file uses its own part of it"
)]

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use bytes::Bytes;
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use sandbox::{Config, Retry, Sandbox};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::{Barrier, mpsc};

/// Far longer than anything here takes; only a failing test waits so long.
pub const PATIENCE: Duration = Duration::from_secs(20);

pub fn quick() -> Config {
    Config {
        hold: Duration::from_millis(400),
        late_webhook: Duration::from_millis(200),
        reorder_hold: Duration::from_secs(60),
        retry: Retry {
            first: Duration::from_millis(30),
            max: Duration::from_millis(100),
            attempts: 50,
        },
        webhook_timeout: Duration::from_secs(2),
        ..Config::default()
    }
}

pub async fn start(config: Config) -> (Sandbox, Shop) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let sandbox = sandbox::start(listener, config)
        .await
        .expect("the sandbox starts");
    let shop = Shop::new(sandbox.url());
    (sandbox, shop)
}

/// A merchant's client.
pub struct Shop {
    client: Client<HttpConnector, Full<Bytes>>,
    base: String,
}

#[derive(Debug)]
pub struct Reply {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub text: String,
    pub json: Value,
}

impl Reply {
    pub fn id(&self) -> String {
        self.json["id"].as_str().expect("an id").to_owned()
    }

    /// Checks a refusal: status, code and field of its problem details.
    pub fn assert_problem(&self, status: u16, code: &str, field: Option<&str>) {
        assert_eq!(self.status, status, "{}", self.text);
        assert_eq!(self.headers["content-type"], "application/problem+json");
        assert_eq!(
            (self.json["code"].as_str(), self.json["field"].as_str()),
            (Some(code), field),
            "{}",
            self.text
        );
        assert_eq!(self.json["status"], status);
        assert!(self.json["title"].is_string() && self.json["detail"].is_string());
    }
}

impl Shop {
    pub fn new(base: &str) -> Self {
        Self {
            client: Client::builder(TokioExecutor::new()).build_http(),
            base: base.to_owned(),
        }
    }

    /// `None` when the connection ended without an answer.
    pub async fn try_send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: String,
    ) -> Option<Reply> {
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.base));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Full::from(body)).expect("a request");
        let response = self.client.request(request).await.ok()?;
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.ok()?.to_bytes();
        let text = String::from_utf8(bytes.to_vec()).expect("text");
        let json = serde_json::from_str(&text).unwrap_or(Value::Null);
        Some(Reply {
            status: parts.status,
            headers: parts.headers,
            text,
            json,
        })
    }

    pub async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: String,
    ) -> Reply {
        let sent = self.try_send(method, path, headers, body);
        tokio::time::timeout(PATIENCE, sent)
            .await
            .expect("an answer in time")
            .expect("an answer")
    }

    pub async fn get(&self, path: &str) -> Reply {
        self.send(
            Method::GET,
            path,
            &[("authorization", "Bearer sk_sandbox")],
            String::new(),
        )
        .await
    }

    pub async fn post(&self, path: &str, key: &str, body: &Value) -> Reply {
        self.try_post(path, key, body).await.expect("an answer")
    }

    pub async fn try_post(&self, path: &str, key: &str, body: &Value) -> Option<Reply> {
        let headers = [
            ("authorization", "Bearer sk_sandbox"),
            ("idempotency-key", key),
            ("content-type", "application/json"),
        ];
        let sent = self.try_send(Method::POST, path, &headers, body.to_string());
        tokio::time::timeout(PATIENCE, sent)
            .await
            .expect("an end in time")
    }

    /// Opens a payment of 1000 GBP pence; the reference is also the key.
    pub async fn pay(&self, token: &str, reference: &str) -> Reply {
        self.post("/v1/payments", reference, &payment(token, reference))
            .await
    }

    pub async fn payments_of(&self, reference: &str) -> Vec<Value> {
        let list = self
            .get(&format!("/v1/payments?reference={reference}"))
            .await;
        assert_eq!(list.status, 200, "{}", list.text);
        list.json["items"].as_array().expect("a list").clone()
    }
}

pub fn payment(token: &str, reference: &str) -> Value {
    json!({"amount": 1000, "currency": "GBP", "token": token, "reference": reference, "capture": false})
}

/// A shop's webhook endpoint: checks signatures, answers as told, reports what came.
pub struct Receiver {
    pub url: String,
    arrivals: mpsc::UnboundedReceiver<Value>,
    state: Arc<Desk>,
}

struct Desk {
    arrivals: mpsc::UnboundedSender<Value>,
    /// Statuses of the next answers; then 200.
    script: Mutex<VecDeque<u16>>,
    /// When set, answers only once so many requests are there at the same time.
    crowd: Option<Barrier>,
}

impl Receiver {
    pub async fn start(script: &[u16], crowd: Option<usize>) -> Self {
        let (sender, arrivals) = mpsc::unbounded_channel();
        let state = Arc::new(Desk {
            arrivals: sender,
            script: Mutex::new(script.iter().copied().collect()),
            crowd: crowd.map(Barrier::new),
        });
        let router = Router::new()
            .route("/hook", axum::routing::post(receive))
            .with_state(Arc::clone(&state));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}/hook", listener.local_addr().expect("an address"));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self {
            url,
            arrivals,
            state,
        }
    }

    /// From now on every webhook is accepted.
    pub fn recover(&self) {
        self.state.script.lock().expect("not poisoned").clear();
    }

    pub async fn next(&mut self) -> Value {
        tokio::time::timeout(PATIENCE, self.arrivals.recv())
            .await
            .expect("a webhook in time")
            .expect("a webhook")
    }

    /// What arrived already.
    pub fn so_far(&mut self) -> Vec<Value> {
        std::iter::from_fn(|| self.arrivals.try_recv().ok()).collect()
    }
}

async fn receive(State(desk): State<Arc<Desk>>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let signature = headers
        .get(sandbox::signature::HEADER)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let window = Duration::from_secs(300);
    if sandbox::signature::verify(b"whsec_sandbox", signature, &body, now_seconds(), window)
        .is_err()
    {
        // Reported as what it is, so that a test waiting for an event fails.
        let _ = desk.arrivals.send(json!({"type": "bad signature"}));
        return StatusCode::BAD_REQUEST;
    }
    let mut event: Value = serde_json::from_slice(&body).unwrap_or_default();
    event["arrived"] = json!(now_us());
    if let Some(crowd) = &desk.crowd {
        crowd.wait().await;
    }
    let status = desk
        .script
        .lock()
        .expect("not poisoned")
        .pop_front()
        .unwrap_or(200);
    event["answered"] = json!(status);
    let _ = desk.arrivals.send(event);
    StatusCode::from_u16(status).expect("a status")
}

pub fn now_us() -> i64 {
    #[allow(
        clippy::disallowed_methods,
        reason = "the provider's clock is the real one"
    )]
    let since = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .expect("after 1970");
    i64::try_from(since.as_micros()).expect("fits")
}

pub fn now_seconds() -> i64 {
    now_us() / 1_000_000
}
