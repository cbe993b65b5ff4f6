//! What processes share: PostgreSQL, the key ring, the broker, and where the others are.

use std::{
    collections::{BTreeSet, HashMap},
    path::Path,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::Router;
use eventlog::{
    Broker, Log, OwnTopic, RemoteLog,
    feed::{self, HttpHistory},
};
use kernel::{Broadcast, Module};
use runtime::{KeyVault, Neighbours, Placement, PostgresKeyRing, RandomIds, RuntimeConfig};
use store::{Store, Stores, postgres::Databases};
use tokio::sync::watch;
use web::Peers;

use super::keys::NoKeys;
use crate::{
    cli::{Engines as Places, Run},
    failure::{Context as _, Failure, Result},
    graph,
    run::clock::clock,
    services,
};

/// Connections for queries, per service and process.
const READERS: usize = 4;

/// Where the other processes are, as the file says at the moment.
pub type Others = watch::Receiver<Arc<Peers>>;
/// Databases of the services in this process, filled in when they are open.
type Here = Arc<Mutex<HashMap<String, Arc<dyn Store>>>>;

/// What a process is started with.
pub struct Engines {
    broker: Arc<dyn Broker>,
    others: Others,
    secret: feed::Secret,
    here: Here,
}

impl Engines {
    /// Reads the list of processes and turns to the broker; neither needs anybody to be there yet.
    pub async fn connect(run: &Run) -> Result<Self> {
        let others = Peers::watch(&run.peers).context("the list of processes")?;
        let secret = others
            .borrow()
            .secret
            .as_ref()
            .and_then(|secret| feed::Secret::new(&secret.0));
        let secret = secret.ok_or_else(|| {
            Failure::new(
                "processes need a secret in common: secret_file in the list of processes, or SOUK_CLUSTER_SECRET",
            )
        })?;
        Ok(Self {
            broker: broker(&run.events).await?,
            others,
            secret,
            here: Here::default(),
        })
    }

    /// Where the other processes are.
    pub fn others(&self) -> Others {
        self.others.clone()
    }

    /// The history of this process's topics, for other processes; after the start.
    pub fn feed(&self) -> Router {
        let here = self.here.lock().unwrap_or_else(PoisonError::into_inner);
        feed::router(here.clone(), self.secret.clone())
    }

    /// How the runtime is started with these services, and these feeds of the process's own.
    pub async fn config(
        &self,
        run: &Run,
        slot: String,
        modules: &[Module],
        feeds: &[&Broadcast],
    ) -> Result<RuntimeConfig> {
        let (stores, keyring): (Arc<dyn Stores>, Arc<dyn KeyVault>) = match modules.is_empty() {
            true => (Arc::new(NoStores), Arc::new(NoKeys)),
            false => databases(&places(run)?).await?,
        };
        Ok(RuntimeConfig {
            stores,
            keyring,
            clock: clock(run.clock_offset_file.clone()),
            ids: Arc::new(RandomIds),
            placement: Placement::Shared(self.neighbours(run, slot, heard(modules, feeds))?),
        })
    }

    fn neighbours(&self, run: &Run, slot: String, heard: Vec<String>) -> Result<Neighbours> {
        let others = self.others.clone();
        let resolve = move |topic: &str| others.borrow().urls(topic);
        let history = Arc::new(HttpHistory::new(Arc::new(resolve), self.secret.clone()));
        let (broker, here) = (self.broker.clone(), self.here.clone());
        let log = move |own: Vec<OwnTopic>| {
            let stores = own.iter().map(|one| (one.topic.clone(), one.store.clone()));
            let mut known = here.lock().unwrap_or_else(PoisonError::into_inner);
            known.extend(stores);
            Arc::new(RemoteLog::start(broker, history, own, heard)) as Arc<dyn Log>
        };
        Ok(Neighbours {
            log: Box::new(move |own| Box::pin(async move { Ok(log(own)) })),
            slot,
            lease_timeout: Duration::from_millis(run.lease_ms),
            topics: services::names()?
                .iter()
                .map(|name| (*name).to_owned())
                .collect(),
            broker: Some(self.broker.clone()),
        })
    }
}

/// A process without services opens no database.
struct NoStores;

impl Stores for NoStores {
    fn open(
        &self,
        service: &'static str,
        _: String,
    ) -> kernel::BoxFuture<'_, std::result::Result<Arc<dyn Store>, store::StoreError>> {
        Box::pin(async move {
            let text = format!("this process has no database for {service}");
            Err(store::StoreError::Unavailable(text))
        })
    }

    fn sole_owner(&self) -> bool {
        false
    }
}

/// The topics that these services and feeds listen to.
fn heard(modules: &[Module], feeds: &[&Broadcast]) -> Vec<String> {
    let mut all: BTreeSet<String> = modules.iter().flat_map(graph::heard).collect();
    all.extend(feeds.iter().flat_map(|feed| graph::topics_of(feed)));
    all.into_iter().collect()
}

/// The broker at this URL.
async fn broker(url: &str) -> Result<Arc<dyn Broker>> {
    if url.starts_with("kafka://") {
        return kafka(url).await;
    }
    let config = eventlog::nats::Config::parse(url).context("--events")?;
    let connected = eventlog::nats::NatsBroker::connect(config).await;
    Ok(Arc::new(connected.context("--events")?))
}

#[cfg(feature = "kafka")]
async fn kafka(url: &str) -> Result<Arc<dyn Broker>> {
    let config = eventlog::kafka::Config::parse(url).context("--events")?;
    let connected = eventlog::kafka::KafkaBroker::connect(config);
    Ok(Arc::new(connected.context("--events")?))
}

#[cfg(not(feature = "kafka"))]
async fn kafka(_: &str) -> Result<Arc<dyn Broker>> {
    Err(Failure::new(
        "this souk was built without Kafka; build it with `cargo build --release --features kafka`",
    ))
}

fn places(run: &Run) -> Result<Places> {
    let missing = |what: &str| Failure::new(format!("services need {what}"));
    Ok(Places {
        database: run
            .database
            .clone()
            .ok_or_else(|| missing("--database (or SOUK_DATABASE)"))?,
        keyring: run
            .keyring
            .clone()
            .ok_or_else(|| missing("--keyring (or SOUK_KEYRING)"))?,
    })
}

/// The databases of services: `{service}` in the URL stands for `souk_orders` and so on.
pub fn stores(url: &str) -> Result<Arc<dyn Stores>> {
    if !url.contains("{service}") {
        return Err(Failure::new(
            "--database must contain {service}: every service has a database of its own",
        ));
    }
    Ok(Arc::new(Databases {
        url: url.to_owned(),
        readers: READERS,
    }))
}

/// The databases and the keys.
pub async fn databases(places: &Places) -> Result<(Arc<dyn Stores>, Arc<dyn KeyVault>)> {
    let keyring = PostgresKeyRing::open(&places.keyring, Arc::new(RandomIds)).await;
    let keyring = keyring.context("the key ring")?;
    Ok((stores(&places.database)?, Arc::new(keyring)))
}

/// Carries the keys of personal data over.
pub async fn move_keys(_: &Path, _: &Places) -> Result<()> {
    Err(Failure::new("not yet"))
}
