//! Reviews of products: written by customers, looked at by moderators, counted into a rating per
//! product. This file is the table of contents; see README.md for what the service owns.

pub mod author;
pub mod commands;
mod copies;
mod http;
mod listen;
mod moderating;
pub mod opinion;
mod queries;
pub mod rating;
mod render;
pub mod review;
pub mod text;
mod views;

#[cfg(test)]
mod tests;

use kernel::Module;
use serde::{Deserialize, Serialize};
use web::Service;

/// The configuration of reviews.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Whether the review of a buyer is published at once, without a moderator.
    pub publish_verified: bool,
    /// Whether to listen to the service `customers`, for whom to forget. A shop without that
    /// service must say no: nobody would ever produce the topic.
    pub hears_customers: bool,
}

/// The whole service, for the binary's list.
pub fn service(config: Config) -> Service {
    let module = Module::new("reviews")
        .decider::<review::Review>()
        .decider::<rating::Rating>()
        .decider::<author::Author>()
        .decider::<opinion::Opinion>()
        .projection(views::projection())
        .projection(copies::products())
        .projection(copies::purchases());
    Service {
        module: match config.hears_customers {
            true => module.subscription(listen::to_customers()),
            false => module,
        },
        routes: http::routes(&config),
    }
}
