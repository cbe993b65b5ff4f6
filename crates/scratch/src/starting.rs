//! Starting a server on a port: again on another if somebody takes it meanwhile.

use std::{
    path::PathBuf,
    time::{Duration, Instant},
};

use crate::{
    Error, Result,
    error::{Doing as _, last_words},
    port,
    server::{self, LOOK, Server},
};

/// A kind of server, ready to be started.
pub trait Starts {
    /// Its name for people.
    const NAME: &'static str;
    /// Its program.
    const PROGRAM: &'static str;
    /// How long a start may take.
    const LIMIT: Duration;
    /// What it says in its log when it ends for a reason that passes by itself.
    const PASSING: &'static [&'static str];

    /// The port it must have, if that is settled.
    fn fixed_port(&self) -> Option<u16>;
    /// Takes this port for the next launch.
    fn use_port(&mut self, port: u16);
    /// Its log file.
    fn log(&self) -> PathBuf;
    /// Starts the process.
    fn launch(&self) -> Result<Server>;
    /// Whether it serves now.
    fn is_ready(&self, server: &Server) -> bool;
}

/// Starts a server; returns when it is ready.
pub fn start<S: Starts>(kind: &mut S) -> Result<Server> {
    let fixed = kind.fixed_port();
    let since = Instant::now();
    loop {
        kind.use_port(match fixed {
            Some(port) => port,
            None => port::free().doing(|| "no free port".into())?,
        });
        let written = std::fs::metadata(kind.log()).map_or(0, |log| log.len());
        let mut server = kind.launch()?;
        let mut ended = false;
        let ready = server::wait_until(S::LIMIT.saturating_sub(since.elapsed()), || {
            ended = server.ended().is_some();
            ended || kind.is_ready(&server)
        });
        if !ready {
            return Err(Error::TooLong {
                what: format!("the start of {}", S::NAME),
                seconds: S::LIMIT.as_secs(),
                said: last_words(&kind.log()),
            });
        }
        if !ended {
            return Ok(server);
        }
        if !passes(kind, written) || since.elapsed() > S::LIMIT {
            return Err(Error::Failed {
                program: S::PROGRAM.into(),
                said: last_words(&kind.log()),
            });
        }
        // Another server took the port, or processes of a killed one are about to end.
        std::thread::sleep(LOOK * 10);
    }
}

/// Whether what was written to the log behind `written` is something that passes.
fn passes<S: Starts>(kind: &S, written: u64) -> bool {
    let bytes = std::fs::read(kind.log()).unwrap_or_default();
    let new = bytes.get(usize::try_from(written).unwrap_or(0)..);
    let new = String::from_utf8_lossy(new.unwrap_or_default());
    S::PASSING.iter().any(|words| new.contains(words))
}
