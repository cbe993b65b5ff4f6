//! One SKU: adjustments, transfers, reservations, policies.

use contracts::inventory::{BackorderPolicy, LocationId, StockEvent, Taken};
use kernel::{
    RejectionKind,
    testing::{Given, given},
};

use super::{adjustment, came, loc};
use crate::{
    locations::LocationTable,
    stock::{Change, MAX_UNITS, Stock, StockCommand},
};

fn ten() -> Given<Stock> {
    given::<Stock>([came("POT", &LocationId::main(), 10)])
}

fn reserve(quantity: i64) -> StockCommand {
    StockCommand::Reserve {
        sku: "POT".into(),
        reservation: "ord_1".into(),
        quantity,
        country: None,
        locations: LocationTable::default(),
    }
}

fn adjust(change: Change) -> StockCommand {
    StockCommand::Adjust(adjustment("POT", &LocationId::main(), change))
}

fn policy(backorder: BackorderPolicy) -> StockCommand {
    StockCommand::SetPolicy {
        sku: "POT".into(),
        backorder,
    }
}

fn taken(quantity: i64) -> Vec<Taken> {
    vec![Taken {
        location: LocationId::main(),
        quantity,
    }]
}

#[test]
fn the_last_unit_can_be_reserved_and_not_one_more() {
    let mut stock = ten();
    let events = stock.when(reserve(10)).unwrap();
    assert!(
        matches!(&events[..], [StockEvent::Reserved(e)] if e.taken == taken(10) && e.available == 0)
    );
    let refused = stock.when(reserve(1)).unwrap_err();
    assert_eq!(
        (refused.kind, refused.code),
        (RejectionKind::Conflict, "short-stock")
    );
    assert_eq!(stock.state.available(), 0);
}

#[test]
fn a_policy_may_allow_backorders_up_to_a_number() {
    let mut stock = ten();
    stock.when(policy(BackorderPolicy::UpTo(5))).unwrap();
    assert_eq!(stock.state.sellable(), 15);
    stock.when(reserve(15)).unwrap();
    assert_eq!(stock.state.available(), -5);
    assert_eq!(stock.when(reserve(1)).unwrap_err().code, "short-stock");
    stock.when(policy(BackorderPolicy::Allow)).unwrap();
    stock.when(reserve(1_000)).unwrap();
    assert_eq!(stock.state.available(), -1_005);
    // A stricter policy does not undo promises, it only makes no new ones.
    stock.when(policy(BackorderPolicy::Deny)).unwrap();
    assert_eq!(stock.state.sellable(), 0);
    assert_eq!(stock.when(reserve(1)).unwrap_err().code, "short-stock");
}

#[test]
fn setting_the_same_policy_again_changes_nothing() {
    let mut stock = ten();
    assert!(
        stock
            .when(policy(BackorderPolicy::Deny))
            .unwrap()
            .is_empty()
    );
}

#[test]
fn what_was_never_in_stock_can_be_backordered_if_the_policy_says_so() {
    let mut stock = given::<Stock>([]);
    assert_eq!(stock.when(reserve(1)).unwrap_err().code, "short-stock");
    stock.when(policy(BackorderPolicy::Allow)).unwrap();
    let events = stock.when(reserve(2)).unwrap();
    assert!(matches!(&events[..], [StockEvent::Reserved(e)] if e.taken == taken(2)));
}

#[test]
fn a_reservation_is_of_at_least_one_unit_and_not_absurd() {
    let mut stock = ten();
    stock.when(policy(BackorderPolicy::Allow)).unwrap();
    for quantity in [0, -1, i64::MIN, MAX_UNITS + 1, i64::MAX] {
        assert!(stock.when(reserve(quantity)).is_err(), "{quantity}");
    }
}

#[test]
fn released_units_can_be_sold_again_but_no_more_than_were_reserved() {
    let mut stock = ten();
    stock.when(reserve(4)).unwrap();
    let release = |quantity| StockCommand::Release {
        sku: "POT".into(),
        reservation: "ord_1".into(),
        returned: taken(quantity),
    };
    assert_eq!(stock.when(release(5)).unwrap_err().code, "not-reserved");
    stock.when(release(4)).unwrap();
    assert_eq!(stock.state.available(), 10);
    assert_eq!(stock.when(release(1)).unwrap_err().code, "not-reserved");
}

#[test]
fn a_count_sets_and_a_delta_adds() {
    let mut stock = ten();
    let events = stock.when(adjust(Change::To(7))).unwrap();
    assert!(matches!(&events[..], [StockEvent::Adjusted(e)] if e.delta == -3 && e.on_hand == 7));
    stock.when(adjust(Change::By(2))).unwrap();
    assert_eq!(stock.state.on_hand(&LocationId::main()), 9);
    assert!(stock.when(adjust(Change::To(9))).unwrap().is_empty());
}

#[test]
fn compare_and_set_refuses_what_was_decided_on_an_old_count() {
    let mut stock = ten();
    let mut line = adjustment("POT", &LocationId::main(), Change::To(3));
    line.expected_on_hand = Some(9);
    let refused = stock.when(StockCommand::Adjust(line.clone())).unwrap_err();
    assert_eq!(
        (refused.code, refused.field.as_deref()),
        ("stock-changed", Some("expected_on_hand"))
    );
    assert_eq!(refused.extra.unwrap()["on_hand"], 10);
    line.expected_on_hand = Some(10);
    assert_eq!(stock.when(StockCommand::Adjust(line)).unwrap().len(), 1);
}

#[test]
fn on_hand_is_never_negative_or_absurd() {
    let mut stock = ten();
    for change in [
        Change::By(-11),
        Change::To(-1),
        Change::By(i64::MIN),
        Change::By(i64::MAX),
        Change::To(MAX_UNITS + 1),
    ] {
        let refused = stock.when(adjust(change)).unwrap_err();
        assert_eq!(refused.code, "on-hand-out-of-range", "{change:?}");
    }
}

#[test]
fn promised_units_are_written_off_only_when_that_is_meant() {
    let mut stock = ten();
    stock.when(reserve(8)).unwrap();
    assert_eq!(
        stock.when(adjust(Change::By(-3))).unwrap_err().code,
        "stock-promised"
    );
    stock.when(adjust(Change::By(-2))).unwrap();
    let mut line = adjustment("POT", &LocationId::main(), Change::To(5));
    line.accept_oversold = true;
    stock.when(StockCommand::Adjust(line)).unwrap();
    assert_eq!((stock.state.available(), stock.state.sellable()), (-3, 0));
    // What comes in next belongs to those who were promised.
    stock.when(adjust(Change::By(3))).unwrap();
    assert_eq!(stock.when(reserve(1)).unwrap_err().code, "short-stock");
}

#[test]
fn only_free_units_move_between_locations() {
    let mut stock = ten();
    stock.when(reserve(6)).unwrap();
    let transfer = |from: &LocationId, to: &LocationId, quantity| StockCommand::Transfer {
        sku: "POT".into(),
        from: from.clone(),
        to: to.clone(),
        quantity,
        reference: None,
    };
    let (main, store) = (LocationId::main(), loc("store"));
    assert_eq!(
        stock.when(transfer(&main, &store, 5)).unwrap_err().code,
        "not-free"
    );
    assert!(stock.when(transfer(&main, &main, 1)).is_err());
    assert!(stock.when(transfer(&main, &store, -1)).is_err());
    stock.when(transfer(&main, &store, 4)).unwrap();
    assert_eq!(
        (stock.state.on_hand(&main), stock.state.on_hand(&store)),
        (6, 4)
    );
    assert_eq!(stock.state.available(), 4);
}
