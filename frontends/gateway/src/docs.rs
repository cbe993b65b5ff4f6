//! The API's description: every service's document merged into one, and pages to read it by.

use axum::{
    Router,
    body::Body,
    http::{HeaderValue, Response, header},
};
use bytes::Bytes;
use utoipa::openapi::{Info, License, OpenApi, Paths, Server, tag::Tag};
use utoipa_swagger_ui::{Config, SwaggerUi};

use crate::table::ServiceRoutes;

const ABOUT: &str = "Money is `{\"amount\": minor units, \"currency\": \"GBP\"}`, times are microseconds UTC. \
Lists answer `{items, next_cursor}`. Errors are problem documents (RFC 9457) that name the field. \
Send `Idempotency-Key` where it is offered, and a request can safely be sent again. \
Sign in at `POST /api/identity/login`, or send an API key: `Authorization: Bearer souk_…`.";

/// One document of all services.
pub fn merged(services: &[ServiceRoutes]) -> OpenApi {
    let mut info = Info::new("Souk", env!("CARGO_PKG_VERSION"));
    info.description = Some(ABOUT.into());
    info.license = Some(License::new("Apache-2.0"));
    let mut all = OpenApi::new(info, Paths::new());
    for service in services {
        all.merge(service.openapi.clone());
    }
    all.servers = Some(vec![Server::new("/")]);
    all.tags = Some(services.iter().map(|s| Tag::new(&s.name)).collect());
    all
}

/// The document, as it is sent.
pub struct Document(Bytes);

impl Document {
    /// Written once.
    pub fn new(services: &[ServiceRoutes]) -> Self {
        let text = serde_json::to_vec(&merged(services));
        Self(
            text.unwrap_or_else(|error| {
                tracing::error!(%error, "the OpenAPI document cannot be written");
                b"{}".to_vec()
            })
            .into(),
        )
    }

    /// `GET /openapi.json`
    pub fn answer(&self) -> Response<Body> {
        let mut response = Response::new(Body::from(self.0.clone()));
        let json = HeaderValue::from_static("application/json");
        response.headers_mut().insert(header::CONTENT_TYPE, json);
        response
    }
}

/// The pages under `/docs`; everything they need comes with the binary.
pub fn pages() -> Router {
    let config = Config::from("/openapi.json")
        .validator_url("none")
        .deep_linking(true)
        .display_request_duration(true)
        .doc_expansion("none")
        .filter(true)
        .try_it_out_enabled(true);
    Router::from(SwaggerUi::new("/docs").config(config))
}

/// The pages bring scripts and styles of their own, and nothing from elsewhere.
pub fn policy() -> HeaderValue {
    HeaderValue::from_static(
        "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; script-src 'self' 'unsafe-inline'; frame-ancestors 'none'",
    )
}
