//! Orders: an explicit state machine and the checkout process, from `placed` over reserved stock
//! and authorised payment to `confirmed`, with compensation on every leg that fails.

mod checkout;
mod claims;
mod feed;
mod http;
mod live;
pub mod order;
mod queries;
mod render;
mod shipments;
pub mod state;
mod transitions;
mod views;

#[cfg(test)]
mod tests;

use kernel::Module;
use serde::{Deserialize, Serialize};
use web::Service;

use crate::{checkout::DEADLINE, feed::Feeds, order::Order};

pub use transitions::payment_of;

/// The configuration of orders.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OrdersConfig {
    /// How long after the confirmation a buyer may still cancel, seconds. Staff always may.
    pub buyer_cancels_within_seconds: i64,
}

impl Default for OrdersConfig {
    fn default() -> Self {
        Self {
            buyer_cancels_within_seconds: 30 * 60,
        }
    }
}

/// The order service.
pub fn service(config: OrdersConfig) -> Service {
    let feeds = Feeds::default();
    Service {
        module: Module::new("orders")
            .decider::<Order>()
            .projection(views::orders())
            .subscription(checkout::from_carts())
            .subscription(checkout::from_inventory())
            .subscription(checkout::from_payments())
            .subscription(checkout::from_pricing())
            .subscription(checkout::from_credit())
            .subscription(checkout::from_shipping())
            .timer(DEADLINE, checkout::deadline)
            .broadcast(feeds.broadcast()),
        routes: http::routes(&config, &feeds),
    }
}
