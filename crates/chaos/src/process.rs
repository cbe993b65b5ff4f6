//! One process of the shop: started, killed, stopped and continued, and started again when it ends
//! by itself, as a supervisor would.

use std::{
    fs::File,
    net::SocketAddr,
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use crate::error::{Doing as _, Error, Result};

/// A process that ended by itself is started again after so long.
const BACKOFF: Duration = Duration::from_millis(300);

/// What is run, and where it says what it has to say.
pub struct Plan {
    /// For people, such as `orders-1`.
    pub name: String,
    /// The program.
    pub program: PathBuf,
    /// Its arguments.
    pub args: Vec<String>,
    /// Its environment, besides ours.
    pub environment: Vec<(String, String)>,
    /// Everything it prints.
    pub log: PathBuf,
    /// Where it writes the address it listens on.
    pub address_file: PathBuf,
}

/// A process and how it is meant to be.
pub struct Process {
    plan: Plan,
    state: Mutex<State>,
}

struct State {
    child: Option<Child>,
    up: bool,
    address: Option<SocketAddr>,
    again_at: Instant,
    /// How often it ended by itself.
    ends: u32,
}

impl Process {
    /// A process that is not started yet.
    pub fn new(plan: Plan) -> Self {
        let state = State {
            child: None,
            up: false,
            address: None,
            again_at: Instant::now(),
            ends: 0,
        };
        Self {
            plan,
            state: Mutex::new(state),
        }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.plan.name
    }

    /// Its log.
    pub fn log(&self) -> &PathBuf {
        &self.plan.log
    }

    /// Where it listens, if it does.
    pub fn address(&self) -> Option<SocketAddr> {
        self.state().address
    }

    /// How often it ended by itself.
    pub fn ends(&self) -> u32 {
        self.state().ends
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts it unless it runs.
    pub fn start(&self) -> Result<()> {
        let mut state = self.state();
        state.up = true;
        self.spawn(&mut state)
    }

    fn spawn(&self, state: &mut State) -> Result<()> {
        if state.child.is_some() {
            return Ok(());
        }
        state.address = None;
        let _ = std::fs::remove_file(&self.plan.address_file);
        let log = File::options()
            .create(true)
            .append(true)
            .open(&self.plan.log);
        let log = log.doing(|| format!("cannot write {}", self.plan.log.display()))?;
        let errors = log.try_clone().doing(|| "cannot write a log".into())?;
        // The kernel ends it when we end, however that happens.
        let mut command = Command::new("setpriv");
        command
            .args(["--pdeathsig", "KILL", "--"])
            .arg(&self.plan.program)
            .args(&self.plan.args)
            .envs(self.plan.environment.iter().map(|(k, v)| (k, v)))
            .stdin(Stdio::null())
            .stdout(log)
            .stderr(errors);
        let child = command.spawn();
        let advice = || "cannot run `setpriv`; on Debian: apt-get install util-linux".into();
        state.child = Some(child.doing(advice)?);
        Ok(())
    }

    /// SIGKILL; it stays down until it is started.
    pub fn kill(&self) {
        let mut state = self.state();
        state.up = false;
        state.address = None;
        if let Some(mut child) = state.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// SIGSTOP (`STOP`), SIGCONT (`CONT`), SIGTERM (`TERM`).
    pub fn signal(&self, name: &str) {
        let pid = self.state().child.as_ref().map(Child::id);
        if let Some(pid) = pid {
            let mut kill = Command::new("kill");
            let kill = kill.args(["-s", name, &pid.to_string()]);
            let _ = kill.stderr(Stdio::null()).status();
        }
    }

    /// Starts it again if it ended by itself, and looks whether its address is known now. Answers
    /// the address when it changed.
    pub fn look(&self) -> Result<Option<Option<SocketAddr>>> {
        let mut state = self.state();
        if let Some(child) = &mut state.child
            && child.try_wait().is_ok_and(|ended| ended.is_some())
        {
            state.child = None;
            state.ends += 1;
            state.again_at = Instant::now() + BACKOFF;
            if state.address.take().is_some() {
                return Ok(Some(None));
            }
        }
        if state.up && state.child.is_none() && Instant::now() >= state.again_at {
            self.spawn(&mut state)?;
        }
        if state.child.is_some() && state.address.is_none() {
            let text = std::fs::read_to_string(&self.plan.address_file).unwrap_or_default();
            let address: Option<SocketAddr> = text.trim().parse().ok();
            state.address = address;
            return Ok(address.map(Some));
        }
        Ok(None)
    }

    /// Runs it to its end.
    pub fn run_through(&self) -> Result<()> {
        self.start()?;
        let child = self.state().child.take();
        let ended = child.map(|mut child| child.wait()).transpose();
        let ended = ended.doing(|| format!("{} cannot be run", self.plan.name))?;
        match ended.is_some_and(|status| status.success()) {
            true => Ok(()),
            false => Err(Error::other(format!(
                "{} failed: {}",
                self.plan.name,
                last_words(&self.plan.log)
            ))),
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

/// The last lines of a log.
pub fn last_words(log: &std::path::Path) -> String {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(8)..].join("\n")
}
