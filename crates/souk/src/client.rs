//! A client of the public API, for the commands that talk to a running shop.

use std::time::Duration;

use reqwest::{Method, StatusCode, header};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

/// A request did not lead to the wanted answer.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// No answer: the shop is not there, or went away.
    #[error("no answer from the shop: {0}")]
    NoAnswer(String),
    /// The shop refused.
    #[error("{status}: {detail}{}", field.as_deref().map(|f| format!(" ({f})")).unwrap_or_default())]
    Refused {
        /// HTTP status.
        status: StatusCode,
        /// The problem's code.
        code: String,
        /// The problem's detail.
        detail: String,
        /// The field it names.
        field: Option<String>,
    },
    /// The answer is not what was expected.
    #[error("unexpected answer: {0}")]
    Unexpected(String),
}

impl ClientError {
    /// Whether sending the same request again may help.
    pub fn passing(&self) -> bool {
        match self {
            Self::NoAnswer(_) => true,
            Self::Refused { status, .. } => {
                status.is_server_error() || *status == StatusCode::TOO_MANY_REQUESTS
            }
            Self::Unexpected(_) => false,
        }
    }
}

/// A shop's API.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    base: String,
    key: Option<String>,
}

impl Client {
    /// The shop at `base`, called with `key`.
    pub fn new(base: &str, key: Option<String>) -> Result<Self, ClientError> {
        let http = reqwest::Client::builder()
            .timeout(Duration::from_secs(90))
            .connect_timeout(Duration::from_secs(5))
            .pool_max_idle_per_host(256)
            .tcp_nodelay(true)
            .build()
            .map_err(|e| ClientError::NoAnswer(e.to_string()))?;
        Ok(Self {
            http,
            base: base.trim_end_matches('/').to_owned(),
            key,
        })
    }

    /// The same shop without credentials: as a shopper.
    pub fn anonymous(&self) -> Self {
        Self {
            key: None,
            ..self.clone()
        }
    }

    /// The same shop with another credential.
    pub fn with_key(&self, key: &str) -> Self {
        Self {
            key: Some(key.to_owned()),
            ..self.clone()
        }
    }

    /// GET.
    pub async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, ClientError> {
        self.send(Method::GET, path, None::<&Value>, &[]).await
    }

    /// POST with headers such as `Idempotency-Key`.
    pub async fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl Serialize,
        headers: &[(&str, &str)],
    ) -> Result<T, ClientError> {
        self.send(Method::POST, path, Some(body), headers).await
    }

    /// Any request with a JSON answer.
    pub async fn send<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Option<&impl Serialize>,
        headers: &[(&str, &str)],
    ) -> Result<T, ClientError> {
        let mut request = self.http.request(method, format!("{}{path}", self.base));
        if let Some(key) = &self.key {
            request = request.header(header::AUTHORIZATION, format!("Bearer {key}"));
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        let response = request
            .send()
            .await
            .map_err(|e| ClientError::NoAnswer(plain(&e)))?;
        let status = response.status();
        let bytes = response
            .bytes()
            .await
            .map_err(|e| ClientError::NoAnswer(plain(&e)))?;
        if status.is_success() {
            let bytes = if bytes.is_empty() {
                b"null".as_slice()
            } else {
                &bytes
            };
            return serde_json::from_slice(bytes)
                .map_err(|e| ClientError::Unexpected(e.to_string()));
        }
        let problem: Value = serde_json::from_slice(&bytes).unwrap_or_default();
        let text = |name: &str| problem.get(name).and_then(Value::as_str).map(str::to_owned);
        Err(ClientError::Refused {
            status,
            code: text("code").unwrap_or_default(),
            detail: text("detail").unwrap_or_else(|| "the shop gave no reason".into()),
            field: text("field"),
        })
    }

    /// GET as text, for `/readyz` and the like.
    pub async fn text(&self, path: &str) -> Result<(StatusCode, String), ClientError> {
        let response = self.http.get(format!("{}{path}", self.base)).send().await;
        let response = response.map_err(|e| ClientError::NoAnswer(plain(&e)))?;
        let status = response.status();
        let text = response
            .text()
            .await
            .map_err(|e| ClientError::NoAnswer(plain(&e)))?;
        Ok((status, text))
    }
}

/// The innermost reason, which is the one a person understands.
fn plain(error: &reqwest::Error) -> String {
    let mut reason: &dyn std::error::Error = error;
    while let Some(inner) = reason.source() {
        reason = inner;
    }
    reason.to_string()
}
