//! credit: gift cards and store credit, which pay for orders beside a card, and their ledger.

mod account;
mod accounts;
mod change;
mod codes;
mod hold;
mod holding;
mod http;
mod ledger;
mod queries;
mod refund;
mod subscriptions;
#[cfg(test)]
mod tests;
mod throttle;
mod views;

use kernel::{Module, Subscription};
use web::Service;

/// The service.
pub fn service() -> Service {
    Service {
        module: module(),
        routes: http::routes(),
    }
}

fn module() -> Module {
    Module::new("credit")
        .decider::<account::Account>()
        .decider::<hold::Hold>()
        .projection(views::accounts())
        .projection(views::movements())
        .projection(views::holds())
        .projection(views::ledger())
        // Exclusive: orders of different partitions meet on the same accounts.
        .subscription(Subscription::new("orders", &["orders"], subscriptions::on_order).exclusive())
        .timer(accounts::EXPIRY, accounts::on_expiry)
}
