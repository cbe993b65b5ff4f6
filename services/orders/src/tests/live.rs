//! Following an order: what is told, when it ends, and who is woken.

use contracts::orders::OrderStatus;
use futures_util::FutureExt as _;

use super::*;
use crate::{feed::Feeds, live::Telling};

fn told(telling: &mut Telling) -> Vec<String> {
    std::iter::from_fn(|| telling.next())
        .map(|update| update.entry.what)
        .collect()
}

#[test]
fn it_begins_with_the_present_state_and_then_tells_each_change_once() {
    let mut order = after([place(), Step::StockReserved]);
    let mut telling = Telling::default();
    telling.look(&order.state);
    assert_eq!(told(&mut telling), ["stock_reserved"]);
    telling.look(&order.state);
    assert_eq!(told(&mut telling), Vec::<String>::new());
    order.when(at(3, action())).expect("accepted");
    order.when(at(4, authorised())).expect("accepted");
    telling.look(&order.state);
    // Both changes, though it was woken only once.
    assert_eq!(told(&mut telling), ["payment_action_required", "confirmed"]);
    assert!(telling.is_winding_down() && !telling.is_over());
}

#[test]
fn it_is_over_when_the_cancellation_was_told() {
    let mut telling = Telling::default();
    telling.look(&after([place(), buyer_cancels()]).state);
    assert!(!telling.is_over());
    let update = telling.next().expect("the present state");
    assert_eq!(update.status, OrderStatus::Cancelled);
    assert_eq!(update.entry.who, "guest");
    assert!(update.cancel_reason.is_some());
    assert!(telling.is_over());
}

#[test]
fn an_update_holds_the_bank_s_address_only_where_the_buyer_must_act() {
    let order = after([place(), Step::StockReserved, action()]);
    let updates = crate::render::updates(&order.state, 0);
    let urls: Vec<bool> = updates
        .iter()
        .map(|u| u.payment_action_url.is_some())
        .collect();
    assert_eq!(urls, [false, false, true]);
    let text = serde_json::to_string(&updates).expect("json");
    assert!(!text.contains("ann@") && !text.contains("tok_1"));
}

fn change(order: &str) -> Recorded {
    recorded(
        "orders",
        &format!("order-{order}"),
        OrderEvent::Placed(placed(500)),
    )
}

#[test]
fn a_follower_is_woken_by_its_own_order_and_by_no_other() {
    let feeds = Feeds::default();
    let mut follower = feeds.follow(&order_id());
    feeds.heard(&change("ord_2f"));
    assert_eq!(follower.changed().now_or_never(), None);
    feeds.heard(&change("ord_1f"));
    assert_eq!(follower.changed().now_or_never(), Some(true));
    assert_eq!(follower.changed().now_or_never(), None);
}

#[test]
fn a_channel_lives_as_long_as_somebody_follows() {
    let feeds = Feeds::default();
    let first = feeds.follow(&order_id());
    let mut second = feeds.follow(&order_id());
    assert_eq!(feeds.followed(), 1);
    drop(first);
    feeds.heard(&change("ord_1f"));
    assert_eq!(second.changed().now_or_never(), Some(true));
    drop(second);
    assert_eq!(feeds.followed(), 0);
    feeds.heard(&change("ord_1f"));
}
