//! A small HTTP client.

use std::{collections::BTreeMap, time::Duration};

use reqwest::{Method, header::HeaderMap};
use serde_json::Value;

use super::Shop;

/// Somewhere to send requests, as somebody.
#[derive(Clone)]
pub struct Api {
    http: reqwest::Client,
    base: String,
    key: Option<String>,
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Value,
    pub text: String,
}

impl Answer {
    /// The body of an answer that must be a success.
    #[track_caller]
    pub fn ok(self) -> Value {
        assert!(
            (200..300).contains(&self.status),
            "{} {}",
            self.status,
            self.text
        );
        self.body
    }

    /// The body of a refusal: a problem document with this status.
    #[track_caller]
    pub fn refused(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.text);
        let kind = self
            .headers
            .get("content-type")
            .and_then(|kind| kind.to_str().ok());
        assert_eq!(kind, Some("application/problem+json"), "{}", self.text);
        assert_eq!(self.body["status"], status, "{}", self.text);
        assert!(
            self.body["type"].is_string() && self.body["detail"].is_string(),
            "{}",
            self.text
        );
        self.body
    }

    /// A refusal that names `field`.
    #[track_caller]
    pub fn names(self, status: u16, field: &str) -> Value {
        let problem = self.refused(status);
        assert_eq!(problem["field"], field, "{problem}");
        problem
    }
}

impl Api {
    pub fn new(base: &str, key: Option<&str>) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder()
            .timeout(Duration::from_secs(60))
            .build()
            .unwrap();
        Self {
            http,
            base: base.to_owned(),
            key: key.map(str::to_owned),
        }
    }

    /// The same place as somebody else.
    pub fn with(&self, key: &str) -> Self {
        Self {
            key: Some(key.to_owned()),
            ..self.clone()
        }
    }

    /// A request to be finished by the test.
    pub fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        let url = if path.starts_with("http://") {
            path.to_owned()
        } else {
            format!("{}{path}", self.base)
        };
        let request = self.http.request(method, url);
        match &self.key {
            Some(key) => request.bearer_auth(key),
            None => request,
        }
    }

    /// Sends a request; `Err` when there is no answer.
    pub async fn try_send(&self, request: reqwest::RequestBuilder) -> Result<Answer, String> {
        let response = request.send().await.map_err(|error| error.to_string())?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let text = response.text().await.map_err(|error| error.to_string())?;
        let body = serde_json::from_str(&text).unwrap_or(Value::Null);
        Ok(Answer {
            status,
            headers,
            body,
            text,
        })
    }

    pub async fn try_get(&self, path: &str) -> Result<Answer, String> {
        self.try_send(self.request(Method::GET, path)).await
    }

    pub async fn try_post(
        &self,
        path: &str,
        body: &Value,
        headers: &[(&str, &str)],
    ) -> Result<Answer, String> {
        let request = self.request(Method::POST, path).json(body);
        let request = headers.iter().fold(request, |request, (name, value)| {
            request.header(*name, *value)
        });
        self.try_send(request).await
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.try_get(path).await.unwrap()
    }

    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.try_post(path, &body, &[]).await.unwrap()
    }

    /// With an `Idempotency-Key`.
    pub async fn post_once(&self, path: &str, body: Value, key: &str) -> Answer {
        self.try_post(path, &body, &[("idempotency-key", key)])
            .await
            .unwrap()
    }

    /// A list, read to its end.
    pub async fn all(&self, path: &str) -> Vec<Value> {
        let (mut all, mut cursor) = (Vec::new(), String::new());
        loop {
            let sign = if path.contains('?') { '&' } else { '?' };
            let page = self
                .get(&format!("{path}{sign}limit=200{cursor}"))
                .await
                .ok();
            all.extend(page["items"].as_array().unwrap().iter().cloned());
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return all,
            }
        }
    }
}

/// Sends any bytes as JSON.
pub async fn raw(api: &Api, method: Method, path: &str, body: impl Into<reqwest::Body>) -> Answer {
    let request = api
        .request(method, path)
        .header("content-type", "application/json")
        .body(body);
    api.try_send(request).await.unwrap()
}

/// The newest position of every service's log.
pub async fn heads(shop: &Shop) -> BTreeMap<String, i64> {
    let staff = shop.staff();
    let topics = staff.get("/api/ops/topics").await.ok();
    let mut heads = BTreeMap::new();
    for topic in topics
        .as_array()
        .unwrap()
        .iter()
        .map(|topic| topic.as_str().unwrap())
    {
        let page = staff
            .get(&format!("/api/ops/events/{topic}?limit=1"))
            .await
            .ok();
        heads.insert(topic.to_owned(), page["head"].as_i64().unwrap());
    }
    heads
}
