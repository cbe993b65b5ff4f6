//! A whole shop of real processes: PostgreSQL with a standby, NATS, the payment provider, two
//! instances of every service and of the gateway, and a proxy on every connection between them.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use scratch::Nats;
use tokio::task::JoinHandle;

use crate::{
    api::Api,
    engines::{self, Databases},
    error::{Doing as _, Error, Result},
    links::Links,
    plans,
    process::{Process, last_words},
    schedule::{GATEWAY, INSTANCES, Link, Slot},
};

/// How long a start, or the repair after a run, may take.
const READY: Duration = Duration::from_secs(120);
/// Between two looks at the processes.
const LOOK: Duration = Duration::from_millis(50);

/// How a shop is run.
#[derive(Clone, Debug)]
pub struct Config {
    /// The `souk` program.
    pub souk: PathBuf,
    /// An instance that gave no sign for so long is taken for dead, milliseconds.
    pub lease_ms: u64,
    /// A bug that was built in on purpose, to be switched on.
    pub bug: Option<String>,
    /// What processes log.
    pub log: String,
}

/// A running shop.
pub struct World {
    /// The proxies.
    pub links: Arc<Links>,
    /// The processes of the shop.
    pub processes: Arc<BTreeMap<Slot, Process>>,
    /// The payment provider.
    pub provider: Arc<Process>,
    supervisor: JoinHandle<()>,
    databases: Arc<Mutex<Databases>>,
    broker: Arc<Mutex<Nats>>,
    /// Everything's files.
    pub folder: tempfile::TempDir,
    /// How often something was sold here.
    pub runs: u32,
}

impl World {
    /// Starts everything; returns when the shop is open.
    pub async fn start(config: &Config) -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("souk-chaos-").tempdir();
        let folder = folder.doing(|| "no temporary folder".into())?;
        let path = folder.path().to_owned();
        std::fs::create_dir_all(path.join("logs")).doing(|| "no folder for logs".into())?;
        let engines = blocking({
            let path = path.clone();
            move || Ok((Databases::start(&path)?, engines::broker(&path)?))
        });
        let (databases, broker) = engines.await?;
        let links = Arc::new(Links::start().await?);
        links.databases_at(databases.ports());
        links.broker_at(broker.port());
        plans::write_peers(&path, &links)?;
        let migration = plans::migration(config, &path, |name| databases.url(name));
        blocking(move || Process::new(migration).run_through()).await?;
        let provider = Arc::new(Process::new(plans::provider(config, &path, &links)));
        let processes: BTreeMap<Slot, Process> = Slot::all()
            .into_iter()
            .map(|slot| {
                (
                    slot,
                    Process::new(plans::of_slot(config, &path, &links, slot)),
                )
            })
            .collect();
        let processes = Arc::new(processes);
        let looks = look_after(processes.clone(), provider.clone(), links.clone());
        let world = Self {
            links,
            processes,
            provider,
            supervisor: tokio::spawn(looks),
            databases: Arc::new(Mutex::new(databases)),
            broker: Arc::new(Mutex::new(broker)),
            folder,
            runs: 0,
        };
        world.open().await?;
        Ok(world)
    }

    async fn open(&self) -> Result<()> {
        self.provider.start()?;
        let keys = plans::keys_file(self.folder.path());
        until("the payment provider", || async {
            match keys.exists() && self.provider.address().is_some() {
                true => Ok(()),
                false => Err(last_words(self.provider.log())),
            }
        })
        .await?;
        for process in self.processes.values() {
            process.start()?;
        }
        self.ready().await
    }

    /// Waits until every process says that it is ready.
    pub async fn ready(&self) -> Result<()> {
        let api = Api::new("", Duration::from_secs(3))?;
        for (slot, process) in self.processes.iter() {
            until(&format!("{slot}"), || async {
                let Some(address) = process.address() else {
                    return Err(last_words(process.log()));
                };
                match api.get(&format!("http://{address}/readyz")).await {
                    Ok(answer) if answer.good() => Ok(()),
                    Ok(answer) => Err(answer.body.to_string()),
                    Err(error) => Err(error),
                }
            })
            .await?;
        }
        Ok(())
    }

    /// Where shoppers go: the same addresses for as long as there is a world.
    pub fn gateways(&self) -> Vec<String> {
        let number = 1..=INSTANCES;
        let links = number.map(|number| {
            Link::Route(Slot {
                service: GATEWAY,
                number,
            })
        });
        links
            .map(|link| format!("http://{}", self.links.address(link)))
            .collect()
    }

    /// The staff's API key.
    pub fn key(&self) -> Result<String> {
        let file = plans::key_file(self.folder.path());
        let key = std::fs::read_to_string(&file);
        let key = key.doing(|| format!("cannot read {}", file.display()))?;
        Ok(key.trim().to_owned())
    }

    /// The payment provider's own books.
    pub fn provider_api(&self) -> Result<Api> {
        let file = plans::keys_file(self.folder.path());
        let text = std::fs::read_to_string(&file);
        let text = text.doing(|| format!("cannot read {}", file.display()))?;
        let keys: serde_json::Value = serde_json::from_str(&text).unwrap_or_default();
        let address = self.provider.address();
        let address = address.ok_or_else(|| Error::other("the payment provider is gone"))?;
        let api = Api::new(&format!("http://{address}"), Duration::from_secs(10))?;
        Ok(api.with(keys["api_key"].as_str().unwrap_or_default()))
    }

    /// Does something with the databases; it may take its time.
    pub async fn databases<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Databases) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let databases = self.databases.clone();
        blocking(move || work(&mut databases.lock().unwrap_or_else(PoisonError::into_inner))).await
    }

    /// Does something with the broker; it may take its time.
    pub async fn broker<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Nats) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let broker = self.broker.clone();
        blocking(move || work(&mut broker.lock().unwrap_or_else(PoisonError::into_inner))).await
    }

    /// Sets a process's clock wrong by so many milliseconds.
    pub fn set_clock(&self, slot: Slot, by: i64) -> Result<()> {
        let file = plans::clock_file(self.folder.path(), slot);
        let half = file.with_extension("half");
        let written = std::fs::write(&half, by.to_string());
        let written = written.and_then(|()| std::fs::rename(&half, &file));
        written.doing(|| format!("cannot write {}", file.display()))
    }

    /// Everything that was broken works again; returns when the engines do.
    pub async fn heal(&self) -> Result<()> {
        self.links.heal();
        for (slot, process) in self.processes.iter() {
            process.signal("CONT");
            self.set_clock(*slot, 0)?;
            process.start()?;
        }
        self.broker(|broker| Ok(broker.start_again()?)).await?;
        self.databases(|databases| {
            databases.free_disks();
            Ok(())
        })
        .await
    }

    /// Whole again, for the next run: a lost primary's place is taken by a new standby.
    pub async fn repair(&self) -> Result<()> {
        let ports = self
            .databases(|databases| {
                databases.repair()?;
                Ok(databases.ports())
            })
            .await?;
        self.links.databases_at(ports);
        self.ready().await
    }

    /// Where everything logs.
    pub fn logs(&self) -> Vec<PathBuf> {
        let mut logs: Vec<PathBuf> = self.processes.values().map(|p| p.log().clone()).collect();
        logs.push(self.provider.log().clone());
        if let Ok(databases) = self.databases.lock() {
            logs.extend(databases.logs());
        }
        if let Ok(broker) = self.broker.lock() {
            logs.push(broker.log());
        }
        logs
    }

    /// Copies all logs, for whoever wants to know what happened.
    pub fn keep_logs(&self, to: &Path) -> Result<()> {
        std::fs::create_dir_all(to).doing(|| format!("cannot make {}", to.display()))?;
        for log in self.logs() {
            let name = match log.file_name().and_then(|name| name.to_str()) {
                // Servers' own logs are told apart by their folders.
                Some("server.log") => log.parent().and_then(Path::file_name),
                _ => log.file_name(),
            };
            if let Some(name) = name {
                let _ = std::fs::copy(&log, to.join(name));
            }
        }
        Ok(())
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.supervisor.abort();
        self.processes.values().for_each(Process::kill);
    }
}

/// Starts again what ended, and leads the proxies to where it listens now.
async fn look_after(
    processes: Arc<BTreeMap<Slot, Process>>,
    provider: Arc<Process>,
    links: Arc<Links>,
) {
    loop {
        for (slot, process) in processes.iter() {
            if let Ok(Some(address)) = process.look() {
                links.process_at(*slot, address);
            }
        }
        if let Ok(Some(address)) = provider.look() {
            links.provider_at(address);
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// Looks until it is well; what is still missing when it takes too long.
async fn until<F: Future<Output = std::result::Result<(), String>>>(
    what: &str,
    mut look: impl FnMut() -> F,
) -> Result<()> {
    let since = Instant::now();
    loop {
        match look().await {
            Ok(()) => return Ok(()),
            Err(missing) if since.elapsed() > READY => {
                return Err(Error::other(format!("{what} is not ready: {missing}")));
            }
            Err(_) => tokio::time::sleep(LOOK).await,
        }
    }
}

/// Runs something that blocks.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|error| Err(Error::other(format!("a task failed: {error}"))))
}
