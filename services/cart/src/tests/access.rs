//! Whose a cart is, and what an odd request is told.

use contracts::{
    address::Address,
    cart::{CheckoutPayment, CheckoutRequest},
};
use kernel::testing::given;

use super::*;
use crate::buyer;

#[test]
fn an_anonymous_cart_belongs_to_whoever_knows_its_id() {
    let mut cart = given::<Cart>([created(None)]);
    for who in [Who::Anyone, Who::Customer(customer("cus_1")), Who::Staff] {
        let command = Ask::AddLines {
            lines: vec![wanted("A", 1)],
            single: true,
            offers: offers([offer("A", 1)]),
        };
        cart.when(ask_by(who, command)).expect("allowed");
    }
}

#[test]
fn a_customer_s_cart_is_theirs_and_staff_s() {
    let mut cart = given::<Cart>([
        created(Some(customer("cus_1"))),
        added(vec![line(1, "A", 1, 1)]),
    ]);
    let change = |quantity| change_to(line(1, "A", 1, 1).id, quantity);
    for stranger in [Who::Anyone, Who::Customer(customer("cus_2"))] {
        assert_eq!(
            code(cart.when(ask_by(stranger.clone(), change(2)))),
            "not-found"
        );
        let checkout = Ask::CheckOut(Box::new(buyer("ord_1", offers([offer("A", 1)]))));
        assert_eq!(code(cart.when(ask_by(stranger, checkout))), "not-found");
    }
    cart.when(ask_by(Who::Customer(customer("cus_1")), change(3)))
        .expect("theirs");
    cart.when(ask_by(Who::Staff, change(4))).expect("staff");
}

#[test]
fn a_cart_remembers_the_customer_who_opened_it_and_opens_once() {
    let mut cart = given::<Cart>([]);
    let open = || Ask::Create(cart_id(), kernel::Currency::EUR, "web".into(), None);
    cart.when(ask_by(Who::Customer(customer("cus_1")), open()))
        .expect("opened");
    assert_eq!(cart.state.customer, Some(customer("cus_1")));
    assert_eq!(cart.when(ask(open())).expect("there already").len(), 0);
}

#[test]
fn a_cart_that_was_never_opened_is_not_found() {
    let mut cart = given::<Cart>([]);
    assert_eq!(code(cart.when(check_out("ord_1", offers([])))), "not-found");
    assert_eq!(
        code(cart.when(add(vec![wanted("A", 1)], offers([])))),
        "not-found"
    );
}

fn paid(request: &mut CheckoutRequest) -> &mut CheckoutPayment {
    request.payment.as_mut().expect("a payment")
}

fn request() -> CheckoutRequest {
    CheckoutRequest {
        email: "ann@example.org".into(),
        shipping_address: Address {
            name: "Ann".into(),
            line1: "1 High Street".into(),
            city: "Leeds".into(),
            country: "GB".into(),
            ..Address::default()
        },
        payment: Some(CheckoutPayment {
            provider: "sandbox".into(),
            token: "tok_visa".into(),
        }),
        shipping_quote: None,
        vat_number: None,
        gift_cards: Vec::new(),
        use_store_credit: false,
        expected_total: None,
        locale: None,
    }
}

#[test]
fn a_bad_checkout_request_is_told_which_field_and_never_its_value() {
    buyer::check(&request()).expect("a good request");
    type Spoil = fn(&mut CheckoutRequest);
    let cases: [(&str, Spoil); 9] = [
        ("email", |r| r.email = "ann".into()),
        ("email", |r| r.email = "ann@b@example.org".into()),
        ("shipping_address.line1", |r| {
            r.shipping_address.line1 = "  ".into()
        }),
        ("shipping_address.country", |r| {
            r.shipping_address.country = "gb".into()
        }),
        ("shipping_address.city", |r| {
            r.shipping_address.city = "x".repeat(300)
        }),
        ("payment.provider", |r| paid(r).provider = "../etc".into()),
        ("payment.token", |r| paid(r).token = String::new()),
        ("payment.token", |r| paid(r).token = "tok with space".into()),
        ("payment.token", |r| {
            paid(r).token = "4242-4242-4242-4242".into()
        }),
    ];
    for (field, spoil) in cases {
        let mut request = request();
        spoil(&mut request);
        let refusal = buyer::check(&request).expect_err(field);
        assert_eq!(refusal.field.as_deref(), Some(field));
        assert!(!refusal.detail.contains("4242"), "{}", refusal.detail);
    }
}

#[test]
fn a_token_of_digits_that_is_no_card_number_is_a_token() {
    let mut request = request();
    paid(&mut request).token = "4242424242424241".into();
    buyer::check(&request).expect("its check digit is wrong, so it is no card");
}
