//! Reviews on a real store, spoken to over their router, beside a catalogue, orders and customers
//! that say what a test wants.

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    body::{Body, to_bytes},
    http::{Method, Request, StatusCode, header},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL};
use contracts::{
    catalog::{ProductDeleted, ProductEvent},
    orders::OrderEvent,
};
use kernel::{
    Command, Context, Decider, Event, Module, PersonId, Rejection, StreamId, UnitOfWork, event_set,
};
use reviews::Config;
use ring::signature::{Ed25519KeyPair, KeyPair as _};
use runtime::{RandomIds, Runtime, RuntimeConfig, SystemClock};
use serde_json::{Value, json};
use tower::ServiceExt as _;
use web::Verifier;

pub struct Shop {
    router: Router,
    key: Ed25519KeyPair,
    pub runtime: Runtime,
    data: tempfile::TempDir,
}

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

/// As `customers` publishes it, with more than reviews reads.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
pub struct PersonErased {
    pub person: PersonId,
    pub customer_id: Option<String>,
}

event_set! {
    pub enum CustomersEvent {
        Erased(PersonErased) = "customers.person.erased.v1",
    }
}

stand_in!(Products, "product", ProductEvent);
stand_in!(Orders, "order", OrderEvent);
stand_in!(Customers, "person", CustomersEvent);

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

/// A request in the making.
pub struct Call<'a> {
    shop: &'a Shop,
    request: axum::http::request::Builder,
}

impl Shop {
    pub async fn open() -> Self {
        Self::with(Config::default()).await
    }

    pub async fn with(config: Config) -> Self {
        Self::over(tempfile::tempdir().expect("a folder"), config).await
    }

    async fn over(data: tempfile::TempDir, config: Config) -> Self {
        let place =
            RuntimeConfig::embedded(data.path(), Arc::new(SystemClock), Arc::new(RandomIds))
                .expect("a key ring");
        let service = reviews::service(Config {
            hears_customers: true,
            ..config
        });
        let modules = vec![
            service.module,
            Module::new("catalog").decider::<Products>(),
            Module::new("orders").decider::<Orders>(),
            Module::new("customers").decider::<Customers>(),
        ];
        let runtime = Runtime::start(place, modules).await.expect("started");
        let app = runtime.app("reviews").expect("the service runs");
        let key = Ed25519KeyPair::from_seed_unchecked(&[7; 32]).expect("a seed of 32 bytes");
        let verifier = Verifier::default();
        verifier.add_key("k", key.public_key().as_ref().to_vec());
        let router = service.routes.into_router(app, Arc::new(verifier));
        Self {
            router,
            key,
            runtime,
            data,
        }
    }

    /// Stops and starts again over the same files.
    pub async fn restarted(self) -> Self {
        self.runtime.shutdown().await;
        Self::over(self.data, Config::default()).await
    }

    pub async fn close(self) {
        self.runtime.shutdown().await;
    }

    async fn say<D: Decider>(&self, service: &str, id: &str, kind: &'static str, event: Value) {
        let say = Say::<D> {
            id: id.to_owned(),
            event: event.to_string(),
            kind,
            decider: std::marker::PhantomData,
        };
        let app = self.runtime.app(service).expect("the stand-in runs");
        app.execute(&Context::default(), say).await.expect("said");
    }

    /// The catalogue has this product, with these SKUs.
    pub async fn on_sale(&self, product: &str, skus: &[&str]) {
        let variant = |sku: &&str| json!({"id": format!("var_{}", sku.replace('-', "")), "sku": sku, "prices": []});
        let variants: Vec<Value> = skus.iter().map(variant).collect();
        let product_json = json!({"id": product, "handle": product.replace('_', "-"),
            "title": "Mug", "status": "published", "variants": variants});
        let event = json!({ "product": product_json });
        self.say::<Products>("catalog", product, "catalog.product.created.v1", event)
            .await;
        let path = format!("/api/reviews/products/{product}/rating");
        until("the product is known", async || {
            self.get(&path).ask().await.0 == StatusCode::OK
        })
        .await;
    }

    /// The catalogue has it no more.
    pub async fn deleted(&self, product: &str) {
        let gone = ProductDeleted {
            product_id: product.parse().expect("an id"),
            handle: "mug".into(),
            skus: vec!["MUG".into()],
        };
        let event = ProductEvent::from(gone).encode().expect("encoded");
        let event = serde_json::from_str(&event).expect("json");
        self.say::<Products>("catalog", product, "catalog.product.deleted.v1", event)
            .await;
        let path = format!("/api/reviews/products/{product}/rating");
        until("the product is gone", async || {
            self.get(&path).ask().await.0 == StatusCode::NOT_FOUND
        })
        .await;
    }

    /// Customer `n` bought a SKU in order `order`; `confirmed` or not yet.
    pub async fn bought(&self, n: u32, order: u32, sku: &str, confirmed: bool) {
        let id = format!("ord_{order}");
        let gbp = |amount: i64| json!({"amount": amount, "currency": "GBP"});
        let person = json!({"person": format!("per_{n}")});
        let placed = json!({"order_id": id, "number": "S-1", "cart_id": "crt_1",
            "person": format!("per_{n}"), "customer_id": format!("cus_{n}"), "contact": person,
            "lines": [{"id": "lin_1", "sku": sku, "title": "Mug", "quantity": 1,
                "unit_price": gbp(500), "subtotal": gbp(500), "total": gbp(500)}],
            "totals": {"subtotal": gbp(500), "adjustments": gbp(0), "shipping": gbp(0),
                "tax": gbp(0), "total": gbp(500)},
            "payment": {"provider": "sandbox", "token": person},
            "access_token_hash": "", "deadline": 0});
        self.say::<Orders>("orders", &id, "orders.order.placed.v1", placed)
            .await;
        if confirmed {
            let event = json!({"order_id": id, "number": "S-1", "payment_id": "pay_1",
                "total": gbp(500), "at": 0});
            self.say::<Orders>("orders", &id, "orders.order.confirmed.v1", event)
                .await;
        }
        let app = self.runtime.app("reviews").expect("runs");
        until("the purchase is known", async || {
            let known = kernel::sql!(
                "SELECT sku FROM purchases WHERE order_id = $1 AND confirmed = $2",
                &*id,
                confirmed
            );
            !app.query(known).await.expect("answered").is_empty()
        })
        .await;
    }

    /// The person of customer `n` is erased: first the key, then the news.
    pub async fn erased(&self, n: u32) {
        let person: PersonId = format!("per_{n}").parse().expect("an id");
        self.runtime.ops().erase(&person).await.expect("erased");
        let event = json!({"person": person.as_str(), "customer_id": format!("cus_{n}"), "at": 1});
        self.say::<Customers>(
            "customers",
            person.as_str(),
            "customers.person.erased.v1",
            event,
        )
        .await;
    }

    pub fn get(&self, path: &str) -> Call<'_> {
        self.call(Method::GET, path)
    }

    pub fn post(&self, path: &str) -> Call<'_> {
        self.call(Method::POST, path)
    }

    pub fn call(&self, method: Method, path: &str) -> Call<'_> {
        Call {
            shop: self,
            request: Request::builder().method(method).uri(path),
        }
    }

    fn token(&self, subject: &str, person: Option<String>, permissions: &[&str]) -> String {
        let now = self.runtime.app("reviews").expect("runs").now().seconds();
        let claims = json!({"iss": "souk", "sub": subject, "iat": now, "exp": now + 3_600,
            "jti": "1", "person": person, "permissions": permissions});
        let header = BASE64URL.encode(r#"{"alg":"EdDSA","kid":"k"}"#);
        let signed = format!("{header}.{}", BASE64URL.encode(claims.to_string()));
        let signature = BASE64URL.encode(self.key.sign(signed.as_bytes()));
        format!("{signed}.{signature}")
    }
}

impl Call<'_> {
    fn bearer(mut self, token: &str) -> Self {
        self.request = self
            .request
            .header(header::AUTHORIZATION, format!("Bearer {token}"));
        self
    }

    /// As customer `n`.
    pub fn by(self, n: u32) -> Self {
        let token = self
            .shop
            .token(&format!("cus_{n}"), Some(format!("per_{n}")), &[]);
        self.bearer(&token)
    }

    /// As staff with these permissions.
    pub fn staff(self, permissions: &[&str]) -> Self {
        let token = self.shop.token("usr_1", None, permissions);
        self.bearer(&token)
    }

    pub fn key(mut self, key: &str) -> Self {
        self.request = self.request.header("idempotency-key", key);
        self
    }

    pub async fn send(self, body: Value) -> (StatusCode, Value) {
        self.raw(body.to_string()).await
    }

    pub async fn ask(self) -> (StatusCode, Value) {
        self.raw(String::new()).await
    }

    async fn raw(self, body: String) -> (StatusCode, Value) {
        let request = self
            .request
            .header(header::CONTENT_TYPE, "application/json");
        let request = request.body(Body::from(body)).expect("a request");
        let answer = self
            .shop
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
}

/// Asks until the answer satisfies; panics when it never does.
pub async fn until(what: &str, mut ask: impl AsyncFnMut() -> bool) {
    let asking = async {
        while !ask().await {
            tokio::task::yield_now().await;
        }
    };
    let done = tokio::time::timeout(Duration::from_secs(20), asking).await;
    assert!(done.is_ok(), "it never came to this: {what}");
}
