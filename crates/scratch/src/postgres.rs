//! A PostgreSQL server of one's own.

use std::{
    fs::File,
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use crate::{
    Error, Result,
    error::Doing as _,
    owner::Owner,
    programs,
    server::{Launch, Server, plain_environment, signal},
    starting::{self, Starts},
};

/// The longest path of a socket that every system takes, with room for its name.
const SOCKET_FOLDER: usize = 80;

/// How a server is started.
#[derive(Clone, Debug)]
pub struct PostgresOptions {
    /// Whether commits wait for the disk. `false` is faster and survives the death of processes,
    /// but not of the machine: for tests.
    pub fsync: bool,
    /// The superuser's password; without one, everybody on this machine may connect. Only for a
    /// new folder: later starts must give the same.
    pub password: Option<String>,
    /// The port; any free one unless given.
    pub port: Option<u16>,
    /// Goes on when the process that started it ends.
    pub detached: bool,
    /// How many connections it takes.
    pub max_connections: u16,
    /// Further settings, `name=value`. Everybody on the machine can see them.
    pub settings: Vec<String>,
}

impl Default for PostgresOptions {
    fn default() -> Self {
        Self {
            fsync: true,
            password: None,
            port: None,
            detached: false,
            max_connections: 200,
            settings: Vec::new(),
        }
    }
}

/// A PostgreSQL server; stopped when dropped (its data stays). The superuser is `postgres`.
#[derive(Debug)]
pub struct Postgres {
    pub(crate) folder: PathBuf,
    pub(crate) programs: PathBuf,
    pub(crate) owner: Option<Owner>,
    pub(crate) options: PostgresOptions,
    port: u16,
    server: Option<Server>,
}

impl Postgres {
    /// Starts a server on `folder` and returns when it takes connections. A folder without a
    /// cluster gets a new one.
    pub fn start(folder: &Path, options: PostgresOptions) -> Result<Self> {
        let mut postgres = Self::prepare(folder, options)?;
        if !postgres.data().join("PG_VERSION").exists() {
            postgres.initialize()?;
        }
        postgres.start_again()?;
        Ok(postgres)
    }

    /// Finds the programs and makes the folders.
    pub(crate) fn prepare(folder: &Path, options: PostgresOptions) -> Result<Self> {
        let folder = std::path::absolute(folder)
            .doing(|| format!("cannot tell where {} is", folder.display()))?;
        let postgres = Self {
            programs: programs::postgres()?,
            owner: Owner::for_postgres()?,
            port: 0,
            server: None,
            folder,
            options,
        };
        let socket = postgres.folder.join("socket");
        std::fs::create_dir_all(&socket).doing(|| format!("cannot make {}", socket.display()))?;
        if let Some(owner) = &postgres.owner {
            owner.own(&postgres.folder)?;
            owner.own(&socket)?;
        }
        Ok(postgres)
    }

    /// Where the cluster is.
    pub(crate) fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// The server's log file.
    pub fn log(&self) -> PathBuf {
        self.folder.join("server.log")
    }

    /// The port, the same for all starts of this server.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The server's process id, if it runs.
    pub fn pid(&self) -> Option<u32> {
        self.server.as_ref().map(Server::pid)
    }

    /// Where `database` is. Contains the password, if there is one.
    pub fn url(&self, database: &str) -> String {
        let password = self.options.password.as_ref();
        let password = password.map(|word| format!(":{word}")).unwrap_or_default();
        format!(
            "postgres://postgres{password}@127.0.0.1:{}/{database}",
            self.port
        )
    }

    fn initialize(&self) -> Result<()> {
        let mut command = self.program("initdb");
        command.arg("-D").arg(self.data());
        command.args(["-U", "postgres", "-E", "UTF8", "--locale=C"]);
        if !self.options.fsync {
            command.arg("--no-sync");
        }
        let Some(password) = &self.options.password else {
            command.arg("--auth=trust");
            return said(&mut command).map(drop);
        };
        let file = self.folder.join("password.new");
        let mut options = File::options();
        options.create(true).truncate(true).write(true);
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let written = options
            .open(&file)
            .and_then(|mut open| writeln!(open, "{password}"));
        written.doing(|| format!("cannot write {}", file.display()))?;
        if let Some(owner) = &self.owner {
            owner.own(&file)?;
        }
        command
            .arg("--auth=scram-sha-256")
            .arg("--pwfile")
            .arg(&file);
        let made = said(&mut command);
        std::fs::remove_file(&file).doing(|| format!("cannot remove {}", file.display()))?;
        made.map(drop)
    }

    /// Starts a stopped or killed server again: the same data, the same port. Does nothing if it
    /// runs.
    pub fn start_again(&mut self) -> Result<()> {
        if self.is_running() {
            return Ok(());
        }
        self.server = None;
        self.server = Some(starting::start(self)?);
        Ok(())
    }

    /// Whether it runs: not stopped, not killed, not ended by itself.
    pub fn is_running(&mut self) -> bool {
        self.server
            .as_mut()
            .is_some_and(|server| server.ended().is_none())
    }

    /// Ends the server in order: transactions under way are rolled back, everything is on disk.
    pub fn stop(&mut self) -> Result<()> {
        self.server.take().map_or(Ok(()), Server::stop)
    }

    /// SIGKILL for the server and its processes, as if the power failed (but what was handed to
    /// the operating system is not lost).
    pub fn kill(&mut self) -> Result<()> {
        let server = self.server.take().ok_or(Error::NotRunning)?;
        let children = children(server.pid());
        server.kill(&children)
    }

    /// SIGSTOP for the server and its processes: it is there, and says nothing.
    pub fn pause(&self) -> Result<()> {
        self.signal_all("STOP")
    }

    /// SIGCONT after `pause`.
    pub fn resume(&self) -> Result<()> {
        self.signal_all("CONT")
    }

    fn signal_all(&self, name: &str) -> Result<()> {
        let pid = self.pid().ok_or(Error::NotRunning)?;
        let mut pids = vec![pid];
        pids.extend(children(pid));
        signal(name, &pids)
    }

    /// Makes an empty database unless it is there.
    pub fn create_database(&self, name: &str) -> Result<()> {
        let there = self.sql("postgres", "SELECT datname FROM pg_database")?;
        if there.lines().any(|line| line == name) {
            return Ok(());
        }
        let name = name.replace('"', "\"\"");
        self.sql("postgres", &format!("CREATE DATABASE \"{name}\""))
            .map(drop)
    }

    /// Runs SQL and answers what `psql` prints: a line per row, columns separated by `|`.
    pub fn sql(&self, database: &str, sql: &str) -> Result<String> {
        let mut command = self.program("psql");
        command.args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1"]);
        command.args(["-h", "127.0.0.1", "-p", &self.port.to_string()]);
        command.args(["-U", "postgres", "-d", database]);
        command.args(["-c", sql]);
        said(&mut command)
    }

    /// One of PostgreSQL's programs, run as the user the server runs as.
    pub(crate) fn program(&self, name: &str) -> Command {
        let mut command = Command::new(self.programs.join(name));
        plain_environment(&mut command).stdin(Stdio::null());
        if let Some(owner) = &self.owner {
            owner.run(&mut command);
        }
        if let Some(password) = &self.options.password {
            command.env("PGPASSWORD", password);
        }
        command
    }
}

/// Runs a program to its end; what it printed.
pub(crate) fn said(command: &mut Command) -> Result<String> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command.output().doing(|| format!("cannot run {program}"))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned());
    }
    Err(Error::Failed {
        program,
        said: String::from_utf8_lossy(&output.stderr).trim().to_owned(),
    })
}

/// The processes a server has started, where the system tells (Linux).
fn children(pid: u32) -> Vec<u32> {
    let file = format!("/proc/{pid}/task/{pid}/children");
    let text = std::fs::read_to_string(file).unwrap_or_default();
    text.split_whitespace()
        .filter_map(|word| word.parse().ok())
        .collect()
}

impl Starts for Postgres {
    const NAME: &'static str = "PostgreSQL";
    const PROGRAM: &'static str = "postgres";
    /// Recovery after a crash, on a busy machine.
    const LIMIT: Duration = Duration::from_secs(60);
    const PASSING: &'static [&'static str] = &[
        "Address already in use",
        "pre-existing shared memory block",
        "lock file",
    ];

    fn fixed_port(&self) -> Option<u16> {
        self.options.port.or((self.port != 0).then_some(self.port))
    }

    fn use_port(&mut self, port: u16) {
        self.port = port;
    }

    fn log(&self) -> PathBuf {
        Postgres::log(self)
    }

    fn launch(&self) -> Result<Server> {
        let socket = self.folder.join("socket");
        let socket = socket.to_str().filter(|path| path.len() < SOCKET_FOLDER);
        let mut settings = vec![
            "listen_addresses=127.0.0.1".to_owned(),
            format!("port={}", self.port),
            format!("unix_socket_directories={}", socket.unwrap_or_default()),
            format!("max_connections={}", self.options.max_connections),
            "shared_buffers=32MB".to_owned(),
            "logging_collector=off".to_owned(),
            "log_min_messages=warning".to_owned(),
        ];
        if !self.options.fsync {
            // Commits are still there after kill -9: the operating system has them.
            settings.extend(["fsync=off", "full_page_writes=off"].map(str::to_owned));
        }
        settings.extend(self.options.settings.iter().cloned());
        let mut command = vec![
            self.programs.join("postgres").display().to_string(),
            "-D".to_owned(),
            self.data().display().to_string(),
        ];
        for setting in settings {
            command.extend(["-c".to_owned(), setting]);
        }
        Server::launch(&Launch {
            command,
            log: &Postgres::log(self),
            owner: self.owner.as_ref(),
            signal: "INT",
            detached: self.options.detached,
        })
    }

    /// The server says so in its file.
    fn is_ready(&self, server: &Server) -> bool {
        let file = self.data().join("postmaster.pid");
        let text = std::fs::read_to_string(file).unwrap_or_default();
        let lines: Vec<&str> = text.lines().map(str::trim).collect();
        let ours = lines.first() == Some(&server.pid().to_string().as_str());
        ours && lines.get(7) == Some(&"ready")
    }
}
