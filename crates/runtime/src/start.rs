//! Starting and stopping: stores, batchers, consumers, in an order that loses nothing.

use std::{collections::HashMap, path::Path, sync::Arc, time::Duration};

use eventlog::{LocalLog, Log};
use kernel::{App, AppError, Broadcast, Clock, Ids, Module, Projection, Subscription};
use store::Stores;
use tokio::{
    sync::{mpsc, watch},
    task::{JoinHandle, JoinSet},
};
use tokio_util::sync::CancellationToken;

use crate::{
    KeyVault, Ops, SqliteKeyRing,
    batcher::Batcher,
    broadcast,
    consumer::{Handle, Progress, Surround},
    engine::ServiceEngine,
    opening::{Opened, open_all, store_error, subscriptions},
    ops::ServiceOps,
    projections::{self, Live},
    service::{CommitMetrics, Inlet, Shared},
    states::StateCache,
    subscription, timers, worker,
};

/// How many items may wait for a batcher before callers wait themselves.
const INLET: usize = 4_096;
/// How long consumers have to come to an end at shutdown.
const GRACE: Duration = Duration::from_secs(5);

/// How a runtime is started.
pub struct RuntimeConfig {
    /// The services' databases.
    pub stores: Arc<dyn Stores>,
    /// The keys of personal data.
    pub keyring: Arc<dyn KeyVault>,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// The source of ids.
    pub ids: Arc<dyn Ids>,
}

impl RuntimeConfig {
    /// Everything in SQLite files in one folder, which must be this process's alone.
    pub fn embedded(
        data: &Path,
        clock: Arc<dyn Clock>,
        ids: Arc<dyn Ids>,
    ) -> Result<Self, StartError> {
        let keyring = SqliteKeyRing::open(&data.join("keyring.db"), ids.clone());
        let stores = store::sqlite::Folder {
            path: data.to_owned(),
            readers: 2,
        };
        Ok(Self {
            stores: Arc::new(stores),
            keyring: Arc::new(keyring.map_err(|e| StartError::KeyRing(e.0))?),
            clock,
            ids,
        })
    }
}

/// Why a runtime did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A database could not be opened or brought up to date.
    #[error("the database of {service} cannot be used: {reason}")]
    Store {
        /// Which service.
        service: String,
        /// Why.
        reason: String,
    },
    /// The key ring could not be opened.
    #[error("the key ring cannot be used: {0}")]
    KeyRing(String),
    /// Two services have one name, or a subscription names an unknown topic.
    #[error("the services do not fit together: {0}")]
    Wiring(String),
}

/// All services of this process, running.
pub struct Runtime {
    services: HashMap<&'static str, ServiceOps>,
    apps: HashMap<&'static str, App>,
    waiting: Vec<(String, watch::Receiver<bool>)>,
    log: Arc<dyn Log>,
    surround: Vec<Surround>,
    stop: CancellationToken,
    stop_batchers: CancellationToken,
    consumers: JoinSet<()>,
    batchers: Vec<JoinHandle<()>>,
    keyring: Arc<dyn KeyVault>,
}

impl Runtime {
    /// Opens the stores, brings schemas and projections up to date, starts everything.
    pub async fn start(config: RuntimeConfig, modules: Vec<Module>) -> Result<Self, StartError> {
        let opened = open_all(&config, modules).await?;
        let mut log = LocalLog::default();
        for one in &opened {
            let head = one
                .store
                .head()
                .await
                .map_err(|e| store_error(one.module.name, &e))?;
            log.add(one.module.name, one.store.clone(), head.position);
        }
        let mut runtime = Self {
            services: HashMap::new(),
            apps: HashMap::new(),
            waiting: Vec::new(),
            log: Arc::new(log),
            surround: Vec::new(),
            stop: CancellationToken::new(),
            stop_batchers: CancellationToken::new(),
            consumers: JoinSet::new(),
            batchers: Vec::new(),
            keyring: config.keyring.clone(),
        };
        for one in opened {
            runtime.start_service(&config, one).await?;
        }
        Ok(runtime)
    }

    async fn start_service(
        &mut self,
        config: &RuntimeConfig,
        opened: Opened,
    ) -> Result<(), StartError> {
        let Opened { module, store } = opened;
        let name = module.name;
        let shared = Arc::new(Shared {
            topic: name.into(),
            clock: config.clock.clone(),
            ids: config.ids.clone(),
            keyring: self.keyring.clone(),
            sole_owner: config.stores.sole_owner(),
            metrics: CommitMetrics::of(name),
        });
        let failed = |error: AppError| StartError::Store {
            service: name.into(),
            reason: error.to_string(),
        };
        store
            .migrate(name, module.migrations)
            .await
            .map_err(|e| store_error(name, &e))?;
        projections::prepare(name, &module.projections, store.as_ref(), &shared.keys())
            .await
            .map_err(failed)?;

        let (sender, items) = mpsc::channel(INLET);
        let inlet = Inlet(sender);
        let (timer_hint, hint) = timers::hint();
        let batcher = Batcher::new(
            shared.clone(),
            store.clone(),
            self.log.clone(),
            StateCache::new(&module.deciders),
            Live::of(&module.projections),
            timer_hint.clone(),
        );
        self.batchers
            .push(tokio::spawn(batcher.run(items, self.stop_batchers.clone())));
        let keys = shared.keys();
        let engine = ServiceEngine {
            shared: shared.clone(),
            keys,
            inlet: inlet.clone(),
            store: store.clone(),
        };
        let app = App::new(Arc::new(engine));
        let around = Surround {
            shared,
            inlet: inlet.clone(),
            store: store.clone(),
            log: self.log.clone(),
            stop: self.stop.clone(),
        };

        let runner = timers::Runner {
            around: around.clone(),
            handlers: timers::by_kind(&module.timers),
            hint,
            reset: timer_hint.clone(),
        };
        self.consumers.spawn(runner.run());
        let mut handles = Vec::new();
        for (subscription, projection) in subscriptions(&module) {
            for topic in subscription.topics {
                let handle = self.start_subscription(
                    &around,
                    subscription.clone(),
                    projection.clone(),
                    topic,
                );
                handles.push(handle.await.map_err(failed)?);
            }
        }
        for spec in &module.workers {
            for topic in spec.topics {
                handles.push(
                    self.start_worker(&around, &app, spec, topic)
                        .await
                        .map_err(failed)?,
                );
            }
        }
        for feed in module.broadcasts {
            self.start_broadcast(&around, &feed);
        }
        self.services.insert(
            name,
            ServiceOps {
                store,
                inlet,
                keys: around.shared.keys(),
                handles,
                projections: module.projections,
                clock: config.clock.clone(),
                timer_hint,
            },
        );
        self.apps.insert(name, app);
        self.surround.push(around);
        Ok(())
    }

    async fn start_subscription(
        &mut self,
        around: &Surround,
        subscription: Subscription,
        projection: Option<Projection>,
        topic: &'static str,
    ) -> Result<Handle, AppError> {
        let progress = Progress::start(around, subscription.name, topic, subscription.from).await?;
        let parked = progress.parked(around).await?;
        let (handle, control, caught_up) = self.handle(around, subscription.name, topic);
        let runner = subscription::Runner {
            around: around.clone(),
            subscription,
            projection,
            progress,
            parked: Arc::new(parked),
        };
        self.consumers.spawn(runner.run(control, caught_up));
        Ok(handle)
    }

    async fn start_worker(
        &mut self,
        around: &Surround,
        app: &App,
        spec: &kernel::Worker,
        topic: &'static str,
    ) -> Result<Handle, AppError> {
        let progress = Progress::start(around, spec.name, topic, spec.from).await?;
        let parked = progress.parked(around).await?;
        let (handle, control, caught_up) = self.handle(around, spec.name, topic);
        // A worker's backlog is outside work: it does not keep the shop from being ready.
        self.waiting.pop();
        let runner = worker::Runner {
            around: around.clone(),
            app: app.clone(),
            worker: spec.clone(),
            progress,
            parked,
        };
        self.consumers.spawn(runner.run(control, caught_up));
        Ok(handle)
    }

    fn handle(
        &mut self,
        around: &Surround,
        name: &str,
        topic: &str,
    ) -> (
        Handle,
        mpsc::Receiver<crate::consumer::Control>,
        watch::Sender<bool>,
    ) {
        let (control, orders) = mpsc::channel(4);
        let (caught_up, seen) = watch::channel(false);
        let label = format!("{}: {name} has caught up with {topic}", around.shared.topic);
        self.waiting.push((label, seen.clone()));
        (
            Handle {
                name: name.into(),
                topic: topic.into(),
                control,
                caught_up: seen,
            },
            orders,
            caught_up,
        )
    }

    fn start_broadcast(&mut self, around: &Surround, feed: &Broadcast) {
        for topic in feed.topics {
            let (caught_up, seen) = watch::channel(false);
            self.waiting.push((
                format!("feed {} has caught up with {topic}", feed.name),
                seen,
            ));
            self.consumers.spawn(broadcast::run(
                around.clone(),
                feed.clone(),
                topic,
                caught_up,
            ));
        }
    }

    /// Adds a feed that belongs to no service: a frontend's.
    pub fn listen(&mut self, feed: &Broadcast) {
        if let Some(around) = self.surround.first().cloned() {
            self.start_broadcast(&around, feed);
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
        for (_, seen) in &self.waiting {
            let _ = seen.clone().wait_for(|done| *done).await;
        }
    }

    /// The operator's port.
    pub fn ops(&self) -> Ops {
        Ops::new(
            self.services.clone(),
            self.log.clone(),
            self.keyring.clone(),
        )
    }

    /// Stops: consumers first, then the batchers with what they still hold, then the stores.
    pub async fn shutdown(mut self) {
        self.stop.cancel();
        let ended = async { while self.consumers.join_next().await.is_some() {} };
        if tokio::time::timeout(GRACE, ended).await.is_err() {
            tracing::warn!(
                "some consumers did not stop in time; their work is repeated at the next start"
            );
            self.consumers.abort_all();
        }
        self.stop_batchers.cancel();
        for batcher in self.batchers.drain(..) {
            let _ = batcher.await;
        }
        for service in self.services.values() {
            service.store.close().await;
        }
    }
}

fn unmet(waiting: &[(String, watch::Receiver<bool>)]) -> Vec<String> {
    waiting
        .iter()
        .filter(|(_, seen)| !*seen.borrow())
        .map(|(label, _)| label.clone())
        .collect()
}
