//! pricing: price lists, promotions, tax rates, channels and regions, published whole for whoever
//! prices a cart; and the counters of scarce promotions. `README.md` says what it owns, hears and
//! publishes.

mod check;
mod coupon;
mod http;
mod import;
mod places;
mod postcodes;
mod price_list;
mod promotion;
mod promotion_check;
mod queries;
mod redeem;
mod redemption;
mod subscriptions;
mod tax;
#[cfg(test)]
mod tests;
mod usage;
mod views;
mod whole;

use contracts::pricing::{Campaign, ListedPrice, PriceList, Promotion, TaxRate};
use kernel::{Module, Subscription};
use web::Service;
use whole::Whole;

/// The service.
pub fn service() -> Service {
    Service {
        module: module(),
        routes: http::routes(),
    }
}

fn module() -> Module {
    Module::new("pricing")
        .decider::<Whole<PriceList>>()
        .decider::<Whole<ListedPrice>>()
        .decider::<Whole<Promotion>>()
        .decider::<Whole<Campaign>>()
        .decider::<promotion::Members>()
        .decider::<coupon::Coupons>()
        .decider::<places::Channels>()
        .decider::<places::Regions>()
        .decider::<Whole<TaxRate>>()
        .decider::<tax::Settings>()
        .decider::<redemption::Redemptions>()
        .decider::<usage::Usage>()
        .projection(views::price_lists())
        .projection(views::promotions())
        .projection(views::campaigns())
        .projection(views::coupons())
        .projection(views::tax_rates())
        // Exclusive: orders of different partitions meet on the same counters.
        .subscription(Subscription::new("orders", &["orders"], subscriptions::on_order).exclusive())
}
