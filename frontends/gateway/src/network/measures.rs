//! Metrics of the way to the services, by service: `souk_upstream_…`.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use metrics::{Counter, Gauge, Histogram, counter, gauge, histogram};

use super::breaker::State;

/// How a request ended that brought no answer of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// No process could be reached; nothing was sent.
    Unreachable,
    /// A connection ended before the answer began.
    Lost,
    /// No answer began in time.
    TimedOut,
    /// The service answered 502, 503 or 504.
    Answered,
}

/// The series of one service.
pub struct Measures {
    requests: Counter,
    seconds: Histogram,
    errors: [Counter; 4],
    retries: Counter,
    no_budget: Counter,
    ejections: Counter,
    shed: Counter,
    refused: Counter,
    breaker: Gauge,
    in_flight: Gauge,
    endpoints: [Gauge; 4],
    waiting: AtomicUsize,
}

impl Measures {
    /// Series for a service.
    pub fn new(service: &str) -> Self {
        describe();
        let service = || service.to_owned();
        let errors = ["unreachable", "lost", "time-out", "answered"];
        let states = ["well", "ejected", "unwell", "draining"];
        Self {
            requests: counter!("souk_upstream_requests_total", "service" => service()),
            seconds: histogram!("souk_upstream_seconds", "service" => service()),
            errors: errors.map(|kind| {
                counter!("souk_upstream_errors_total", "service" => service(), "kind" => kind)
            }),
            retries: counter!("souk_upstream_retries_total", "service" => service()),
            no_budget: counter!("souk_upstream_retries_denied_total", "service" => service()),
            ejections: counter!("souk_upstream_ejections_total", "service" => service()),
            shed: counter!("souk_upstream_shed_total", "service" => service()),
            refused: counter!("souk_upstream_breaker_refused_total", "service" => service()),
            breaker: gauge!("souk_upstream_breaker", "service" => service()),
            in_flight: gauge!("souk_upstream_in_flight", "service" => service()),
            endpoints: states.map(|state| {
                gauge!("souk_upstream_endpoints", "service" => service(), "state" => state)
            }),
            waiting: AtomicUsize::new(0),
        }
    }

    /// A request came.
    pub fn request(&self) {
        self.requests.increment(1);
    }

    /// An answer began.
    pub fn answered(&self, took: Duration) {
        self.seconds.record(took.as_secs_f64());
    }

    /// A try failed.
    pub fn trouble(&self, trouble: Trouble) {
        self.errors[trouble as usize].increment(1);
    }

    /// A request is tried again.
    pub fn retry(&self) {
        self.retries.increment(1);
    }

    /// A request would have been tried again, but there were too many already.
    pub fn no_budget(&self) {
        self.no_budget.increment(1);
    }

    /// A process is left alone.
    pub fn ejection(&self) {
        self.ejections.increment(1);
    }

    /// A request was refused because too many wait.
    pub fn shed(&self) {
        self.shed.increment(1);
    }

    /// A request was refused by the breaker.
    pub fn refused(&self) {
        self.refused.increment(1);
    }

    /// What the service's breaker does.
    pub fn breaker(&self, state: State) {
        self.breaker.set(match state {
            State::Closed => 0.0,
            State::HalfOpen => 1.0,
            State::Open => 2.0,
        });
    }

    /// How many processes are well, ejected, unwell, draining.
    pub fn endpoints(&self, numbers: [u32; 4]) {
        for (gauge, number) in self.endpoints.iter().zip(numbers) {
            gauge.set(f64::from(number));
        }
    }

    /// Takes a place among at most `limit` requests that wait for their answer to begin.
    pub fn wait(&self, limit: usize) -> bool {
        if self.waiting.fetch_add(1, Ordering::Relaxed) >= limit {
            self.waiting.fetch_sub(1, Ordering::Relaxed);
            return false;
        }
        self.in_flight.increment(1.0);
        true
    }

    /// Gives the place back.
    pub fn leave(&self) {
        self.waiting.fetch_sub(1, Ordering::Relaxed);
        self.in_flight.decrement(1.0);
    }
}

fn describe() {
    use metrics::{describe_counter as counter, describe_gauge as gauge};
    counter!(
        "souk_upstream_requests_total",
        "Requests made to a service, tries not counted"
    );
    metrics::describe_histogram!(
        "souk_upstream_seconds",
        "Time until a service's answer began, all tries together"
    );
    counter!(
        "souk_upstream_errors_total",
        "Tries that failed, by kind: unreachable (nothing was sent), lost, time-out, answered (502, 503, 504)"
    );
    counter!("souk_upstream_retries_total", "Requests tried again");
    counter!(
        "souk_upstream_retries_denied_total",
        "Requests not tried again because too many others were"
    );
    counter!(
        "souk_upstream_ejections_total",
        "Times a process was left alone after failures"
    );
    counter!(
        "souk_upstream_shed_total",
        "Requests refused because too many were waiting"
    );
    counter!(
        "souk_upstream_breaker_refused_total",
        "Requests refused by an open breaker"
    );
    gauge!(
        "souk_upstream_breaker",
        "The breaker of a service: 0 closed, 1 half open, 2 open"
    );
    gauge!(
        "souk_upstream_in_flight",
        "Requests whose answers have not begun"
    );
    gauge!(
        "souk_upstream_endpoints",
        "Processes of a service: well, ejected, unwell, draining"
    );
}
