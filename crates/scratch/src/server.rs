//! A server's process, which ends when ours does.

use std::{
    fs::File,
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Child, ChildStdin, Command, ExitStatus, Stdio},
    time::{Duration, Instant},
};

use crate::{
    Error, Result,
    error::{Doing as _, last_words},
    owner::Owner,
};

/// How long a server may take to end after it was asked to.
const END: Duration = Duration::from_secs(20);
/// Between two looks at a condition.
pub const LOOK: Duration = Duration::from_millis(10);

/// Starts the server, says its process id, and waits for it. Beside it something reads from a pipe
/// whose other end only we hold: it ends when we do, whichever way, and the server is ended then.
/// `$1` is the signal that asks the server to end.
const WATCHDOG: &str = r#"
signal=$1; shift
exec 3<&0
"$@" 3<&- </dev/null >&2 &
server=$!
echo "$server"
exec >/dev/null
(
  while read -r _; do :; done <&3
  kill -s "$signal" "$server"
  n=0
  while [ "$n" -lt 100 ] && kill -0 "$server"; do n=$((n+1)); sleep 0.2; done
  kill -s KILL "$server"
) 2>/dev/null &
watcher=$!
exec 3<&-
wait "$server"
status=$?
kill -s KILL "$watcher" 2>/dev/null
exit "$status"
"#;

/// How a server is run.
pub struct Launch<'a> {
    /// Program and arguments. They can be seen by everybody on the machine: no secrets.
    pub command: Vec<String>,
    /// What it says is added here.
    pub log: &'a Path,
    /// Whom it runs as; ourselves unless given.
    pub owner: Option<&'a Owner>,
    /// The signal that asks it to end.
    pub signal: &'static str,
    /// It goes on when we end.
    pub detached: bool,
}

/// A running server.
#[derive(Debug)]
pub struct Server {
    child: Child,
    pid: u32,
    signal: &'static str,
    detached: bool,
    /// Closed when we end.
    _alive: Option<ChildStdin>,
}

impl Server {
    /// Starts it. It is a process group of its own, so that Ctrl-C on the terminal is our affair.
    pub fn launch(launch: &Launch<'_>) -> Result<Self> {
        let mut options = File::options();
        let log = options.create(true).append(true).open(launch.log);
        let log = log.doing(|| format!("cannot write {}", launch.log.display()))?;
        let program = launch.command.first().cloned().unwrap_or_default();
        let mut command = if launch.detached {
            let mut command = Command::new(&program);
            command.args(&launch.command[1..]).stdin(Stdio::null());
            command.stdout(log.try_clone().doing(|| "no log".into())?);
            command
        } else {
            let mut command = Command::new("sh");
            command.args(["-c", WATCHDOG, "sh", launch.signal]);
            command.args(&launch.command);
            command.stdin(Stdio::piped()).stdout(Stdio::piped());
            command
        };
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        if let Some(owner) = launch.owner {
            owner.run(&mut command);
        }
        plain_environment(&mut command).stderr(log);
        let mut child = command.spawn().doing(|| format!("cannot run {program}"))?;
        let pid = match child.stdout.take() {
            None => child.id(),
            Some(output) => {
                let mut line = String::new();
                let read = BufReader::new(output).read_line(&mut line);
                read.doing(|| format!("{program} was not started"))?;
                line.trim().parse().map_err(|_| Error::Failed {
                    program: program.clone(),
                    said: last_words(launch.log),
                })?
            }
        };
        Ok(Self {
            _alive: child.stdin.take(),
            child,
            pid,
            signal: launch.signal,
            detached: launch.detached,
        })
    }

    /// The server's process id.
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// How it ended, if it did.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }

    /// Asks it to end and waits; kills it if that takes too long.
    pub fn stop(mut self) -> Result<()> {
        self.end()
    }

    fn end(&mut self) -> Result<()> {
        if self.ended().is_some() {
            return Ok(());
        }
        signal(self.signal, &[self.pid])?;
        let ended = wait_until(END, || self.ended().is_some());
        if !ended {
            signal("KILL", &[self.pid])?;
            let _ = self.child.wait();
        }
        Ok(())
    }

    /// SIGKILL, for it and `others` in one moment. Returns when it is gone.
    pub fn kill(mut self, others: &[u32]) -> Result<()> {
        let pids: Vec<u32> = [self.pid].iter().chain(others).copied().collect();
        signal("KILL", &pids)?;
        self.child.wait().doing(|| "cannot wait".into())?;
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if !self.detached {
            let _ = self.end();
        }
    }
}

/// Sends a signal, with the shell's own `kill`. Processes that are gone do not matter.
pub fn signal(name: &str, pids: &[u32]) -> Result<()> {
    let pids = pids.iter().map(u32::to_string);
    let mut command = Command::new("sh");
    command
        .args(["-c", "kill -s \"$@\"", "sh", name])
        .args(pids);
    command.stderr(Stdio::null());
    command.status().doing(|| "cannot send a signal".into())?;
    Ok(())
}

/// Looks until `good`, no longer than `patience`; whether it came true.
pub fn wait_until(patience: Duration, mut good: impl FnMut() -> bool) -> bool {
    let since = Instant::now();
    loop {
        if good() {
            return true;
        }
        if since.elapsed() > patience {
            return false;
        }
        std::thread::sleep(LOOK);
    }
}

/// The environment without what would change the programs' behaviour (PGPORT, PGDATA, LANG…).
pub fn plain_environment(command: &mut Command) -> &mut Command {
    let path = std::env::var_os("PATH").unwrap_or_else(|| "/usr/bin:/bin:/usr/sbin:/sbin".into());
    // Where we are may be closed to the user it runs as.
    command.current_dir("/");
    command.env_clear().env("PATH", path).env("LC_ALL", "C")
}
