//! The shop's pages: a list of products, a product, the cart, checkout, and an order that can be
//! watched on its way. Rendered on the server; everything works without JavaScript except turning a
//! card number into a token (test cards can be picked instead) and live updates (the page reloads
//! itself instead).
//!
//! It talks to services through [`web::Upstream`] only, by the paths of the public API, and has no
//! data of its own: the cart's id and an order's access token live in the visitor's cookies.

mod assets;
mod availability;
mod browse;
mod cart;
mod checkout;
mod checkout_form;
mod client;
mod config;
mod cookies;
mod countries;
mod dates;
mod description;
mod failure;
mod guard;
mod links;
mod money;
mod navigation;
mod order;
mod order_view;
mod pages;
mod product;
mod visit;

use std::sync::Arc;

use axum::{
    Router,
    extract::DefaultBodyLimit,
    middleware::{from_fn, from_fn_with_state},
    routing::{get, post},
};
use web::Upstream;

pub use config::Config;

use crate::visit::Shop;

/// Forms are small; larger ones are not ours.
const FORM_LIMIT: usize = 16 * 1024;

/// The storefront's routes, for the gateway to serve at `/`. Whatever they do not know is answered
/// with a page that says so (404).
pub fn router(config: Config, upstream: Arc<dyn Upstream>) -> Router {
    let shop = Arc::new(Shop::new(config, upstream));
    Router::new()
        .route("/", get(browse::home))
        .route("/c/{*category}", get(browse::category))
        .route("/p/{handle}", get(product::show))
        .route("/cart", get(cart::show))
        .route("/cart/lines", post(cart::add))
        .route("/cart/lines/{line}", post(cart::change))
        .route("/cart/lines/{line}/remove", post(cart::remove))
        .route("/cart/reprice", post(cart::reprice))
        .route("/checkout", get(checkout::show).post(checkout::place))
        .route("/orders/{id}", get(order::show))
        .route("/orders/{id}/cancel", post(order::cancel))
        .route("/orders/{id}/again", post(order::again))
        .route("/assets/{version}/{file}", get(assets::serve))
        .fallback(failure::no_such_page)
        .method_not_allowed_fallback(failure::wrong_method)
        .layer(DefaultBodyLimit::max(FORM_LIMIT))
        .layer(from_fn(guard::same_origin))
        .layer(from_fn_with_state(shop.clone(), guard::headers))
        .with_state(shop)
}
