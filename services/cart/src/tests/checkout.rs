//! Checkout: what stands in its way, what it records, and that it happens once.

use contracts::cart::{CartEvent, CartProblem, CartStatus};
use kernel::testing::given;

use super::*;
use crate::{
    offer::sellable,
    render::{cart_view, order_view},
};

fn filled() -> Given<Cart> {
    given::<Cart>([
        created(None),
        added(vec![line(1, "A", 2, 250), line(2, "B", 1, 100)]),
    ])
}

fn as_agreed() -> Arc<Offers> {
    offers([offer("A", 250), offer("B", 100)])
}

#[test]
fn a_checkout_freezes_lines_prices_and_sums_and_names_the_order() {
    let mut cart = filled();
    let events = cart
        .when(check_out("ord_7f", as_agreed()))
        .expect("checked out");
    let [CartEvent::CheckedOut(order)] = events.as_slice() else {
        panic!("{events:?}");
    };
    assert_eq!(order.order_id.as_str(), "ord_7f");
    assert_eq!(order.number, "S-000000003Z");
    assert_eq!(order.totals.total, gbp(600));
    assert_eq!(order.lines.iter().map(|l| l.total.amount).sum::<i64>(), 600);
    assert_eq!(order.deadline, START.plus_seconds(10 + 900));
    assert_eq!(order.access_token_hash, "abc123");
    assert_eq!(order.person.as_str(), "per_1");
    assert_eq!(cart.state.status, CartStatus::Completed);
}

#[test]
fn completing_twice_gives_the_first_order_whatever_the_second_request_says() {
    let mut cart = filled();
    cart.when(check_out("ord_1", as_agreed()))
        .expect("checked out");
    let again = check_out("ord_2", offers([offer("A", 999)]));
    assert_eq!(cart.when(again).expect("completed before").len(), 0);
    let order = cart.state.checkout.as_deref().expect("an order");
    assert_eq!(order_view(order).id.as_str(), "ord_1");
}

#[test]
fn a_completed_cart_changes_no_more_and_shows_nobody_s_data() {
    let mut cart = filled();
    cart.when(check_out("ord_1", as_agreed()))
        .expect("checked out");
    for late in [
        add(vec![wanted("A", 1)], as_agreed()),
        ask(change_to(line(1, "A", 1, 1).id, 7)),
        ask(Ask::RemoveLine(line(1, "A", 1, 1).id)),
        ask(Ask::Reprice(as_agreed())),
    ] {
        assert_eq!(code(cart.when(late)), "cart-completed");
    }
    let view = cart_view(seen(&cart.state, &Offers::default()), &RULES).expect("a view");
    assert_eq!(view.status, CartStatus::Completed);
    assert_eq!(
        view.order_id.map(|id| id.to_string()).as_deref(),
        Some("ord_1")
    );
    assert_eq!((view.lines.len(), view.totals.total), (2, gbp(600)));
    let text = serde_json::to_string(
        &cart_view(seen(&cart.state, &Offers::default()), &RULES).expect("view"),
    )
    .expect("json");
    assert!(!text.contains("ann@") && !text.contains("High Street") && !text.contains("tok_1"));
}

#[test]
fn the_order_is_answered_as_placed_from_the_cart_s_own_record() {
    let mut cart = filled();
    cart.when(check_out("ord_1", as_agreed()))
        .expect("checked out");
    let view = order_view(cart.state.checkout.as_deref().expect("an order"));
    assert_eq!(view.status.as_str(), "placed");
    assert_eq!(view.email.as_deref(), Some("ann@example.org"));
    assert_eq!(view.timeline[0].who, "guest");
    assert_eq!(view.timeline[0].what, "placed");
    assert_eq!(view.lines.len(), 2);
}

#[test]
fn a_signed_in_buyer_of_an_anonymous_cart_owns_the_order() {
    let mut cart = filled();
    let mut checkout = buyer("ord_1", as_agreed());
    checkout.customer = Some(customer("cus_1"));
    let by = Who::Customer(customer("cus_1"));
    cart.when(ask_by(by, Ask::CheckOut(Box::new(checkout))))
        .expect("checked out");
    let order = cart.state.checkout.as_deref().expect("an order");
    assert_eq!(order.customer_id, Some(customer("cus_1")));
    assert_eq!(order_view(order).timeline[0].who, "customer:cus_1");
}

#[test]
fn an_empty_cart_is_not_an_order() {
    let mut cart = given::<Cart>([created(None)]);
    assert_eq!(
        code(cart.when(check_out("ord_1", offers([])))),
        "empty-cart"
    );
}

#[test]
fn a_changed_price_is_told_with_old_and_new_and_can_be_accepted() {
    let mut cart = filled();
    let dearer = offers([offer("A", 275), offer("B", 100)]);
    let refusal = refused(&mut cart, check_out("ord_1", dearer.clone()));
    assert_eq!(refusal.code, "price-changed");
    let told = &refusal.extra.expect("problems")["problems"];
    assert_eq!(told[0]["code"], "price-changed");
    assert_eq!(told[0]["line"], "lin_1");
    assert_eq!(told[0]["old"]["amount"], 250);
    assert_eq!(told[0]["new"]["amount"], 275);
    cart.when(ask(Ask::Reprice(dearer.clone())))
        .expect("accepted");
    cart.when(check_out("ord_1", dearer)).expect("checked out");
    let order = cart.state.checkout.as_deref().expect("an order");
    assert_eq!(order.totals.total, gbp(650));
}

#[test]
fn what_is_off_sale_or_gone_stands_in_the_way_and_all_problems_are_listed() {
    let mut cart = filled();
    let (sku, a) = offer("A", 275);
    let unpublished = (
        sku,
        a.map(|offer| Offer {
            published: false,
            ..offer
        }),
    );
    let refusal = refused(
        &mut cart,
        check_out("ord_1", offers([unpublished, ("B".into(), None)])),
    );
    // The gravest gives the name.
    assert_eq!(refusal.code, "unknown-sku");
    let told = refusal.extra.expect("problems")["problems"].clone();
    let told: Vec<CartProblem> = serde_json::from_value(told).expect("readable");
    assert!(
        matches!(told[0], CartProblem::Unpublished { .. }),
        "{told:?}"
    );
    assert!(
        matches!(told[1], CartProblem::UnknownSku { .. }),
        "{told:?}"
    );
}

#[test]
fn short_stock_is_a_warning_unless_the_shop_wants_it_refused() {
    let short = || {
        let (sku, a) = offer("A", 250);
        let short = a.map(|offer| Offer {
            sellable: Some(1),
            ..offer
        });
        offers([(sku, short), offer("B", 100)])
    };
    filled()
        .when(check_out("ord_1", short()))
        .expect("inventory decides");
    let mut strict = check_out("ord_1", short());
    strict.rules.refuse_short_stock = true;
    let refusal = refused(&mut filled(), strict);
    assert_eq!(refusal.code, "short-stock");
    let told = &refusal.extra.expect("problems")["problems"][0];
    assert_eq!(
        (&told["wanted"], &told["available"]),
        (&2.into(), &1.into())
    );
}

#[test]
fn backorders_count_as_sellable() {
    assert_eq!(sellable(3, Some(0)), Some(3));
    assert_eq!(sellable(-2, Some(5)), Some(3));
    assert_eq!(sellable(-9, Some(5)), Some(0));
    assert_eq!(sellable(0, None), None);
    assert_eq!(sellable(i64::MAX, Some(1)), Some(i64::MAX));
}

#[test]
fn a_line_added_behind_the_checkout_s_back_makes_it_start_again() {
    let mut cart = filled();
    let only_a = offers([offer("A", 250)]);
    assert_eq!(code(cart.when(check_out("ord_1", only_a))), "cart-changed");
}
