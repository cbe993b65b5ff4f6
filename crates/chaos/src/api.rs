//! A small HTTP client, for buyers, staff and those who check the books.

use std::time::Duration;

use reqwest::Method;
use serde_json::Value;

use crate::error::{Error, Result};

/// What came back.
#[derive(Clone, Debug)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// The body as JSON, or null.
    pub body: Value,
}

impl Answer {
    /// Whether it is a success.
    pub fn good(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// Whether it is no answer to the question: asking again may help.
    pub fn passing(&self) -> bool {
        self.status >= 500 || matches!(self.status, 408 | 425 | 429)
    }
}

/// Somewhere to send requests, as somebody.
#[derive(Clone)]
pub struct Api {
    http: reqwest::Client,
    base: String,
    key: Option<String>,
}

impl Api {
    /// Requests to `base` (`http://…`), given up after `patience`.
    pub fn new(base: &str, patience: Duration) -> Result<Self> {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder()
            .timeout(patience)
            .connect_timeout(patience)
            .build()
            .map_err(|error| Error::other(format!("no HTTP client: {error}")))?;
        Ok(Self {
            http,
            base: base.to_owned(),
            key: None,
        })
    }

    /// The same place as somebody else.
    pub fn with(&self, key: &str) -> Self {
        Self {
            key: Some(key.to_owned()),
            ..self.clone()
        }
    }

    /// The same place as nobody in particular.
    pub fn anonymous(&self) -> Self {
        Self {
            key: None,
            ..self.clone()
        }
    }

    /// Sends a request; the words of the error when there is no answer.
    pub async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
        once: Option<&str>,
    ) -> std::result::Result<Answer, String> {
        let url = match path.starts_with("http://") {
            true => path.to_owned(),
            false => format!("{}{path}", self.base),
        };
        let mut request = self.http.request(method, url);
        if let Some(key) = &self.key {
            request = request.bearer_auth(key);
        }
        if let Some(key) = once {
            request = request.header("idempotency-key", key);
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        let response = request.send().await.map_err(|e| e.to_string())?;
        let status = response.status().as_u16();
        let bytes = response.bytes().await.map_err(|e| e.to_string())?;
        let body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        Ok(Answer { status, body })
    }

    /// GET.
    pub async fn get(&self, path: &str) -> std::result::Result<Answer, String> {
        self.send(Method::GET, path, None, None).await
    }

    /// POST.
    pub async fn post(&self, path: &str, body: &Value) -> std::result::Result<Answer, String> {
        self.send(Method::POST, path, Some(body), None).await
    }
}
