//! Order history, statistics, and guest orders that are claimed.

use contracts::customers::Purchase;
use kernel::testing::kinds;

use super::*;
use crate::history::ClaimOrders;

fn claim(number: u32, orders: &[u32]) -> ClaimOrders {
    ClaimOrders {
        customer_id: id(number),
        orders: orders.iter().map(|number| order(*number)).collect(),
    }
}

#[test]
fn an_order_counts_from_its_confirmation_to_its_cancellation() {
    let mut shop = Shop::open();
    shop.registers(1, "ann@example.org");
    shop.places(1, Some(1), "ann@example.org", gbp(1_000));
    assert_eq!(shop.statistics(1), Statistics::default());
    shop.confirms(1);
    assert_eq!(shop.statistics(1).orders(), 1);
    let again = shop.confirms(1);
    assert!(
        kinds(&again).is_empty(),
        "confirmed twice is confirmed once"
    );
    shop.moves(1, RecordCommand::Refunded(gbp(300)));
    assert_eq!(shop.statistics(1).currencies[0].spent, gbp(700));
    shop.moves(1, RecordCommand::Stands(OrderStatus::Cancelled));
    assert_eq!(shop.statistics(1), Statistics::default());
}

#[test]
fn currencies_are_never_added_up() {
    let mut shop = Shop::open();
    shop.registers(1, "ann@example.org");
    shop.buys(1, 1, gbp(1_000));
    shop.buys(2, 1, Money::new(500, Currency::EUR));
    let spent: Vec<_> = shop
        .statistics(1)
        .currencies
        .iter()
        .map(|one| one.spent)
        .collect();
    assert_eq!(spent, [Money::new(500, Currency::EUR), gbp(1_000)]);
    assert_eq!(shop.statistics(1).orders(), 2);
}

#[test]
fn the_newest_order_is_known_also_after_it_was_cancelled() {
    let mut shop = Shop::open();
    shop.registers(1, "ann@example.org");
    shop.buys(1, 1, gbp(1));
    let first = shop.0.now;
    shop.0.now = first.plus_seconds(DAY);
    shop.buys(2, 1, gbp(1));
    assert_eq!(shop.statistics(1).last_order_at(), Some(shop.0.now));
    shop.moves(2, RecordCommand::Stands(OrderStatus::Cancelled));
    let left = Purchase {
        at: first,
        order_id: order(1),
    };
    assert_eq!(shop.statistics(1).recent, [left]);
}

#[test]
fn what_was_ordered_before_the_account_was_heard_of_counts() {
    let mut shop = Shop::open();
    shop.buys(1, 1, gbp(100));
    shop.registers(1, "ann@example.org");
    assert_eq!(shop.statistics(1).orders(), 1);
}

#[test]
fn guest_orders_are_claimed_once_the_address_is_shown_to_be_ones_own() {
    let mut shop = Shop::open();
    shop.places(1, None, "Ann@Example.org", gbp(100));
    shop.confirms(1);
    shop.places(2, None, "bob@example.org", gbp(100));
    shop.registers(1, "ann@example.org");
    assert!(
        kinds(&shop.does(&claim(1, &[1])).1).is_empty(),
        "not before"
    );
    shop.verifies(1);
    shop.does(&claim(1, &[1, 2, 3]));
    assert_eq!(shop.record(1).owner(), Some(&id(1)));
    assert_eq!(shop.record(2).owner(), None, "somebody else's address");
    assert_eq!(shop.statistics(1).orders(), 1);
    let persons = shop.customer(1).persons;
    assert!(persons.contains(&person(1)) && persons.contains(&person(1_001)));
    assert!(kinds(&shop.does(&claim(1, &[1])).1).is_empty());
    shop.moves(1, RecordCommand::Refunded(gbp(100)));
    assert_eq!(shop.statistics(1).currencies[0].spent, gbp(0));
}

#[test]
fn later_guest_orders_with_a_verified_address_are_claimed_as_they_come() {
    let mut shop = Shop::open();
    shop.registers(1, "ann@example.org");
    shop.verifies(1);
    shop.places(7, None, "ANN@example.org", gbp(250));
    assert_eq!(shop.record(7).owner(), Some(&id(1)));
    shop.confirms(7);
    assert_eq!(shop.statistics(1).currencies[0].spent, gbp(250));
}

#[test]
fn an_order_that_was_never_heard_of_is_left_alone() {
    let mut shop = Shop::open();
    assert!(kinds(&shop.confirms(9)).is_empty());
}
