//! The service of reviews. This file is its table of contents; see README.md for what it owns.

pub mod http;
pub mod queries;
pub mod review;
pub mod views;

use kernel::Module;
use web::Service;

/// The whole service, for the binary's list.
pub fn service() -> Service {
    Service {
        module: Module::new("reviews")
            .decider::<review::Review>()
            .projection(views::projection()),
        routes: http::routes(),
    }
}
