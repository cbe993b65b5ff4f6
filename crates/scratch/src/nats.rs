//! A NATS server of one's own, with JetStream.

use std::{
    fs::File,
    io::{BufRead as _, BufReader, Write as _},
    net::{Ipv4Addr, SocketAddr, TcpStream},
    path::{Path, PathBuf},
    time::Duration,
};

use crate::{
    Error, Result,
    error::Doing as _,
    programs,
    server::{Launch, Server, signal},
    starting::{self, Starts},
};

/// How a server is started.
#[derive(Clone, Debug, Default)]
pub struct NatsOptions {
    /// The port; any free one unless given.
    pub port: Option<u16>,
    /// User and password that clients must show; everybody on this machine may connect unless
    /// given. Letters and digits only.
    pub login: Option<(String, String)>,
    /// Goes on when the process that started it ends.
    pub detached: bool,
}

/// A NATS server; stopped when dropped (its streams stay).
#[derive(Debug)]
pub struct Nats {
    folder: PathBuf,
    program: PathBuf,
    options: NatsOptions,
    port: u16,
    server: Option<Server>,
}

impl Nats {
    /// Starts a server with JetStream in `folder`; returns when it takes connections.
    pub fn start(folder: &Path, options: NatsOptions) -> Result<Self> {
        let folder = std::path::absolute(folder)
            .doing(|| format!("cannot tell where {} is", folder.display()))?;
        std::fs::create_dir_all(&folder).doing(|| format!("cannot make {}", folder.display()))?;
        let mut nats = Self {
            program: programs::nats()?,
            port: 0,
            server: None,
            folder,
            options,
        };
        nats.start_again()?;
        Ok(nats)
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

    /// Where it is. Contains the password, if there is one.
    pub fn url(&self) -> String {
        let login = self.options.login.as_ref();
        let login = login.map(|(user, word)| format!("{user}:{word}@"));
        format!(
            "nats://{}127.0.0.1:{}",
            login.unwrap_or_default(),
            self.port
        )
    }

    /// Starts a stopped or killed server again: the same streams, the same port. Does nothing if
    /// it runs.
    pub fn start_again(&mut self) -> Result<()> {
        if self.is_running() {
            return Ok(());
        }
        self.server = None;
        self.server = Some(starting::start(self)?);
        Ok(())
    }

    /// The settings, with the password, which must not be seen in a list of processes.
    fn write_config(&self, path: &Path) -> Result<()> {
        let quoted = |text: &str| text.replace('\\', "\\\\").replace('"', "\\\"");
        let store = quoted(&self.folder.join("jetstream").display().to_string());
        let mut text = format!(
            "server_name: {}\nlisten: \"127.0.0.1:{}\"\njetstream {{ store_dir: \"{store}\" }}\n",
            self.name(),
            self.port
        );
        if let Some((user, word)) = &self.options.login {
            let (user, word) = (quoted(user), quoted(word));
            text += &format!("authorization {{ user: \"{user}\", password: \"{word}\" }}\n");
        }
        let mut options = File::options();
        options.create(true).truncate(true).write(true);
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let written = options
            .open(path)
            .and_then(|mut file| file.write_all(text.as_bytes()));
        written.doing(|| format!("cannot write {}", path.display()))
    }

    /// Tells servers of different folders apart.
    fn name(&self) -> String {
        use std::hash::{DefaultHasher, Hash as _, Hasher as _};
        let mut hasher = DefaultHasher::new();
        self.folder.hash(&mut hasher);
        format!("scratch-{:016x}", hasher.finish())
    }

    /// Whether our server (not another on the same port) says hello.
    fn greets(&self) -> bool {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, self.port));
        let patience = Duration::from_millis(500);
        let Ok(stream) = TcpStream::connect_timeout(&address, patience) else {
            return false;
        };
        let mut line = String::new();
        let _ = stream.set_read_timeout(Some(patience));
        let _ = BufReader::new(stream).read_line(&mut line);
        line.starts_with("INFO")
            && line.contains(&self.name())
            && line.contains("\"jetstream\":true")
    }

    /// Whether it runs: not stopped, not killed, not ended by itself.
    pub fn is_running(&mut self) -> bool {
        self.server
            .as_mut()
            .is_some_and(|server| server.ended().is_none())
    }

    /// Ends the server in order.
    pub fn stop(&mut self) -> Result<()> {
        self.server.take().map_or(Ok(()), Server::stop)
    }

    /// SIGKILL.
    pub fn kill(&mut self) -> Result<()> {
        let server = self.server.take().ok_or(Error::NotRunning)?;
        server.kill(&[])
    }

    /// SIGSTOP: it is there, and says nothing.
    pub fn pause(&self) -> Result<()> {
        signal("STOP", &[self.pid().ok_or(Error::NotRunning)?])
    }

    /// SIGCONT after `pause`.
    pub fn resume(&self) -> Result<()> {
        signal("CONT", &[self.pid().ok_or(Error::NotRunning)?])
    }
}

impl Starts for Nats {
    const NAME: &'static str = "NATS";
    const PROGRAM: &'static str = "nats-server";
    /// Many streams, a busy machine.
    const LIMIT: Duration = Duration::from_secs(30);
    const PASSING: &'static [&'static str] = &["in use"];

    fn fixed_port(&self) -> Option<u16> {
        self.options.port.or((self.port != 0).then_some(self.port))
    }

    fn use_port(&mut self, port: u16) {
        self.port = port;
    }

    fn log(&self) -> PathBuf {
        Nats::log(self)
    }

    fn launch(&self) -> Result<Server> {
        let config = self.folder.join("nats.conf");
        self.write_config(&config)?;
        Server::launch(&Launch {
            command: vec![
                self.program.display().to_string(),
                "-c".into(),
                config.display().to_string(),
            ],
            log: &Nats::log(self),
            owner: None,
            signal: "TERM",
            detached: self.options.detached,
        })
    }

    fn is_ready(&self, _: &Server) -> bool {
        self.greets()
    }
}
