//! The read model, as the statements it is made of.

use contracts::orders::{OrderConfirmed, OrderStatus};
use kernel::{Statement, Value};

use super::*;
use crate::views::orders;

fn statements(event: OrderEvent) -> Vec<Statement> {
    let mut out = Vec::new();
    (orders().apply)(&recorded("orders", "order-ord_1f", event), &mut out).expect("readable");
    out
}

#[test]
fn an_order_is_one_row_without_personal_data() {
    let made = statements(OrderEvent::Placed(placed(500)));
    assert_eq!(made.len(), 1);
    let expected = [
        Value::from("ord_1f"),
        Value::from("S-000000001Z"),
        Value::from("placed"),
        Value::Null,
        Value::Int(500),
        Value::from("GBP"),
        Value::Int(START.0),
        Value::Int(START.0),
    ];
    assert_eq!(made[0].args, expected);
}

#[test]
fn a_change_of_status_moves_the_row() {
    let made = statements(OrderEvent::Confirmed(OrderConfirmed {
        order_id: order_id(),
        number: "S-000000001Z".into(),
        payment_id: payment(),
        total: gbp(500),
        at: START,
    }));
    assert_eq!(made.len(), 1);
    assert_eq!(
        made[0].args[..2],
        [Value::from("ord_1f"), Value::from("confirmed")]
    );
}

#[test]
fn the_read_model_follows_the_state_through_every_story() {
    let stories = [
        vec![place(), Step::StockReserved, authorised()],
        vec![
            place(),
            Step::StockReserved,
            action(),
            authorised(),
            staff_cancels(),
        ],
        vec![place(), Step::StockRefused(vec![shortage()])],
        vec![place(), Step::DeadlinePassed],
    ];
    for story in stories {
        let mut order = after([]);
        let mut row = None;
        for step in story {
            for event in order.when(at(1, step)).expect("accepted") {
                for statement in statements(event) {
                    let column = if statement.sql.starts_with("INSERT") {
                        2
                    } else {
                        1
                    };
                    row = Some(statement.args[column].clone());
                }
            }
            assert_eq!(row, Some(Value::from(order.state.status.as_str())));
        }
    }
}

#[test]
fn a_status_reads_as_it_was_written() {
    for text in [
        "placed",
        "stock_reserved",
        "payment_action_required",
        "confirmed",
        "cancelled",
    ] {
        assert_eq!(
            OrderStatus::parse(text).map(OrderStatus::as_str),
            Some(text)
        );
        assert_eq!(
            serde_json::json!(OrderStatus::parse(text)),
            serde_json::json!(text)
        );
    }
    assert_eq!(OrderStatus::parse("lost"), None);
}
