//! PostgreSQL and NATS of the shop's own, for whoever gives no addresses of others.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use scratch::{Nats, NatsOptions, Postgres, PostgresOptions};
use tokio::sync::watch;

use crate::failure::{Context as _, Failure, Result};

/// Between two looks whether they run.
const LOOK: Duration = Duration::from_millis(500);
const POSTGRES: &str = "postgres";
const NATS: &str = "nats";
/// Enough for a few processes of each service.
const CONNECTIONS: u16 = 500;

/// The servers that were started, if any.
#[derive(Default)]
pub struct Servers {
    postgres: Mutex<Option<Postgres>>,
    nats: Mutex<Option<Nats>>,
    /// What `souk ps` shows; apart, because a server is held while it starts again.
    seen: Mutex<Vec<Seen>>,
}

/// One of them, for `souk ps`.
#[derive(Clone)]
pub struct Seen {
    /// Its name.
    pub name: &'static str,
    /// Its process, if it runs.
    pub pid: Option<u32>,
    /// Where it is; without a password.
    pub address: String,
    /// How many times it was started again.
    pub restarts: u32,
}

impl Servers {
    /// Starts PostgreSQL on `folder` and makes `databases`. Answers its URL with `{service}` for the
    /// database, and the folder it is in.
    pub fn start_postgres(
        &self,
        folder: &Path,
        password: &str,
        databases: &[String],
    ) -> Result<(String, PathBuf)> {
        let folder = postgres_folder(folder)?;
        let options = PostgresOptions {
            password: Some(password.to_owned()),
            max_connections: CONNECTIONS,
            ..PostgresOptions::default()
        };
        let postgres =
            Postgres::start(&folder, options).map_err(|error| other_url(&error, "database"))?;
        for database in databases {
            postgres
                .create_database(database)
                .with_context(|| format!("the database {database} cannot be made"))?;
        }
        let url = postgres.url("{service}");
        self.see(POSTGRES, postgres.pid(), postgres.port());
        *lock(&self.postgres) = Some(postgres);
        Ok((url, folder))
    }

    /// Starts NATS on `folder`; answers its URL.
    pub fn start_nats(&self, folder: &Path, password: &str) -> Result<String> {
        let options = NatsOptions {
            login: Some(("souk".to_owned(), password.to_owned())),
            ..NatsOptions::default()
        };
        let nats = Nats::start(folder, options).map_err(|error| other_url(&error, "events"))?;
        let url = nats.url();
        self.see(NATS, nats.pid(), nats.port());
        *lock(&self.nats) = Some(nats);
        Ok(url)
    }

    /// Starts a server again when it ends by itself, until everything ends.
    pub async fn watch(self: Arc<Self>, mut ending: watch::Receiver<bool>) {
        loop {
            let end = ending.wait_for(|ending| *ending);
            if tokio::time::timeout(LOOK, end).await.is_ok() {
                return;
            }
            let servers = self.clone();
            let looked = tokio::task::spawn_blocking(move || servers.revive()).await;
            if looked.is_err() {
                return;
            }
        }
    }

    fn revive(&self) {
        if let Some(postgres) = lock(&self.postgres).as_mut()
            && !postgres.is_running()
        {
            self.ended(POSTGRES);
            match postgres.start_again() {
                Ok(()) => self.see(POSTGRES, postgres.pid(), postgres.port()),
                Err(error) => tracing::error!(%error, "PostgreSQL cannot be started again"),
            }
        }
        if let Some(nats) = lock(&self.nats).as_mut()
            && !nats.is_running()
        {
            self.ended(NATS);
            match nats.start_again() {
                Ok(()) => self.see(NATS, nats.pid(), nats.port()),
                Err(error) => tracing::error!(%error, "NATS cannot be started again"),
            }
        }
    }

    /// It ended by itself.
    fn ended(&self, name: &str) {
        tracing::warn!(server = name, "ended by itself and is started again");
        let mut seen = lock(&self.seen);
        if let Some(seen) = seen.iter_mut().find(|seen| seen.name == name) {
            seen.pid = None;
            seen.restarts += 1;
        }
    }

    /// It runs.
    fn see(&self, name: &'static str, pid: Option<u32>, port: u16) {
        let mut all = lock(&self.seen);
        if let Some(seen) = all.iter_mut().find(|seen| seen.name == name) {
            seen.pid = pid;
            return;
        }
        all.push(Seen {
            name,
            pid,
            address: format!("127.0.0.1:{port}"),
            restarts: 0,
        });
    }

    /// Those that were started.
    pub fn seen(&self) -> Vec<Seen> {
        lock(&self.seen).clone()
    }

    /// Ends them in order. Blocks.
    pub fn stop(&self) -> Result<()> {
        let nats = lock(&self.nats)
            .take()
            .map_or(Ok(()), |mut nats| nats.stop());
        let postgres = lock(&self.postgres).take();
        let postgres = postgres.map_or(Ok(()), |mut postgres| postgres.stop());
        nats.and(postgres).context("a server cannot be stopped")
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A program that is missing is not the only way: servers that run elsewhere will do.
fn other_url(error: &scratch::Error, option: &str) -> Failure {
    match error {
        scratch::Error::Missing { .. } => Failure::new(format!(
            "{error}; or give the address of a server that runs, with --{option}"
        )),
        _ => Failure::new(error.to_string()),
    }
}

/// Where PostgreSQL's files are kept: in the data directory. Root cannot run PostgreSQL, and who
/// runs it instead may not be able to enter the data directory (`/root`, usually); they are under
/// `/var/lib/souk` then, and the data directory has a link to them.
fn postgres_folder(folder: &Path) -> Result<PathBuf> {
    // Where they are they stay, whatever became of the permissions since: else the shop would look
    // empty one day.
    if let Ok(apart) = std::fs::read_link(folder) {
        return Ok(apart);
    }
    let stays = folder.join("data").exists() || scratch::enterable(folder).context("PostgreSQL")?;
    match stays {
        true => Ok(folder.to_owned()),
        false => folder_apart(folder, Path::new("/var/lib/souk")),
    }
}

/// A new folder under `base`, named after `folder`, which becomes a link to it. What is there
/// belongs to a data directory that was deleted: its passwords are gone, and its data is not ours.
fn folder_apart(folder: &Path, base: &Path) -> Result<PathBuf> {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '-' };
    let name: String = folder.display().to_string().chars().map(plain).collect();
    let name = name.trim_matches('-');
    let mut apart = base.join(name);
    for next in 2.. {
        if !apart.exists() {
            break;
        }
        println!(
            "  (the databases of an earlier shop are left in {}; delete them if nobody needs them)",
            apart.display()
        );
        apart = base.join(format!("{name}-{next}"));
    }
    std::fs::create_dir_all(&apart).with_context(|| format!("cannot make {}", apart.display()))?;
    let linked = std::os::unix::fs::symlink(&apart, folder);
    linked.with_context(|| format!("cannot make {}", folder.display()))?;
    Ok(apart)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deleted_shop_leaves_nothing_to_the_next_one_of_its_name() {
        let folder = tempfile::tempdir().unwrap();
        let (base, data) = (folder.path().join("base"), folder.path().join("data"));
        let start = || {
            std::fs::create_dir_all(&data).unwrap();
            let postgres = data.join("postgres");
            match postgres.is_symlink() {
                true => postgres_folder(&postgres).unwrap(),
                false => folder_apart(&postgres, &base).unwrap(),
            }
        };
        let first = start();
        assert!(first.starts_with(&base) && first.is_dir());
        assert_eq!(start(), first, "it is found again");
        std::fs::remove_dir_all(&data).unwrap();
        let second = start();
        assert_ne!(second, first);
        assert_eq!(start(), second);
    }
}
