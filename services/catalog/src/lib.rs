//! The catalogue: products with options, variants, prices and pictures, in nested categories.
//! `README.md` says what it owns, hears and publishes.

mod bulk;
mod cache;
mod category;
mod claim;
mod commands;
mod draft;
mod html;
mod http;
mod limits;
mod product;
mod queries;
#[cfg(test)]
mod samples;
mod views;

use std::sync::Arc;

use kernel::{Broadcast, From, Module};

/// The whole service.
pub fn service() -> web::Service {
    let cache = Arc::new(cache::ProductCache::new());
    let heard = cache.clone();
    let module = Module::new("catalog")
        .decider::<product::ProductRules>()
        .decider::<claim::ClaimRules>()
        .decider::<category::CategoryRules>()
        .projection(views::products())
        .projection(views::categories())
        .broadcast(Broadcast::new(
            "product-cache",
            &["catalog"],
            From::Now,
            move |event| heard.hear(event),
        ));
    web::Service {
        module,
        routes: http::routes(cache),
    }
}
