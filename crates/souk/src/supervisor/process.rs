//! One process of the operating system: from its start to its end.

use std::{
    path::{Path, PathBuf},
    process::Stdio,
    sync::Arc,
    time::Duration,
};

use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::{Child, Command},
    sync::mpsc,
};

use super::{
    ground::Ground,
    logs,
    plan::{Kind, Ready},
};
use crate::failure::{Context as _, Result};

/// Between two looks whether a process is ready.
const LOOK: Duration = Duration::from_millis(50);

/// A started process. Killed when dropped.
pub struct Process {
    child: Child,
    /// Its id.
    pub pid: u32,
}

/// What a started process tells of itself.
pub struct News {
    /// What it prints. Never written to a log: the first password is among it.
    lines: mpsc::UnboundedReceiver<String>,
    address_file: PathBuf,
    kind: Arc<Kind>,
}

impl Process {
    /// Starts one.
    pub fn spawn(ground: &Ground, kind: &Arc<Kind>, slot: &str) -> Result<(Self, News)> {
        let address_file = ground.folder.run.join(format!("{slot}.address"));
        let _ = std::fs::remove_file(&address_file);
        let mut command = Command::new(&ground.program);
        if kind.ours {
            let places = ground.environment.iter().map(|(name, value)| (name, value));
            command.envs(places);
        }
        command
            .args(kind.arguments())
            .args(["--listen", kind.listen(), "--address-file"])
            .arg(&address_file)
            .env("SOUK_SLOT", slot)
            .env("SOUK_PEERS", ground.peers.path())
            .env("SOUK_LOG", ground.console.file_level().as_str())
            .env("SOUK_SUPERVISOR", std::process::id().to_string())
            .env("NO_COLOR", "1")
            .stdin(kind.input()?)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            // Ctrl-C on the terminal is for the supervisor, which ends them in order.
            .process_group(0)
            .kill_on_drop(true);
        let log = logs::open(&ground.folder.logs, slot)?;
        let mut child = command
            .spawn()
            .with_context(|| format!("cannot run {}", ground.program.display()))?;
        let (sender, lines) = mpsc::unbounded_channel();
        if let Some(output) = child.stdout.take() {
            tokio::spawn(async move {
                let mut output = BufReader::new(output).lines();
                while let Ok(Some(line)) = output.next_line().await {
                    let _ = sender.send(line);
                }
            });
        }
        if let Some(errors) = child.stderr.take() {
            tokio::spawn(logs::copy(slot.to_owned(), errors, log, ground.console));
        }
        let news = News {
            lines,
            address_file,
            kind: kind.clone(),
        };
        let pid = child.id().unwrap_or(0);
        Ok((Self { child, pid }, news))
    }

    /// Waits until it ends by itself; says how.
    pub async fn ended(&mut self) -> String {
        match self.child.wait().await {
            Ok(status) => format!("ended with {status}"),
            Err(error) => format!("was lost: {error}"),
        }
    }

    /// Asks it to end, waits, and kills it if that takes too long. Whether it ended well.
    pub async fn stop(mut self, patience: Duration) -> bool {
        let asked = scratch::signal("TERM", &[self.pid]);
        let ended = tokio::time::timeout(patience, self.child.wait()).await;
        match (asked, ended) {
            (Ok(()), Ok(Ok(status))) => status.success(),
            _ => {
                let _ = self.child.kill().await;
                false
            }
        }
    }
}

impl News {
    /// Where it listens, as soon as it says so.
    pub async fn address(&self) -> String {
        if let Some(shared) = self.kind.address() {
            return shared;
        }
        loop {
            if let Some(address) = read_address(&self.address_file) {
                return format!("http://{address}");
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Returns when it is ready, with what it printed until then.
    pub async fn ready(&mut self, ground: &Ground, address: &str) -> Vec<String> {
        let mut said = Vec::new();
        match self.kind.ready {
            Ready::Says => match self.lines.recv().await {
                Some(line) => said.push(line),
                // It closed its output and will end, which is noticed elsewhere.
                None => std::future::pending().await,
            },
            Ready::Answers(path) => {
                let url = format!("{address}{path}");
                while !answers(ground, &url).await {
                    tokio::time::sleep(LOOK).await;
                }
            }
        }
        while let Ok(line) = self.lines.try_recv() {
            said.push(line);
        }
        said
    }
}

/// Whether `url` answers with success soon.
async fn answers(ground: &Ground, url: &str) -> bool {
    let answer = ground.http.get(url).send().await;
    answer.is_ok_and(|answer| answer.status().is_success())
}

/// A file that is being written may not have its end yet; an address ends with its port.
fn read_address(path: &Path) -> Option<std::net::SocketAddr> {
    let text = std::fs::read_to_string(path).ok()?;
    let text = text.trim().trim_start_matches("http://");
    text.trim_end_matches('/').parse().ok()
}
