//! Lines: adding, merging, changing, limits.

use std::sync::Arc;

use contracts::cart::{CartEvent, CartLine};
use kernel::{Currency, Money, testing::given};
use proptest::prelude::*;

use super::*;
use crate::{
    cart::{MAX_LINES, MAX_QUANTITY},
    render::cart_view,
};

#[test]
fn lines_are_added_with_the_offered_price_and_numbers_of_their_own() {
    let mut cart = given::<Cart>([created(None)]);
    let events = cart
        .when(add(
            vec![wanted("A", 2), wanted("B", 1)],
            offers([offer("A", 250), offer("B", 100)]),
        ))
        .expect("added");
    let [CartEvent::LinesAdded(lines)] = events.as_slice() else {
        panic!("{events:?}");
    };
    assert_eq!(lines.lines, [line(1, "A", 2, 250), line(2, "B", 1, 100)]);
    assert_eq!(
        cart_view(seen(&cart.state, &Offers::default()), &RULES)
            .expect("a view")
            .totals
            .total,
        gbp(600)
    );
}

#[test]
fn the_same_sku_ends_up_in_one_line_also_within_one_request() {
    let mut cart = given::<Cart>([created(None), added(vec![line(1, "A", 2, 250)])]);
    let skus = vec![
        wanted("A", 3),
        wanted("B", 1),
        wanted("A", 4),
        wanted("B", 1),
    ];
    cart.when(add(skus, offers([offer("A", 250), offer("B", 100)])))
        .expect("added");
    assert_eq!(
        *cart.state.lines,
        [line(1, "A", 9, 250), line(2, "B", 2, 100)]
    );
}

#[test]
fn an_agreed_price_stays_when_more_is_added_at_another() {
    let mut cart = given::<Cart>([created(None), added(vec![line(1, "A", 2, 250)])]);
    cart.when(add(vec![wanted("A", 1)], offers([offer("A", 300)])))
        .expect("added");
    assert_eq!(*cart.state.lines, [line(1, "A", 3, 250)]);
}

#[test]
fn a_number_is_never_used_again_after_its_line_was_removed() {
    let mut cart = given::<Cart>([
        created(None),
        added(vec![line(1, "A", 1, 1), line(2, "B", 1, 1)]),
    ]);
    cart.when(ask(Ask::RemoveLine(line(2, "B", 1, 1).id)))
        .expect("removed");
    cart.when(add(vec![wanted("C", 1)], offers([offer("C", 1)])))
        .expect("added");
    assert_eq!(*cart.state.lines, [line(1, "A", 1, 1), line(3, "C", 1, 1)]);
}

#[test]
fn one_bad_line_refuses_them_all_and_is_named() {
    let unpublished = |sku: &str| {
        let (sku, offer) = offer(sku, 100);
        (
            sku,
            offer.map(|offer| Offer {
                published: false,
                ..offer
            }),
        )
    };
    let in_euro = |sku: &str| {
        let (sku, offer) = offer(sku, 100);
        let prices = vec![Money::new(100, Currency::EUR)];
        (sku, offer.map(|offer| Offer { prices, ..offer }))
    };
    for (bad, code) in [
        (("B".to_owned(), None), "unknown-sku"),
        (unpublished("B"), "unpublished"),
        (in_euro("B"), "no-price"),
        (offer("B", -1), "no-price"),
    ] {
        let mut cart = given::<Cart>([created(None)]);
        let command = add(
            vec![wanted("A", 1), wanted("B", 1)],
            offers([offer("A", 1), bad]),
        );
        let refusal = refused(&mut cart, command);
        assert_eq!(
            (refusal.code, refusal.field.as_deref()),
            (code, Some("lines[1].sku"))
        );
        assert!(cart.state.lines.is_empty());
    }
}

#[test]
fn a_line_given_by_itself_is_named_without_an_index() {
    let mut cart = given::<Cart>([created(None)]);
    let single = |quantity| {
        ask(Ask::AddLines {
            lines: vec![wanted("A", quantity)],
            single: true,
            offers: offers([("A".to_owned(), None)]),
        })
    };
    assert_eq!(
        refused(&mut cart, single(0)).field.as_deref(),
        Some("quantity")
    );
    assert_eq!(refused(&mut cart, single(1)).field.as_deref(), Some("sku"));
}

#[test]
fn quantities_out_of_bounds_are_refused_wherever_they_come_from() {
    let known = offers([offer("A", 1)]);
    for quantity in [0, -1, i64::MIN, MAX_QUANTITY + 1, i64::MAX] {
        let mut cart = given::<Cart>([created(None), added(vec![line(1, "A", 1, 1)])]);
        let refusal = refused(&mut cart, add(vec![wanted("A", quantity)], known.clone()));
        assert_eq!(refusal.field.as_deref(), Some("lines[0].quantity"));
        let change = ask(change_to(line(1, "A", 1, 1).id, quantity));
        assert_eq!(
            refused(&mut cart, change).field.as_deref(),
            Some("quantity")
        );
    }
    // The sum of what is there and what comes counts.
    let mut cart = given::<Cart>([
        created(None),
        added(vec![line(1, "A", MAX_QUANTITY - 1, 1)]),
    ]);
    cart.when(add(vec![wanted("A", 1)], known.clone()))
        .expect("just fits");
    assert_eq!(code(cart.when(add(vec![wanted("A", 1)], known))), "invalid");
}

#[test]
fn a_cart_holds_two_thousand_lines_and_no_more() {
    let skus: Vec<String> = (0..=MAX_LINES).map(|i| format!("S{i}")).collect();
    let known = offers(skus.iter().map(|sku| offer(sku, 1)));
    let lines =
        |range: std::ops::Range<usize>| skus[range].iter().map(|sku| wanted(sku, 1)).collect();
    let mut cart = given::<Cart>([created(None)]);
    cart.when(add(lines(0..MAX_LINES), known.clone()))
        .expect("as many as it holds");
    assert_eq!(cart.state.lines.len(), MAX_LINES);
    let one_more = add(lines(MAX_LINES..MAX_LINES + 1), known.clone());
    assert_eq!(code(cart.when(one_more)), "too-many-lines");
    cart.when(add(lines(0..1), known))
        .expect("more of what is there");
    let none = add(vec![], offers([]));
    assert_eq!(refused(&mut cart, none).field.as_deref(), Some("lines"));
}

#[test]
fn a_total_too_large_to_count_is_refused() {
    let mut cart = given::<Cart>([created(None), added(vec![line(1, "A", 1, i64::MAX - 5)])]);
    let more = add(vec![wanted("B", 1)], offers([offer("B", 6)]));
    assert_eq!(code(cart.when(more)), "total-too-large");
    let change = ask(change_to(line(1, "A", 1, 1).id, 2));
    assert_eq!(code(cart.when(change)), "total-too-large");
    let dearer = ask(Ask::Reprice(offers([offer("A", i64::MAX)])));
    cart.when(dearer)
        .expect("one of the dearest thing there is");
}

#[test]
fn a_quantity_is_changed_and_changing_to_the_same_is_nothing() {
    let mut cart = given::<Cart>([created(None), added(vec![line(1, "A", 2, 250)])]);
    let set = |quantity| ask(change_to(line(1, "A", 1, 1).id, quantity));
    assert_eq!(cart.when(set(5)).expect("changed").len(), 1);
    assert_eq!(cart.when(set(5)).expect("as it is").len(), 0);
    assert_eq!(cart.state.lines[0].quantity, 5);
}

#[test]
fn a_line_that_is_not_there_cannot_be_changed_or_removed() {
    let mut cart = given::<Cart>([created(None), added(vec![line(1, "A", 2, 250)])]);
    for id in ["lin_2", "lin_01", "lin_x", "lin_99999999999"] {
        let id: contracts::cart::LineId = id.parse().expect("an id");
        assert_eq!(
            code(cart.when(ask(change_to(id.clone(), 3)))),
            "not-found",
            "{id}"
        );
        assert_eq!(code(cart.when(ask(Ask::RemoveLine(id)))), "not-found");
    }
}

#[test]
fn new_prices_are_accepted_where_there_are_any() {
    let before = added(vec![
        line(1, "A", 2, 250),
        line(2, "B", 1, 100),
        line(3, "GONE", 1, 5),
    ]);
    let mut cart = given::<Cart>([created(None), before]);
    let now = offers([offer("A", 300), offer("B", 100), ("GONE".into(), None)]);
    assert_eq!(
        cart.when(ask(Ask::Reprice(now.clone())))
            .expect("repriced")
            .len(),
        1
    );
    let prices: Vec<Money> = cart
        .state
        .lines
        .iter()
        .map(|line| line.unit_price)
        .collect();
    assert_eq!(prices, [gbp(300), gbp(100), gbp(5)]);
    assert_eq!(
        cart.when(ask(Ask::Reprice(now)))
            .expect("nothing to do")
            .len(),
        0
    );
}

proptest! {
    /// Whatever is added in whatever order, a cart holds each SKU once, with the sum of what was
    /// asked for, and its events say the same as its state.
    #[test]
    fn nothing_is_lost_or_doubled(
        requests in proptest::collection::vec(
            proptest::collection::vec((0usize..6, 1i64..50), 1..8), 1..8),
    ) {
        let skus: Vec<String> = (0..6).map(|i| format!("S{i}")).collect();
        let known = offers(skus.iter().map(|sku| offer(sku, 10)));
        let mut cart = given::<Cart>([created(None)]);
        let mut history = vec![created(None)];
        for request in &requests {
            let lines = request.iter().map(|(sku, quantity)| wanted(&skus[*sku], *quantity));
            history.extend(cart.when(add(lines.collect(), known.clone())).expect("added"));
        }
        for (index, sku) in skus.iter().enumerate() {
            let asked = requests.iter().flatten().filter(|(sku, _)| *sku == index);
            let expected: i64 = asked.map(|(_, quantity)| quantity).sum();
            let lines: Vec<&CartLine> = cart.state.lines.iter().filter(|l| l.sku == *sku).collect();
            prop_assert!(lines.len() <= 1);
            prop_assert_eq!(lines.iter().map(|line| line.quantity).sum::<i64>(), expected);
        }
        let again = given::<Cart>(history);
        prop_assert_eq!(Arc::clone(&again.state.lines), cart.state.lines);
    }
}
