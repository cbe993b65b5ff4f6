//! A real shop to test against: the `souk` binary as a child process on a directory of its own,
//! spoken to over HTTP only, and killed without mercy when a test wants it.
#![allow(dead_code, unused_imports, reason = "each test file uses its own part")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr
)]

mod api;
pub mod browser;
mod shopping;
pub mod supervised;

use std::{
    fs::File,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    sync::mpsc,
    time::{Duration, Instant},
};

pub use api::*;
use serde_json::Value;
pub use shopping::*;

/// How long anything may take before a test gives up on it.
pub const PATIENCE: Duration = Duration::from_secs(120);
/// The wait between two looks at a condition.
pub const POLL: Duration = Duration::from_millis(50);

/// How much of each process's log a failed test shows.
const LINES_OF_A_PROCESS: usize = 30;

/// A shop in a process of its own.
pub struct Shop {
    child: Option<Child>,
    api: Api,
    folder: tempfile::TempDir,
    args: Vec<String>,
    /// `http://127.0.0.1:…`
    pub url: String,
    /// The sandbox payment provider.
    pub provider: String,
    /// An API key with all permissions.
    pub key: String,
}

impl Shop {
    /// A new, empty shop. Silent provider calls are given up after a second.
    pub fn start() -> Self {
        Self::start_with(&["--provider-timeout-ms", "1000"])
    }

    /// The same with further options.
    pub fn start_with(args: &[&str]) -> Self {
        let mut shop = Self {
            child: None,
            api: Api::new("", None),
            folder: tempfile::tempdir().unwrap(),
            args: args.iter().map(|arg| (*arg).to_owned()).collect(),
            url: "http://127.0.0.1:0".into(),
            provider: "http://127.0.0.1:0".into(),
            key: String::new(),
        };
        shop.open();
        shop
    }

    /// The data directory.
    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// A place for a test's files, deleted with the shop.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    fn spawn(&mut self) -> mpsc::Receiver<String> {
        assert!(self.child.is_none(), "the shop is open already");
        let address = |url: &str| url.trim_start_matches("http://").to_owned();
        let log = self.folder.path().join("log");
        let errors = File::options().create(true).append(true).open(&log);
        let mut child = Command::new(env!("CARGO_BIN_EXE_souk"))
            .arg("up")
            .arg("--no-demo")
            .args(["--listen", &address(&self.url)])
            .args(["--sandbox-listen", &address(&self.provider)])
            .arg("--data")
            .arg(self.data())
            .arg("--api-key-file")
            .arg(self.folder.path().join("key"))
            .args(&self.args)
            .stdout(Stdio::piped())
            .stderr(errors.unwrap())
            .spawn()
            .unwrap();
        let lines = lines_of(child.stdout.take().unwrap());
        self.child = Some(child);
        lines
    }

    /// Starts the process and kills it so long after, wherever its start has got to.
    pub async fn open_and_kill(&mut self, after: Duration) {
        self.spawn();
        tokio::time::sleep(after).await;
        self.kill();
    }

    /// Starts the process, on the same data and addresses as before; returns when it is ready.
    pub fn open(&mut self) {
        let lines = self.spawn();
        let opened = Instant::now();
        loop {
            match lines.recv_timeout(PATIENCE.saturating_sub(opened.elapsed())) {
                Ok(line) => {
                    let second = line
                        .split_whitespace()
                        .find(|word| word.starts_with("http://"));
                    match (line.trim_start(), second) {
                        (text, Some(url)) if text.starts_with("Shop ") => {
                            self.url = url.trim_end_matches('/').into()
                        }
                        (text, Some(url)) if text.starts_with("Test cards ") => {
                            self.provider = url.trim_end_matches('/').into()
                        }
                        (text, _) if text.starts_with("Stop with") => break,
                        _ => {}
                    }
                }
                Err(_) => panic!("the shop did not open: {}", self.log()),
            }
        }
        self.key = std::fs::read_to_string(self.folder.path().join("key"))
            .unwrap()
            .trim()
            .to_owned();
        // A new client: connections to the process before are dead.
        self.api = Api::new(&self.url, None);
    }

    /// SIGKILL: nothing of the process gets to say goodbye.
    pub fn kill(&mut self) {
        let mut child = self.child.take().expect("the shop is not open");
        child.kill().unwrap();
        child.wait().unwrap();
    }

    /// SIGTERM; returns whether it ended well.
    pub fn terminate(&mut self) -> bool {
        let mut child = self.child.take().expect("the shop is not open");
        Command::new("kill")
            .args(["-TERM", &child.id().to_string()])
            .status()
            .unwrap();
        child.wait().unwrap().success()
    }

    /// Waits for the end of a process that was asked to end in another way.
    pub fn wait_end(&mut self) {
        let mut child = self.child.take().expect("the shop is not open");
        child.wait().unwrap();
    }

    /// What the process wrote to its error stream so far.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    /// The API with all permissions.
    pub fn staff(&self) -> Api {
        self.api.with(&self.key)
    }

    /// The API as anybody.
    pub fn guest(&self) -> Api {
        self.api.clone()
    }

    /// The API with a credential such as an order's access token.
    pub fn with(&self, token: &str) -> Api {
        self.api.with(token)
    }

    /// All payments at the provider, oldest first.
    pub async fn provider_payments(&self) -> Vec<Value> {
        let keys = std::fs::read_to_string(self.data().join("sandbox-provider/keys.json")).unwrap();
        let keys: Value = serde_json::from_str(&keys).unwrap();
        let provider = Api::new(&self.provider, keys["api_key"].as_str());
        let (mut all, mut after) = (Vec::new(), String::new());
        loop {
            let page = provider
                .get(&format!("/v1/payments?limit=500{after}"))
                .await
                .ok();
            all.extend(page["items"].as_array().unwrap().iter().cloned());
            match page["next_after"].as_str() {
                Some(next) => after = format!("&after={next}"),
                None => return all,
            }
        }
    }

    /// Runs another `souk` command to its end, with this shop's address and key in its environment.
    pub fn souk(&self, args: &[&str]) -> Output {
        souk_in(
            self.folder.path(),
            &[("SOUK_URL", &self.url), ("SOUK_API_KEY", &self.key)],
            args,
        )
    }
}

impl Drop for Shop {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            // Servers and processes of a shop must have left its folder before that is deleted.
            if self.args.iter().any(|arg| arg == "--processes") {
                supervised::end(&mut child);
            }
            let _ = child.kill();
            let _ = child.wait();
        }
        if std::thread::panicking() {
            self.folder.disable_cleanup(true);
            eprintln!("--- the shop was in {} ---", self.folder.path().display());
            eprintln!("--- its log ---\n{}", self.log());
            for (process, log) in supervised::logs_in(&self.data()) {
                let lines: Vec<_> = log.lines().collect();
                let last = &lines[lines.len().saturating_sub(LINES_OF_A_PROCESS)..];
                eprintln!("--- {process} ---\n{}", last.join("\n"));
            }
        }
    }
}

/// Runs a `souk` command to its end in `folder`.
pub fn souk_in(folder: &Path, environment: &[(&str, &str)], args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_souk"));
    command
        .current_dir(folder)
        .args(args)
        .envs(environment.iter().copied());
    command.output().unwrap()
}

/// What a command wrote, both streams.
pub fn said(output: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    text(&output.stdout) + &text(&output.stderr)
}

/// Lines as they come; reads on until the process ends, so that it never waits for a reader.
pub fn lines_of(stream: impl std::io::Read + Send + 'static) -> mpsc::Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            let _ = sender.send(line);
        }
    });
    receiver
}

/// Looks until `look` finds what it wants; fails with its last word on what is missing.
pub async fn eventually<T>(what: &str, mut look: impl AsyncFnMut() -> Result<T, String>) -> T {
    let started = Instant::now();
    loop {
        match look().await {
            Ok(found) => return found,
            Err(missing) if started.elapsed() > PATIENCE => panic!("{what}: {missing}"),
            Err(_) => tokio::time::sleep(POLL).await,
        }
    }
}
