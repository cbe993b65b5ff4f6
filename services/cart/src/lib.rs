//! Carts and checkout. The cart works from its own copy of prices and availability, fed by events,
//! so it sells while the catalogue or inventory is down; a checkout is answered by this service
//! alone and durably names the order it becomes.

mod buyer;
pub mod cart;
pub mod checkout;
mod command;
mod copies;
mod handlers;
mod http;
mod lines;
mod number;
pub mod offer;
mod place;
pub mod pricing;
mod problems;
mod queries;
mod render;
mod rules;
pub mod state;
mod views;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use kernel::{Currency, Module, Poison, Timer};
use serde::{Deserialize, Serialize};
use web::Service;

use crate::{
    cart::{Ask, Cart},
    command::{IDLE, OnCart},
    state::{Rules, Who},
};

/// The cart's configuration.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CartConfig {
    /// The currency of a cart that names none.
    pub currency: Currency,
    /// An open cart without a change for this long is reported as abandoned, seconds.
    pub abandoned_after_seconds: i64,
    /// An open cart without a change for this long is closed, seconds.
    pub expires_after_seconds: i64,
    /// An order must be confirmed this long after its checkout, or it is given up, seconds.
    pub confirm_within_seconds: i64,
    /// Whether a checkout is refused when the cart's copy of the stock is too low. Otherwise that
    /// is only a warning and inventory decides.
    pub refuse_short_stock: bool,
}

impl Default for CartConfig {
    fn default() -> Self {
        Self {
            currency: Currency::GBP,
            abandoned_after_seconds: 60 * 60,
            expires_after_seconds: 30 * 24 * 60 * 60,
            confirm_within_seconds: 15 * 60,
            refuse_short_stock: false,
        }
    }
}

impl CartConfig {
    fn rules(&self) -> Rules {
        Rules {
            abandoned_after: self.abandoned_after_seconds,
            expires_after: self.expires_after_seconds,
            confirm_within: self.confirm_within_seconds,
            refuse_short_stock: self.refuse_short_stock,
        }
    }
}

/// The cart service.
pub fn service(config: CartConfig) -> Service {
    let rules = config.rules();
    let quote_keys = Arc::new(web::signed::QuoteKeys::default());
    let idle = move |timer: &Timer| -> Result<Box<dyn kernel::AnyCommand>, Poison> {
        Ok(Box::new(OnCart {
            id: timer.data.parse().map_err(Poison)?,
            by: Who::System,
            rules,
            ask: Arc::new(Ask::Idle),
        }))
    };
    Service {
        module: Module::new("cart")
            .decider::<Cart>()
            .projection(views::offers())
            .projection(views::availability())
            .projection(views::checkouts())
            .projection(rules::rules())
            .projection(copies::customer_groups())
            .projection(copies::shipping_options())
            .projection(copies::credit_accounts())
            .broadcast(quote_keys.broadcast())
            .timer(IDLE, idle),
        routes: http::routes(&config, quote_keys),
    }
}
