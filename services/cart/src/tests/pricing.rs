//! What a cart comes to: list prices, coupons, taxes, shipping, credit, and what a checkout makes of
//! them.

use contracts::{
    cart::{CartCheckedOut, CartDestination, CartEvent, CartProblem, CartView},
    pricing::{
        Benefit, CaptureMode, Channel, Coupon, LineFilter, ListedPrice, PriceList, PriceTier,
        Promotion, Region, Stacking, TaxRate, TaxRounding, TaxSettings,
    },
    shipping::{ShippingQuote, destination_text, items_text},
};
use kernel::testing::given;
use pricing_engine::{RuleSet, Rules as PricingRules};

use super::*;
use crate::{offer::Terms, render::cart_view};

/// Ten percent off with the code TEN, 20 % VAT included in Great Britain, money taken on shipment.
fn rules() -> RuleSet {
    let promotion = Promotion {
        id: "prm_1".parse().expect("an id"),
        name: "ten".into(),
        label: "Ten percent off".into(),
        benefit: Benefit::PercentOff {
            ppm: 100_000,
            of: LineFilter::default(),
        },
        conditions: vec![],
        needs_coupon: true,
        priority: 0,
        stacking: Stacking::Stackable,
        starts_at: None,
        ends_at: None,
        limit: None,
        limit_per_buyer: None,
        campaign: None,
        active: true,
    };
    let vat = TaxRate {
        id: "txr_1".parse().expect("an id"),
        name: "VAT".into(),
        rate_ppm: 200_000,
        class: "standard".into(),
        country: "GB".into(),
        province: None,
        postcodes: vec![],
        priority: 1,
        compound: false,
        shipping: true,
        starts_at: None,
        ends_at: None,
    };
    let region = Region {
        code: "uk".into(),
        name: "United Kingdom".into(),
        currency: Currency::GBP,
        countries: vec!["GB".into()],
        prices_include_tax: true,
        tax_rounding: TaxRounding::PerLine,
    };
    let web = Channel {
        code: "web".into(),
        name: "Web shop".into(),
        capture: CaptureMode::OnShipment,
        active: true,
    };
    RuleSet {
        promotions: vec![promotion],
        tax_rates: vec![vat],
        regions: vec![region],
        channels: vec![web],
        tax_settings: TaxSettings {
            origin_country: "GB".into(),
            reverse_charge: false,
        },
        ..RuleSet::default()
    }
}

/// A at 10.00, with these terms; TEN is a code of the promotion.
fn on_offer(set: RuleSet, ships: bool) -> Offers {
    let coupon = Coupon {
        code: "TEN".into(),
        promotion_id: "prm_1".parse().expect("an id"),
        limit: None,
        active: true,
    };
    let mut offers = Offers::default();
    let (sku, a) = offer("A", 1_000);
    offers.insert(sku, a);
    offers.terms = Terms {
        rules: Arc::new(PricingRules::new(set)),
        coupons: [("TEN".to_owned(), Some(coupon)), ("NONE".into(), None)].into(),
        ships,
        ..Terms::default()
    };
    offers
}

fn two_of_a() -> Given<Cart> {
    given::<Cart>([created(None), added(vec![line(1, "A", 2, 1_000)])])
}

fn view(cart: &Given<Cart>, offers: &Offers) -> CartView {
    cart_view(seen(&cart.state, offers), &RULES).expect("a view")
}

/// A quote of 4.00 for two of A to 1 High Street, Leeds.
fn quote() -> ShippingQuote {
    let address = Address {
        country: "GB".into(),
        ..Address::default()
    };
    ShippingQuote {
        id: "quo_1".parse().expect("an id"),
        cart_id: cart_id(),
        items_hash: web::hash_token(&items_text([("A", 2)])),
        destination_hash: web::hash_token(&destination_text(&address)),
        country: "GB".into(),
        option_id: "sho_1".parse().expect("an id"),
        label: "Standard".into(),
        amount: gbp(400),
        tax_class: "standard".into(),
        collect_from: None,
        min_days: None,
        max_days: None,
        expires_at: START.plus_seconds(1_800),
    }
}

fn bought(cart: &mut Given<Cart>, checkout: Checkout) -> CartCheckedOut {
    let events = cart
        .when(ask(Ask::CheckOut(Box::new(checkout))))
        .expect("checked out");
    match <[CartEvent; 1]>::try_from(events) {
        Ok([CartEvent::CheckedOut(order)]) => order,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_code_takes_its_share_off_and_the_view_says_why() {
    let (mut cart, offers) = (two_of_a(), on_offer(rules(), false));
    assert_eq!(view(&cart, &offers).totals.total, gbp(2_000));
    cart.when(ask(Ask::AddCoupon("TEN".into()))).expect("added");
    let seen = view(&cart, &offers);
    assert_eq!(seen.totals.total, gbp(1_800));
    assert_eq!(seen.totals.adjustments, gbp(-200));
    assert_eq!(seen.totals.tax, gbp(300), "a sixth of it");
    assert_eq!(seen.lines[0].adjustments[0].code, "promotion:ten");
    assert_eq!(seen.promotions[0].coupon.as_deref(), Some("TEN"));
    assert!(seen.tax.expect("a basis").estimated, "no destination yet");
    let again = cart.when(ask(Ask::AddCoupon("TEN".into())));
    assert_eq!(again.expect("nothing to do").len(), 0);
    cart.when(ask(Ask::RemoveCoupon("TEN".into())))
        .expect("removed");
    assert_eq!(view(&cart, &offers).totals.total, gbp(2_000));
    assert_eq!(
        code(cart.when(ask(Ask::RemoveCoupon("TEN".into())))),
        "not-found"
    );
}

#[test]
fn a_code_that_takes_nothing_off_is_a_problem_and_stops_the_checkout() {
    let (mut cart, offers) = (two_of_a(), on_offer(rules(), false));
    cart.when(ask(Ask::AddCoupon("NONE".into())))
        .expect("added");
    let seen = view(&cart, &offers);
    assert!(
        matches!(&seen.problems[..], [CartProblem::CouponNotApplied { coupon, .. }] if coupon == "NONE")
    );
    let refusal = refused(&mut cart, check_out("ord_1", Arc::new(offers)));
    assert_eq!(refusal.code, "coupon-not-applied");
}

#[test]
fn a_code_entered_while_the_checkout_was_on_its_way_is_not_passed_over() {
    let (mut cart, offers) = (two_of_a(), on_offer(rules(), false));
    cart.when(ask(Ask::AddCoupon("LATER".into())))
        .expect("added");
    let refusal = refused(&mut cart, check_out("ord_1", Arc::new(offers)));
    assert_eq!(refusal.code, "cart-changed");
}

#[test]
fn an_order_carries_what_was_promised_what_it_must_claim_and_when_money_is_taken() {
    let (mut cart, offers) = (two_of_a(), on_offer(rules(), true));
    cart.when(ask(Ask::AddCoupon("TEN".into()))).expect("added");
    cart.when(ask(Ask::ChooseShipping(Box::new(quote()))))
        .expect("chosen");
    let mut checkout = buyer("ord_1", Arc::new(offers));
    checkout.expected_total = Some(gbp(2_200));
    checkout.credits = vec![
        ("crd_1".parse().expect("an id"), gbp(500)),
        ("crd_2".parse().expect("an id"), gbp(9_000)),
    ];
    let order = bought(&mut cart, checkout);
    assert_eq!(order.totals.total, gbp(2_200), "18.00 and 4.00 shipping");
    assert_eq!(order.totals.shipping, gbp(400));
    let shipping = order.shipping.expect("shipping");
    assert_eq!(
        (shipping.total, shipping.taxes[0].amount),
        (gbp(400), gbp(67))
    );
    assert_eq!(order.redemptions[0].coupon.as_deref(), Some("TEN"));
    assert_eq!(order.redemptions[0].amount, gbp(200));
    assert_eq!(order.capture, CaptureMode::OnShipment);
    let paid: Vec<i64> = order.credits.iter().map(|c| c.amount.amount).collect();
    assert_eq!(paid, [500, 1_700], "the first is emptied first");
    assert_eq!(order.buyer_key, "ann");
}

#[test]
fn another_total_than_was_shown_is_refused_with_the_right_one() {
    let (mut cart, offers) = (two_of_a(), on_offer(rules(), false));
    let mut checkout = buyer("ord_1", Arc::new(offers));
    checkout.expected_total = Some(gbp(1_999));
    let refusal = refused(&mut cart, ask(Ask::CheckOut(Box::new(checkout))));
    assert_eq!(refusal.code, "total-changed");
    assert!(refusal.detail.contains("20.00"), "{}", refusal.detail);
}

#[test]
fn what_credit_pays_wholly_needs_nothing_else_and_what_it_does_not_does() {
    let offers = Arc::new(on_offer(rules(), false));
    let with = |amount| {
        let mut checkout = buyer("ord_1", offers.clone());
        checkout.payment = None;
        checkout.credits = vec![("crd_1".parse().expect("an id"), gbp(amount))];
        checkout
    };
    let short = ask(Ask::CheckOut(Box::new(with(1_999))));
    assert_eq!(
        refused(&mut two_of_a(), short).field.as_deref(),
        Some("payment")
    );
    let order = bought(&mut two_of_a(), with(2_000));
    assert_eq!(order.payment.provider, "none");
}

#[test]
fn goods_need_a_way_of_shipping_where_the_shop_offers_any() {
    let offers = Arc::new(on_offer(rules(), true));
    let refusal = refused(&mut two_of_a(), check_out("ord_1", offers.clone()));
    assert_eq!(refusal.code, "shipping-not-chosen");
    let mut cart = given::<Cart>([created(None), {
        let mut card = line(1, "A", 2, 1_000);
        card.item.requires_shipping = false;
        added(vec![card])
    }]);
    cart.when(check_out("ord_1", offers))
        .expect("a gift card is not shipped");
}

#[test]
fn a_quote_counts_only_for_the_cart_the_address_and_the_time_it_was_made_for() {
    let offers = Arc::new(on_offer(rules(), true));
    type Change = fn(&mut ShippingQuote);
    let changes: [(&str, Change); 4] = [
        ("cart", |q| q.cart_id = "crt_2".parse().expect("an id")),
        ("lines", |q| q.items_hash = "other".into()),
        ("time", |q| q.expires_at = START.plus_seconds(10)),
        ("currency", |q| q.amount = Money::new(1, Currency::EUR)),
    ];
    for (what, change) in changes {
        let mut other = quote();
        change(&mut other);
        let refusal = refused(
            &mut two_of_a(),
            ask(Ask::ChooseShipping(Box::new(other.clone()))),
        );
        assert_eq!(refusal.code, "bad-quote", "{what}");
        let mut checkout = buyer("ord_1", offers.clone());
        checkout.quote = Some(Box::new(other));
        let refusal = refused(&mut two_of_a(), ask(Ask::CheckOut(Box::new(checkout))));
        assert_eq!(refusal.code, "shipping-not-chosen", "{what}");
    }
    let mut elsewhere = quote();
    elsewhere.destination_hash = "other".into();
    let mut checkout = buyer("ord_1", offers.clone());
    checkout.quote = Some(Box::new(elsewhere));
    let refusal = refused(&mut two_of_a(), ask(Ask::CheckOut(Box::new(checkout))));
    assert_eq!(refusal.code, "shipping-not-chosen", "another address");
    // A cart that changes after the choice must be quoted again.
    let mut cart = two_of_a();
    cart.when(ask(Ask::ChooseShipping(Box::new(quote()))))
        .expect("chosen");
    assert_eq!(view(&cart, &offers).totals.total, gbp(2_400));
    cart.when(ask(change_to(line(1, "A", 1, 1).id, 3)))
        .expect("changed");
    let seen = view(&cart, &offers);
    assert_eq!(seen.totals.shipping, gbp(0));
    assert!(matches!(
        &seen.problems[..],
        [CartProblem::ShippingNotChosen { .. }]
    ));
}

#[test]
fn a_price_list_s_tiers_follow_the_quantity() {
    let list = PriceList {
        id: "plt_1".parse().expect("an id"),
        name: "Bulk".into(),
        currency: Currency::GBP,
        channels: vec![],
        groups: vec![],
        starts_at: None,
        ends_at: None,
        priority: 0,
        active: true,
    };
    let mut set = rules();
    set.price_lists.push(list.clone());
    let mut offers = on_offer(set, false);
    let (sku, mut a) = offer("A", 1_000);
    let tier = |from_quantity, price| PriceTier {
        from_quantity,
        price: gbp(price),
    };
    if let Some(a) = &mut a {
        a.listed.push(ListedPrice {
            list_id: list.id,
            sku: sku.clone(),
            tiers: vec![tier(1, 900), tier(10, 700)],
            compare_at: Some(gbp(1_000)),
        });
    }
    offers.insert(sku, a);
    let offers = Arc::new(offers);
    let mut cart = given::<Cart>([created(None)]);
    cart.when(add(vec![wanted("A", 2)], offers.clone()))
        .expect("added");
    assert_eq!(cart.state.lines[0].unit_price, gbp(900));
    let ten = Ask::ChangeLine(line(1, "A", 1, 1).id, 10, offers.clone());
    cart.when(ask(ten)).expect("changed");
    assert_eq!(cart.state.lines[0].unit_price, gbp(700));
    let seen = view(&cart, &offers);
    assert_eq!(seen.lines[0].compare_at, Some(gbp(1_000)));
    assert_eq!(seen.problems, [], "the price is as agreed");
    cart.when(add(vec![wanted("A", 1)], offers)).expect("added");
    assert_eq!(cart.state.lines[0].unit_price, gbp(700));
}

#[test]
fn a_destination_makes_the_estimate_a_price() {
    let (mut cart, offers) = (two_of_a(), on_offer(rules(), false));
    let place = CartDestination {
        country: "US".into(),
        province: String::new(),
    };
    cart.when(ask(Ask::SetDestination(place))).expect("set");
    let seen = view(&cart, &offers);
    assert_eq!(seen.totals.tax, gbp(0), "no rate for the United States");
    assert!(!seen.tax.expect("a basis").estimated);
}
