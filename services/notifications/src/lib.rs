//! Notifications: tells people about their orders, accounts and wishes, by e-mail and other
//! channels, once each. See the README for what it owns, hears and publishes.

mod address;
pub mod channels;
mod commands;
mod config;
mod content;
mod engine;
mod format;
mod from_cart;
mod from_customers;
mod from_identity;
mod from_inventory;
mod from_orders;
mod from_shipping;
mod http;
mod known_order;
mod links;
mod message;
mod notices;
mod patience;
mod queries;
mod reader;
mod render;
mod restock;
mod samples;
mod send;
mod templates;
mod views;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use kernel::Module;

pub use config::{Config, Drivers, Hears};
pub use patience::Patience;

/// What the service's parts share.
pub(crate) struct Shared {
    pub config: Config,
    pub templates: templates::Templates,
}

/// The service.
pub fn service(config: Config) -> web::Service {
    let templates = templates::Templates::new(&config);
    let shared = Arc::new(Shared { config, templates });
    let config = &shared.config;
    let mut module = Module::new("notifications")
        .decider::<message::Message>()
        .decider::<known_order::KnownOrder>()
        .decider::<reader::Reader>()
        .decider::<address::Address>()
        .decider::<restock::Restock>()
        .projection(views::messages())
        .projection(views::products())
        .subscription(from_orders::orders(config.sms_for.clone()))
        .subscription(from_orders::news(config.sms_for.clone()))
        .subscription(from_cart::abandoned())
        .subscription(from_identity::readers())
        .subscription(from_identity::news())
        .subscription(from_inventory::stock())
        .timer(commands::RETRY, commands::retry_due)
        .timer(restock::ANNOUNCE, restock::announce_due)
        .worker(send::worker(shared.clone()));
    if config.hears.shipping {
        module = module.subscription(from_shipping::news(config.sms_for.clone()));
    }
    if config.hears.customers {
        module = module
            .subscription(from_customers::readers())
            .subscription(from_customers::news());
    }
    web::Service {
        module,
        routes: http::routes(&shared),
    }
}
