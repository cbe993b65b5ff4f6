//! The way of a request through the gateway, from top to bottom.

use std::{panic::AssertUnwindSafe, sync::Arc, time::Instant};

use axum::{
    Router,
    body::{Body, HttpBody as _},
    extract::Request,
    http::{HeaderName, HeaderValue, Method, Response, StatusCode, header},
    response::IntoResponse as _,
};
use futures_util::FutureExt as _;
use http_body_util::Limited;
use kernel::Clock;
use tokio::time::timeout;
use tower::ServiceExt as _;
use web::{Problem, Upstream, Verifier};

use crate::{
    Config, Parts,
    checkout::{self, Checkout},
    compress,
    cors::{self, Cors},
    credentials::{self, API_KEY, Credentials, Digest, Shown},
    docs::{self, Document},
    fallback,
    headers::{self, Client, REQUEST_ID, RequestIds},
    limits::Limits,
    measure::Measures,
    network::ClientAddress,
    operator::Operator,
    outcomes::Outcomes,
    table::Table,
};

/// Everything the gateway holds. Built once, shared by all requests.
pub struct Entrance {
    config: Config,
    upstream: Arc<dyn Upstream>,
    table: Table,
    measures: Measures,
    storefront: Option<Router>,
    outcomes: Outcomes,
    credentials: Credentials,
    verifier: Arc<Verifier>,
    clock: Arc<dyn Clock>,
    request_ids: RequestIds,
    limits: Limits,
    cors: Cors,
    document: Document,
    docs: Router,
    operator: Operator,
}

/// A request with one of these is somebody's own, and so is its answer.
const PRIVATE: [HeaderName; 3] = [header::AUTHORIZATION, header::COOKIE, API_KEY];

/// Where a request goes.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Place {
    /// The service at this place of the table.
    Service(usize),
    /// `/api/…` that belongs to no service.
    Nowhere,
    Health,
    Ready,
    Metrics,
    OpenApi,
    Docs,
    /// Everything else.
    Storefront,
}

impl Entrance {
    /// The gateway of these parts.
    pub fn new(config: Config, parts: Parts) -> Self {
        let table = Table::new(&parts.services);
        let names = table.names().iter().cloned();
        // The storefront is measured too, behind the services.
        let measures = Measures::new(names.chain(["storefront".to_owned()]));
        Self {
            limits: Limits::new(&config),
            cors: Cors::new(&config.cors_origins),
            document: Document::new(&parts.services),
            docs: docs::pages(),
            operator: Operator {
                readiness: parts.readiness,
                metrics: parts.metrics,
                metrics_on_loopback: config.metrics_on_loopback,
            },
            request_ids: RequestIds::new(parts.ids.secret()),
            config,
            upstream: parts.upstream,
            table,
            measures,
            storefront: parts.storefront,
            outcomes: parts.outcomes,
            credentials: parts.credentials,
            verifier: parts.verifier,
            clock: parts.clock,
        }
    }

    /// Answers a request.
    pub async fn enter(&self, mut request: Request) -> Response<Body> {
        let started = Instant::now();
        let id = self.request_ids.accept(request.headers());
        request.headers_mut().insert(REQUEST_ID, id.clone());
        let place = self.place(request.uri().path());
        let method = request.method().clone();
        let packed = compress::wanted(request.headers());
        let allowed = self.cors.check(request.headers());
        let private = PRIVATE
            .iter()
            .any(|name| request.headers().contains_key(name));

        let mut response = match cors::is_preflight(&method, request.headers()) {
            true => cors::preflight(allowed.as_ref()),
            false => {
                // A panic must cost one request, not the connection and all it carries.
                let answer = AssertUnwindSafe(self.admit(place, request, &id));
                let answer = answer.catch_unwind().await;
                answer.map_or_else(|_| broken(), |made| made.unwrap_or_else(|refusal| *refusal))
            }
        };
        let status = response.status();
        if let Some(accepted) = packed {
            response = compress::compress(accepted, response).await;
        }
        let out = response.headers_mut();
        if let Some(allowed) = allowed {
            cors::allow(out, allowed);
        }
        if self.cors.varies() {
            out.append(header::VARY, HeaderValue::from_static("origin"));
        }
        if place == Place::Docs {
            out.insert(header::CONTENT_SECURITY_POLICY, docs::policy());
        }
        let api = !matches!(place, Place::Storefront | Place::Docs);
        headers::secure(out, api, private && api, self.config.hsts);
        out.insert(REQUEST_ID, id);
        match place {
            Place::Service(index) => {
                self.measures
                    .record(index, &method, status, started.elapsed())
            }
            Place::Storefront => {
                let index = self.table.names().len();
                self.measures
                    .record(index, &method, status, started.elapsed());
            }
            _ => {}
        }
        response
    }

    fn place(&self, path: &str) -> Place {
        if path.starts_with("/api/") || path == "/api" {
            return self.table.find(path).map_or(Place::Nowhere, Place::Service);
        }
        match path {
            "/healthz" => Place::Health,
            "/readyz" => Place::Ready,
            "/metrics" => Place::Metrics,
            "/openapi.json" => Place::OpenApi,
            "/docs" => Place::Docs,
            _ if path.starts_with("/docs/") => Place::Docs,
            // A service's own pages for developers, where the binary switched them on.
            _ if path.starts_with("/dev/") => self
                .table
                .find(path)
                .map_or(Place::Storefront, Place::Service),
            _ => Place::Storefront,
        }
    }

    /// Limits, credentials, then onwards.
    async fn admit(
        &self,
        place: Place,
        mut request: Request,
        id: &HeaderValue,
    ) -> Result<Response<Body>, Box<Response<Body>>> {
        if place == Place::Health {
            return Ok(Operator::health());
        }
        let trusted = &self.config.trusted_proxies;
        let client = Client::of(request.extensions(), request.headers(), trusted);
        let changes = !matches!(*request.method(), Method::GET | Method::HEAD);
        let shown = credentials::shown(request.headers(), changes);
        let digest = match shown {
            Shown::Credential(text) => Some(credentials::digest_of(text)),
            Shown::Cookie(_) | Shown::Nothing => None,
        };
        // A quota of its own is for a credential that was found good before: anyone can make up
        // new ones.
        let digest = digest.filter(|digest| self.credentials.is_good(digest));
        self.limit(&client, digest.as_ref(), &request)?;
        if matches!(place, Place::Service(_) | Place::Metrics)
            && let Some(token) = self.token(shown, id).await?
        {
            credentials::put(request.headers_mut(), token);
        }
        headers::forward(request.headers_mut(), &client, changes);
        match place {
            Place::Service(index) => {
                let mut request = self.bounded(request)?;
                let address = ClientAddress(client.network());
                request.extensions_mut().insert(address);
                Ok(self.forward(index, request).await)
            }
            Place::Storefront => self.shop_window(request).await,
            Place::Nowhere => Err(no_route()),
            Place::Docs => {
                let docs = self.docs.clone().oneshot(request).await;
                Ok(docs.unwrap_or_else(|never| match never {}))
            }
            Place::OpenApi => Ok(self.document.answer()),
            Place::Ready => Ok(self.operator.ready()),
            Place::Health => Ok(Operator::health()),
            Place::Metrics => {
                let (verifier, clock) = (&self.verifier, self.clock.as_ref());
                let headers = request.headers();
                Ok(self.operator.metrics(&client, headers, verifier, clock))
            }
        }
    }

    fn limit(
        &self,
        client: &Client,
        credential: Option<&Digest>,
        request: &Request,
    ) -> Result<(), Box<Response<Body>>> {
        let (method, path) = (request.method(), request.uri().path());
        let checked = self.limits.check(client, credential, method, path);
        checked.map_err(|problem| Box::new(problem.into_response()))
    }

    /// The access token that stands for what was shown. A key that is not good is refused; a
    /// cookie that is not good is as good as none.
    async fn token(
        &self,
        shown: Shown<'_>,
        id: &HeaderValue,
    ) -> Result<Option<HeaderValue>, Box<Response<Body>>> {
        let (credential, must) = match shown {
            Shown::Nothing => return Ok(None),
            Shown::Credential(credential) => (credential, true),
            Shown::Cookie(session) => (session, false),
        };
        let upstream = self.upstream.as_ref();
        let token = self.credentials.exchange(upstream, credential, id).await?;
        match (token, must) {
            (None, true) => Err(Box::new(credentials::refused().into_response())),
            (token, _) => Ok(token),
        }
    }

    /// Refuses a body that is too large, as early as that can be known.
    fn bounded(&self, request: Request) -> Result<Request, Box<Response<Body>>> {
        let limit = self.config.body_limit;
        let size = request.body().size_hint();
        if size.lower() > limit as u64 {
            let detail = format!("a request may have at most {limit} bytes");
            let problem = Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too-large", detail);
            return Err(Box::new(problem.into_response()));
        }
        Ok(match size.upper() {
            Some(_) => request,
            None => request.map(|body| Body::new(Limited::new(body, limit))),
        })
    }

    async fn forward(&self, index: usize, request: Request) -> Response<Body> {
        let (method, path) = (request.method(), request.uri().path());
        let upstream = self.upstream.as_ref();
        let service = self.table.name(index);
        if let Some(seconds) = checkout::preferred_wait(method, path, request.headers()) {
            let interest = self.outcomes.interest();
            let same = checkout::same_caller(request.headers());
            let placed = timeout(self.config.timeout, upstream.call(service, request)).await;
            let Ok(placed) = placed else {
                return too_slow();
            };
            let checkout = Checkout {
                upstream,
                outcomes: &self.outcomes,
                interest,
                same_caller: same,
                seconds,
            };
            return checkout.follow(placed).await;
        }
        let about = fallback::about_order(&request);
        let answer = timeout(self.config.timeout, upstream.call(service, request)).await;
        match (answer, about) {
            (Ok(answer), Some(about)) if answer.status() == StatusCode::NOT_FOUND => {
                about.instead(upstream, answer).await
            }
            (Ok(answer), _) => answer,
            (Err(_), _) => too_slow(),
        }
    }

    async fn shop_window(&self, request: Request) -> Result<Response<Body>, Box<Response<Body>>> {
        let Some(storefront) = &self.storefront else {
            return Err(no_route());
        };
        let request = self.bounded(request)?;
        let answer = storefront.clone().oneshot(request);
        match timeout(self.config.timeout, answer).await {
            Ok(answer) => Ok(answer.unwrap_or_else(|never| match never {})),
            Err(_) => Ok(too_slow()),
        }
    }
}

fn no_route() -> Box<Response<Body>> {
    let detail = "there is no such address; see /docs";
    let problem = Problem::new(StatusCode::NOT_FOUND, "no-route", detail);
    Box::new(problem.into_response())
}

fn broken() -> Response<Body> {
    tracing::error!("a request's handler panicked");
    let detail = "something went wrong on our side";
    Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", detail).into_response()
}

/// The answer when a service does not begin one in time.
pub fn too_slow() -> Response<Body> {
    let detail = "this took too long; what became of it is not known: look, or repeat it with the same Idempotency-Key";
    Problem::new(StatusCode::GATEWAY_TIMEOUT, "time-out", detail)
        .retry_after(1)
        .into_response()
}
