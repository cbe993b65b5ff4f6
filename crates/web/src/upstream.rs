//! The one seam through which frontends reach services: in process, or (later) across the network.

use std::{collections::HashMap, convert::Infallible};

use axum::{
    Router,
    body::Body,
    http::{Request, Response, StatusCode},
    response::IntoResponse,
};
use kernel::BoxFuture;
use tower::ServiceExt as _;

use crate::Problem;

/// Sends a request to a service by name.
pub trait Upstream: Send + Sync {
    /// The service's answer; a problem document (502, 503, 504) when it cannot be had.
    fn call(&self, service: &str, request: Request<Body>) -> BoxFuture<'static, Response<Body>>;
    /// The names of the services that can be reached.
    fn services(&self) -> Vec<String>;
}

/// Services in the same process; requests are still complete HTTP messages.
#[derive(Default)]
pub struct InProcess {
    routers: HashMap<&'static str, Router>,
}

impl InProcess {
    /// Adds a service.
    pub fn add(&mut self, name: &'static str, router: Router) {
        self.routers.insert(name, router);
    }
}

impl Upstream for InProcess {
    fn call(&self, service: &str, request: Request<Body>) -> BoxFuture<'static, Response<Body>> {
        let router = self.routers.get(service).cloned();
        Box::pin(async move {
            match router {
                Some(router) => {
                    let answer: Result<_, Infallible> = router.oneshot(request).await;
                    answer.unwrap_or_else(|never| match never {})
                }
                None => Problem::new(
                    StatusCode::SERVICE_UNAVAILABLE,
                    "no-service",
                    "the service is not running",
                )
                .retry_after(5)
                .into_response(),
            }
        })
    }

    fn services(&self) -> Vec<String> {
        self.routers.keys().map(|name| (*name).to_owned()).collect()
    }
}
