//! Orders on a real store, spoken to over their router, beside a cart, an inventory and payments
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
    cart::{CartCheckedOut, CartEvent, PaymentMethod},
    inventory::{ReservationEvent, ReservationMade, ReservationRefused, Shortage},
    orders::{OrderId, OrderLine, Totals},
    payments::{PaymentAuthorised, PaymentEvent},
};
use kernel::{
    Command, Context, Currency, Decider, Event, Module, Money, PersonId, Personal, Rejection,
    StreamId, Timestamp, UnitOfWork, with_keys,
};
use orders::OrdersConfig;
use ring::signature::{Ed25519KeyPair, KeyPair as _};
use runtime::{RandomIds, Runtime, RuntimeConfig, SystemClock};
use serde_json::{Value, json};
use tower::ServiceExt as _;
use web::{Verifier, hash_token};

pub struct Shop {
    router: Router,
    key: Ed25519KeyPair,
    runtime: Runtime,
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

stand_in!(Carts, "cart", CartEvent);
stand_in!(Reservations, "reservation", ReservationEvent);
stand_in!(Payments, "payment", PaymentEvent);

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
        let service = orders::service(OrdersConfig::default());
        let modules = vec![
            service.module,
            Module::new("cart").decider::<Carts>(),
            Module::new("inventory").decider::<Reservations>(),
            Module::new("payments").decider::<Payments>(),
            Module::new("pricing"),
            Module::new("credit"),
            Module::new("shipping"),
        ];
        let runtime = Runtime::start(config, modules).await.expect("started");
        let app = runtime.app("orders").expect("the service runs");
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

    async fn say<D: Decider>(&self, service: &str, id: &str, event: D::Event) {
        let app = self.runtime.app(service).expect("the stand-in runs");
        let say = Say::<D> {
            id: id.to_owned(),
            event: with_keys(app.keys(), || event.encode()).expect("encoded"),
            kind: event.wire_name(),
            decider: std::marker::PhantomData,
        };
        app.execute(&Context::default(), say).await.expect("said");
    }

    /// A cart was checked out: order number `n`, of a customer or a guest, over `total` pence.
    pub async fn checked_out(&self, n: u32, customer: Option<&str>, total: i64) -> OrderId {
        let order = checkout(n, customer, total, self.now());
        let id = order.order_id.clone();
        let event = CartEvent::CheckedOut(order);
        self.say::<Carts>("cart", &format!("crt_{n:032x}"), event)
            .await;
        id
    }

    /// Inventory reserved the order's stock.
    pub async fn reserved(&self, order: &OrderId) {
        let event = ReservationEvent::Made(ReservationMade {
            reservation: order.to_string(),
            order_id: Some(order.clone()),
            lines: vec![],
            expires_at: None,
        });
        self.say::<Reservations>("inventory", order.as_str(), event)
            .await;
    }

    /// Inventory had too little.
    pub async fn refused(&self, order: &OrderId) {
        let event = ReservationEvent::Refused(ReservationRefused {
            reservation: order.to_string(),
            order_id: Some(order.clone()),
            shortages: vec![Shortage {
                sku: "MUG".into(),
                wanted: 2,
                available: 1,
            }],
        });
        self.say::<Reservations>("inventory", order.as_str(), event)
            .await;
    }

    /// The provider holds the money.
    pub async fn authorised(&self, order: &OrderId, total: i64) {
        let payment_id = orders::payment_of(order).expect("a payment id");
        let event = PaymentEvent::Authorised(PaymentAuthorised {
            payment_id: payment_id.clone(),
            order_id: order.clone(),
            amount: Money::new(total, Currency::GBP),
            provider_reference: "sbx_1".into(),
        });
        self.say::<Payments>("payments", payment_id.as_str(), event)
            .await;
    }

    /// An order that is confirmed.
    pub async fn confirmed(&self, n: u32, customer: Option<&str>, total: i64) -> OrderId {
        let order = self.checked_out(n, customer, total).await;
        self.reserved_when_placed(&order).await;
        self.authorised(&order, total).await;
        let path = format!("/api/orders/{order}");
        until("the order is confirmed", async || {
            self.get(&path).bearer(&token(n)).ask().await.1["status"] == "confirmed"
        })
        .await;
        order
    }

    /// Reserves once the order is placed, as inventory would: it hears of it from orders.
    pub async fn reserved_when_placed(&self, order: &OrderId) {
        self.reaches(order, "placed").await;
        self.reserved(order).await;
        self.reaches(order, "stock_reserved").await;
    }

    /// Waits until the order stands there.
    pub async fn reaches(&self, order: &OrderId, status: &str) {
        let path = format!("/api/orders/{order}");
        until(status, async || {
            let staff = self.get(&path).by("usr_1", &["orders:read"]);
            staff.ask().await.1["status"] == status
        })
        .await;
    }

    pub fn now(&self) -> Timestamp {
        self.runtime.app("orders").expect("runs").now()
    }

    /// Follows an order's events to their end: (name, data) of each.
    pub async fn follow(&self, path: &str) -> Vec<(String, Value)> {
        let request = Request::get(path).body(Body::empty()).expect("a request");
        let answer = self
            .router
            .clone()
            .oneshot(request)
            .await
            .expect("an answer");
        assert_eq!(answer.status(), StatusCode::OK);
        assert_eq!(answer.headers()[header::CONTENT_TYPE], "text/event-stream");
        let bytes = to_bytes(answer.into_body(), usize::MAX)
            .await
            .expect("a body");
        let text = String::from_utf8(bytes.to_vec()).expect("text");
        let event = |block: &str| {
            let line = |name: &str| block.lines().find_map(|line| line.strip_prefix(name));
            let data = serde_json::from_str(line("data: ")?).expect("json");
            Some((line("event: ")?.to_owned(), data))
        };
        text.split("\n\n").filter_map(event).collect()
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
        let now = self.now().seconds();
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

    pub fn prefer(mut self, preference: &str) -> Self {
        self.request = self.request.header("prefer", preference);
        self
    }

    pub async fn ask(self) -> (StatusCode, Value) {
        let request = self.request.body(Body::empty()).expect("a request");
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

/// The access token of order number `n`.
pub fn token(n: u32) -> String {
    format!("gst_{n}")
}

fn checkout(n: u32, customer: Option<&str>, total: i64, now: Timestamp) -> CartCheckedOut {
    let person: PersonId = format!("per_{n}").parse().expect("an id");
    let gbp = |amount| Money::new(amount, Currency::GBP);
    let contact = Contact {
        email: "ann@example.org".into(),
        shipping_address: Address {
            name: "Ann".into(),
            line1: "1 High Street".into(),
            city: "Leeds".into(),
            country: "GB".into(),
            ..Address::default()
        },
        vat_number: None,
    };
    CartCheckedOut {
        cart_id: format!("crt_{n:032x}").parse().expect("an id"),
        order_id: format!("ord_{n:032x}").parse().expect("an id"),
        number: format!("S-{n:010}"),
        person: person.clone(),
        customer_id: customer.map(|id| id.parse().expect("an id")),
        contact: Personal::new(person.clone(), contact),
        lines: vec![OrderLine {
            id: "lin_1".parse().expect("an id"),
            sku: "MUG".into(),
            title: "Mug".into(),
            quantity: 2,
            unit_price: gbp(total / 2),
            subtotal: gbp(total),
            adjustments: vec![],
            taxes: vec![],
            requires_shipping: true,
            total: gbp(total),
        }],
        totals: Totals {
            subtotal: gbp(total),
            adjustments: gbp(0),
            shipping: gbp(0),
            tax: gbp(0),
            total: gbp(total),
        },
        payment: PaymentMethod {
            provider: "sandbox".into(),
            token: Personal::new(person, "tok_1".into()),
        },
        shipping: None,
        channel: contracts::cart::web(),
        redemptions: Vec::new(),
        credits: Vec::new(),
        buyer_key: String::new(),
        capture: contracts::pricing::CaptureMode::Manual,
        locale: None,
        access_token_hash: hash_token(&token(n)),
        deadline: now.plus_seconds(900),
        at: now,
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
