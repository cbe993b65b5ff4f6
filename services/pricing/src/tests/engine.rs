//! The service on the real runtime and store, behind its routes, with a stand-in for orders.

use std::sync::{Arc, Mutex as SyncMutex};

use axum::{
    Router,
    body::{Body, to_bytes},
    http::{Method, Request, StatusCode, header},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL};
use contracts::{orders::OrderEvent, pricing::RedemptionEvent};
use kernel::{
    Broadcast, Command, Context, Decider, From, Module, Recorded, Rejection, StreamId, UnitOfWork,
};
use ring::signature::{Ed25519KeyPair, KeyPair as _};
use runtime::{RandomIds, Runtime, RuntimeConfig, SystemClock};
use serde_json::{Value, json};
use tokio::sync::{Mutex, mpsc};
use tower::ServiceExt as _;
use web::Verifier;

/// A pricing that listens to orders of the test's own making.
pub struct Shop {
    router: Router,
    runtime: Runtime,
    key: Ed25519KeyPair,
    heard: Mutex<mpsc::UnboundedReceiver<String>>,
    _data: tempfile::TempDir,
}

/// A request, as the tests build it up.
pub struct Call<'a> {
    pub method: Method,
    pub path: &'a str,
    pub permissions: Option<&'a str>,
    pub key: Option<&'a str>,
    pub kind: &'a str,
    pub body: Option<String>,
}

impl Shop {
    pub async fn open() -> Self {
        let data = tempfile::tempdir().unwrap();
        let config =
            RuntimeConfig::embedded(data.path(), Arc::new(SystemClock), Arc::new(RandomIds))
                .expect("a key ring");
        let (says, heard) = mpsc::unbounded_channel();
        let service = crate::service();
        let runtime = Runtime::start(config, vec![orders(says), service.module])
            .await
            .unwrap();
        runtime.wait_ready().await;
        let key = Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap();
        let verifier = Verifier::default();
        verifier.add_key("k", key.public_key().as_ref().to_vec());
        let app = runtime.app("pricing").unwrap();
        Self {
            router: service.routes.into_router(app, Arc::new(verifier)),
            runtime,
            key,
            heard: Mutex::new(heard),
            _data: data,
        }
    }

    /// Builds every read model again from the log.
    pub async fn rebuild(&self) {
        let ops = self.runtime.ops();
        for projection in ops.projections("pricing").unwrap() {
            ops.rebuild("pricing", projection).await.unwrap();
        }
    }

    /// How many events could not be handled.
    pub async fn dead_letters(&self) -> usize {
        self.runtime.ops().dead_letters().await.unwrap().len()
    }

    /// Orders publishes `event`.
    pub async fn publish(&self, order: &str, event: OrderEvent) {
        let say = Say {
            order: order.to_owned(),
            event: SyncMutex::new(Some(event)),
        };
        let orders = self.runtime.app("orders").unwrap();
        orders.execute(&Context::default(), say).await.unwrap();
    }

    /// The next thing pricing says of an order: `made ord_1`, `refused ord_2 used_up`.
    pub async fn hear(&self) -> String {
        self.heard.lock().await.recv().await.unwrap()
    }

    /// A call with a body, by staff who may do everything here.
    pub async fn staff(&self, method: Method, path: &str, body: Value) -> (StatusCode, Value) {
        let all = Some("pricing:read pricing:write");
        self.json(method, path, Some(body), all, None).await
    }

    /// A call of staff that must succeed.
    pub async fn done(&self, method: Method, path: &str, body: Value) -> Value {
        let (status, answer) = self.staff(method, path, body).await;
        assert!(status.is_success(), "{path}: {status} {answer}");
        answer
    }

    /// `GET` by staff.
    pub async fn get(&self, path: &str) -> Value {
        let read = Some("pricing:read");
        let (status, body) = self.json(Method::GET, path, None, read, None).await;
        assert_eq!(status, StatusCode::OK, "{path}: {body}");
        body
    }

    /// A call in JSON.
    pub async fn json(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
        permissions: Option<&str>,
        key: Option<&str>,
    ) -> (StatusCode, Value) {
        let call = Call {
            method,
            path,
            permissions,
            key,
            kind: "application/json",
            body: body.map(|body| body.to_string()),
        };
        let (status, text) = self.call(call).await;
        (status, serde_json::from_str(&text).unwrap_or(Value::Null))
    }

    /// Any call.
    pub async fn call(&self, call: Call<'_>) -> (StatusCode, String) {
        let mut request = Request::builder().method(call.method).uri(call.path);
        if let Some(permissions) = call.permissions {
            let bearer = format!("Bearer {}", self.token(permissions));
            request = request.header(header::AUTHORIZATION, bearer);
        }
        if let Some(key) = call.key {
            request = request.header("idempotency-key", key);
        }
        if call.body.is_some() {
            request = request.header(header::CONTENT_TYPE, call.kind);
        }
        let body = call.body.map_or_else(Body::empty, Body::from);
        let request = request.body(body).unwrap();
        let answer = self.router.clone().oneshot(request).await.unwrap();
        let status = answer.status();
        let bytes = to_bytes(answer.into_body(), usize::MAX).await.unwrap();
        (status, String::from_utf8(bytes.to_vec()).unwrap())
    }

    fn token(&self, permissions: &str) -> String {
        let encode = |value: Value| BASE64URL.encode(value.to_string());
        let permissions: Vec<&str> = permissions.split(' ').collect();
        let header = encode(json!({"alg": "EdDSA", "kid": "k"}));
        let claims = encode(
            json!({"iss": "souk", "sub": "usr_1", "iat": 0, "exp": 4_000_000_000i64,
            "jti": "1", "permissions": permissions}),
        );
        let signed = format!("{header}.{claims}");
        let signature = BASE64URL.encode(self.key.sign(signed.as_bytes()));
        format!("{signed}.{signature}")
    }
}

/// A service named orders that says what it is told to, and passes on what pricing answers.
fn orders(says: mpsc::UnboundedSender<String>) -> Module {
    let listen = move |recorded: &Arc<Recorded>| {
        let Ok(Some(event)) = recorded.decode::<RedemptionEvent>() else {
            return;
        };
        let said = match event.as_ref() {
            RedemptionEvent::Made(e) => format!("made {}", e.order_id),
            RedemptionEvent::Refused(e) => {
                let reason = serde_json::to_value(e.reason).unwrap();
                format!("refused {} {}", e.order_id, reason.as_str().unwrap())
            }
            RedemptionEvent::Released(e) => format!("released {}", e.order_id),
        };
        let _ = says.send(said);
    };
    let answers = Broadcast::new("answers", &["pricing"], From::Beginning, listen);
    Module::new("orders").decider::<Orders>().broadcast(answers)
}

struct Orders;

impl Decider for Orders {
    const CATEGORY: &'static str = "order";
    type State = ();
    type Command = ();
    type Event = OrderEvent;

    fn decide((): &(), (): &()) -> Result<Vec<OrderEvent>, Rejection> {
        Ok(vec![])
    }

    fn evolve((): &mut (), _: &OrderEvent) {}
}

struct Say {
    order: String,
    event: SyncMutex<Option<OrderEvent>>,
}

impl Command for Say {
    type Output = ();

    fn streams(&self) -> Vec<StreamId> {
        vec![StreamId::new(Orders::CATEGORY, &self.order)]
    }

    fn handle(&self, work: &mut UnitOfWork<'_>) -> Result<(), Rejection> {
        let event = self.event.lock().unwrap().take();
        match event {
            Some(event) => work.append::<Orders>(&self.order, event),
            None => Ok(()),
        }
    }
}
