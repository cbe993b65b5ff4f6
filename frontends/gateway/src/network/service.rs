//! One service: its processes, its breaker, its share of what the gateway takes on.

use std::{
    net::IpAddr,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, RwLock,
        atomic::{AtomicUsize, Ordering},
    },
};

use axum::{
    body::Body,
    http::{Request, Response},
};
use tokio::time::Instant;

use super::{
    answers::{self, Failure},
    breaker::Breaker,
    budget::Budget,
    errand::Errand,
    measures::Measures,
    members::Members,
    settings::NetworkSettings,
};

/// A service and what is known about it.
pub struct Service {
    name: String,
    pub settings: Arc<NetworkSettings>,
    /// How much may be tried again.
    pub budget: Budget,
    /// Its series.
    pub measures: Measures,
    members: RwLock<Arc<Members>>,
    turn: AtomicUsize,
    breaker: Mutex<Breaker>,
}

/// Who asked, for [`web::Balance::ClientHash`]: put into a request's extensions by the gateway.
#[derive(Clone, Copy, Debug)]
pub struct ClientAddress(pub IpAddr);

impl Service {
    /// A service without processes.
    pub fn new(name: &str, settings: Arc<NetworkSettings>) -> Self {
        Self {
            measures: Measures::new(name),
            name: name.to_owned(),
            members: RwLock::default(),
            turn: AtomicUsize::new(0),
            breaker: Mutex::new(Breaker::new(settings.service_breaker, Instant::now())),
            budget: Budget::default(),
            settings,
        }
    }

    /// Its processes.
    pub fn members(&self) -> Arc<Members> {
        let members = self.members.read().unwrap_or_else(PoisonError::into_inner);
        members.clone()
    }

    /// Its processes from now on.
    pub fn replace(&self, members: Members) {
        let mut current = self.members.write().unwrap_or_else(PoisonError::into_inner);
        *current = Arc::new(members);
    }

    /// A number that counts up with each choice.
    pub fn next_turn(&self) -> usize {
        self.turn.fetch_add(1, Ordering::Relaxed)
    }

    /// Brings the gauges up to date.
    pub fn report(&self) {
        let state = lock(&self.breaker).state(Instant::now());
        self.measures.breaker(state);
        self.measures.endpoints(self.members().count());
    }

    /// Makes a request; whatever goes wrong becomes a problem document.
    pub async fn call(&self, request: Request<Body>) -> Response<Body> {
        self.measures.request();
        let began = Instant::now();
        if !self.measures.wait(self.settings.service_limit) {
            self.measures.shed();
            return answers::overloaded();
        }
        let _waiting = Waiting(&self.measures);
        if let Err(wait) = lock(&self.breaker).admit(began) {
            self.measures.refused();
            return answers::circuit_open(&self.name, wait);
        }
        let mut verdict = Verdict::open(&self.breaker);
        self.budget.earn();
        let limit = self.settings.deadline;
        let limit = web::deadline_of(request.headers()).map_or(limit, |asked| asked.min(limit));
        let deadline = began + limit;
        let answer = match Errand::new(self, request, deadline).await {
            Ok(errand) => errand.run().await,
            Err(failure) => Err(failure),
        };
        match answer {
            Ok(response) => {
                self.measures.answered(began.elapsed());
                verdict.give(!answers::is_broken(response.status()));
                response
            }
            Err(failure) => {
                if let Failure::Trouble(_) = failure {
                    verdict.give(false);
                }
                answers::failure(&self.name, failure)
            }
        }
    }
}

/// A place among those that wait for their answer to begin.
struct Waiting<'a>(&'a Measures);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.leave();
    }
}

/// What a request says about the service; nothing when its client went away.
struct Verdict<'a> {
    breaker: &'a Mutex<Breaker>,
    given: bool,
}

impl<'a> Verdict<'a> {
    fn open(breaker: &'a Mutex<Breaker>) -> Self {
        Self {
            breaker,
            given: false,
        }
    }

    fn give(&mut self, good: bool) {
        self.given = true;
        let now = Instant::now();
        let mut breaker = lock(self.breaker);
        match good {
            true => breaker.succeeded(now),
            false => {
                breaker.failed(now);
            }
        }
    }
}

impl Drop for Verdict<'_> {
    fn drop(&mut self) {
        if !self.given {
            lock(self.breaker).forget();
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
