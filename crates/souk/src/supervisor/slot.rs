//! A place for one process of a service: started, watched, and started again until told to stop.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use super::{
    backoff::Backoff,
    ground::Ground,
    plan::Kind,
    process::{News, Process},
    usage::Usage,
};

/// How a process is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It runs, and is not ready yet.
    Starting,
    /// It does its work.
    Ready,
    /// It ended by itself and will be started again in a moment.
    Crashed,
    /// It failed to start many times in a row; it is tried again, now and then.
    Failing,
    /// It was asked to end.
    Stopping,
    /// It ended because it should.
    Stopped,
}

/// What is known of a process.
#[derive(Clone, Debug)]
pub struct Status {
    /// How it is.
    pub state: State,
    /// Its id, while it runs.
    pub pid: Option<u32>,
    /// Where it listens, once known.
    pub address: Option<String>,
    /// How many times it was started again after it had ended by itself.
    pub restarts: u32,
    /// Why it ended the last time it should not have.
    pub reason: Option<String>,
    /// What it printed on its way to being ready.
    pub said: Vec<String>,
}

/// How a process is to be stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wanted {
    Running,
    /// Others take over: they must hear of it first.
    Drained,
    /// Everything ends.
    Ended,
}

/// A place for a process, such as `orders-1`.
pub struct Slot {
    /// What runs here.
    pub kind: Arc<Kind>,
    /// Its name, unique in the shop.
    pub name: String,
    /// What it used when it was last looked at.
    pub usage: Mutex<Usage>,
    status: watch::Sender<Status>,
    wanted: watch::Sender<Wanted>,
}

/// How one run of a process ended.
enum Run {
    AsWanted,
    ByItself {
        ready: Option<Duration>,
        reason: String,
    },
}

impl Run {
    fn by_itself(ready: Option<Duration>, reason: String) -> Self {
        Self::ByItself { ready, reason }
    }
}

impl Slot {
    /// Starts a process and keeps it running.
    pub fn start(ground: Arc<Ground>, kind: Arc<Kind>, name: String) -> Arc<Self> {
        let status = Status {
            state: State::Starting,
            pid: None,
            address: None,
            restarts: 0,
            reason: None,
            said: Vec::new(),
        };
        let slot = Arc::new(Self {
            kind,
            name,
            usage: Mutex::default(),
            status: watch::Sender::new(status),
            wanted: watch::Sender::new(Wanted::Running),
        });
        tokio::spawn(slot.clone().keep(ground));
        slot
    }

    /// How it is now.
    pub fn status(&self) -> Status {
        self.status.borrow().clone()
    }

    /// What it used lately.
    pub fn usage(&self) -> Usage {
        *self.usage.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until it is ready. `Err` says why it is not, when it has failed for good or `patience`
    /// is over.
    pub async fn ready(&self, patience: Duration) -> Result<Status, String> {
        let mut status = self.status.subscribe();
        let settled = status.wait_for(|status| {
            matches!(
                status.state,
                State::Ready | State::Failing | State::Stopping | State::Stopped
            )
        });
        match tokio::time::timeout(patience, settled).await {
            Ok(Ok(status)) if status.state == State::Ready => Ok(status.clone()),
            _ => {
                let reason = self.status().reason;
                Err(reason.unwrap_or_else(|| "it was not ready in time".into()))
            }
        }
    }

    /// Takes it away while others of its service go on: no new work, then the work at hand, then
    /// the end.
    pub async fn drain(&self) {
        self.finish(Wanted::Drained).await;
    }

    /// Ends it.
    pub async fn end(&self) {
        self.finish(Wanted::Ended).await;
    }

    async fn finish(&self, wanted: Wanted) {
        self.wanted.send_replace(wanted);
        let mut status = self.status.subscribe();
        let _ = status.wait_for(|s| s.state == State::Stopped).await;
    }

    fn set(&self, change: impl FnOnce(&mut Status)) {
        self.status.send_modify(change);
    }

    async fn keep(self: Arc<Self>, ground: Arc<Ground>) {
        let mut backoff = Backoff::default();
        let mut wanted = self.wanted.subscribe();
        loop {
            let run = self.run(&ground, &mut wanted).await;
            *self.usage.lock().unwrap_or_else(PoisonError::into_inner) = Usage::default();
            let Run::ByItself { ready, reason } = run else {
                break;
            };
            let wait = backoff.ended(ready);
            tracing::warn!(process = self.name, reason, "ended by itself");
            self.set(|status| {
                status.state = match backoff.failing() {
                    true => State::Failing,
                    false => State::Crashed,
                };
                status.pid = None;
                status.reason = Some(reason);
            });
            let stop = wanted.wait_for(|wanted| *wanted != Wanted::Running);
            if tokio::time::timeout(wait, stop).await.is_ok() {
                break;
            }
            self.set(|status| status.restarts += 1);
        }
        self.set(|status| {
            status.state = State::Stopped;
            status.pid = None;
        });
    }

    /// One process from start to end.
    async fn run(&self, ground: &Ground, wanted: &mut watch::Receiver<Wanted>) -> Run {
        let (mut process, mut news) = match Process::spawn(ground, &self.kind, &self.name) {
            Ok(started) => started,
            Err(failure) => return Run::by_itself(None, failure.to_string()),
        };
        let pid = process.pid;
        self.set(|status| {
            // One that has failed many times is failing until it proves otherwise.
            if status.state != State::Failing {
                status.state = State::Starting;
            }
            status.pid = Some(pid);
            status.address = None;
        });
        let mut listed = Listed::new(ground, &self.kind);
        let start =
            tokio::time::timeout(ground.start, self.start_up(ground, &mut news, &mut listed));
        let outcome = tokio::select! {
            how = stop(wanted) => Err(how),
            how = process.ended() => Ok(Run::by_itself(None, how)),
            ready = start => match ready {
                Err(_) => Ok(Run::by_itself(None, "it was not ready in time".into())),
                Ok(since) => tokio::select! {
                    how = stop(wanted) => Err(how),
                    how = process.ended() => Ok(Run::by_itself(Some(since.elapsed()), how)),
                }
            },
        };
        let was_listed = listed.remove();
        match outcome {
            // It runs still if it was too slow, and is killed when it goes out of scope.
            Ok(by_itself) => by_itself,
            Err(how) => {
                self.set(|status| status.state = State::Stopping);
                if was_listed && how == Wanted::Drained {
                    tokio::time::sleep(ground.drain).await;
                }
                if !process.stop(ground.end).await {
                    tracing::warn!(process = self.name, "did not end in order");
                }
                Run::AsWanted
            }
        }
    }

    /// From the start of a process until it is ready; since when.
    async fn start_up(&self, ground: &Ground, news: &mut News, listed: &mut Listed<'_>) -> Instant {
        let address = news.address().await;
        self.set(|status| status.address = Some(address.clone()));
        listed.found(&address);
        let said = news.ready(ground, &address).await;
        listed.ready();
        self.set(|status| {
            status.state = State::Ready;
            status.reason = None;
            status.said.extend(said);
        });
        Instant::now()
    }
}

/// Returns when the process should end.
async fn stop(wanted: &mut watch::Receiver<Wanted>) -> Wanted {
    let wanted = wanted.wait_for(|wanted| *wanted != Wanted::Running).await;
    wanted.map_or(Wanted::Ended, |wanted| *wanted)
}

/// A process's place in `peers.toml`.
struct Listed<'a> {
    ground: &'a Ground,
    kind: &'a Kind,
    address: Option<String>,
    listed: bool,
}

impl<'a> Listed<'a> {
    fn new(ground: &'a Ground, kind: &'a Kind) -> Self {
        Self {
            ground,
            kind,
            address: None,
            listed: false,
        }
    }

    /// It listens. Others may go to it before it is ready only if there is nobody else: a request
    /// would fail anyway, and processes that start together need each other's history.
    fn found(&mut self, address: &str) {
        self.address = Some(address.to_owned());
        if self.ground.peers.count(&self.kind.name) == 0 {
            self.add();
        }
    }

    fn ready(&mut self) {
        self.add();
    }

    fn add(&mut self) {
        let Some(address) = self.address.as_ref().filter(|_| self.kind.in_peers) else {
            return;
        };
        match self.ground.peers.add(&self.kind.name, address) {
            Ok(()) => self.listed = true,
            Err(error) => tracing::error!(%error, "a process cannot be announced"),
        }
    }

    /// Whether there was something to remove.
    fn remove(&mut self) -> bool {
        let Some(address) = self.address.as_ref().filter(|_| self.listed) else {
            return false;
        };
        if let Err(error) = self.ground.peers.remove(&self.kind.name, address) {
            tracing::error!(%error, "a process cannot be taken from the list");
        }
        self.listed = false;
        true
    }
}
