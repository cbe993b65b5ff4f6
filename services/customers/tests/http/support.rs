//! Customers on a real store, spoken to over its router, beside an identity, orders and payments
//! that say what a test wants.

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    body::{Body, to_bytes},
    http::{Method, Request, StatusCode, header},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL};
use contracts::{
    address::{Address, Contact},
    cart::PaymentMethod,
    identity::{CustomerEvent as AccountEvent, CustomerRegistered},
    orders::{OrderConfirmed, OrderEvent, OrderPlaced, Totals},
    payments::{PaymentCaptured, PaymentEvent},
};
use kernel::{
    App, Command, Context, Currency, Decider, Module, Money, PersonId, Personal, Rejection,
    StreamId, UnitOfWork, testing::ManualClock,
};
use ring::signature::{Ed25519KeyPair, KeyPair as _};
use runtime::{RandomIds, Runtime, RuntimeConfig};
use serde_json::{Value, json};
use tower::ServiceExt as _;
use web::Verifier;

pub struct Shop {
    router: Router,
    key: Ed25519KeyPair,
    pub runtime: Runtime,
    pub clock: Arc<ManualClock>,
    _data: tempfile::TempDir,
}

/// A stand-in for another service: its streams only carry what they are told.
macro_rules! stand_in {
    ($name:ident, $category:literal, $event:ty) => {
        struct $name;

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

stand_in!(Accounts, "customer", AccountEvent);
stand_in!(Orders, "order", OrderEvent);
stand_in!(Payments, "payment", PaymentEvent);

/// Appends one event.
struct Say<D: Decider> {
    id: String,
    make: Make<D::Event>,
}

type Make<E> = Box<dyn Fn() -> E + Send + Sync>;

impl<D: Decider> Command for Say<D> {
    type Output = ();

    fn streams(&self) -> Vec<StreamId> {
        vec![StreamId::new(D::CATEGORY, &self.id)]
    }

    fn handle(&self, work: &mut UnitOfWork<'_>) -> Result<(), Rejection> {
        work.append::<D>(&self.id, (self.make)())
    }
}

/// What callers may do in these tests.
pub const STAFF: &[&str] = &["customers:read", "customers:write", "customers:erase"];

pub fn address() -> Address {
    Address {
        name: "Ann Example".into(),
        line1: "1 High Street".into(),
        city: "London".into(),
        postcode: "SW1A 1AA".into(),
        country: "GB".into(),
        ..Address::default()
    }
}

pub fn order_id(number: u32) -> String {
    format!("ord_{number:08}")
}

impl Shop {
    pub async fn open() -> Self {
        let data = tempfile::tempdir().expect("a folder");
        let clock = Arc::new(ManualClock::at(kernel::Timestamp(1_700_000_000_000_000)));
        let config = RuntimeConfig::embedded(data.path(), clock.clone(), Arc::new(RandomIds))
            .expect("a key ring");
        let service = ::customers::service();
        let modules = vec![
            service.module,
            Module::new("identity").decider::<Accounts>(),
            Module::new("orders").decider::<Orders>(),
            Module::new("payments").decider::<Payments>(),
        ];
        let runtime = Runtime::start(config, modules).await.expect("started");
        runtime.wait_ready().await;
        let app = runtime.app("customers").expect("the service runs");
        let key = Ed25519KeyPair::from_seed_unchecked(&[7; 32]).expect("a seed of 32 bytes");
        let verifier = Verifier::default();
        verifier.add_key("k", key.public_key().as_ref().to_vec());
        Self {
            router: service.routes.into_router(app, Arc::new(verifier)),
            key,
            runtime,
            clock,
            _data: data,
        }
    }

    pub fn app(&self) -> App {
        self.runtime.app("customers").expect("the service runs")
    }

    pub async fn close(self) {
        let letters = self.runtime.ops().dead_letters().await.expect("asked");
        assert!(letters.is_empty(), "parked: {letters:?}");
        self.runtime.shutdown().await;
    }

    /// Another service publishes something.
    async fn say<D: Decider>(
        &self,
        service: &str,
        id: &str,
        event: impl Into<D::Event> + Clone + Send + Sync + 'static,
    ) {
        let say = Say::<D> {
            id: id.to_owned(),
            make: Box::new(move || event.clone().into()),
        };
        let app = self.runtime.app(service).expect("the stand-in runs");
        app.execute(&Context::default(), say).await.expect("said");
    }

    /// Somebody opens an account; answers a caller who is signed in to it.
    pub async fn registers(&self, number: u32, email: &str) -> Caller<'_> {
        let person: PersonId = format!("per_{number}").parse().expect("an id");
        let registered = CustomerRegistered {
            customer_id: format!("cus_{number}").parse().expect("an id"),
            email: Personal::new(person, email.to_owned()),
        };
        let id = format!("cus_{number}");
        self.say::<Accounts>("identity", &id, registered).await;
        let caller = self.customer(number);
        until("the account is known", async || {
            caller.get("/api/customers/me").await.1["email"] == email
        })
        .await;
        caller
    }

    /// An order of a customer, or of a guest (person 1000 + number).
    pub async fn places(&self, number: u32, by: Option<u32>, email: &str, amount: i64) {
        let person: PersonId = format!("per_{}", by.unwrap_or(1_000 + number))
            .parse()
            .expect("an id");
        let total = Money::new(amount, Currency::GBP);
        let zero = Money::zero(Currency::GBP);
        let now = self.app().now();
        let contact = Contact {
            email: email.into(),
            shipping_address: address(),
            vat_number: None,
        };
        let placed = OrderPlaced {
            order_id: order_id(number).parse().expect("an id"),
            number: format!("S-{number}"),
            cart_id: "crt_1".parse().expect("an id"),
            customer_id: by.map(|by| format!("cus_{by}").parse().expect("an id")),
            contact: Personal::new(person.clone(), contact),
            lines: vec![],
            totals: Totals {
                subtotal: total,
                adjustments: zero,
                shipping: zero,
                tax: zero,
                total,
            },
            payment: PaymentMethod {
                provider: "sandbox".into(),
                token: Personal::new(person.clone(), "tok_secret".into()),
            },
            person,
            shipping: None,
            channel: "web".into(),
            redemptions: vec![],
            credits: vec![],
            buyer_key: String::new(),
            capture: contracts::pricing::CaptureMode::default(),
            locale: None,
            access_token_hash: "hash".into(),
            deadline: now.plus_seconds(600),
            at: now,
        };
        self.say::<Orders>("orders", &order_id(number), placed)
            .await;
    }

    pub async fn confirms(&self, number: u32, amount: i64) {
        let confirmed = OrderConfirmed {
            order_id: order_id(number).parse().expect("an id"),
            number: format!("S-{number}"),
            payment_id: "pay_1".parse().expect("an id"),
            total: Money::new(amount, Currency::GBP),
            at: self.app().now(),
        };
        self.say::<Orders>("orders", &order_id(number), confirmed)
            .await;
    }

    pub async fn captures(&self, number: u32, amount: i64) {
        let money = Money::new(amount, Currency::GBP);
        let captured = PaymentCaptured {
            payment_id: "pay_1".parse().expect("an id"),
            order_id: order_id(number).parse().expect("an id"),
            operation: 1,
            amount: money,
            captured: money,
            provider: "sandbox".into(),
            provider_operation: None,
        };
        self.say::<Payments>("payments", &format!("pay_{number}"), captured)
            .await;
    }

    pub fn customer(&self, number: u32) -> Caller<'_> {
        let claims = json!({"sub": format!("cus_{number}"), "person": format!("per_{number}")});
        self.caller(claims)
    }

    pub fn staff(&self, permissions: &[&str]) -> Caller<'_> {
        self.caller(json!({"sub": "usr_1", "permissions": permissions}))
    }

    pub fn nobody(&self) -> Caller<'_> {
        Caller {
            shop: self,
            token: None,
        }
    }

    fn caller(&self, mut claims: Value) -> Caller<'_> {
        let now = self.app().now().seconds();
        // Time is moved by months in these tests.
        for (name, value) in [
            ("iss", json!("souk")),
            ("iat", json!(now)),
            ("exp", json!(now + 400 * 86_400)),
            ("jti", json!("1")),
        ] {
            claims[name] = value;
        }
        let header = BASE64URL.encode(r#"{"alg":"EdDSA","kid":"k"}"#);
        let signed = format!("{header}.{}", BASE64URL.encode(claims.to_string()));
        let signature = BASE64URL.encode(self.key.sign(signed.as_bytes()));
        Caller {
            shop: self,
            token: Some(format!("{signed}.{signature}")),
        }
    }
}

/// Somebody who calls.
pub struct Caller<'a> {
    shop: &'a Shop,
    token: Option<String>,
}

impl Caller<'_> {
    pub async fn get(&self, path: &str) -> (StatusCode, Value) {
        self.call(Method::GET, path, None).await
    }

    pub async fn post(&self, path: &str, body: Value) -> (StatusCode, Value) {
        self.call(Method::POST, path, Some(body)).await
    }

    pub async fn put(&self, path: &str, body: Value) -> (StatusCode, Value) {
        self.call(Method::PUT, path, Some(body)).await
    }

    pub async fn patch(&self, path: &str, body: Value) -> (StatusCode, Value) {
        self.call(Method::PATCH, path, Some(body)).await
    }

    pub async fn delete(&self, path: &str) -> (StatusCode, Value) {
        self.call(Method::DELETE, path, None).await
    }

    pub async fn call(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> (StatusCode, Value) {
        let mut request = Request::builder().method(method).uri(path);
        if let Some(token) = &self.token {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        let body = match body {
            None => Body::empty(),
            Some(json) => {
                request = request.header(header::CONTENT_TYPE, "application/json");
                Body::from(json.to_string())
            }
        };
        let request = request.body(body).expect("a request");
        let answer = self.shop.router.clone().oneshot(request).await;
        let answer = answer.expect("infallible");
        let status = answer.status();
        let bytes = to_bytes(answer.into_body(), 1 << 24).await.expect("a body");
        let value = serde_json::from_slice(&bytes);
        (status, value.unwrap_or(Value::Null))
    }
}

/// Waits until something holds.
pub async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let waited = tokio::time::timeout(Duration::from_secs(20), async {
        while !holds().await {
            tokio::task::yield_now().await;
        }
    });
    assert!(waited.await.is_ok(), "waited in vain until {what}");
}
