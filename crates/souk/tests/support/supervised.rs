//! `souk up --processes` as a child process, and the commands that steer it.

use std::{
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    sync::mpsc,
    time::{Duration, Instant},
};

use serde_json::Value;

use super::{PATIENCE, eventually, lines_of, said, souk_in};

/// A running supervisor. Killed when dropped; its processes end by themselves then.
pub struct Supervised {
    child: Option<Child>,
    lines: mpsc::Receiver<String>,
    /// What it printed so far.
    pub printed: Vec<String>,
    folder: tempfile::TempDir,
    steering: Steering,
    /// `http://127.0.0.1:…`, the gateway.
    pub url: String,
}

impl Supervised {
    /// Starts one on a new folder and returns when the shop is open.
    pub fn start(args: &[&str]) -> Self {
        let mut supervised = Self::spawn(tempfile::tempdir().unwrap(), args);
        supervised.until("Stop with");
        supervised
    }

    /// Starts one on `folder`, and does not wait.
    pub fn spawn(folder: tempfile::TempDir, args: &[&str]) -> Self {
        let errors = std::fs::File::create(folder.path().join("console")).unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_souk"))
            .args(["up", "--processes", "--listen", "127.0.0.1:0", "--data"])
            .arg(folder.path().join("data"))
            .args(args)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(errors)
            .spawn()
            .unwrap();
        Self {
            lines: lines_of(child.stdout.take().unwrap()),
            child: Some(child),
            printed: Vec::new(),
            steering: Steering::of(&folder.path().join("data")),
            folder,
            url: String::new(),
        }
    }

    /// Reads on until a line begins with `start`.
    #[track_caller]
    pub fn until(&mut self, start: &str) -> String {
        let since = Instant::now();
        loop {
            match self
                .lines
                .recv_timeout(PATIENCE.saturating_sub(since.elapsed()))
            {
                Ok(line) => {
                    let text = line.trim().to_owned();
                    self.printed.push(text.clone());
                    if let Some(url) = text.strip_prefix("Shop ") {
                        self.url = url.trim().trim_end_matches('/').to_owned();
                    }
                    if text.starts_with(start) {
                        return text;
                    }
                }
                Err(_) => panic!("no `{start}` in {:#?}\n{}", self.printed, self.console()),
            }
        }
    }

    /// The folder around it, for a test's files.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// What it wrote to its error stream.
    pub fn console(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("console")).unwrap_or_default()
    }

    /// The commands by themselves, for another thread.
    pub fn steering(&self) -> Steering {
        self.steering.clone()
    }

    /// Sends a signal to the supervisor.
    pub fn signal(&self, name: &str) {
        signal(name, u64::from(self.child.as_ref().unwrap().id()));
    }

    /// Waits for the supervisor's end; whether it ended well.
    pub fn ended(&mut self) -> bool {
        self.child.take().unwrap().wait().unwrap().success()
    }

    /// Every process id that `ps` knows, and the supervisor's.
    pub fn pids(&self) -> Vec<u64> {
        let mut pids = self.steering.pids();
        pids.push(u64::from(self.child.as_ref().unwrap().id()));
        pids
    }
}

impl std::ops::Deref for Supervised {
    type Target = Steering;

    fn deref(&self) -> &Steering {
        &self.steering
    }
}

/// The commands for a shop in many processes.
#[derive(Clone)]
pub struct Steering {
    data: PathBuf,
}

impl Steering {
    /// Of the shop on this data directory.
    pub fn of(data: &Path) -> Self {
        Self {
            data: data.to_owned(),
        }
    }

    /// The data directory.
    pub fn data(&self) -> &Path {
        &self.data
    }

    /// A `souk` command about it.
    pub fn souk(&self, args: &[&str]) -> Output {
        let data = self.data.to_str().unwrap();
        souk_in(&std::env::temp_dir(), &[("SOUK_DATA", data)], args)
    }

    /// The same, which must succeed; what it printed.
    #[track_caller]
    pub fn ok(&self, args: &[&str]) -> String {
        let output = self.souk(args);
        assert!(output.status.success(), "{args:?}: {}", said(&output));
        said(&output)
    }

    /// All processes, as `souk ps --json` tells.
    #[track_caller]
    pub fn processes(&self) -> Vec<Value> {
        serde_json::from_str(&self.ok(&["ps", "--json"])).unwrap()
    }

    /// The process in a slot, if there is one.
    pub fn process(&self, slot: &str) -> Option<Value> {
        self.processes().into_iter().find(|row| row["slot"] == slot)
    }

    /// The slots of a service, sorted.
    pub fn slots(&self, service: &str) -> Vec<String> {
        let rows = self.processes();
        let rows = rows.iter().filter(|row| row["service"] == service);
        let mut slots: Vec<String> = rows
            .map(|row| row["slot"].as_str().unwrap().to_owned())
            .collect();
        slots.sort();
        slots
    }

    /// Kills the process in a slot; answers its id.
    pub fn kill(&self, slot: &str) -> u64 {
        let pid = self.process(slot).unwrap()["pid"].as_u64().unwrap();
        signal("KILL", pid);
        pid
    }

    /// Waits until a slot has another process than `old`, and that is ready.
    pub async fn replaced(&self, slot: &str, old: u64) -> Value {
        eventually("a new process", async || {
            let row = self.process(slot).ok_or("no such slot")?;
            match (row["pid"].as_u64(), row["state"].as_str()) {
                (Some(pid), Some("ready")) if pid != old => Ok(row),
                _ => Err(row.to_string()),
            }
        })
        .await
    }

    /// Every process id that `ps` knows.
    pub fn pids(&self) -> Vec<u64> {
        let rows = self.processes();
        rows.iter().filter_map(|row| row["pid"].as_u64()).collect()
    }
}

impl Drop for Supervised {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            end(&mut child);
            let _ = child.kill();
            let _ = child.wait();
        }
        if std::thread::panicking() {
            eprintln!("--- the supervisor's console ---\n{}", self.console());
        }
    }
}

/// Asks a supervisor to end, and waits, but not for long.
pub fn end(child: &mut Child) {
    signal("TERM", u64::from(child.id()));
    let since = Instant::now();
    while matches!(child.try_wait(), Ok(None)) && since.elapsed() < Duration::from_secs(30) {
        std::thread::sleep(super::POLL);
    }
}

/// Sends a signal.
pub fn signal(name: &str, pid: u64) {
    let mut command = Command::new("sh");
    command.args(["-c", "kill -s \"$@\"", "sh", name, &pid.to_string()]);
    command.stderr(Stdio::null()).status().unwrap();
}

/// Whether a process is there and not a mere entry of one that has ended.
pub fn lives(pid: u64) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(") ")
        .is_some_and(|(_, rest)| !rest.starts_with('Z'))
}

/// Waits until none of these processes is there.
pub async fn all_gone(pids: &[u64]) {
    eventually("processes that should have ended", async || {
        let left: Vec<&u64> = pids.iter().filter(|pid| lives(**pid)).collect();
        match left.is_empty() {
            true => Ok(()),
            false => Err(format!("{left:?}")),
        }
    })
    .await;
}

/// The log of every process of the shop on this data directory, by name.
pub fn logs_in(data: &Path) -> Vec<(String, String)> {
    let files = std::fs::read_dir(data.join("logs"))
        .into_iter()
        .flatten()
        .flatten();
    let mut logs: Vec<(String, String)> = files
        .filter_map(|file| {
            let name = file.file_name().to_string_lossy().into_owned();
            Some((name, std::fs::read_to_string(file.path()).ok()?))
        })
        .collect();
    logs.sort();
    logs
}
