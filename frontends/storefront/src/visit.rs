//! A visitor's request, and the shop it is made to: what every handler takes.

use std::{convert::Infallible, sync::Arc};

use axum::{
    extract::{FromRequestParts, OriginalUri},
    http::{HeaderMap, Method, Uri, header, request::Parts},
};
use contracts::cart::CartId;
use web::Upstream;

use crate::{client::Call, config::Config, cookies, navigation::Navigation, pages::Pages};

/// What all requests share.
pub struct Shop {
    /// Settings.
    pub config: Config,
    /// The way to services.
    pub upstream: Arc<dyn Upstream>,
    /// Templates.
    pub pages: Pages,
    /// Categories, remembered for a while.
    pub navigation: Navigation,
}

impl Shop {
    /// A shop with nothing remembered yet.
    pub fn new(config: Config, upstream: Arc<dyn Upstream>) -> Self {
        Self {
            pages: Pages::new(&config),
            navigation: Navigation::default(),
            config,
            upstream,
        }
    }
}

/// One request of a visitor.
pub struct Visit {
    /// The shop.
    pub shop: Arc<Shop>,
    /// The request's headers.
    pub headers: HeaderMap,
    /// The address asked for.
    pub uri: Uri,
}

impl Visit {
    /// A call to a service on behalf of the visitor.
    pub fn call(&self, service: &'static str, method: Method, path: impl Into<String>) -> Call<'_> {
        Call::new(&*self.shop.upstream, &self.headers, service, method, path)
    }

    /// Reads from a service.
    pub fn get(&self, service: &'static str, path: impl Into<String>) -> Call<'_> {
        self.call(service, Method::GET, path)
    }

    /// The visitor's cart, if there is one.
    pub fn cart(&self) -> Option<CartId> {
        cookies::cart(&self.headers)
    }

    /// Where the visitor's browser reaches this shop, such as `https://shop.example`: configured, or
    /// else what the browser says it called. Only ever shown to that same browser.
    pub fn origin(&self) -> Option<String> {
        if let Some(url) = &self.shop.config.public_url {
            return Some(url.trim_end_matches('/').to_owned());
        }
        let text = |name| self.headers.get(name).and_then(|value| value.to_str().ok());
        let host = text(header::HOST).or_else(|| self.uri.authority().map(|a| a.as_str()))?;
        let sane = |byte: u8| byte.is_ascii_alphanumeric() || b".-:[]".contains(&byte);
        if host.is_empty() || !host.bytes().all(sane) {
            return None;
        }
        let forwarded = self.headers.get("x-forwarded-proto");
        let scheme = match forwarded.is_some_and(|value| value == "https") {
            true => "https",
            false => "http",
        };
        Some(format!("{scheme}://{host}"))
    }
}

impl FromRequestParts<Arc<Shop>> for Visit {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, shop: &Arc<Shop>) -> Result<Self, Infallible> {
        let OriginalUri(uri) = OriginalUri::from_request_parts(parts, shop).await?;
        Ok(Self {
            shop: shop.clone(),
            headers: parts.headers.clone(),
            uri,
        })
    }
}
