//! The service of wishlists. This file is its table of contents; see README.md for what it owns.

pub mod http;
pub mod queries;
pub mod views;
pub mod wishlist;

use kernel::Module;
use web::Service;

/// The whole service, for the binary's list.
pub fn service() -> Service {
    Service {
        module: Module::new("wishlists")
            .decider::<wishlist::Wishlist>()
            .projection(views::projection()),
        routes: http::routes(),
    }
}
