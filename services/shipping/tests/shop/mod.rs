//! A shop around the service: the real runtime, the sandbox carrier over HTTP, webhooks that come
//! back over HTTP, and stand-ins for catalogue, orders and inventory that say what they are told.

#![allow(dead_code, unused_imports)] // Not every test uses everything.

mod forged;
mod http;

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{Router, http::StatusCode};
use contracts::{
    catalog::ProductEvent,
    inventory::{LocationsEvent, ReservationEvent},
    orders::OrderEvent,
};
use kernel::{
    App, Broadcast, Command, Context, Decider, Event, From, Module, Recorded, Rejection, StreamId,
    UnitOfWork, with_keys,
};
use ring::signature::{Ed25519KeyPair, KeyPair as _};
use runtime::{RandomIds, Runtime, RuntimeConfig, SystemClock};
use shipping::{Carriers, Config, Patience, Sandbox, SandboxConfig, carrier::Carrier};
use tempfile::TempDir;
use tokio::{net::TcpListener, sync::Notify, task::JoinHandle};
use web::{Verifier, signed::QuoteKeys};

pub use forged::*;

/// Longer than anything here takes, so that a broken test ends.
const PATIENCE: Duration = Duration::from_secs(30);

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
stand_in!(Orders, "order", OrderEvent);
stand_in!(Reservations, "reservation", ReservationEvent);
stand_in!(Locations, "locations", LocationsEvent);

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

/// What has happened, and a bell for those who wait.
#[derive(Default)]
struct Seen {
    events: Mutex<Vec<Arc<Recorded>>>,
    bell: Notify,
}

pub struct Shop {
    runtime: Option<Runtime>,
    sandbox: Option<sandbox::Sandbox>,
    carrier: SandboxConfig,
    router: Router,
    seen: Arc<Seen>,
    pub app: App,
    pub quote_keys: Arc<QuoteKeys>,
    key: Ed25519KeyPair,
    server: JoinHandle<()>,
    _folder: TempDir,
}

pub struct Answered {
    pub status: StatusCode,
    pub kind: String,
    pub bytes: Vec<u8>,
    pub body: serde_json::Value,
}

impl Shop {
    pub async fn open() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = format!("http://{}", listener.local_addr().expect("bound"));
        let depot = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let carrier = SandboxConfig {
            base_url: format!("http://{}", depot.local_addr().expect("bound")),
            api_key: "sk_test".into(),
            webhook_secret: "whsec_test".into(),
        };
        let sandbox = sandbox::Config {
            data: Some(folder.path().join("sandbox")),
            carrier_webhook_url: Some(format!("{address}/api/shipping/webhooks/sandbox")),
            webhook_secret: "whsec_test".into(),
            api_key: "sk_test".into(),
            hold: Duration::from_secs(20),
            ..sandbox::Config::default()
        };
        let sandbox = sandbox::start(depot, sandbox).await.expect("it starts");
        let adapter: Arc<dyn Carrier> = Arc::new(Sandbox::new(&carrier).expect("good settings"));
        let service = shipping::service(Config {
            carriers: Carriers::new([adapter], Duration::from_millis(1_500)),
            patience: Patience {
                first: Duration::from_millis(40),
                longest: Duration::from_millis(400),
                lost: Duration::from_secs(5),
            },
            ..Config::default()
        });
        let seen = Arc::new(Seen::default());
        let quote_keys = Arc::new(QuoteKeys::default());
        let runtime = start(folder.path(), service.module, &seen, &quote_keys).await;
        let app = runtime.app("shipping").expect("it runs");
        shipping::bootstrap(&app).await.expect("a quote key");
        let key = Ed25519KeyPair::from_seed_unchecked(&[7; 32]).expect("a seed");
        let verifier = Arc::new(Verifier::default());
        verifier.add_key("test", key.public_key().as_ref().to_vec());
        let router = service.routes.into_router(app.clone(), verifier);
        let served = router.clone();
        let server = tokio::spawn(async move {
            axum::serve(listener, served).await.expect("it serves");
        });
        Self {
            runtime: Some(runtime),
            sandbox: Some(sandbox),
            carrier,
            router,
            seen,
            app,
            quote_keys,
            key,
            server,
            _folder: folder,
        }
    }

    pub async fn say<D: Decider>(&self, service: &str, id: &str, event: impl Into<D::Event>) {
        let app = self.runtime.as_ref().and_then(|r| r.app(service));
        let app = app.expect("the stand-in runs");
        let event: D::Event = event.into();
        let say = Say::<D> {
            id: id.to_owned(),
            event: with_keys(app.keys(), || event.encode()).expect("encoded"),
            kind: event.wire_name(),
            decider: std::marker::PhantomData,
        };
        app.execute(&Context::default(), say).await.expect("said");
    }

    /// How often something happened to a stream, by its wire name.
    pub fn count(&self, stream: &str, kind: &str) -> usize {
        let events = self.seen.events.lock().expect("unpoisoned");
        let of = events.iter();
        of.filter(|e| e.stream.id() == stream && *e.kind == *kind)
            .count()
    }

    /// Waits until something happened to a stream.
    pub async fn until(&self, stream: &str, kind: &str) {
        self.until_so(&format!("{stream} {kind}"), || self.count(stream, kind) > 0)
            .await;
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

    /// Asks until the answer satisfies.
    pub async fn asking(&self, what: &str, mut so: impl AsyncFnMut() -> bool) {
        let asking = async {
            while !so().await {
                tokio::task::yield_now().await;
            }
        };
        let done = tokio::time::timeout(PATIENCE, asking).await;
        assert!(done.is_ok(), "it never came to this: {what}");
    }

    /// Stops everything in order.
    pub async fn close(mut self) {
        self.server.abort();
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown().await;
        }
        if let Some(sandbox) = self.sandbox.take() {
            sandbox.shutdown().await;
        }
    }
}

async fn start(
    folder: &std::path::Path,
    shipping: Module,
    seen: &Arc<Seen>,
    quote_keys: &Arc<QuoteKeys>,
) -> Runtime {
    let feed = {
        let seen = seen.clone();
        Broadcast::new("test", &["shipping"], From::Beginning, move |event| {
            seen.events.lock().expect("unpoisoned").push(event.clone());
            seen.bell.notify_waiters();
        })
    };
    let config = RuntimeConfig::embedded(folder, Arc::new(SystemClock), Arc::new(RandomIds));
    let runtime = Runtime::start(
        config.expect("a key ring"),
        vec![
            Module::new("catalog").decider::<Products>(),
            Module::new("orders").decider::<Orders>(),
            Module::new("inventory")
                .decider::<Reservations>()
                .decider::<Locations>(),
            shipping.broadcast(feed).broadcast(quote_keys.broadcast()),
        ],
    );
    let runtime = runtime.await.expect("it starts");
    runtime.wait_ready().await;
    runtime
}
