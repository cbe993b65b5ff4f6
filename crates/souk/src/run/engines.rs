//! What processes share: PostgreSQL, the key ring, the broker, and where the others are.

use std::{path::Path, sync::Arc, time::Duration};

use axum::Router;
use eventlog::{Broker, History, OwnTopic, RemoteLog, feed};
use runtime::{KeyVault, NoKeys, PostgresKeyRing, RandomIds, RuntimeConfig, SqliteKeyRing, SystemClock};
use store::{Store, Stores, postgres::Databases};
use tokio::sync::watch;
use web::Peers;

use crate::{
    cli::{Engines as Places, Run},
    failure::{Context as _, Failure, Result},
    services,
};

/// Where the other processes are, as the file says at the moment.
pub type Neighbours = watch::Receiver<Arc<Peers>>;

/// The processes' file, followed.
pub fn peers(run: &Run) -> Result<Neighbours> {
    Peers::watch(&run.peers).context("the list of processes")
}

/// The databases of services: `{service}` in the URL stands for `souk_orders` and so on.
pub fn stores(url: &str, replica: Option<&str>) -> Result<Arc<dyn Stores>> {
    if !url.contains("{service}") {
        return Err(Failure::new(
            "--database must contain {service}: every service has a database of its own",
        ));
    }
    let databases = Databases::new(url, replica).context("--database")?;
    Ok(Arc::new(databases))
}

/// The databases and the keys.
pub async fn databases(places: &Places) -> Result<(Arc<dyn Stores>, Arc<dyn KeyVault>)> {
    let keyring = PostgresKeyRing::open(&places.keyring, Arc::new(RandomIds)).await;
    Ok((
        stores(&places.database, None)?,
        Arc::new(keyring.context("the key ring")?),
    ))
}

/// Carries the keys of personal data over.
pub async fn move_keys(from: &Path, places: &Places) -> Result<()> {
    let old = SqliteKeyRing::open(from, Arc::new(RandomIds)).context("the old key ring")?;
    let keys = old.export().context("the old key ring")?;
    let copied = PostgresKeyRing::import(&places.keyring, keys).await;
    copied.context("the new key ring")
}
