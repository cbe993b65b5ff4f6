//! Notifications on a real store beside services that say what a test wants, a mail server that
//! can be ill, and a clock that is moved by hand.

#![allow(dead_code)] // Not every test uses everything.

pub mod events;
pub mod smtp;

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    body::{Body, to_bytes},
    http::{Request, StatusCode, header},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL};
use contracts::{
    cart::CartEvent, catalog::ProductEvent, customers::ConsentEvent, identity::CustomerEvent,
    inventory::StockEvent, orders::OrderEvent, shipping::FulfilmentNews,
};
use kernel::{
    Command, Context, Decider, Event, Module, Rejection, StreamId, Timestamp, UnitOfWork,
    testing::ManualClock, with_keys,
};
use notifications::{Config, Drivers, Hears, channels::Smtp};
use ring::signature::{Ed25519KeyPair, KeyPair as _};
use runtime::{RandomIds, Runtime, RuntimeConfig};
use serde_json::{Value, json};
use tower::ServiceExt as _;
use web::Verifier;

use self::smtp::SmtpServer;

/// Longer than anything here takes, so that a broken test ends.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// A stand-in for another service: its streams only carry what they are told.
macro_rules! stand_in {
    ($name:ident, $category:literal, $event:ty) => {
        pub struct $name;

        impl Decider for $name {
            const CATEGORY: &'static str = $category;
            type State = ();
            type Command = ();
            type Event = $event;

            fn decide(_: &(), _: &()) -> Result<Vec<$event>, Rejection> {
                Ok(vec![])
            }

            fn evolve(_: &mut (), _: &$event) {}
        }
    };
}

stand_in!(Orders, "order", OrderEvent);
stand_in!(Carts, "cart", CartEvent);
stand_in!(Stock, "stock", StockEvent);
stand_in!(Products, "product", ProductEvent);
stand_in!(Customers, "customer", CustomerEvent);
stand_in!(Fulfilments, "fulfilment", FulfilmentNews);
stand_in!(Consents, "consent", ConsentEvent);

/// Appends one event.
struct Say<D: Decider> {
    id: String,
    event: String,
    kind: &'static str,
    decider: std::marker::PhantomData<D>,
}

impl<D: Decider> Command for Say<D> {
    type Output = ();

    fn streams(&self) -> Vec<StreamId> {
        vec![StreamId::new(D::CATEGORY, &self.id)]
    }

    fn handle(&self, work: &mut UnitOfWork<'_>) -> Result<(), Rejection> {
        let event = D::Event::decode(self.kind, &self.event).expect("a good event");
        work.append::<D>(&self.id, event)
    }
}

pub struct Shop {
    pub mail: SmtpServer,
    pub runtime: Runtime,
    pub clock: Arc<ManualClock>,
    pub data: tempfile::TempDir,
    router: Router,
    key: Ed25519KeyPair,
}

pub struct Answered {
    pub status: StatusCode,
    pub text: String,
    pub body: Value,
}

impl Shop {
    /// A shop that sends its mail to the server.
    pub async fn open() -> Self {
        Self::with(|config| config).await
    }

    pub async fn with(change: impl FnOnce(Config) -> Config) -> Self {
        let mail = SmtpServer::start().await;
        let data = tempfile::tempdir().expect("a folder");
        let clock = Arc::new(ManualClock::at(Timestamp(1_800_000_000_000_000)));
        let smtp = Smtp::patient(
            &mail.url(),
            "Souk <shop@shop.example>",
            Duration::from_secs(20),
        );
        let usual = Config {
            shop_url: "https://shop.example".into(),
            drivers: Drivers {
                email: Arc::new(smtp.expect("good settings")),
                ..Drivers::default()
            },
            hears: Hears {
                shipping: true,
                customers: true,
            },
            ..Config::default()
        };
        let service = notifications::service(change(usual));
        let modules = vec![
            service.module,
            Module::new("orders").decider::<Orders>(),
            Module::new("cart").decider::<Carts>(),
            Module::new("inventory").decider::<Stock>(),
            Module::new("catalog").decider::<Products>(),
            Module::new("identity").decider::<Customers>(),
            Module::new("shipping").decider::<Fulfilments>(),
            Module::new("customers").decider::<Consents>(),
        ];
        let config = RuntimeConfig::embedded(data.path(), clock.clone(), Arc::new(RandomIds));
        let config = config.expect("a key ring");
        let runtime = Runtime::start(config, modules).await.expect("it starts");
        runtime.wait_ready().await;
        let app = runtime.app("notifications").expect("it runs");
        let key = Ed25519KeyPair::from_seed_unchecked(&[7; 32]).expect("a seed of 32 bytes");
        let verifier = Verifier::default();
        verifier.add_key("k", key.public_key().as_ref().to_vec());
        let router = service.routes.into_router(app, Arc::new(verifier));
        Self {
            mail,
            runtime,
            clock,
            data,
            router,
            key,
        }
    }

    pub async fn close(mut self) {
        self.runtime.shutdown().await;
        self.mail.close().await;
    }

    /// Lets time pass.
    pub fn later(&self, seconds: i64) {
        self.clock.advance(seconds * 1_000_000);
    }

    pub async fn say<D: Decider>(&self, service: &str, id: &str, event: impl Into<D::Event>) {
        let app = self.runtime.app(service).expect("the stand-in runs");
        let event: D::Event = event.into();
        let say = Say::<D> {
            id: id.to_owned(),
            event: with_keys(app.keys(), || event.encode()).expect("encoded"),
            kind: event.wire_name(),
            decider: std::marker::PhantomData,
        };
        app.execute(&Context::default(), say).await.expect("said");
    }

    pub async fn get(&self, path: &str) -> Answered {
        let token = self.token("usr_1", &["notifications:read"]);
        self.send("GET", path, Some(&token), None).await
    }

    pub async fn post(&self, path: &str, body: Value) -> Answered {
        let token = self.token("usr_1", &["notifications:read", "notifications:write"]);
        self.send("POST", path, Some(&token), Some(body)).await
    }

    pub async fn send(
        &self,
        method: &str,
        path: &str,
        token: Option<&str>,
        body: Option<Value>,
    ) -> Answered {
        let mut request = Request::builder().method(method).uri(path);
        if let Some(token) = token {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        let body = match body {
            Some(body) => {
                request = request.header(header::CONTENT_TYPE, "application/json");
                Body::from(body.to_string())
            }
            None => Body::empty(),
        };
        self.answer(request.body(body).expect("a request")).await
    }

    pub async fn answer(&self, request: Request<Body>) -> Answered {
        let answer = self.router.clone().oneshot(request).await;
        let answer = answer.expect("an answer");
        let status = answer.status();
        let bytes = to_bytes(answer.into_body(), usize::MAX).await;
        let text = String::from_utf8(bytes.expect("a body").to_vec()).expect("text");
        let body = serde_json::from_str(&text).unwrap_or(Value::Null);
        Answered { status, text, body }
    }

    /// Waits until a message stands there.
    pub async fn reaches(&self, message: &str, status: &str) -> Value {
        let path = format!("/api/notifications/messages/{message}");
        let mut last = Value::Null;
        let asking = async {
            loop {
                last = self.get(&path).await.body;
                if last["status"] == status {
                    return last.clone();
                }
                tokio::task::yield_now().await;
            }
        };
        let found = tokio::time::timeout(PATIENCE, asking).await;
        found.unwrap_or_else(|_| panic!("{message} never became {status}"))
    }

    pub fn token(&self, subject: &str, permissions: &[&str]) -> String {
        let now = self.runtime.app("notifications").expect("runs").now();
        let now = now.seconds();
        let claims = json!({"iss": "souk", "sub": subject, "iat": now, "exp": now + 300,
            "jti": "1", "permissions": permissions});
        let header = BASE64URL.encode(r#"{"alg":"EdDSA","kid":"k"}"#);
        let signed = format!("{header}.{}", BASE64URL.encode(claims.to_string()));
        let signature = BASE64URL.encode(self.key.sign(signed.as_bytes()));
        format!("{signed}.{signature}")
    }
}
