//! The catalogue on a real store, spoken to over its router.

use std::sync::Arc;

use axum::{
    Router,
    body::{Body, to_bytes},
    http::{Method, Request, StatusCode, header},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL};
use ring::signature::{Ed25519KeyPair, KeyPair as _};
use runtime::{RandomIds, Runtime, RuntimeConfig, SystemClock};
use serde_json::{Value, json};
use tower::ServiceExt as _;
use web::Verifier;

pub struct Shop {
    pub router: Router,
    token: String,
    runtime: Runtime,
    _data: tempfile::TempDir,
}

/// Who asks.
#[derive(Clone, Copy, PartialEq)]
pub enum As {
    Anyone,
    Staff,
}

impl Shop {
    pub async fn open() -> Self {
        let data = tempfile::tempdir().expect("a folder");
        let config =
            RuntimeConfig::embedded(data.path(), Arc::new(SystemClock), Arc::new(RandomIds))
                .expect("a key ring");
        let service = catalog::service();
        let runtime = Runtime::start(config, vec![service.module])
            .await
            .expect("started");
        let app = runtime.app("catalog").expect("the service runs");
        let key = Ed25519KeyPair::from_seed_unchecked(&[7; 32]).expect("a seed of 32 bytes");
        let verifier = Verifier::default();
        verifier.add_key("k", key.public_key().as_ref().to_vec());
        let token = token(&key, app.now().seconds());
        let router = service.routes.into_router(app, Arc::new(verifier));
        Self {
            router,
            token,
            runtime,
            _data: data,
        }
    }

    pub async fn close(self) {
        self.runtime.shutdown().await;
    }

    pub async fn call(
        &self,
        who: As,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> (StatusCode, Value) {
        let mut request = Request::builder().method(method).uri(path);
        if who == As::Staff {
            request = request.header(header::AUTHORIZATION, format!("Bearer {}", self.token));
        }
        let body = match body {
            Some(value) => {
                request = request.header(header::CONTENT_TYPE, "application/json");
                Body::from(value.to_string())
            }
            None => Body::empty(),
        };
        let request = request.body(body).expect("a request");
        let answer = self
            .router
            .clone()
            .oneshot(request)
            .await
            .expect("an answer");
        let status = answer.status();
        let bytes = to_bytes(answer.into_body(), usize::MAX)
            .await
            .expect("a body");
        (
            status,
            serde_json::from_slice(&bytes).unwrap_or(Value::Null),
        )
    }

    pub async fn get(&self, who: As, path: &str) -> (StatusCode, Value) {
        self.call(who, Method::GET, path, None).await
    }

    pub async fn post(&self, path: &str, body: Value) -> (StatusCode, Value) {
        self.call(As::Staff, Method::POST, path, Some(body)).await
    }
}

fn token(key: &Ed25519KeyPair, now: i64) -> String {
    let claims = json!({"iss": "souk", "sub": "usr_1", "iat": now, "exp": now + 3_600, "jti": "1",
        "permissions": ["catalog:write"]});
    let header = BASE64URL.encode(r#"{"alg":"EdDSA","kid":"k"}"#);
    let signed = format!("{header}.{}", BASE64URL.encode(claims.to_string()));
    let signature = BASE64URL.encode(key.sign(signed.as_bytes()));
    format!("{signed}.{signature}")
}

/// A published product with one variant.
pub fn product(handle: &str, sku: &str, pence: i64) -> Value {
    json!({"handle": handle, "title": format!("The {handle}"), "status": "published",
        "variants": [{"sku": sku, "prices": [{"amount": pence, "currency": "GBP"}]}]})
}
