//! What all processes of a shop have in common, and how it is laid out in the data directory.

use std::{
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use tracing::Level;

use super::{
    doors::Doors,
    logs::Console,
    peers::Peers,
    secrets::{CLUSTER, Secrets},
    servers::Servers,
};
use crate::{
    cli::Up,
    failure::{Context as _, Failure, Result},
    services,
};

/// How long a process may take to be ready: migrations, catching up, a busy machine.
const START: Duration = Duration::from_secs(60);
/// How long others have to notice that a process is about to end.
const DRAIN: Duration = Duration::from_secs(1);
/// How long a process may take to end.
const END: Duration = Duration::from_secs(20);
/// How long a process may take to say how it is.
const ANSWER: Duration = Duration::from_secs(2);

/// What all processes have in common.
pub struct Ground {
    /// The program; ourselves, outside of tests.
    pub program: PathBuf,
    /// Where everything is.
    pub folder: Folder,
    /// Where the databases and the broker are: with passwords, and so not on command lines, which
    /// everybody on the machine can read.
    pub environment: Vec<(&'static str, String)>,
    /// Where processes find each other.
    pub peers: Peers,
    /// Where important lines are shown.
    pub console: Console,
    /// Asks processes how they are.
    pub http: reqwest::Client,
    /// How long a start may take.
    pub start: Duration,
    /// Between leaving `peers.toml` and being asked to end.
    pub drain: Duration,
    /// How long a process may take to end.
    pub end: Duration,
}

/// The data directory.
#[derive(Clone, Debug)]
pub struct Folder {
    /// The whole of it, absolute.
    pub data: PathBuf,
    /// A log file per process.
    pub logs: PathBuf,
    /// Small files between processes and the supervisor, closed to others.
    pub run: PathBuf,
}

impl Folder {
    /// The sandbox payment provider's own.
    pub fn provider(&self) -> PathBuf {
        self.data.join("sandbox-provider")
    }

    /// Makes what is missing.
    pub fn make(data: &Path) -> Result<Self> {
        let folder = Self {
            data: data.to_owned(),
            logs: data.join("logs"),
            run: data.join("run"),
        };
        for path in [&folder.logs, &folder.run] {
            let private = std::fs::Permissions::from_mode(0o700);
            std::fs::create_dir_all(path)
                .and_then(|()| std::fs::set_permissions(path, private))
                .with_context(|| format!("cannot make {}", path.display()))?;
        }
        Ok(folder)
    }
}

/// Finds or starts PostgreSQL and NATS, and writes down what processes must know.
pub async fn lay(
    up: &Up,
    level: Level,
    folder: &Folder,
    doors: &Doors,
    servers: Arc<Servers>,
) -> Result<Ground> {
    let asked = &up.processes;
    let secrets = Secrets::of(&folder.data)?;
    let (database, keyring) = match &asked.database {
        Some(url) => {
            let (url, keyring) = (url.clone(), asked.keyring.clone());
            let keyring = keyring.unwrap_or_else(|| url.replace("{service}", "souk_keyring"));
            (url, keyring)
        }
        None => own_postgres(folder, &secrets, servers.clone()).await?,
    };
    if !database.contains("{service}") {
        return Err(Failure::new(
            "--database: each service has a database of its own; write {service} where its name goes, \
             as in postgres://souk@db.example/{service}",
        ));
    }
    let events = match &asked.events {
        Some(url) => url.clone(),
        None => own_nats(folder, &secrets, servers).await?,
    };
    let names = services::names()?;
    let peers = Peers::create(
        &folder.data.join("peers.toml"),
        CLUSTER,
        names.iter().copied(),
    )?;
    let keys = folder.provider().join("keys.json");
    let mut environment = vec![
        ("SOUK_DATABASE", database),
        ("SOUK_KEYRING", keyring),
        ("SOUK_EVENTS", events),
        ("SOUK_PROVIDER", doors.provider_url()?),
        ("SOUK_PROVIDER_KEYS", keys.display().to_string()),
    ];
    if let Some(milliseconds) = up.provider_timeout_ms {
        environment.push(("SOUK_PROVIDER_TIMEOUT_MS", milliseconds.to_string()));
    }
    if let Some(seconds) = up.confirm_within_seconds {
        environment.push(("SOUK_CONFIRM_WITHIN_SECONDS", seconds.to_string()));
    }
    environment.extend(up.mail.environment());
    let program = asked.program.clone();
    Ok(Ground {
        program: program.map_or_else(std::env::current_exe, Ok)?,
        folder: folder.clone(),
        environment,
        peers,
        console: Console::new(level),
        http: reqwest::Client::builder().timeout(ANSWER).build()?,
        start: START,
        drain: DRAIN,
        end: END,
    })
}

async fn own_postgres(
    folder: &Folder,
    secrets: &Secrets,
    servers: Arc<Servers>,
) -> Result<(String, String)> {
    let (path, password) = (folder.data.join("postgres"), secrets.postgres.clone());
    let names = services::names()?;
    let mut databases: Vec<String> = names.iter().map(|name| format!("souk_{name}")).collect();
    databases.push("souk_keyring".to_owned());
    println!("Starting PostgreSQL…");
    let since = Instant::now();
    let start = move || servers.start_postgres(&path, &password, &databases);
    let started = tokio::task::spawn_blocking(start).await;
    let (url, path) = started.context("PostgreSQL")??;
    println!(
        "  ready after {:.1} s, in {}",
        since.elapsed().as_secs_f64(),
        path.display()
    );
    Ok((url.clone(), url.replace("{service}", "souk_keyring")))
}

async fn own_nats(folder: &Folder, secrets: &Secrets, servers: Arc<Servers>) -> Result<String> {
    let (path, password) = (folder.data.join("nats"), secrets.nats.clone());
    println!("Starting NATS…");
    let since = Instant::now();
    let started = tokio::task::spawn_blocking(move || servers.start_nats(&path, &password)).await;
    let url = started.context("NATS")??;
    println!("  ready after {:.1} s", since.elapsed().as_secs_f64());
    Ok(url)
}
