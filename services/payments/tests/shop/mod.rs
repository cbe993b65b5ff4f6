//! A shop around the service: the real runtime, the sandbox provider over HTTP, webhooks that come
//! back over HTTP, and a stand-in for orders that says what it is told to say.

#![allow(dead_code)] // Not every test uses everything.

mod http;

use std::{
    path::PathBuf,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    http::StatusCode,
    middleware::{Next, from_fn},
};
use contracts::{
    cart::PaymentMethod,
    orders::{
        CancelReason, OrderCancelled, OrderCaptureRequested, OrderEvent, OrderId,
        OrderPaymentRequested,
    },
    payments::{PaymentEvent, PaymentId},
};
use kernel::{
    App, Broadcast, Context, Currency, Decide, Decider, From, Module, Money, Personal, Recorded,
    Rejection, Timestamp,
};
use payments::{BreakerConfig, CallConfig, Config, Patience, Providers, Sandbox, SandboxConfig};
use ring::signature::{Ed25519KeyPair, KeyPair as _};
use runtime::{RandomIds, Runtime, RuntimeConfig, SystemClock};
use tempfile::TempDir;
use tokio::{net::TcpListener, sync::Notify, task::JoinHandle};
use web::Verifier;

/// Longer than anything here takes, so that a broken test ends.
const PATIENCE: Duration = Duration::from_secs(30);

/// Orders, as far as payments hears of them.
struct Orders;

pub enum Say {
    Request(OrderPaymentRequested),
    Cancel(OrderCancelled),
    Capture(OrderCaptureRequested),
}

impl Decider for Orders {
    const CATEGORY: &'static str = "order";
    type State = ();
    type Command = Say;
    type Event = OrderEvent;

    fn decide(_: &(), say: &Say) -> Result<Vec<OrderEvent>, Rejection> {
        Ok(vec![match say {
            Say::Request(e) => e.clone().into(),
            Say::Cancel(e) => e.clone().into(),
            Say::Capture(e) => e.clone().into(),
        }])
    }

    fn evolve(_: &mut (), _: &OrderEvent) {}
}

/// How a shop differs from the usual one.
#[derive(Clone)]
pub struct Options {
    pub data: Option<PathBuf>,
    pub webhooks: bool,
    /// How long the sandbox holds a connection that it will not answer.
    pub hold: Duration,
    pub provider_timeout: Duration,
    pub wait: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            data: None,
            webhooks: true,
            hold: Duration::from_secs(20),
            provider_timeout: Duration::from_millis(1_500),
            wait: Duration::from_secs(10),
        }
    }
}

/// What has happened, and a bell for those who wait.
#[derive(Default)]
pub struct Seen {
    events: Mutex<Vec<Arc<Recorded>>>,
    webhooks: AtomicUsize,
    bell: Notify,
}

pub struct Shop {
    pub runtime: Option<Runtime>,
    pub sandbox: Option<sandbox::Sandbox>,
    pub provider: SandboxConfig,
    pub router: Router,
    pub seen: Arc<Seen>,
    orders: App,
    pub payments: App,
    key: Ed25519KeyPair,
    server: JoinHandle<()>,
    address: String,
    data: PathBuf,
    _folder: TempDir,
    options: Options,
}

pub struct Answered {
    pub status: StatusCode,
    pub body: serde_json::Value,
}

impl Shop {
    pub async fn open() -> Self {
        Self::with(Options::default()).await
    }

    pub async fn with(options: Options) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = format!("http://{}", listener.local_addr().expect("bound"));
        let till = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let provider = SandboxConfig {
            base_url: format!("http://{}", till.local_addr().expect("bound")),
            api_key: "sk_test".into(),
            webhook_secret: "whsec_test".into(),
        };
        let data = options
            .data
            .clone()
            .unwrap_or_else(|| folder.path().to_owned());
        let sandbox = start_sandbox(till, &address, data.join("sandbox"), &options).await;

        let seen = Arc::new(Seen::default());
        let adapter = Sandbox::new(&provider).expect("good settings");
        let calls = CallConfig {
            timeout: options.provider_timeout,
            breaker: BreakerConfig {
                failures: 50,
                cool_off_ms: 100,
            },
        };
        let config = Config {
            providers: Providers::new(
                [Arc::new(adapter) as Arc<dyn payments::provider::Provider>],
                calls,
            ),
            patience: Patience {
                first: Duration::from_millis(40),
                longest: Duration::from_millis(400),
                stubborn: Duration::from_millis(400),
                buyer: Duration::from_millis(100),
                lost: Duration::from_secs(5),
            },
            wait: options.wait,
            concurrency: 64,
        };
        let service = payments::service(config);
        let feed = {
            let seen = seen.clone();
            Broadcast::new("test", &["payments"], From::Beginning, move |event| {
                seen.events.lock().expect("unpoisoned").push(event.clone());
                seen.bell.notify_waiters();
            })
        };
        let runtime = Runtime::start(
            RuntimeConfig::embedded(&data, Arc::new(SystemClock), Arc::new(RandomIds))
                .expect("a key ring"),
            vec![
                Module::new("orders").decider::<Orders>(),
                service.module.broadcast(feed),
            ],
        )
        .await
        .expect("it starts");
        runtime.wait_ready().await;
        let payments = runtime.app("payments").expect("it runs");
        let key = Ed25519KeyPair::from_seed_unchecked(&[7; 32]).expect("a seed");
        let verifier = Arc::new(Verifier::default());
        verifier.add_key("test", key.public_key().as_ref().to_vec());
        let router = service.routes.into_router(payments.clone(), verifier);
        let server = serve(listener, router.clone(), seen.clone());
        Self {
            orders: runtime.app("orders").expect("it runs"),
            runtime: Some(runtime),
            sandbox: Some(sandbox),
            provider,
            router,
            seen,
            payments,
            key,
            server,
            address,
            data,
            _folder: folder,
            options,
        }
    }

    /// Stops the provider; nobody listens at its address until it is started again.
    pub async fn stop_sandbox(&mut self) {
        if let Some(sandbox) = self.sandbox.take() {
            sandbox.shutdown().await;
        }
    }

    pub async fn start_sandbox_again(&mut self) {
        let address = self.provider.base_url.trim_start_matches("http://");
        let till = TcpListener::bind(address).await.expect("the port is free");
        let data = self.data.join("sandbox");
        self.sandbox = Some(start_sandbox(till, &self.address, data, &self.options).await);
    }

    /// An order asks for 10 pounds with this token.
    pub async fn ask(&self, token: &str) -> PaymentId {
        self.ask_for(token, 1_000).await
    }

    pub async fn ask_for(&self, token: &str, amount: i64) -> PaymentId {
        let hex = self.payments.ids().next();
        let person = format!("per_{hex}").parse().expect("an id");
        let payment_id: PaymentId = format!("pay_{hex}").parse().expect("an id");
        let request = OrderPaymentRequested {
            order_id: order_of(&payment_id),
            number: "S-1".into(),
            payment_id: payment_id.clone(),
            amount: Money::new(amount, Currency::GBP),
            method: PaymentMethod {
                provider: "sandbox".into(),
                token: Personal::new(person, token.into()),
            },
            deadline: self.payments.now().plus_seconds(900),
            access_token_hash: web::hash_token(&guest_of(&payment_id)),
            customer_id: None,
        };
        self.say(&payment_id, Say::Request(request)).await;
        payment_id
    }

    pub async fn cancel(&self, payment: &PaymentId) {
        let cancelled = OrderCancelled {
            order_id: order_of(payment),
            number: "S-1".into(),
            reason: CancelReason::Customer,
            shortages: vec![],
            payment_id: Some(payment.clone()),
            by: None,
            at: Timestamp(0),
        };
        self.say(payment, Say::Cancel(cancelled)).await;
    }

    /// The order asks that so much be captured in all.
    pub async fn ask_to_capture(&self, payment: &PaymentId, up_to: i64) {
        let asked = OrderCaptureRequested {
            order_id: order_of(payment),
            payment_id: payment.clone(),
            up_to: Money::new(up_to, Currency::GBP),
            at: Timestamp(0),
        };
        self.say(payment, Say::Capture(asked)).await;
    }

    async fn say(&self, payment: &PaymentId, say: Say) {
        let command = Decide::<Orders>::new(order_of(payment).as_str(), say);
        self.orders
            .execute(&Context::default(), command)
            .await
            .expect("orders says it");
    }

    /// Authorised, ready to be captured.
    pub async fn authorised(&self) -> PaymentId {
        let payment = self.ask("tok_visa").await;
        self.until(&payment, "authorised").await;
        payment
    }

    /// The names of what happened to a payment so far.
    pub fn history(&self, payment: &PaymentId) -> Vec<String> {
        let events = self.seen.events.lock().expect("unpoisoned");
        let of = events.iter().filter(|e| e.stream.id() == payment.as_str());
        let short = |kind: &str| kind.split('.').nth(2).unwrap_or_default().to_owned();
        of.map(|event| short(&event.kind)).collect()
    }

    /// Its events of one kind.
    pub fn events(&self, payment: &PaymentId, name: &str) -> Vec<Arc<PaymentEvent>> {
        let kind = format!("payments.payment.{name}.v1");
        let events = self.seen.events.lock().expect("unpoisoned");
        let of = events
            .iter()
            .filter(|e| e.stream.id() == payment.as_str() && *e.kind == *kind);
        of.map(|e| {
            e.decode::<PaymentEvent>()
                .expect("readable")
                .expect("of this kind")
        })
        .collect()
    }

    pub fn count(&self, payment: &PaymentId, name: &str) -> usize {
        self.history(payment).iter().filter(|n| *n == name).count()
    }

    /// Waits until this has happened to the payment.
    pub async fn until(&self, payment: &PaymentId, name: &str) {
        self.until_so(&format!("{payment} {name}"), || {
            self.count(payment, name) > 0
        })
        .await;
    }

    /// Waits until so many webhooks were answered with 200.
    pub async fn until_webhooks(&self, count: usize) {
        let taken = || self.seen.webhooks.load(Ordering::SeqCst) >= count;
        self.until_so("webhooks", taken).await;
    }

    pub fn webhooks(&self) -> usize {
        self.seen.webhooks.load(Ordering::SeqCst)
    }

    pub async fn until_so(&self, what: &str, so: impl Fn() -> bool) {
        let wait = async {
            loop {
                let mut rung = std::pin::pin!(self.seen.bell.notified());
                rung.as_mut().enable();
                if so() {
                    return;
                }
                rung.await;
            }
        };
        if tokio::time::timeout(PATIENCE, wait).await.is_err() {
            let events = self.seen.events.lock().expect("unpoisoned");
            let list: Vec<_> = events
                .iter()
                .map(|e| (e.stream.id().to_owned(), e.kind.to_string()))
                .collect();
            panic!("waited in vain for {what}: {list:?}");
        }
    }

    /// Stops everything in order.
    pub async fn close(mut self) {
        self.server.abort();
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown().await;
        }
        self.stop_sandbox().await;
    }
}

pub fn order_of(payment: &PaymentId) -> OrderId {
    let hex = payment.as_str().trim_start_matches("pay_");
    format!("ord_{hex}").parse().expect("an id")
}

pub fn guest_of(payment: &PaymentId) -> String {
    format!("gst_{payment}")
}

async fn start_sandbox(
    till: TcpListener,
    shop: &str,
    data: PathBuf,
    options: &Options,
) -> sandbox::Sandbox {
    let webhook = format!("{shop}/api/payments/webhooks/sandbox");
    let config = sandbox::Config {
        data: Some(data),
        webhook_url: options.webhooks.then_some(webhook),
        webhook_secret: "whsec_test".into(),
        api_key: "sk_test".into(),
        hold: options.hold,
        late_webhook: Duration::from_millis(300),
        reorder_hold: Duration::from_millis(500),
        ..sandbox::Config::default()
    };
    sandbox::start(till, config).await.expect("it starts")
}

/// Serves the shop to the provider, and counts the webhooks that were taken.
fn serve(listener: TcpListener, router: Router, seen: Arc<Seen>) -> JoinHandle<()> {
    let counted = router.layer(from_fn(
        move |request: axum::extract::Request, next: Next| {
            let seen = seen.clone();
            async move {
                let answer = next.run(request).await;
                if answer.status() == StatusCode::OK {
                    seen.webhooks.fetch_add(1, Ordering::SeqCst);
                }
                seen.bell.notify_waiters();
                answer
            }
        },
    ));
    tokio::spawn(async move {
        axum::serve(listener, counted).await.expect("it serves");
    })
}
