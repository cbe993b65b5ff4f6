//! What the shop answers over HTTP, and what the provider's own books say.

use axum::{body::Body, http::Request};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
use tower::ServiceExt as _;

use super::{Answered, Shop};

impl Shop {
    /// A token of staff with these permissions.
    pub fn staff(&self, permissions: &[&str]) -> String {
        let now = self.payments.now().seconds();
        let claims = serde_json::json!({
            "iss": "souk", "sub": "usr_1", "iat": now, "exp": now + 300, "jti": "1",
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
        let token = self.staff(&["payments:read"]);
        self.send("GET", path, Some(&token), &[], "").await
    }

    pub async fn post(&self, path: &str, body: &str) -> Answered {
        let token = self.staff(&["payments:write"]);
        self.send("POST", path, Some(&token), &[], body).await
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
        let answer = self
            .router
            .clone()
            .oneshot(request)
            .await
            .expect("infallible");
        let status = answer.status();
        let bytes = axum::body::to_bytes(answer.into_body(), 1 << 20)
            .await
            .expect("a body");
        let body = serde_json::from_slice(&bytes).unwrap_or(serde_json::Value::Null);
        Answered { status, body }
    }

    /// What the provider's own books say.
    pub async fn balance(&self) -> serde_json::Value {
        self.ask_provider("GET", "/v1/balance", "").await
    }

    pub async fn ask_provider(&self, method: &str, path: &str, body: &str) -> serde_json::Value {
        use http_body_util::{BodyExt as _, Full};
        let client =
            hyper_util::client::legacy::Client::builder(hyper_util::rt::TokioExecutor::new())
                .build_http();
        let request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.provider.base_url))
            .header("authorization", "Bearer sk_test")
            .header("idempotency-key", format!("test-{path}-{body}"))
            .header("content-type", "application/json")
            .body(Full::new(bytes::Bytes::from(body.to_owned())))
            .expect("a request");
        let answer = client.request(request).await.expect("an answer");
        let bytes = answer
            .into_body()
            .collect()
            .await
            .expect("a body")
            .to_bytes();
        serde_json::from_slice(&bytes).unwrap_or(serde_json::Value::Null)
    }

    /// Every payment must end with a balanced ledger.
    pub async fn ledger(&self) -> serde_json::Value {
        let summary = self.get("/api/payments/ledger/summary").await.body;
        assert_eq!(summary["balanced"], true, "{summary}");
        summary
    }

    pub async fn account(&self, name: &str) -> i64 {
        let summary = self.ledger().await;
        let accounts = summary["accounts"].as_array().expect("a list").clone();
        let account = accounts.iter().find(|a| a["account"] == name);
        account.map_or(0, |a| a["balance"].as_i64().expect("a number"))
    }
}
