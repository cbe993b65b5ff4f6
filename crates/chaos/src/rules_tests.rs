#![allow(clippy::unwrap_used)]

use serde_json::json;

use super::*;

const SKU: &str = "HOT";

fn goods() -> Vec<(Product, i64)> {
    let product = Product {
        sku: SKU.into(),
        stock: 5,
        price: 100,
    };
    vec![(product, 1)]
}

fn acknowledged() -> Vec<Order> {
    vec![Order {
        id: "o1".into(),
        token: String::new(),
        cart: "c1".into(),
        total: 200,
        card: "tok_visa",
        cancelled: false,
    }]
}

/// One order of two units, confirmed and held.
fn good() -> Facts {
    let mut facts = Facts::default();
    let stock =
        |delta: i64, available: i64| json!({"sku": SKU, "delta": delta, "available": available});
    facts.event("inventory.stock.adjusted.v1", &stock(5, 5));
    facts.event(
        "cart.cart.checked_out.v1",
        &json!({"order_id": "o1", "cart_id": "c1"}),
    );
    facts.event(
        "orders.order.placed.v1",
        &json!({"order_id": "o1", "cart_id": "c1", "totals": {"total": {"amount": 200}},
            "lines": [{"sku": SKU, "quantity": 2}]}),
    );
    facts.event(
        "inventory.stock.reserved.v1",
        &json!({"sku": SKU, "taken": [{"quantity": 2}], "available": 3}),
    );
    facts.event(
        "orders.order.confirmed.v1",
        &json!({"order_id": "o1", "payment_id": "p1"}),
    );
    facts.event("inventory.stock.adjusted.v1", &stock(1, 4));
    facts.payments.insert("p1".into(), ("o1".into(), 0));
    facts.charges.push(Charge {
        id: "ch1".into(),
        reference: "p1".into(),
        status: "authorised".into(),
        amount: 200,
        captured: 0,
        refunded: 0,
    });
    facts
}

fn rules(facts: &Facts) -> Vec<&'static str> {
    let found = broken(facts, &acknowledged(), &goods());
    found.into_iter().map(|violation| violation.rule).collect()
}

#[test]
fn an_honest_shop_breaks_no_rule() {
    assert_eq!(pending(&good()), None);
    assert_eq!(rules(&good()), Vec::<&str>::new());
}

#[test]
fn a_lost_order_is_seen() {
    let mut facts = good();
    facts.orders.clear();
    assert!(rules(&facts).contains(&"no acknowledged order is lost"));
    assert!(
        pending(&facts)
            .unwrap()
            .contains("checkout without its order")
    );
}

#[test]
fn an_order_that_hangs_is_waited_for_and_then_a_violation() {
    let mut facts = good();
    facts.orders.get_mut("o1").unwrap().status = "placed";
    assert!(pending(&facts).unwrap().contains("o1"));
    assert!(rules(&facts).contains(&"every order is at an end state, once"));
}

#[test]
fn a_second_charge_is_seen_whatever_it_refers_to() {
    let mut facts = good();
    let again = facts.charges[0].clone();
    facts.charges.push(again);
    assert!(rules(&facts).contains(&"nobody is charged twice"));

    let mut facts = good();
    let mut other = facts.charges[0].clone();
    other.reference = "p2".into();
    facts.payments.insert("p2".into(), ("o1".into(), 0));
    facts.charges.push(other);
    assert!(rules(&facts).contains(&"nobody is charged twice"));
}

#[test]
fn money_kept_for_a_cancelled_order_is_seen() {
    let mut facts = good();
    facts.event("orders.order.cancelled.v1", &json!({"order_id": "o1"}));
    facts.event(
        "inventory.stock.released.v1",
        &json!({"sku": SKU, "returned": [{"quantity": 2}], "available": 6}),
    );
    assert_eq!(
        rules(&facts),
        ["no charge without order, and the books agree"]
    );
    facts.charges[0].status = "voided".into();
    assert_eq!(rules(&facts), Vec::<&str>::new());
}

#[test]
fn a_confirmed_order_without_money_is_seen() {
    let mut facts = good();
    facts.charges[0].status = "voided".into();
    assert_eq!(rules(&facts), ["no confirmed order without its money"]);
    let mut facts = good();
    facts.charges[0].captured = 200;
    assert!(pending(&facts).unwrap().contains("ledger"));
}

#[test]
fn oversold_and_leaked_stock_are_seen() {
    let mut facts = good();
    let taken = json!({"sku": SKU, "taken": [{"quantity": 9}], "available": -5});
    facts.event("inventory.stock.reserved.v1", &taken);
    let found = rules(&facts);
    assert!(found.contains(&"no stock is below zero"), "{found:?}");
    assert!(found.contains(&"no stock is leaked"), "{found:?}");
    let mut facts = good();
    facts.stock.get_mut(SKU).unwrap().said = 7;
    assert_eq!(rules(&facts), ["the stock says what there is"]);
}

#[test]
fn a_lost_cancellation_is_seen() {
    let mut orders = acknowledged();
    orders[0].cancelled = true;
    let found = broken(&good(), &orders, &goods());
    assert_eq!(found[0].rule, "no acknowledged cancellation is lost");
}
