//! The cart on a real store, spoken to over its router, beside a catalogue and an inventory that
//! say what a test wants.

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    body::{Body, to_bytes},
    http::{Method, Request, StatusCode, header},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL};
use cart::CartConfig;
use contracts::{
    catalog::{Product, ProductCreated, ProductEvent, ProductStatus, ProductUpdated, Variant},
    credit::CreditAccountEvent,
    customers::CustomerEvent,
    inventory::{MovementReason, StockAdjusted, StockEvent},
    pricing::{CouponEvent, PromotionEvent, RegionEvent, TaxRateEvent},
    shipping::{QuoteKeyEvent, ShippingPlanEvent},
};
use kernel::{Command, Context, Decider, Event, Module, Money, Rejection, StreamId, UnitOfWork};
use ring::signature::{Ed25519KeyPair, KeyPair as _};
use runtime::{RandomIds, Runtime, RuntimeConfig, SystemClock};
use serde_json::{Value, json};
use tower::ServiceExt as _;
use web::Verifier;

pub struct Shop {
    router: Router,
    key: Ed25519KeyPair,
    runtime: Runtime,
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

stand_in!(Products, "product", ProductEvent);
stand_in!(Stock, "stock", StockEvent);
stand_in!(Promotions, "promotion", PromotionEvent);
stand_in!(Coupons, "coupon", CouponEvent);
stand_in!(Regions, "region", RegionEvent);
stand_in!(TaxRates, "tax_rate", TaxRateEvent);
stand_in!(Accounts, "account", CreditAccountEvent);
stand_in!(Groups, "customer", CustomerEvent);
stand_in!(QuoteKeys, "quote_keys", QuoteKeyEvent);
stand_in!(Plan, "plan", ShippingPlanEvent);

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
        let config =
            RuntimeConfig::embedded(data.path(), Arc::new(SystemClock), Arc::new(RandomIds))
                .expect("a key ring");
        let service = cart::service(CartConfig::default());
        let catalog = Module::new("catalog").decider::<Products>();
        let inventory = Module::new("inventory").decider::<Stock>();
        let pricing = Module::new("pricing")
            .decider::<Promotions>()
            .decider::<Coupons>()
            .decider::<Regions>()
            .decider::<TaxRates>();
        let credit = Module::new("credit").decider::<Accounts>();
        let customers = Module::new("customers").decider::<Groups>();
        let shipping = Module::new("shipping")
            .decider::<QuoteKeys>()
            .decider::<Plan>();
        let others = [catalog, inventory, pricing, credit, customers, shipping];
        let modules = [service.module].into_iter().chain(others).collect();
        let runtime = Runtime::start(config, modules).await.expect("started");
        let app = runtime.app("cart").expect("the service runs");
        let key = Ed25519KeyPair::from_seed_unchecked(&[7; 32]).expect("a seed of 32 bytes");
        let verifier = Verifier::default();
        verifier.add_key("k", key.public_key().as_ref().to_vec());
        let router = service.routes.into_router(app, Arc::new(verifier));
        Self {
            router,
            key,
            runtime,
            _data: data,
        }
    }

    pub async fn close(self) {
        self.runtime.shutdown().await;
    }

    /// How the cart's key ring hashes a value.
    pub fn blind(&self, purpose: &str, value: &str) -> String {
        let app = self.runtime.app("cart").expect("the service runs");
        app.keys().blind(purpose, value)
    }

    pub async fn say<D: Decider>(&self, service: &str, id: &str, event: D::Event) {
        let say = Say::<D> {
            id: id.to_owned(),
            event: event.encode().expect("encoded"),
            kind: event.wire_name(),
            decider: std::marker::PhantomData,
        };
        let app = self.runtime.app(service).expect("the stand-in runs");
        app.execute(&Context::default(), say).await.expect("said");
    }

    /// The catalogue has these (SKU, price) on sale, as one product.
    pub async fn on_sale(&self, skus: &[(&str, i64)]) {
        let product = product(skus, ProductStatus::Published);
        let event = ProductEvent::Created(ProductCreated { product });
        self.say::<Products>("catalog", "prd_1", event).await;
        until("the cart knows the offers", async || {
            let cart = self.cart().await;
            let last = json!({"sku": skus[skus.len() - 1].0, "quantity": 1});
            let lines = format!("/api/carts/{cart}/lines");
            self.post(&lines).send(last).await.0 == StatusCode::OK
        })
        .await;
    }

    /// The catalogue changes that product.
    pub async fn changed(&self, skus: &[(&str, i64)], status: ProductStatus) {
        let event = ProductEvent::Updated(ProductUpdated {
            product: product(skus, status),
            removed_skus: vec![],
            previous_handle: None,
        });
        self.say::<Products>("catalog", "prd_1", event).await;
    }

    /// Inventory has so many of a SKU.
    pub async fn in_stock(&self, sku: &str, available: i64) {
        let event = StockEvent::Adjusted(StockAdjusted {
            sku: sku.into(),
            location: "loc_1".parse().expect("an id"),
            delta: available,
            on_hand: available,
            reason: MovementReason::Opening,
            reference: None,
            note: None,
            available,
        });
        self.say::<Stock>("inventory", sku, event).await;
    }

    /// A new anonymous cart's id.
    pub async fn cart(&self) -> String {
        let (status, cart) = self.post("/api/carts").send(json!({})).await;
        assert_eq!(status, StatusCode::CREATED, "{cart}");
        cart["id"].as_str().expect("an id").to_owned()
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

    fn token(&self, subject: &str, permissions: &[&str]) -> String {
        let now = self.runtime.app("cart").expect("runs").now().seconds();
        let claims = json!({"iss": "souk", "sub": subject, "iat": now, "exp": now + 3_600,
            "jti": "1", "permissions": permissions});
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

    /// As a customer (`cus_…`) or staff (`usr_…`) with permissions.
    pub fn by(self, subject: &str, permissions: &[&str]) -> Self {
        let token = self.shop.token(subject, permissions);
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

    pub async fn raw(self, body: String) -> (StatusCode, Value) {
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

fn product(skus: &[(&str, i64)], status: ProductStatus) -> Product {
    let variant = |(index, (sku, pence)): (usize, &(&str, i64))| Variant {
        id: format!("var_{index}").parse().expect("an id"),
        sku: (*sku).into(),
        title: String::new(),
        options: Default::default(),
        prices: vec![Money::new(*pence, kernel::Currency::GBP)],
        compare_at: vec![],
        size_mm: None,
        weight_grams: None,
        barcode: None,
        media: None,
        requires_shipping: true,
    };
    Product {
        id: "prd_1".parse().expect("an id"),
        handle: "thing".into(),
        title: "Thing".into(),
        description: String::new(),
        vendor: String::new(),
        product_type: String::new(),
        tax_class: None,
        status,
        categories: vec![],
        tags: vec![],
        attributes: Default::default(),
        options: vec![],
        media: vec![],
        variants: skus.iter().enumerate().map(variant).collect(),
    }
}

/// What a checkout sends.
pub fn checkout() -> Value {
    json!({
        "email": "ann@example.org",
        "shipping_address":
            {"name": "Ann", "line1": "1 High Street", "city": "Leeds", "country": "GB"},
        "payment": {"provider": "sandbox", "token": "tok_visa"},
    })
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
