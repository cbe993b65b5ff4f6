//! All services of this process, running: what others ask of them, and their end.

use std::{collections::HashMap, sync::Arc, time::Duration};

use eventlog::Log;
use kernel::{App, Broadcast};
use tokio::{
    sync::watch,
    task::{JoinHandle, JoinSet},
};
use tokio_util::sync::CancellationToken;

use crate::{
    KeyVault, Ops,
    broadcast::{self, Ears},
    consumer::Standing,
    erasure::Eraser,
    ops::ServiceOps,
};

/// How long consumers have to come to an end at shutdown.
const GRACE: Duration = Duration::from_secs(5);

/// All services of this process, running.
pub struct Runtime {
    pub(crate) services: HashMap<&'static str, ServiceOps>,
    pub(crate) apps: HashMap<&'static str, App>,
    pub(crate) waiting: Vec<(String, watch::Receiver<Standing>)>,
    pub(crate) log: Arc<dyn Log>,
    pub(crate) stop: CancellationToken,
    pub(crate) stop_batchers: CancellationToken,
    pub(crate) consumers: JoinSet<()>,
    pub(crate) keepers: Vec<JoinHandle<()>>,
    pub(crate) batchers: Vec<JoinHandle<()>>,
    pub(crate) keyring: Arc<dyn KeyVault>,
    pub(crate) eraser: Arc<Eraser>,
}

impl Runtime {
    /// Adds a feed that belongs to no service: a frontend's.
    pub fn listen(&mut self, feed: &Broadcast) {
        for topic in feed.topics {
            let (stand, standing) = watch::channel(Standing::Behind);
            let label = format!("feed {} has caught up with {topic}", feed.name);
            self.waiting.push((label, standing));
            let ears = Ears {
                log: self.log.clone(),
                keyring: self.keyring.clone(),
                stop: self.stop.clone(),
            };
            self.consumers
                .spawn(broadcast::run(ears, feed.clone(), topic, stand));
        }
    }

    /// The handle of a service.
    pub fn app(&self, service: &str) -> Option<App> {
        self.apps.get(service).cloned()
    }

    /// What is still missing before the shop is ready; empty when it is.
    pub fn not_ready(&self) -> Vec<String> {
        unmet(&self.waiting)
    }

    /// A check of readiness that can be kept by the gateway.
    pub fn readiness(&self) -> impl Fn() -> Vec<String> + Send + Sync + 'static {
        let waiting = self.waiting.clone();
        let stop = self.stop.clone();
        move || match stop.is_cancelled() {
            true => vec!["shutting down".to_owned()],
            false => unmet(&waiting),
        }
    }

    /// Waits until every consumer has caught up once.
    pub async fn wait_ready(&self) {
        for (_, standing) in &self.waiting {
            let caught_up = |now: &Standing| *now == Standing::CaughtUp;
            let _ = standing.clone().wait_for(caught_up).await;
        }
    }

    /// The operator's port.
    pub fn ops(&self) -> Ops {
        Ops::new(
            self.services.clone(),
            self.log.clone(),
            self.keyring.clone(),
            self.eraser.clone(),
        )
    }

    /// Ends the consumers and hands the leases over, while commands are still taken: another
    /// instance goes on at once.
    pub async fn hand_over(&mut self) {
        self.stop.cancel();
        let ended = async { while self.consumers.join_next().await.is_some() {} };
        if tokio::time::timeout(GRACE, ended).await.is_err() {
            tracing::warn!(
                "some consumers did not stop in time; their work is repeated at the next start"
            );
            self.consumers.abort_all();
        }
        // A database that is away must keep nobody here: leases that are not released lapse.
        for mut keeper in self.keepers.drain(..) {
            if tokio::time::timeout(GRACE, &mut keeper).await.is_err() {
                keeper.abort();
            }
        }
    }

    /// Stops: consumers first, while leases are handed over, then the batchers with what they
    /// still hold, then the stores.
    pub async fn shutdown(mut self) {
        self.hand_over().await;
        self.stop_batchers.cancel();
        // One that waits for a commit's lost answer, which may never come, is told so by the store.
        let until = tokio::time::Instant::now() + GRACE;
        let mut late = Vec::new();
        for mut batcher in self.batchers.drain(..) {
            if tokio::time::timeout_at(until, &mut batcher).await.is_err() {
                late.push(batcher);
            }
        }
        for service in self.services.values() {
            let _ = tokio::time::timeout(GRACE, service.store.close()).await;
        }
        late.iter().for_each(tokio::task::JoinHandle::abort);
    }
}

fn unmet(waiting: &[(String, watch::Receiver<Standing>)]) -> Vec<String> {
    let missing =
        |(label, standing): &(String, watch::Receiver<Standing>)| match &*standing.borrow() {
            Standing::CaughtUp => None,
            Standing::Behind => Some(label.clone()),
            Standing::Halted(reason) => Some(format!("{label} ({reason})")),
        };
    waiting.iter().filter_map(missing).collect()
}
