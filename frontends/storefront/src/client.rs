//! Calls to services: complete HTTP requests through [`web::Upstream`], with a time limit, a size
//! limit, and answers sorted into the three kinds a page cares about.

use std::time::Duration;

use axum::{
    body::{Body, Bytes, to_bytes},
    http::{HeaderMap, HeaderName, Method, Request, StatusCode, header},
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use web::Upstream;

/// Longer answers are not waited for: a page that says so is better than none. Three of them must
/// fit the time that the gateway gives a page (30 s).
const PATIENCE: Duration = Duration::from_secs(8);
/// How much later than promised an answer may come: whoever is between here and the service should
/// give up first, because only then it learns which process was slow.
const LATE: Duration = Duration::from_millis(100);
/// The largest answer a page is made from.
const LARGEST: usize = 8 * 1024 * 1024;

/// The headers of a visitor's request that travel on, so that one click can be followed through
/// the logs of every service.
const TRACE: [&str; 3] = ["x-request-id", "traceparent", "tracestate"];

/// Why there is no good answer.
#[derive(Clone, Debug)]
pub enum Failure {
    /// The service said no (4xx), and why.
    Refused(Refusal),
    /// The service cannot be reached, is overloaded or broken. Nothing is known about the request.
    Down {
        /// Which service.
        service: &'static str,
    },
}

/// A problem document (RFC 9457) as far as pages use it.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Refusal {
    /// HTTP status; filled in from the status line.
    #[serde(default)]
    pub status: u16,
    /// Machine-readable kind.
    #[serde(default)]
    pub code: String,
    /// One sentence for a person.
    #[serde(default)]
    pub detail: String,
    /// The field at fault.
    #[serde(default)]
    pub field: Option<String>,
}

impl Failure {
    /// Whether the service knows nothing, or nothing any more, by that name.
    pub fn is_missing(&self) -> bool {
        matches!(self, Self::Refused(refusal) if matches!(refusal.status, 404 | 410))
    }

    /// Whether the caller may not see it.
    pub fn is_forbidden(&self) -> bool {
        matches!(self, Self::Refused(refusal) if matches!(refusal.status, 401 | 403))
    }
}

/// A request to a service, being put together.
pub struct Call<'a> {
    upstream: &'a dyn Upstream,
    visitor: &'a HeaderMap,
    service: &'static str,
    method: Method,
    path: String,
    headers: Vec<(HeaderName, String)>,
    body: Vec<u8>,
    patience: Duration,
}

impl<'a> Call<'a> {
    /// `method path` of `service`, on behalf of a visitor.
    pub fn new(
        upstream: &'a dyn Upstream,
        visitor: &'a HeaderMap,
        service: &'static str,
        method: Method,
        path: impl Into<String>,
    ) -> Self {
        Self {
            upstream,
            visitor,
            service,
            method,
            path: path.into(),
            headers: Vec::new(),
            body: Vec::new(),
            patience: PATIENCE,
        }
    }

    /// Waiting no longer than this. The service is told, and nobody works for a page that has gone.
    pub fn within(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// With a JSON body.
    pub fn json(mut self, body: &impl Serialize) -> Self {
        // Bodies are plain structs of ours: they always serialise.
        self.body = serde_json::to_vec(body).unwrap_or_default();
        self.headers
            .push((header::CONTENT_TYPE, "application/json".into()));
        self
    }

    /// As the holder of a guest access token.
    pub fn bearer(mut self, token: Option<&str>) -> Self {
        if let Some(token) = token {
            self.headers
                .push((header::AUTHORIZATION, format!("Bearer {token}")));
        }
        self
    }

    /// Safe to repeat under this key, if there is one.
    pub fn idempotent(mut self, key: Option<&str>) -> Self {
        if let Some(key) = key {
            let name = HeaderName::from_static("idempotency-key");
            self.headers.push((name, key.to_owned()));
        }
        self
    }

    /// Sends it and reads the answer as `T`.
    pub async fn read<T: DeserializeOwned>(self) -> Result<T, Failure> {
        let service = self.service;
        let bytes = self.send().await?;
        serde_json::from_slice(&bytes).map_err(|error| {
            // The position only: the answer may hold personal data.
            tracing::error!(
                service,
                line = error.line(),
                column = error.column(),
                "answer not understood"
            );
            Failure::Down { service }
        })
    }

    /// Sends it; the body of a good answer.
    pub async fn send(self) -> Result<Bytes, Failure> {
        let (service, patience) = (self.service, self.patience);
        let down = || Failure::Down { service };
        let mut request = Request::builder().method(self.method).uri(&self.path);
        let left = u64::try_from(patience.as_millis()).unwrap_or(u64::MAX);
        request = request.header(web::DEADLINE, left);
        for name in TRACE {
            if let Some(value) = self.visitor.get(name) {
                request = request.header(name, value);
            }
        }
        for (name, value) in self.headers {
            request = request.header(name, value);
        }
        let request = request.body(Body::from(self.body)).map_err(|_| down())?;
        let answer = async {
            let (parts, body) = self.upstream.call(service, request).await.into_parts();
            let bytes = to_bytes(body, LARGEST).await.map_err(|_| down())?;
            Ok((parts.status, bytes))
        };
        let (status, bytes) = tokio::time::timeout(patience + LATE, answer)
            .await
            .map_err(|_| down())??;
        sort(service, status, bytes)
    }
}

fn sort(service: &'static str, status: StatusCode, bytes: Bytes) -> Result<Bytes, Failure> {
    if status.is_success() {
        return Ok(bytes);
    }
    if !status.is_client_error() {
        tracing::warn!(service, %status, "a service could not answer");
        return Err(Failure::Down { service });
    }
    let mut refusal: Refusal = serde_json::from_slice(&bytes).unwrap_or_default();
    refusal.status = status.as_u16();
    Err(Failure::Refused(refusal))
}
