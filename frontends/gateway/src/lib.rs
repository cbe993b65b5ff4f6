//! The gateway: one public port in front of every service. It routes by path, turns sessions and
//! API keys into access tokens, and keeps order: request ids, limits, time-outs, CORS, compression,
//! problem documents, the merged OpenAPI document. It holds no state of record.

mod checkout;
mod compress;
mod config;
mod cors;
mod credentials;
mod docs;
mod entrance;
mod fallback;
mod headers;
mod limits;
mod measure;
mod network;
mod operator;
mod outcomes;
mod table;

use std::sync::Arc;

use axum::{Router, extract::Request};
use kernel::{Clock, Ids};
use web::{Upstream, Verifier};

pub use config::{Config, Quota};
pub use credentials::Credentials;
pub use docs::merged;
pub use network::{BreakerSettings, ClientAddress, Lookup, Network, NetworkSettings};
pub use outcomes::Outcomes;
pub use table::ServiceRoutes;

use entrance::Entrance;

/// What is still missing before the shop is ready; empty when it is.
pub type Readiness = Arc<dyn Fn() -> Vec<String> + Send + Sync>;
/// The metrics of this process, in Prometheus' text format.
pub type RenderMetrics = Arc<dyn Fn() -> String + Send + Sync>;

/// What the gateway stands in front of, and what it is given to do so.
pub struct Parts {
    /// The way to the services.
    pub upstream: Arc<dyn Upstream>,
    /// Their routes. What is mounted under `/api/ops` is one of them, named `ops`.
    pub services: Vec<ServiceRoutes>,
    /// Everything that is not the API; without it unknown paths are answered 404.
    pub storefront: Option<Router>,
    /// What became of orders; its feed must be running.
    pub outcomes: Outcomes,
    /// The cache of exchanged credentials; its feed must be running.
    pub credentials: Credentials,
    /// Checks access tokens (for `/metrics`).
    pub verifier: Arc<Verifier>,
    /// For `/readyz`.
    pub readiness: Readiness,
    /// For `/metrics`.
    pub metrics: RenderMetrics,
    /// Now, for tokens' expiry.
    pub clock: Arc<dyn Clock>,
    /// Where request ids come from.
    pub ids: Arc<dyn Ids>,
}

/// The public router. Connections must carry `axum::extract::ConnectInfo<SocketAddr>`; a request
/// without it is treated as coming from one unknown address.
pub fn gateway(config: Config, parts: Parts) -> Router {
    let entrance = Arc::new(Entrance::new(config, parts));
    Router::new().fallback(move |request: Request| {
        let entrance = entrance.clone();
        async move { entrance.enter(request).await }
    })
}
