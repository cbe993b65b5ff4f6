//! The service on the real runtime and store, behind its routes, with a stand-in for orders.

// Each test file uses a part of it.
#![allow(dead_code)]

pub mod orders;

use std::{path::Path, sync::Arc};

use axum::{
    Router,
    body::{Body, to_bytes},
    http::{Method, Request, StatusCode},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL};
use kernel::{Timestamp, testing::ManualClock};
use ring::signature::{Ed25519KeyPair, KeyPair as _};
use runtime::{RandomIds, Runtime, RuntimeConfig};
use serde_json::{Value, json};
use tokio::sync::{Mutex, mpsc};
use tower::ServiceExt as _;
use web::Verifier;

/// Staff who may do everything here.
pub const STAFF: &str = "usr_1 credit:read credit:write";
/// Staff who may only look.
pub const READER: &str = "usr_2 credit:read";
/// A customer.
pub const ANN: &str = "cus_ann";

/// When the tests' clock begins.
pub const NOW: Timestamp = Timestamp(1_700_000_000_000_000);

/// Credit, listening to orders of the test's own making.
pub struct Shop {
    router: Router,
    pub runtime: Runtime,
    pub clock: Arc<ManualClock>,
    key: Ed25519KeyPair,
    heard: Mutex<mpsc::UnboundedReceiver<String>>,
    data: tempfile::TempDir,
}

impl Shop {
    pub async fn open() -> Self {
        let data = tempfile::tempdir().expect("a folder");
        let clock = Arc::new(ManualClock::at(NOW));
        let config = RuntimeConfig::embedded(data.path(), clock.clone(), Arc::new(RandomIds))
            .expect("a key ring");
        let (says, heard) = mpsc::unbounded_channel();
        let service = credit::service();
        let runtime = Runtime::start(config, vec![orders::module(says), service.module])
            .await
            .expect("started");
        runtime.wait_ready().await;
        let key = Ed25519KeyPair::from_seed_unchecked(&[7; 32]).expect("a key");
        let verifier = Verifier::default();
        verifier.add_key("k", key.public_key().as_ref().to_vec());
        let app = runtime.app("credit").expect("the service runs");
        Self {
            router: service.routes.into_router(app, Arc::new(verifier)),
            runtime,
            clock,
            key,
            heard: Mutex::new(heard),
            data,
        }
    }

    /// The next thing credit says: `made ord_1`, `refused ord_2 too_little`, `expired crd_…`.
    pub async fn hear(&self) -> String {
        let heard = self.heard.lock().await.recv().await;
        heard.expect("credit still speaks")
    }

    /// Stops it; its files stay until the folder is dropped.
    pub async fn close(self) -> tempfile::TempDir {
        self.runtime.shutdown().await;
        self.data
    }

    /// A call that must succeed.
    pub async fn get(&self, who: &str, path: &str) -> Value {
        let (status, body) = self.call(Method::GET, path, None, Some(who), &[]).await;
        assert_eq!(status, StatusCode::OK, "{path}: {body}");
        body
    }

    /// A call that must succeed.
    pub async fn post(&self, who: &str, path: &str, body: Value) -> Value {
        let (status, body) = self.try_post(Some(who), path, body).await;
        assert!(status.is_success(), "{path}: {status} {body}");
        body
    }

    pub async fn try_post(
        &self,
        who: Option<&str>,
        path: &str,
        body: Value,
    ) -> (StatusCode, Value) {
        self.call(Method::POST, path, Some(body), who, &[]).await
    }

    /// Any call. `who` is an id and what it may do.
    pub async fn call(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
        who: Option<&str>,
        headers: &[(&str, &str)],
    ) -> (StatusCode, Value) {
        let mut request = Request::builder().method(method).uri(path);
        if let Some(who) = who {
            request = request.header("authorization", format!("Bearer {}", self.token(who)));
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if body.is_some() {
            request = request.header("content-type", "application/json");
        }
        let body = body.map_or_else(Body::empty, |body| Body::from(body.to_string()));
        let request = request.body(body).expect("a request");
        let answer = self.router.clone().oneshot(request).await;
        let answer = answer.expect("an answer");
        let status = answer.status();
        let bytes = to_bytes(answer.into_body(), usize::MAX).await;
        let bytes = bytes.expect("a body");
        let body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        (status, body)
    }

    fn token(&self, who: &str) -> String {
        let encode = |value: Value| BASE64URL.encode(value.to_string());
        let mut words = who.split(' ');
        let id = words.next().unwrap_or_default();
        let permissions: Vec<&str> = words.collect();
        let header = encode(json!({"alg": "EdDSA", "kid": "k"}));
        let claims = encode(
            json!({"iss": "souk", "sub": id, "iat": 0, "exp": 4_000_000_000i64,
            "jti": "1", "permissions": permissions}),
        );
        let signed = format!("{header}.{claims}");
        let signature = BASE64URL.encode(self.key.sign(signed.as_bytes()));
        format!("{signed}.{signature}")
    }

    /// Issues one gift card in pounds: its account and its code.
    pub async fn card(&self, amount: i64) -> (String, String) {
        let body = json!({"amount": {"amount": amount, "currency": "GBP"}});
        let issued = self.post(STAFF, "/api/credit/gift-cards", body).await;
        let card = &issued["cards"][0];
        (text(&card["account_id"]), text(&card["code"]))
    }

    /// Gives a customer store credit in pounds: the account.
    pub async fn grant(&self, customer: &str, amount: i64) -> String {
        let body = json!({"customer_id": customer, "amount": gbp(amount), "reason": "sorry"});
        text(&self.post(STAFF, "/api/credit/grants", body).await["id"])
    }

    /// What may be spent of an account, minor units.
    pub async fn balance(&self, account: &str) -> i64 {
        let path = format!("/api/credit/accounts/{account}");
        let account = self.get(STAFF, &path).await;
        account["balance"]["amount"].as_i64().expect("a balance")
    }

    /// The books, which must balance: sums by ledger account.
    pub async fn books(&self) -> Vec<(String, i64)> {
        let summary = self.get(STAFF, "/api/credit/ledger/summary").await;
        assert_eq!(summary["balanced"], true, "{summary}");
        let accounts = summary["accounts"].as_array().expect("accounts");
        let book = |book: &Value| {
            let balance = book["balance"].as_i64().expect("a sum");
            (text(&book["account"]), balance)
        };
        accounts
            .iter()
            .map(book)
            .filter(|(_, sum)| *sum != 0)
            .collect()
    }

    /// Follows a list to its end.
    pub async fn all(&self, who: &str, path: &str) -> Vec<Value> {
        let mut items = Vec::new();
        let mut cursor = String::new();
        let sign = if path.contains('?') { '&' } else { '?' };
        loop {
            let page = format!("{path}{sign}limit=2&cursor={cursor}");
            let page = self.get(who, &page).await;
            items.extend(page["items"].as_array().expect("items").iter().cloned());
            match page["next_cursor"].as_str() {
                Some(next) => cursor = next.to_owned(),
                None => return items,
            }
        }
    }

    /// Builds every read model again from the log.
    pub async fn rebuild(&self) {
        let ops = self.runtime.ops();
        for projection in ops.projections("credit").expect("projections") {
            ops.rebuild("credit", projection).await.expect("rebuilt");
        }
    }

    /// How many events could not be handled.
    pub async fn dead_letters(&self) -> usize {
        let letters = self.runtime.ops().dead_letters().await;
        letters.expect("answered").len()
    }
}

/// Pounds in JSON.
pub fn gbp(amount: i64) -> Value {
    json!({"amount": amount, "currency": "GBP"})
}

/// A JSON string.
pub fn text(value: &Value) -> String {
    value
        .as_str()
        .unwrap_or_else(|| panic!("text: {value}"))
        .to_owned()
}

/// Whether some file below `folder` holds `wanted`.
pub fn found_in(folder: &Path, wanted: &str) -> bool {
    std::fs::read_dir(folder).expect("a folder").any(|entry| {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            return found_in(&path, wanted);
        }
        let bytes = std::fs::read(&path).expect("a file");
        bytes
            .windows(wanted.len())
            .any(|part| part == wanted.as_bytes())
    })
}
