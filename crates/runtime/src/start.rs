//! Starting: stores, batchers, consumers, in an order that loses nothing.

use std::{collections::HashMap, sync::Arc, time::Duration};

use eventlog::{Broker, LocalLog, Log, OwnTopic};
use kernel::{App, AppError, Ids, Module};
use store::Store;
use tokio::{
    sync::{mpsc, watch},
    task::JoinSet,
};
use tokio_util::sync::CancellationToken;

use crate::{
    Neighbours, Placement, Runtime, RuntimeConfig, StartError,
    batcher::Batcher,
    consumer::{Standing, Surround},
    engine::ServiceEngine,
    erasure::Eraser,
    leases::Keeper,
    opening::{Opened, check_wiring, open_all, store_error},
    ops::{Locking, ServiceOps},
    projections::{self, Live},
    service::{CommitMetrics, Inlet, Shared},
    states::StateCache,
    tenancy::Tenancy,
    timers,
};

/// How many items may wait for a batcher before callers wait themselves.
const INLET: usize = 4_096;

/// What all services of this process are started with.
pub(crate) struct Among {
    pub sole_owner: bool,
    /// Whether producers may be elsewhere, and away just now: then consumers wait for them, not
    /// the start.
    pub patient: bool,
    pub slot: String,
    pub timeout: Duration,
    pub broker: Option<Arc<dyn Broker>>,
    pub ids: Arc<dyn Ids>,
}

impl Among {
    fn locking(&self) -> Option<Locking> {
        (!self.sole_owner).then(|| Locking {
            slot: self.slot.clone(),
            ids: self.ids.clone(),
            timeout: self.timeout,
        })
    }
}

impl Runtime {
    /// Opens the stores, brings schemas and projections up to date, starts everything.
    pub async fn start(
        mut config: RuntimeConfig,
        modules: Vec<Module>,
    ) -> Result<Self, StartError> {
        check_wiring(&config, &modules)?;
        let opened = open_all(&config, modules).await?;
        let placement = std::mem::replace(&mut config.placement, Placement::Embedded);
        let (log, among) = place(&config, placement, &opened).await?;
        let eraser = Eraser::new(config.keyring.clone(), log.clone());
        let mut runtime = Self {
            services: HashMap::new(),
            apps: HashMap::new(),
            waiting: Vec::new(),
            log,
            stop: CancellationToken::new(),
            stop_batchers: CancellationToken::new(),
            consumers: JoinSet::new(),
            keepers: Vec::new(),
            batchers: Vec::new(),
            keyring: config.keyring.clone(),
            eraser,
        };
        for one in opened {
            runtime.start_service(&config, &among, one).await?;
        }
        if !among.sole_owner {
            let follow = runtime.eraser.clone().follow(runtime.stop.clone());
            runtime.consumers.spawn(follow);
        }
        Ok(runtime)
    }

    /// Brings a service's tables to what this program knows, and ends: before a new version is
    /// started, which then has nothing to wait for.
    pub async fn migrate(config: RuntimeConfig, module: Module) -> Result<(), StartError> {
        let name = module.name;
        for Opened {
            module,
            store,
            head,
        } in open_all(&config, vec![module]).await?
        {
            let migrated = store.migrate(name, module.migrations).await;
            migrated.map_err(|e| store_error(name, &e))?;
            let mut log = LocalLog::default();
            log.add(name, store.clone(), head.position);
            let place = ("migrate", config.ids.as_ref(), crate::LEASE_TIMEOUT);
            let (keys, projections) = (config.keyring.clone().ring(), &module.projections);
            projections::prepare_shared(projections, (&store, &log), &keys, place)
                .await
                .map_err(|error| failed(name, &error))?;
            store.close().await;
        }
        Ok(())
    }

    async fn start_service(
        &mut self,
        config: &RuntimeConfig,
        among: &Among,
        opened: Opened,
    ) -> Result<(), StartError> {
        let Opened {
            module,
            store,
            head,
        } = opened;
        let name = module.name;
        let shared = Arc::new(Shared {
            topic: name.into(),
            clock: config.clock.clone(),
            ids: config.ids.clone(),
            keyring: self.keyring.clone(),
            sole_owner: among.sole_owner,
            metrics: CommitMetrics::of(name),
        });
        self.prepare(&module, &store, &shared, among).await?;
        let tenancy = self.take_place(&module, &store, among).await?;

        let (sender, items) = mpsc::channel(INLET);
        let inlet = Inlet(sender);
        let (timer_hint, hint) = timers::hint();
        let (stand, standing) = watch::channel(Standing::CaughtUp);
        let label = format!("{name}: this program's read models are the live ones");
        self.waiting.push((label, standing));
        let batcher = Batcher {
            shared: shared.clone(),
            store: store.clone(),
            log: self.log.clone(),
            cache: StateCache::new(&module.deciders),
            live: Live::of(&module.projections),
            timer_hint: timer_hint.clone(),
            token: tenancy.token().cloned(),
            tenancy: tenancy.clone(),
            stand,
            erasures: 0,
            followed: head.position,
            met: Vec::new(),
            #[cfg(feature = "chaos-bugs")]
            unwritten: None.into(),
        };
        self.batchers
            .push(tokio::spawn(batcher.run(items, self.stop_batchers.clone())));
        let keys = shared.keys();
        self.eraser.add(inlet.clone(), store.clone());
        let engine = ServiceEngine {
            shared: shared.clone(),
            keys: keys.clone(),
            inlet: inlet.clone(),
            store: store.clone(),
            eraser: self.eraser.clone(),
        };
        let app = App::new(Arc::new(engine));
        let around = Surround {
            shared,
            inlet: inlet.clone(),
            store: store.clone(),
            log: self.log.clone(),
            stop: self.stop.clone(),
            tenancy: tenancy.clone(),
        };

        let runner = timers::Runner {
            around: around.clone(),
            handlers: timers::by_kind(&module.timers),
            hint,
            reset: timer_hint.clone(),
        };
        self.consumers.spawn(runner.run());
        self.start_outside(&around, &module, among);
        let handles = self
            .start_consumers(&around, &app, &module, among)
            .await
            .map_err(|error| failed(name, &error))?;
        module.broadcasts.iter().for_each(|feed| self.listen(feed));
        self.services.insert(
            name,
            ServiceOps {
                store,
                inlet,
                keys,
                handles,
                projections: module.projections,
                clock: config.clock.clone(),
                timer_hint,
                tenancy,
                locking: among.locking(),
            },
        );
        self.apps.insert(name, app);
        Ok(())
    }

    /// Brings the service's tables to what this program knows.
    async fn prepare(
        &self,
        module: &Module,
        store: &Arc<dyn Store>,
        shared: &Shared,
        among: &Among,
    ) -> Result<(), StartError> {
        let name = module.name;
        let migrated = store.migrate(name, module.migrations).await;
        migrated.map_err(|e| store_error(name, &e))?;
        let (keys, log) = (shared.keys(), self.log.as_ref());
        let prepared = match among.sole_owner {
            true => {
                let projections = &module.projections;
                projections::prepare(name, projections, store.as_ref(), log, &keys).await
            }
            false => {
                let place = (&*among.slot, among.ids.as_ref(), among.timeout);
                let projections = &module.projections;
                projections::prepare_shared(projections, (store, log), &keys, place).await
            }
        };
        prepared.map_err(|error| failed(name, &error))
    }

    /// Takes this instance's place among the service's others, if there may be others.
    async fn take_place(
        &mut self,
        module: &Module,
        store: &Arc<dyn Store>,
        among: &Among,
    ) -> Result<Tenancy, StartError> {
        if among.sole_owner {
            return Ok(Tenancy::sole());
        }
        let exclusive = module.subscriptions.iter().filter(|s| s.exclusive);
        let arrived = async {
            let mut keeper = Keeper::arrive(
                store.clone(),
                module.name,
                &among.slot,
                among.timeout,
                exclusive.map(|subscription| subscription.name),
                among.ids.as_ref(),
            )
            .await?;
            // What is free is taken before anything runs.
            keeper.turn().await?;
            Ok(keeper)
        };
        let keeper = arrived.await.map_err(|e| store_error(module.name, &e))?;
        let tenancy = keeper.tenancy().clone();
        self.keepers
            .push(tokio::spawn(keeper.run(self.stop.clone())));
        Ok(tenancy)
    }
}

/// Makes the log, and finds out what the services are started among.
async fn place(
    config: &RuntimeConfig,
    placement: Placement,
    opened: &[Opened],
) -> Result<(Arc<dyn Log>, Among), StartError> {
    let mut among = Among {
        sole_owner: config.stores.sole_owner(),
        patient: false,
        slot: String::new(),
        timeout: crate::LEASE_TIMEOUT,
        broker: None,
        ids: config.ids.clone(),
    };
    let Placement::Shared(neighbours) = placement else {
        if !among.sole_owner {
            let text = "databases that others use too need a log that is shared with them";
            return Err(StartError::Wiring(text.into()));
        }
        let mut log = LocalLog::default();
        for one in opened {
            log.add(one.module.name, one.store.clone(), one.head.position);
        }
        return Ok((Arc::new(log), among));
    };
    let Neighbours {
        log,
        slot,
        lease_timeout,
        broker,
        topics: _,
    } = neighbours;
    (among.patient, among.slot, among.timeout) = (true, slot, lease_timeout);
    among.broker = broker;
    let own = opened.iter().map(|one| OwnTopic {
        topic: one.module.name.to_owned(),
        store: one.store.clone(),
        head: one.head.clone(),
    });
    let log = log(own.collect()).await;
    Ok((log.map_err(|e| StartError::Log(e.to_string()))?, among))
}

fn failed(service: &str, error: &AppError) -> StartError {
    StartError::Store {
        service: service.into(),
        reason: error.to_string(),
    }
}
