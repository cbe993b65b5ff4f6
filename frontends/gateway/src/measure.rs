//! Metrics of requests: how many and how long, by service, method and class of status. Paths are no
//! labels, or anyone could make as many series as they like.

use std::{sync::OnceLock, time::Duration};

use axum::http::{Method, StatusCode};
use metrics::{Counter, Histogram};

const METHODS: [&str; 6] = ["GET", "POST", "PUT", "PATCH", "DELETE", "other"];
const CLASSES: [&str; 5] = ["1xx", "2xx", "3xx", "4xx", "5xx"];

/// The series of every service, each made when it is first needed.
pub struct Measures {
    services: Vec<Service>,
}

struct Service {
    name: String,
    methods: [Series; METHODS.len()],
}

#[derive(Default)]
struct Series {
    seconds: OnceLock<Histogram>,
    classes: [OnceLock<Counter>; CLASSES.len()],
}

impl Measures {
    /// Series for these names.
    pub fn new(names: impl IntoIterator<Item = String>) -> Self {
        let service = |name| Service {
            name,
            methods: Default::default(),
        };
        Self {
            services: names.into_iter().map(service).collect(),
        }
    }

    /// Counts one answered request to the service at `index`.
    pub fn record(&self, index: usize, method: &Method, status: StatusCode, took: Duration) {
        let Some(service) = self.services.get(index) else {
            return;
        };
        let place = METHODS.iter().position(|known| *known == method.as_str());
        let place = place.unwrap_or(METHODS.len() - 1);
        let class = usize::from(status.as_u16() / 100).clamp(1, CLASSES.len()) - 1;
        let (name, series) = (&service.name, &service.methods[place]);
        let seconds = series.seconds.get_or_init(|| {
            metrics::describe_histogram!(
                "souk_http_request_seconds",
                "Time until an answer began, by service and method"
            );
            metrics::histogram!("souk_http_request_seconds",
                "service" => name.clone(), "method" => METHODS[place])
        });
        seconds.record(took.as_secs_f64());
        let count = series.classes[class].get_or_init(|| {
            metrics::describe_counter!(
                "souk_http_requests_total",
                "Requests answered, by service, method and class of status"
            );
            metrics::counter!("souk_http_requests_total",
                "service" => name.clone(), "method" => METHODS[place], "status" => CLASSES[class])
        });
        count.increment(1);
    }
}
