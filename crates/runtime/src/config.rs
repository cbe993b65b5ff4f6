//! How a runtime is started, and why it may not start.

use std::{path::Path, sync::Arc, time::Duration};

use eventlog::{Broker, Log, LogError, OwnTopic};
use kernel::{BoxFuture, Clock, Ids};
use store::Stores;

use crate::{KeyVault, SqliteKeyRing};

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
    /// Whether this process is all there is.
    pub placement: Placement,
}

/// Whether this process is all there is.
pub enum Placement {
    /// All services are here, and the log is a view of their databases.
    Embedded,
    /// Other processes run other services, and perhaps other instances of the same.
    Shared(Neighbours),
}

/// What a process among others needs.
pub struct Neighbours {
    /// Makes the log, over the databases of the services in this process.
    pub log: LogFactory,
    /// This process's place among the instances of its services, such as `orders-1`. A process
    /// that is started in a slot takes over at once what its predecessor held.
    pub slot: String,
    /// After how long without a sign of life another instance is held to be dead. Beats, looks and
    /// patience are fractions of it.
    pub lease_timeout: Duration,
    /// Topics of services that run elsewhere.
    pub topics: Vec<String>,
    /// Where events of programs outside of Souk come from.
    pub broker: Option<Arc<dyn Broker>>,
}

/// The usual [`Neighbours::lease_timeout`].
pub const LEASE_TIMEOUT: Duration = Duration::from_secs(5);

/// Makes the log over the databases of the services in this process.
pub type LogFactory =
    Box<dyn FnOnce(Vec<OwnTopic>) -> BoxFuture<'static, Result<Arc<dyn Log>, LogError>> + Send>;

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
            placement: Placement::Embedded,
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
    /// The log could not be made.
    #[error("the log cannot be used: {0}")]
    Log(String),
}
