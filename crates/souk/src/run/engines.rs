//! What processes share: PostgreSQL, the key ring, the broker, and where the others are.

use std::{path::Path, sync::Arc, time::Duration};

use axum::Router;
use eventlog::{Broker, History, RemoteLog, feed};
use runtime::{KeyVault, PostgresKeyRing, RandomIds, RuntimeConfig, SqliteKeyRing, SystemClock};
use store::{Stores, postgres::Databases};
use web::Peers;

use crate::{
    cli::{Engines, Run},
    failure::{Context as _, Failure, Result},
    services,
};
