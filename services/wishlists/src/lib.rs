//! Wishlists of customers and guests: what they wish for, shared by a link if they like. This file
//! is the table of contents; see README.md for what the service owns.

pub mod commands;
mod copies;
mod http;
pub mod items;
pub mod list;
mod listen;
mod queries;
mod render;
pub mod shelf;
pub mod text;
mod views;
pub mod wishlist;

#[cfg(test)]
mod tests;

use kernel::{Module, Poison, Timer};
use serde::{Deserialize, Serialize};
use web::Service;

use crate::commands::{EXPIRY, OnWishlist};

/// The configuration of wishlists.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// A guest's list that was not changed for this long is deleted, seconds.
    pub guest_lists_live_seconds: i64,
    /// Whether to listen to the service `customers`, for whom to forget. A shop without that
    /// service must say no: nobody would ever produce the topic.
    pub hears_customers: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            guest_lists_live_seconds: 90 * 24 * 60 * 60,
            hears_customers: false,
        }
    }
}

/// The whole service, for the binary's list.
pub fn service(config: Config) -> Service {
    let live = config.guest_lists_live_seconds;
    let expire = move |timer: &Timer| -> Result<Box<dyn kernel::AnyCommand>, Poison> {
        let id = timer.data.parse().map_err(Poison)?;
        Ok(Box::new(OnWishlist::expire(id, live)))
    };
    let module = Module::new("wishlists")
        .decider::<wishlist::Wishlist>()
        .decider::<shelf::Shelf>()
        .projection(views::projection())
        .projection(copies::offers())
        .timer(EXPIRY, expire);
    Service {
        module: match config.hears_customers {
            true => module.subscription(listen::to_customers()),
            false => module,
        },
        routes: http::routes(&config),
    }
}
