//! The HTTP glue between axum and a service: routes that declare who may call them, problem+json,
//! idempotency keys, cursor pagination, body limits, authentication, OpenAPI.
//!
//! A service's `http.rs` is a [`Routes`] table on top and thin handlers below:
//! parse → authorize → execute or query → render.

mod auth;
mod deadline;
mod drain;
mod extract;
mod freshness;
mod peers;
mod problem;
mod routes;
pub mod signed;
mod token;
mod upstream;

pub use auth::{Access, Caller, Principal, Secret, bearer_token, hash_token};
pub use deadline::{DEADLINE, deadline_of, enforce_deadline};
pub use drain::{DRAIN_FOR, DRAINING, Drain, announce_drain};
pub use extract::{Ctx, Json, Page, Path, Query};
pub use freshness::POSITION;
pub use peers::{Balance, PeerUrl, Peers, PeersError, ServicePeers};
pub use problem::Problem;
pub use routes::{Doc, Routes, Service};
pub use token::{Claims, TokenError, Verifier};
pub use upstream::{InProcess, Upstream};

/// Largest request body a route takes unless it says otherwise.
pub const BODY_LIMIT: usize = 1024 * 1024;
