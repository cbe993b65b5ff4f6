//! A gateway in front of services that tests play themselves.

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use axum::{
    Router,
    body::Body,
    extract::ConnectInfo,
    http::{HeaderMap, Request, Response, StatusCode, header},
};
use gateway::{Config, Credentials, Outcomes, Parts, ServiceRoutes, gateway};
use http_body_util::BodyExt as _;
use kernel::{
    BoxFuture, Timestamp,
    testing::{CountingIds, FixedClock},
};
use serde_json::{Value, json};
use tower::ServiceExt as _;
use utoipa::openapi::{Info, OpenApi, Paths};
use web::{Upstream, Verifier};

/// One request as a service saw it.
pub struct Seen {
    pub service: String,
    pub path: String,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

type Answer = Box<dyn Fn(&Seen) -> BoxFuture<'static, Response<Body>> + Send + Sync>;

/// Services whose answers the test gives.
pub struct Stub {
    answer: Answer,
    pub seen: Mutex<Vec<Seen>>,
    pub exchanges: AtomicUsize,
}

/// The way to the stub.
struct Line(Arc<Stub>);

impl Upstream for Line {
    fn call(&self, service: &str, request: Request<Body>) -> BoxFuture<'static, Response<Body>> {
        let (this, service) = (self.0.clone(), service.to_owned());
        Box::pin(async move {
            let (parts, body) = request.into_parts();
            let body = match body.collect().await {
                Ok(body) => body.to_bytes().to_vec(),
                Err(_) => return plain(StatusCode::PAYLOAD_TOO_LARGE, "cut"),
            };
            let seen = Seen {
                service,
                path: parts.uri.to_string(),
                headers: parts.headers,
                body,
            };
            if seen.path == "/api/identity/token" {
                this.exchanges.fetch_add(1, Ordering::SeqCst);
            }
            let answer = (this.answer)(&seen);
            this.seen.lock().expect("not poisoned").push(seen);
            answer.await
        })
    }

    fn services(&self) -> Vec<String> {
        Vec::new()
    }
}

pub fn plain(status: StatusCode, text: &'static str) -> Response<Body> {
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = status;
    response
}

pub fn json_answer(status: StatusCode, body: &Value) -> Response<Body> {
    let mut response = Response::new(Body::from(body.to_string()));
    *response.status_mut() = status;
    let json = header::HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, json);
    response
}

/// A gateway and what stands behind it.
pub struct Front {
    pub router: Router,
    pub stub: Arc<Stub>,
    pub outcomes: Outcomes,
    pub credentials: Credentials,
    pub verifier: Arc<Verifier>,
    pub missing: Arc<Mutex<Vec<String>>>,
}

pub const NOW: Timestamp = Timestamp(1_700_000_000_000_000);

impl Front {
    pub fn new(
        config: Config,
        answer: impl Fn(&Seen) -> BoxFuture<'static, Response<Body>> + Send + Sync + 'static,
    ) -> Self {
        let stub = Arc::new(Stub {
            answer: Box::new(answer),
            seen: Mutex::default(),
            exchanges: AtomicUsize::new(0),
        });
        let (outcomes, credentials) = (Outcomes::default(), Credentials::default());
        let verifier = Arc::new(Verifier::default());
        let missing: Arc<Mutex<Vec<String>>> = Arc::default();
        let readiness = missing.clone();
        let router = gateway(
            config,
            Parts {
                upstream: Arc::new(Line(stub.clone())),
                services: [
                    ("identity", "/api/identity"),
                    ("cart", "/api/carts"),
                    ("orders", "/api/orders"),
                    ("ops", "/api/ops"),
                ]
                .into_iter()
                .map(|(name, prefix)| ServiceRoutes {
                    name: name.into(),
                    prefixes: vec![prefix.into()],
                    openapi: document(prefix),
                })
                .collect(),
                storefront: Some(Router::new().route(
                    "/",
                    axum::routing::get(async || axum::response::Html("shop window")),
                )),
                outcomes: outcomes.clone(),
                credentials: credentials.clone(),
                verifier: verifier.clone(),
                readiness: Arc::new(move || readiness.lock().expect("not poisoned").clone()),
                metrics: Arc::new(|| "souk_up 1\n".into()),
                clock: Arc::new(FixedClock(NOW.0.into())),
                ids: Arc::new(CountingIds::default()),
            },
        );
        Self {
            router,
            stub,
            outcomes,
            credentials,
            verifier,
            missing,
        }
    }

    /// Services that answer with their names, and identity that knows every `souk_good…` and
    /// `ses_good…`.
    pub fn simple(config: Config) -> Self {
        Self::new(config, |seen| {
            let answer = match seen.path.as_str() {
                "/api/identity/token" => exchange(seen),
                _ => json_answer(StatusCode::OK, &json!({"service": seen.service})),
            };
            Box::pin(std::future::ready(answer))
        })
    }

    pub async fn send(&self, from: &str, mut request: Request<Body>) -> Response<Body> {
        let peer: SocketAddr = format!("{from}:1000").parse().expect("an address");
        request.extensions_mut().insert(ConnectInfo(peer));
        let answer = self.router.clone().oneshot(request).await;
        answer.expect("infallible")
    }

    /// A request from this machine: `("GET /path", headers, body)`.
    pub async fn call(&self, line: &str, headers: &[(&str, &str)], body: &str) -> Response<Body> {
        self.send("127.0.0.1", request(line, headers, body)).await
    }

    pub fn paths(&self) -> Vec<String> {
        let seen = self.stub.seen.lock().expect("not poisoned");
        seen.iter()
            .map(|seen| format!("{} {}", seen.service, seen.path))
            .collect()
    }

    /// A header of the last request that a service other than identity saw.
    pub fn last_header(&self, name: &str) -> Option<String> {
        let seen = self.stub.seen.lock().expect("not poisoned");
        let last = seen.iter().rev().find(|seen| seen.service != "identity")?;
        let value = last.headers.get(name)?;
        Some(value.to_str().expect("text").to_owned())
    }
}

pub fn request(line: &str, headers: &[(&str, &str)], body: &str) -> Request<Body> {
    let (method, path) = line.split_once(' ').expect("METHOD /path");
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let body = match body.is_empty() {
        true => Body::empty(),
        false => Body::from(body.to_owned()),
    };
    request.body(body).expect("a request")
}

pub fn exchange(seen: &Seen) -> Response<Body> {
    let asked: Value = serde_json::from_slice(&seen.body).expect("JSON");
    let token = asked["token"].as_str().expect("a token");
    match token.contains("_good") {
        true => json_answer(
            StatusCode::OK,
            &json!({"access_token": format!("jwt.of.{token}"), "token_type": "Bearer", "expires_in": 300}),
        ),
        false => json_answer(StatusCode::UNAUTHORIZED, &json!({"code": "not-signed-in"})),
    }
}

fn document(prefix: &str) -> OpenApi {
    use utoipa::openapi::path::{HttpMethod, OperationBuilder, PathItem};
    let mut paths = Paths::new();
    let operation = OperationBuilder::new().summary(Some("A thing")).build();
    let item = PathItem::new(HttpMethod::Get, operation);
    paths.paths.insert(format!("{prefix}/things"), item);
    OpenApi::new(Info::new("part", "1"), paths)
}

pub async fn body(response: Response<Body>) -> Value {
    let bytes = response.into_body().collect().await.expect("a body");
    serde_json::from_slice(&bytes.to_bytes()).expect("JSON")
}

pub async fn text(response: Response<Body>) -> String {
    let bytes = response.into_body().collect().await.expect("a body");
    String::from_utf8(bytes.to_bytes().to_vec()).expect("text")
}
