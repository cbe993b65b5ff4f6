//! The shop under load, in a process of its own.

use std::{
    path::Path,
    process::Stdio,
    time::{Duration, Instant},
};

use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::{self, Command},
};

use crate::{
    client::Client,
    failure::{Context as _, Failure, Result},
};

/// A running `souk up`.
pub struct Child {
    process: process::Child,
    url: String,
    key: String,
    /// From the start of the process to the first ready answer.
    pub ready_after: Duration,
}

impl Child {
    /// Starts one on `data` and waits until it is ready.
    pub async fn start(data: &Path, demo: bool) -> Result<Self> {
        std::fs::create_dir_all(data).context("no folder")?;
        let only: &[&str] = if demo { &[] } else { &["--no-demo"] };
        Self::start_with(data, only, &[]).await
    }

    /// The same with more arguments and environment.
    pub async fn start_with(
        data: &Path,
        arguments: &[&str],
        environment: &[(&str, String)],
    ) -> Result<Self> {
        let key_file = data.join("bench-api-key");
        let program = std::env::current_exe().context("no program")?;
        let started = Instant::now();
        let mut command = Command::new(program);
        command
            .arg("up")
            .arg("--data")
            .arg(data)
            .args(["--listen", "127.0.0.1:0"])
            .arg("--api-key-file")
            .arg(&key_file)
            .args(arguments)
            .envs(environment.iter().map(|(name, value)| (*name, value)));
        let mut process = command
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .context("the shop does not start")?;
        let output = process
            .stdout
            .take()
            .ok_or_else(|| Failure::new("no output"))?;
        let mut lines = BufReader::new(output).lines();
        let url = loop {
            let line = lines
                .next_line()
                .await?
                .ok_or_else(|| Failure::new("the shop ended at its start"))?;
            if let Some(url) = line.trim().strip_prefix("Shop") {
                break url.trim().trim_end_matches('/').to_owned();
            }
        };
        let ready_after = started.elapsed();
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        let key = std::fs::read_to_string(&key_file)
            .context("no API key")?
            .trim()
            .to_owned();
        Ok(Self {
            process,
            url,
            key,
            ready_after,
        })
    }

    /// Calls it with all permissions.
    pub fn client(&self) -> Result<Client> {
        Client::new(&self.url, Some(self.key.clone())).context("no client")
    }

    /// Its process.
    pub fn id(&self) -> u32 {
        self.process.id().unwrap_or_default()
    }

    /// `host:port`.
    pub fn address(&self) -> String {
        self.url.trim_start_matches("http://").to_owned()
    }

    fn proc(&self, file: &str) -> String {
        let id = self.process.id().unwrap_or_default();
        std::fs::read_to_string(format!("/proc/{id}/{file}")).unwrap_or_default()
    }

    /// Processor time used so far (Linux; zero elsewhere).
    pub fn cpu(&self) -> Duration {
        let stat = self.proc("stat");
        let fields: Vec<&str> = stat
            .rsplit(") ")
            .next()
            .unwrap_or_default()
            .split(' ')
            .collect();
        let ticks = |n: usize| {
            fields
                .get(n)
                .and_then(|text| text.parse::<u64>().ok())
                .unwrap_or(0)
        };
        // utime and stime, in hundredths of a second.
        Duration::from_millis((ticks(11) + ticks(12)) * 10)
    }

    /// Resident memory in MB (Linux; zero elsewhere).
    pub fn resident_mb(&self) -> u64 {
        let status = self.proc("status");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kilobytes = line.and_then(|text| text.split_whitespace().next()?.parse::<u64>().ok());
        kilobytes.unwrap_or(0) / 1024
    }

    /// Asks it to close and waits.
    pub async fn stop(mut self) -> Result<()> {
        if let Some(id) = self.process.id() {
            let _ = Command::new("kill")
                .args(["-TERM", &id.to_string()])
                .status()
                .await;
        }
        self.process.wait().await.context("the shop does not end")?;
        Ok(())
    }
}
