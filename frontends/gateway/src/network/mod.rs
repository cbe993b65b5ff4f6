//! The way to services in other processes: HTTP/1.1 with load balancing, health checks, time-outs,
//! retries, breakers. See docs/adr/0013.

mod answers;
mod balance;
mod breaker;
mod budget;
mod connection;
mod endpoint;
mod errand;
mod health;
mod measures;
mod members;
mod message;
mod resolve;
mod service;
mod settings;

use std::{
    collections::HashMap,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{
    body::Body,
    http::{Request, Response},
};
use kernel::BoxFuture;
use tokio::{sync::watch, task::AbortHandle, time::sleep};
use web::{Peers, Upstream};

pub use breaker::BreakerSettings;
pub use resolve::Lookup;
pub use service::ClientAddress;
pub use settings::NetworkSettings;

use resolve::Names;
use service::Service;

/// How often the gauges are brought up to date.
const REPORT_EVERY: Duration = Duration::from_secs(1);

/// Services in other processes.
pub struct Network {
    shared: Arc<Shared>,
    keeper: AbortHandle,
}

struct Shared {
    settings: Arc<NetworkSettings>,
    services: RwLock<HashMap<String, Arc<Service>>>,
    /// Requests to all services whose answers have not begun.
    waiting: AtomicUsize,
}

impl Network {
    /// The services of these peers, now and as they change. Returns when the names among them have
    /// been looked up once.
    pub async fn start(peers: watch::Receiver<Arc<Peers>>, settings: NetworkSettings) -> Arc<Self> {
        Self::start_with(peers, settings, resolve::system()).await
    }

    /// The same with another resolver, for tests.
    pub async fn start_with(
        mut peers: watch::Receiver<Arc<Peers>>,
        settings: NetworkSettings,
        lookup: Lookup,
    ) -> Arc<Self> {
        let shared = Arc::new(Shared {
            settings: Arc::new(settings),
            services: RwLock::default(),
            waiting: AtomicUsize::new(0),
        });
        let mut names = Names::new(lookup);
        let first = peers.borrow_and_update().clone();
        shared.apply(&first, &mut names).await;
        let keeper = tokio::spawn(keep(shared.clone(), peers, names)).abort_handle();
        Arc::new(Self { shared, keeper })
    }

    /// What keeps the gateway from being of any use: empty as soon as one service can be reached.
    /// (A shop that shows its shelves while orders is down is better than none.)
    pub fn missing(&self) -> Vec<String> {
        let services = self.shared.services();
        let reachable = services.iter().any(|service| {
            let [well, ..] = service.members().count();
            well > 0
        });
        match reachable {
            true => Vec::new(),
            false => vec!["no service can be reached".to_owned()],
        }
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        self.keeper.abort();
    }
}

impl Upstream for Network {
    fn call(&self, service: &str, request: Request<Body>) -> BoxFuture<'static, Response<Body>> {
        let Some(found) = self.shared.service(service) else {
            let answer = answers::no_service(service);
            return Box::pin(std::future::ready(answer));
        };
        let shared = self.shared.clone();
        Box::pin(async move {
            let Some(_place) = Place::take(&shared) else {
                found.measures.shed();
                return answers::overloaded();
            };
            found.call(request).await
        })
    }

    fn services(&self) -> Vec<String> {
        let services = self.shared.services.read();
        let services = services.unwrap_or_else(PoisonError::into_inner);
        services.keys().cloned().collect()
    }
}

impl Shared {
    fn service(&self, name: &str) -> Option<Arc<Service>> {
        let services = self.services.read().unwrap_or_else(PoisonError::into_inner);
        services.get(name).cloned()
    }

    fn services(&self) -> Vec<Arc<Service>> {
        let services = self.services.read().unwrap_or_else(PoisonError::into_inner);
        services.values().cloned().collect()
    }

    /// Makes the services what the peers say.
    async fn apply(&self, peers: &Peers, names: &mut Names) {
        names.refresh(peers.services.values()).await;
        let mut services = HashMap::new();
        for (name, listed) in &peers.services {
            let service = self.service(name);
            let new = || Arc::new(Service::new(name, self.settings.clone()));
            let service = service.unwrap_or_else(new);
            service.replace(names.members(listed, &service.members(), &self.settings));
            services.insert(name.clone(), service);
        }
        let mut current = self
            .services
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        *current = services;
    }
}

/// Follows the peers, looks names up again, and reports.
async fn keep(shared: Arc<Shared>, mut peers: watch::Receiver<Arc<Peers>>, mut names: Names) {
    let resolve = async |names: &mut Names, peers: Arc<Peers>| shared.apply(&peers, names).await;
    let mut next = 0;
    loop {
        next += 1;
        let pause = endpoint::jittered(shared.settings.resolve_every, next);
        tokio::select! {
            changed = peers.changed() => if changed.is_err() {
                // The list cannot change any more; what it says still holds.
                sleep(pause).await;
            },
            () = sleep(pause) => {}
            () = report(&shared) => {}
        }
        let now = peers.borrow_and_update().clone();
        resolve(&mut names, now).await;
    }
}

/// Brings the gauges up to date, for ever.
async fn report(shared: &Shared) {
    loop {
        shared
            .services()
            .iter()
            .for_each(|service| service.report());
        sleep(REPORT_EVERY).await;
    }
}

/// A place among the requests that wait for their answers to begin.
struct Place<'a>(&'a Shared);

impl<'a> Place<'a> {
    fn take(shared: &'a Shared) -> Option<Self> {
        let before = shared.waiting.fetch_add(1, Ordering::Relaxed);
        let place = Self(shared);
        (before < shared.settings.limit).then_some(place)
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}
