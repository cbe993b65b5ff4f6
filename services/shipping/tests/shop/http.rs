//! What the shop answers over HTTP, and what the carrier does.

use axum::{body::Body, http::Request};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
use serde_json::{Value, json};
use tower::ServiceExt as _;

use super::{Answered, Shop};

impl Shop {
    /// A token of a subject with these permissions.
    pub fn token(&self, subject: &str, permissions: &[&str]) -> String {
        let now = self.app.now().seconds();
        let claims = json!({
            "iss": "souk", "sub": subject, "iat": now, "exp": now + 300, "jti": "1",
            "permissions": permissions,
        });
        let header = r#"{"alg":"EdDSA","kid":"test"}"#;
        let signed = format!(
            "{}.{}",
            BASE64.encode(header),
            BASE64.encode(claims.to_string())
        );
        let signature = BASE64.encode(self.key.sign(signed.as_bytes()));
        format!("{signed}.{signature}")
    }

    pub async fn get(&self, path: &str) -> Answered {
        let token = self.token("usr_1", &["shipping:read"]);
        self.send("GET", path, Some(&token), &[], "").await
    }

    pub async fn post(&self, path: &str, body: Value) -> Answered {
        let token = self.token("usr_1", &["shipping:write"]);
        let body = body.to_string();
        self.send("POST", path, Some(&token), &[], &body).await
    }

    pub async fn put(&self, path: &str, body: Value) -> Answered {
        let token = self.token("usr_1", &["shipping:write"]);
        let body = body.to_string();
        self.send("PUT", path, Some(&token), &[], &body).await
    }

    pub async fn delete(&self, path: &str) -> Answered {
        let token = self.token("usr_1", &["shipping:write"]);
        self.send("DELETE", path, Some(&token), &[], "").await
    }

    pub async fn send(
        &self,
        method: &str,
        path: &str,
        token: Option<&str>,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Answered {
        let mut request = Request::builder().method(method).uri(path);
        if let Some(token) = token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        if !body.is_empty() {
            request = request.header("content-type", "application/json");
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request
            .body(Body::from(body.to_owned()))
            .expect("a request");
        let answer = self.router.clone().oneshot(request).await;
        let answer = answer.expect("infallible");
        let status = answer.status();
        let kind = answer.headers().get("content-type");
        let kind = kind
            .and_then(|k| k.to_str().ok())
            .unwrap_or_default()
            .to_owned();
        let bytes = axum::body::to_bytes(answer.into_body(), 1 << 22)
            .await
            .expect("a body")
            .to_vec();
        let body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        Answered {
            status,
            kind,
            bytes,
            body,
        }
    }

    /// The carrier's own books.
    pub async fn ask_carrier(&self, method: &str, path: &str, body: &str) -> Value {
        use http_body_util::{BodyExt as _, Full};
        let client =
            hyper_util::client::legacy::Client::builder(hyper_util::rt::TokioExecutor::new())
                .build_http();
        let request = Request::builder()
            .method(method)
            .uri(format!("{}/carrier/v1{path}", self.carrier.base_url))
            .header("authorization", "Bearer sk_test")
            .header("idempotency-key", format!("test-{path}"))
            .body(Full::new(bytes::Bytes::from(body.to_owned())))
            .expect("a request");
        let answer = client.request(request).await.expect("an answer");
        let bytes = answer
            .into_body()
            .collect()
            .await
            .expect("a body")
            .to_bytes();
        serde_json::from_slice(&bytes).unwrap_or(Value::Null)
    }

    /// The carrier's label of a fulfilment's label.
    pub async fn at_carrier(&self, fulfilment: &str, label: i64) -> Value {
        let path = format!("/shipments?reference={fulfilment}-{label}");
        let list = self.ask_carrier("GET", &path, "").await;
        assert!(
            list["items"]
                .as_array()
                .is_some_and(|items| items.len() <= 1)
        );
        list["items"][0].clone()
    }

    /// Lets something happen to a parcel.
    pub async fn happens(&self, shipment: &Value, status: &str) {
        let id = shipment["id"].as_str().expect("an id");
        let path = format!("/shipments/{id}/events");
        let body = json!({"status": status, "place": "Leeds"}).to_string();
        let after = self.ask_carrier("POST", &path, &body).await;
        assert_eq!(after["status"], status, "{after}");
    }
}
