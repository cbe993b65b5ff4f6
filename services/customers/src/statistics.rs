//! What somebody bought so far: pure sums over confirmed orders.

use contracts::{
    customers::{CurrencyStatistics, Purchase, Statistics},
    orders::OrderId,
};
use kernel::{Currency, Money, Timestamp};

/// How many of the newest orders are remembered one by one.
const RECENT: usize = 20;

/// What one order contributes.
#[derive(Clone, Debug, PartialEq)]
pub struct Counted {
    /// Which order.
    pub order_id: OrderId,
    /// When it was placed.
    pub at: Timestamp,
    /// Its total less what was refunded.
    pub amount: Money,
}

/// The statistics after an order that contributed `before` contributes `after`.
pub fn changed(
    statistics: &Statistics,
    before: Option<&Counted>,
    after: Option<&Counted>,
) -> Statistics {
    let mut new = statistics.clone();
    if let Some(counted) = before {
        add(
            &mut new,
            counted.amount.currency,
            -1,
            -counted.amount.amount,
        );
        new.recent.retain(|one| one.order_id != counted.order_id);
    }
    if let Some(counted) = after {
        add(&mut new, counted.amount.currency, 1, counted.amount.amount);
        new.recent.push(Purchase {
            at: counted.at,
            order_id: counted.order_id.clone(),
        });
    }
    settle(&mut new);
    new
}

/// The statistics of two profiles that turned out to be one person's.
pub fn combined(one: &Statistics, other: &Statistics) -> Statistics {
    let mut new = one.clone();
    for sums in &other.currencies {
        let (currency, amount) = (sums.spent.currency, sums.spent.amount);
        add(&mut new, currency, sums.orders, amount);
    }
    new.recent.extend(other.recent.iter().cloned());
    settle(&mut new);
    new
}

fn add(statistics: &mut Statistics, currency: Currency, orders: i64, amount: i64) {
    let sums = &mut statistics.currencies;
    let place = sums.iter().position(|one| one.spent.currency == currency);
    let place = place.unwrap_or_else(|| {
        let spent = Money::zero(currency);
        sums.push(CurrencyStatistics { orders: 0, spent });
        sums.len() - 1
    });
    let one = &mut sums[place];
    one.orders = one.orders.saturating_add(orders);
    one.spent.amount = one.spent.amount.saturating_add(amount);
}

/// Sorts, and drops what is empty, twice there or too old.
fn settle(statistics: &mut Statistics) {
    let sums = &mut statistics.currencies;
    sums.retain(|one| one.orders != 0 || one.spent.amount != 0);
    sums.sort_by_key(|one| one.spent.currency);
    statistics.recent.sort_by(|a, b| b.cmp(a));
    statistics.recent.dedup();
    statistics.recent.truncate(RECENT);
}
