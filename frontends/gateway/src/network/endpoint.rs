//! One process of a service: its connections and what is known about its health.

use std::{
    io,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{
    body::Body,
    http::{Request, header},
};
use tokio::{
    task::AbortHandle,
    time::{Instant, sleep, timeout},
};
use web::DRAINING;

use super::{
    balance,
    connection::Connection,
    health::{Change, Condition, Health, Probe},
    settings::NetworkSettings,
};

/// A process that requests can be sent to.
pub struct Endpoint {
    /// `host:port`.
    pub authority: String,
    /// A hash of it.
    pub hash: u64,
    settings: Arc<NetworkSettings>,
    idle: Mutex<Vec<Idle>>,
    under_way: AtomicUsize,
    health: Mutex<Health>,
    probing: Mutex<Option<AbortHandle>>,
}

struct Idle {
    since: Instant,
    connection: Connection,
}

impl Endpoint {
    /// The process at `host:port`, watched from now on, well until something says otherwise. Needs
    /// a Tokio runtime.
    pub fn start(authority: String, settings: Arc<NetworkSettings>) -> Arc<Self> {
        let now = Instant::now();
        let endpoint = Arc::new(Self {
            hash: balance::hash(authority.as_bytes()),
            authority,
            idle: Mutex::default(),
            under_way: AtomicUsize::new(0),
            health: Mutex::new(Health::new(&settings, now)),
            probing: Mutex::default(),
            settings,
        });
        let probing = tokio::spawn(probe_again_and_again(Arc::downgrade(&endpoint)));
        *lock(&endpoint.probing) = Some(probing.abort_handle());
        endpoint
    }

    /// A connection: one that was kept, or a new one.
    pub async fn connection(&self) -> io::Result<Connection> {
        while let Some(mut kept) = self.take() {
            if kept.is_usable().await {
                return Ok(kept);
            }
        }
        let opened = Connection::open(&self.authority, self.settings.connect).await;
        lock(&self.health).reachable = opened.is_ok();
        opened
    }

    fn take(&self) -> Option<Connection> {
        let mut idle = lock(&self.idle);
        let newest = idle.pop()?;
        if newest.since.elapsed() > self.settings.idle {
            // The others are older.
            idle.clear();
            return None;
        }
        Some(newest.connection)
    }

    /// Keeps a connection for the next request.
    pub fn keep(&self, connection: Connection) {
        if connection.is_closed() || self.condition(Instant::now()) == Condition::Draining {
            return;
        }
        let mut idle = lock(&self.idle);
        if idle.len() < self.settings.idle_connections {
            idle.push(Idle {
                since: Instant::now(),
                connection,
            });
        }
    }

    /// A request is going there: under way until the guard is dropped. Whoever has no better choice
    /// goes even where the breaker would rather have nobody: the last one is never ejected.
    pub fn begin(self: &Arc<Self>) -> UnderWay {
        let _ = lock(&self.health).breaker.admit(Instant::now());
        self.under_way.fetch_add(1, Ordering::Relaxed);
        UnderWay {
            endpoint: self.clone(),
            judged: false,
        }
    }

    /// Whether somebody listens there, as far as is known.
    pub fn is_reachable(&self) -> bool {
        lock(&self.health).reachable
    }

    /// Requests under way, streams included.
    pub fn under_way(&self) -> usize {
        self.under_way.load(Ordering::Relaxed)
    }

    /// How it is.
    pub fn condition(&self, now: Instant) -> Condition {
        lock(&self.health).condition(now)
    }

    /// It says that it is about to stop.
    pub fn drain(&self) {
        if lock(&self.health).drain() {
            self.leave();
        }
    }

    fn leave(&self) {
        tracing::info!(endpoint = self.authority, "is about to stop");
        lock(&self.idle).clear();
    }

    async fn probe(&self) -> Probe {
        let ask = async {
            let mut connection =
                Connection::open(&self.authority, self.settings.probe_time).await?;
            let request = Request::get("/readyz")
                .header(header::HOST, &self.authority)
                .header(header::CONNECTION, "close");
            let request = request.body(Body::empty()).map_err(io::Error::other)?;
            let lost = |_| io::Error::from(io::ErrorKind::ConnectionReset);
            connection.exchange(request).await.map_err(lost)
        };
        match timeout(self.settings.probe_time, ask).await {
            Ok(Ok(answer)) if answer.headers().contains_key(DRAINING) => Probe::Draining,
            Ok(Ok(answer)) if answer.status().is_success() => Probe::Ready,
            Ok(Ok(_)) => Probe::NotReady,
            Ok(Err(_)) | Err(_) => Probe::Silent,
        }
    }

    /// Takes notice of what a probe found.
    fn learn(&self, probe: Probe) {
        let change = lock(&self.health).learn(probe, &self.settings, Instant::now());
        let endpoint = &self.authority;
        match change {
            Change::None => {}
            Change::Recovered => tracing::info!(endpoint, "is well again"),
            Change::Leaving => self.leave(),
            Change::Failed => {
                tracing::warn!(endpoint, "is not ready, or does not answer");
                lock(&self.idle).clear();
            }
        }
    }

    fn drop_old_connections(&self) {
        let (now, idle) = (Instant::now(), self.settings.idle);
        lock(&self.idle).retain(|kept| now.duration_since(kept.since) <= idle);
    }
}

async fn probe_again_and_again(endpoint: Weak<Endpoint>) {
    let mut nth = 0;
    while let Some(this) = endpoint.upgrade() {
        let probe = this.probe().await;
        this.learn(probe);
        this.drop_old_connections();
        nth += 1;
        let pause = jittered(this.settings.probe_every, this.hash.wrapping_add(nth));
        drop(this);
        sleep(pause).await;
    }
}

/// A pause of 80 % to 120 %, so that many gateways do not ask at the same moment.
pub fn jittered(pause: Duration, seed: u64) -> Duration {
    let percent = 80 + balance::hash(&seed.to_be_bytes()) % 41;
    pause * u32::try_from(percent).unwrap_or(100) / 100
}

impl Drop for Endpoint {
    fn drop(&mut self) {
        if let Some(probing) = lock(&self.probing).take() {
            probing.abort();
        }
    }
}

/// A request that is under way to a process, and what it says about the process.
pub struct UnderWay {
    endpoint: Arc<Endpoint>,
    judged: bool,
}

impl UnderWay {
    /// The process answered.
    pub fn succeeded(&mut self) {
        self.judged = true;
        let mut health = lock(&self.endpoint.health);
        health.breaker.succeeded(Instant::now());
    }

    /// The process failed. True when it is ejected for that.
    pub fn failed(&mut self) -> bool {
        self.judged = true;
        let ejected = lock(&self.endpoint.health).breaker.failed(Instant::now());
        if ejected {
            let endpoint = &self.endpoint.authority;
            tracing::warn!(endpoint, "left alone for a while after failures");
        }
        ejected
    }
}

impl std::ops::Deref for UnderWay {
    type Target = Endpoint;

    fn deref(&self) -> &Endpoint {
        &self.endpoint
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.endpoint.under_way.fetch_sub(1, Ordering::Relaxed);
        if !self.judged {
            lock(&self.endpoint.health).breaker.forget();
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
