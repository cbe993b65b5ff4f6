//! inventory: what there is, where it lies, and to whom it is promised.

mod allocation;
mod dispatch;
mod http;
mod inbound;
mod ledger;
mod locations;
mod queries;
mod reservation;
mod reserve;
mod stock;
mod stocktaking;
mod subscriptions;
#[cfg(test)]
mod tests;
mod views;

use contracts::inbound::StockCounted;
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
    Module::new("inventory")
        .decider::<stock::Stock>()
        .decider::<reservation::Reservation>()
        .decider::<locations::Locations>()
        .projection(views::levels())
        .projection(views::policies())
        .projection(views::reservations())
        .projection(ledger::ledger())
        // Exclusive: orders of different partitions meet on the same SKUs.
        .subscription(Subscription::new("orders", &["orders"], subscriptions::on_order).exclusive())
        .subscription(
            Subscription::new("fulfilments", &["shipping"], dispatch::on_fulfilment).exclusive(),
        )
        .timer(reserve::HOLD_EXPIRY, subscriptions::on_hold_expiry)
        .inbound(StockCounted::TYPE, inbound::on_counted)
}
