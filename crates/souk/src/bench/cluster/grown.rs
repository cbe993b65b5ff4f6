//! A shop of many processes, as `souk up --processes` runs it.

use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use tokio::process::Command;

use super::Servers;
use crate::{
    bench::child::Child,
    client::Client,
    failure::{Context as _, Failure, Result},
};

/// Processor time used so far.
#[derive(Clone, Copy)]
pub struct Spent {
    /// By services, gateway and supervisor.
    pub souk: Duration,
    /// By PostgreSQL and NATS.
    pub servers: Duration,
}

impl Spent {
    /// Together.
    pub fn all(&self) -> Duration {
        self.souk + self.servers
    }
}

impl std::ops::Sub for Spent {
    type Output = Self;

    fn sub(self, before: Self) -> Self {
        Self {
            souk: self.souk.saturating_sub(before.souk),
            servers: self.servers.saturating_sub(before.servers),
        }
    }
}

/// The running shop.
pub struct Grown {
    child: Child,
    data: PathBuf,
    /// From the start to the first ready answer.
    pub ready_after: Duration,
}

impl Grown {
    /// Starts one process per service on these servers.
    pub async fn start(folder: &Path, servers: &Servers) -> Result<Self> {
        let data = folder.join("processes");
        std::fs::create_dir_all(&data).context("no folder")?;
        let engines = [
            ("SOUK_DATABASE", servers.postgres.url("{service}")),
            ("SOUK_KEYRING", servers.postgres.url("souk_keyring")),
            ("SOUK_EVENTS", servers.nats.url()),
        ];
        let child = Child::start_with(&data, &["--processes"], &engines).await?;
        let ready_after = child.ready_after;
        Ok(Self {
            child,
            data,
            ready_after,
        })
    }

    /// Calls it with all permissions.
    pub fn client(&self) -> Result<Client> {
        self.child.client()
    }

    /// `host:port` of the gateway.
    pub fn address(&self) -> String {
        self.child.address()
    }

    /// Runs so many instances of a service.
    pub async fn scale(&self, service: &str, instances: usize) -> Result<()> {
        self.command(&["scale", &format!("{service}={instances}")])
            .await
            .map(drop)
    }

    /// The same of every service.
    pub async fn scale_all(&self, instances: usize) -> Result<()> {
        for service in crate::services::names()? {
            self.scale(service, instances).await?;
        }
        Ok(())
    }

    /// A command to the supervisor.
    pub async fn command(&self, arguments: &[&str]) -> Result<String> {
        let program = std::env::current_exe().context("no program")?;
        let done = Command::new(program)
            .args(arguments)
            .arg("--data")
            .arg(&self.data)
            .output()
            .await
            .context("the command does not start")?;
        match done.status.success() {
            true => Ok(String::from_utf8_lossy(&done.stdout).into_owned()),
            false => Err(Failure::new(
                String::from_utf8_lossy(&done.stderr).into_owned(),
            )),
        }
    }

    /// Processes of the shop: id and command line.
    pub fn processes(&self) -> Vec<(u32, String)> {
        let (mut all, mut next) = (Vec::new(), vec![self.child.id()]);
        while let Some(id) = next.pop() {
            let line = std::fs::read(format!("/proc/{id}/cmdline")).unwrap_or_default();
            let line = String::from_utf8_lossy(&line).replace('\0', " ");
            all.push((id, line));
            let tasks = std::fs::read_dir(format!("/proc/{id}/task"));
            for task in tasks.into_iter().flatten().flatten() {
                let children = std::fs::read_to_string(task.path().join("children"));
                let children = children.unwrap_or_default();
                next.extend(
                    children
                        .split_whitespace()
                        .filter_map(|id| id.parse::<u32>().ok()),
                );
            }
        }
        all
    }

    /// Processor time of the shop's processes that live now, and of the servers on this machine.
    pub fn cpu(&self) -> Spent {
        let souk = self.processes().iter().map(|(id, _)| used(*id)).sum();
        let everyone = std::fs::read_dir("/proc").into_iter().flatten().flatten();
        let ids = everyone.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
        let servers = ids.filter(|id| {
            let name = std::fs::read_to_string(format!("/proc/{id}/comm")).unwrap_or_default();
            matches!(name.trim(), "postgres" | "nats-server")
        });
        Spent {
            souk,
            servers: servers.map(used).sum(),
        }
    }

    /// Memory of each service's process: its own with its share of what it has in common with
    /// others (the program itself), and all that is resident.
    pub fn memory(&self) -> String {
        let mut each: Vec<(u64, u64, String)> = Vec::new();
        for (id, line) in self.processes() {
            let Some((_, rest)) = line.split_once(" run ") else {
                continue;
            };
            let service = rest.split(' ').next().unwrap_or_default().to_owned();
            let rollup = std::fs::read_to_string(format!("/proc/{id}/smaps_rollup"));
            let rollup = rollup.unwrap_or_default();
            let megabytes = |name: &str| -> u64 {
                let line = rollup.lines().find_map(|line| line.strip_prefix(name));
                let kilobytes = line.and_then(|text| text.split_whitespace().next()?.parse().ok());
                kilobytes.unwrap_or(0_u64) / 1024
            };
            each.push((megabytes("Pss:"), megabytes("Rss:"), service));
        }
        each.sort();
        let text = each
            .iter()
            .map(|(share, resident, service)| format!("{service} {share} ({resident})"));
        text.collect::<Vec<_>>().join(", ")
    }

    /// Asks it to close and waits.
    pub async fn stop(self) -> Result<()> {
        self.child.stop().await
    }
}

/// Processor time a process has used, its waited-for children included.
fn used(id: u32) -> Duration {
    let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
    let rest = stat.rsplit(") ").next().unwrap_or_default();
    let fields: Vec<u64> = rest
        .split(' ')
        .map(|text| text.parse().unwrap_or(0))
        .collect();
    // utime and stime, in hundredths of a second.
    let ticks: u64 = fields.iter().skip(11).take(2).sum();
    Duration::from_millis(ticks * 10)
}

/// Waits until `done` answers something.
pub async fn until<T>(limit: Duration, mut done: impl AsyncFnMut() -> Option<T>) -> Result<T> {
    let since = Instant::now();
    loop {
        if let Some(found) = done().await {
            return Ok(found);
        }
        if since.elapsed() > limit {
            return Err(Failure::new("waited in vain"));
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
