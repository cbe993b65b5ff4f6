//! The service on the real runtime and store, behind its routes, with a stand-in for orders.

use std::sync::{Arc, atomic::Ordering};

use axum::{
    Router,
    body::{Body, to_bytes},
    http::{Method, Request, StatusCode},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL};
use contracts::{inventory::ReservationEvent, orders::OrderEvent};
use kernel::{
    AnyCommand, App, Broadcast, Command, Context, Decider, From, Module, Reaction, Rejection,
    StreamId, UnitOfWork, testing::FixedClock,
};
use ring::signature::{Ed25519KeyPair, KeyPair as _};
use runtime::{RandomIds, Runtime, RuntimeConfig};
use serde_json::{Value, json};
use tokio::sync::{Mutex, mpsc};
use tower::ServiceExt as _;
use web::Verifier;

/// An inventory that listens to orders of the test's own making.
pub struct Shop {
    router: Router,
    runtime: Runtime,
    clock: Arc<FixedClock>,
    key: Ed25519KeyPair,
    heard: Mutex<mpsc::UnboundedReceiver<String>>,
    _data: tempfile::TempDir,
}

impl Shop {
    pub async fn open() -> Self {
        let data = tempfile::tempdir().unwrap();
        let clock = Arc::new(FixedClock(1_700_000_000_000_000.into()));
        let config = RuntimeConfig::embedded(data.path(), clock.clone(), Arc::new(RandomIds))
            .expect("a key ring");
        let (says, heard) = mpsc::unbounded_channel();
        let service = crate::service();
        let runtime = Runtime::start(
            config,
            vec![orders(says), Module::new("shipping"), service.module],
        )
        .await
        .unwrap();
        runtime.wait_ready().await;
        let key = Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap();
        let verifier = Verifier::default();
        verifier.add_key("k", key.public_key().as_ref().to_vec());
        let app = runtime.app("inventory").unwrap();
        Self {
            router: service.routes.into_router(app, Arc::new(verifier)),
            runtime,
            clock,
            key,
            heard: Mutex::new(heard),
            _data: data,
        }
    }

    pub fn app(&self) -> App {
        self.runtime.app("inventory").unwrap()
    }

    /// Builds every read model again from the log.
    pub async fn rebuild(&self) {
        let ops = self.runtime.ops();
        for projection in ops.projections("inventory").unwrap() {
            ops.rebuild("inventory", projection).await.unwrap();
        }
    }

    /// How many events could not be handled.
    pub async fn dead_letters(&self) -> usize {
        self.runtime.ops().dead_letters().await.unwrap().len()
    }

    /// What an event leads to, at once.
    pub async fn react(&self, reaction: Reaction) {
        for command in reaction.commands {
            self.app()
                .execute(&Context::default(), Boxed(command))
                .await
                .unwrap();
        }
    }

    /// Orders publishes `event`.
    pub async fn publish(&self, order: &str, event: OrderEvent) {
        let say = Say {
            order: order.to_owned(),
            event: std::sync::Mutex::new(Some(event)),
        };
        let orders = self.runtime.app("orders").unwrap();
        orders.execute(&Context::default(), say).await.unwrap();
    }

    /// The next thing inventory says of a reservation: `made ord_1`, `refused ord_2`.
    pub async fn hear(&self) -> String {
        self.heard.lock().await.recv().await.unwrap()
    }

    /// Moves the clock.
    pub fn pass(&self, seconds: i64) {
        self.clock
            .0
            .fetch_add(seconds * 1_000_000, Ordering::SeqCst);
    }

    /// A call with a body, by staff who may do everything here.
    pub async fn staff(&self, method: Method, path: &str, body: Value) -> (StatusCode, Value) {
        let all = Some("inventory:read inventory:write");
        self.call(method, path, Some(body), all, None).await
    }

    /// `GET` by staff.
    pub async fn get(&self, path: &str) -> Value {
        let (status, body) = self
            .call(Method::GET, path, None, Some("inventory:read"), None)
            .await;
        assert_eq!(status, StatusCode::OK, "{path}: {body}");
        body
    }

    /// Any call.
    pub async fn call(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
        permissions: Option<&str>,
        key: Option<&str>,
    ) -> (StatusCode, Value) {
        let mut request = Request::builder().method(method).uri(path);
        if let Some(permissions) = permissions {
            let bearer = format!("Bearer {}", self.token(permissions));
            request = request.header("authorization", bearer);
        }
        if let Some(key) = key {
            request = request.header("idempotency-key", key);
        }
        if body.is_some() {
            request = request.header("content-type", "application/json");
        }
        let body = body.map_or_else(Body::empty, |body| Body::from(body.to_string()));
        let request = request.body(body).unwrap();
        let answer = self.router.clone().oneshot(request).await.unwrap();
        let status = answer.status();
        let bytes = to_bytes(answer.into_body(), usize::MAX).await.unwrap();
        (
            status,
            serde_json::from_slice(&bytes).unwrap_or(Value::Null),
        )
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

/// A service named orders that says what it is told to, and passes on what inventory answers.
fn orders(says: mpsc::UnboundedSender<String>) -> Module {
    let listen = move |recorded: &Arc<kernel::Recorded>| {
        let Ok(Some(event)) = recorded.decode::<ReservationEvent>() else {
            return;
        };
        let (what, id) = match event.as_ref() {
            ReservationEvent::Made(e) => ("made", &e.reservation),
            ReservationEvent::Refused(e) => ("refused", &e.reservation),
            ReservationEvent::Allocated(e) => ("allocated", &e.reservation),
            ReservationEvent::Released(e) => ("released", &e.reservation),
            ReservationEvent::Dispatched(e) => ("dispatched", &e.reservation),
        };
        let _ = says.send(format!("{what} {id}"));
    };
    Module::new("orders")
        .decider::<Orders>()
        .broadcast(Broadcast::new(
            "answers",
            &["inventory"],
            From::Beginning,
            listen,
        ))
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
    event: std::sync::Mutex<Option<OrderEvent>>,
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

/// A command whose type is forgotten, to be executed like one that came over a route.
struct Boxed(Box<dyn AnyCommand>);

impl Command for Boxed {
    type Output = Box<dyn std::any::Any + Send + Sync>;

    fn streams(&self) -> Vec<StreamId> {
        self.0.streams()
    }

    fn handle(&self, work: &mut UnitOfWork<'_>) -> Result<Self::Output, Rejection> {
        self.0.handle_any(work)
    }
}
