//! Wishlists on a real store, spoken to over their router, beside a catalogue and customers that
//! say what a test wants.

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    body::{Body, to_bytes},
    http::{Method, Request, StatusCode, header},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL};
use contracts::catalog::{ProductDeleted, ProductEvent};
use kernel::{
    Command, Context, Decider, Event, Module, PersonId, Rejection, StreamId, Timestamp, UnitOfWork,
    event_set, testing::ManualClock,
};
use ring::signature::{Ed25519KeyPair, KeyPair as _};
use runtime::{RandomIds, Runtime, RuntimeConfig};
use serde_json::{Value, json};
use tower::ServiceExt as _;
use web::Verifier;
use wishlists::Config;

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

/// As `customers` publishes it, with more than wishlists reads.
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
        let data = tempfile::tempdir().expect("a folder");
        let clock = Arc::new(ManualClock::at(Timestamp(1_800_000_000_000_000)));
        let place = RuntimeConfig::embedded(data.path(), clock.clone(), Arc::new(RandomIds))
            .expect("a key ring");
        let service = wishlists::service(Config {
            hears_customers: true,
            ..Config::default()
        });
        let modules = vec![
            service.module,
            Module::new("catalog").decider::<Products>(),
            Module::new("customers").decider::<Customers>(),
        ];
        let runtime = Runtime::start(place, modules).await.expect("started");
        let app = runtime.app("wishlists").expect("the service runs");
        let key = Ed25519KeyPair::from_seed_unchecked(&[7; 32]).expect("a seed of 32 bytes");
        let verifier = Verifier::default();
        verifier.add_key("k", key.public_key().as_ref().to_vec());
        let router = service.routes.into_router(app, Arc::new(verifier));
        Self {
            router,
            key,
            runtime,
            clock,
            _data: data,
        }
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

    /// The catalogue says of product `prd_1` that it is sold (or not) under these SKUs and prices.
    pub async fn catalogue(&self, skus: &[(&str, i64)], status: &str, removed: &[&str]) {
        let variant = |(sku, pence): &(&str, i64)| {
            json!({"id": format!("var_{sku}"), "sku": sku, "title": "",
                "prices": [{"amount": pence, "currency": "GBP"}]})
        };
        let variants: Vec<Value> = skus.iter().map(variant).collect();
        let product = json!({"id": "prd_1", "handle": "mug", "title": "Mug", "status": status,
            "variants": variants});
        let event = json!({"product": product, "removed_skus": removed});
        self.say::<Products>("catalog", "prd_1", "catalog.product.updated.v1", event)
            .await;
        self.caught_up().await;
    }

    /// The catalogue has it no more.
    pub async fn deleted(&self, skus: &[&str]) {
        let gone = ProductDeleted {
            product_id: "prd_1".parse().expect("an id"),
            handle: "mug".into(),
            skus: skus.iter().map(|sku| (*sku).to_owned()).collect(),
        };
        let event = ProductEvent::from(gone).encode().expect("encoded");
        let event = serde_json::from_str(&event).expect("json");
        self.say::<Products>("catalog", "prd_1", "catalog.product.deleted.v1", event)
            .await;
        self.caught_up().await;
    }

    /// Waits until what the catalogue said last is known here: something of the same
    /// product follows it.
    async fn caught_up(&self) {
        let app = self.runtime.app("wishlists").expect("runs");
        let marker = format!("MARK-{}", app.ids().next());
        let variant = json!({"id": "var_m", "sku": marker, "title": "", "prices": []});
        let product = json!({"id": "prd_1", "handle": "mark", "title": "Mark",
            "status": "draft", "variants": [variant]});
        self.say::<Products>(
            "catalog",
            "prd_1",
            "catalog.product.created.v1",
            json!({ "product": product }),
        )
        .await;
        until("the catalogue's news are known", async || {
            let known = kernel::sql!("SELECT sku FROM offers WHERE sku = $1", &marker);
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
        let now = self.runtime.app("wishlists").expect("runs").now().seconds();
        let claims = json!({"iss": "souk", "sub": subject, "iat": now, "exp": now + 3_600,
            "jti": "1", "person": person, "permissions": permissions});
        let header = BASE64URL.encode(r#"{"alg":"EdDSA","kid":"k"}"#);
        let signed = format!("{header}.{}", BASE64URL.encode(claims.to_string()));
        let signature = BASE64URL.encode(self.key.sign(signed.as_bytes()));
        format!("{signed}.{signature}")
    }
}

impl Call<'_> {
    pub fn bearer(mut self, token: &str) -> Self {
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
