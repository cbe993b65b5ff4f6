//! When promotions apply, how they get along with each other, and what is said about coupons.

mod support;

use contracts::pricing::{
    Campaign, CampaignId, Condition, CouponProblem, Promotion, PromotionUse, Stacking,
};
use kernel::{Currency, Money, Timestamp};
use pricing_engine::GivenCoupon;
use support::{
    Case, all, amount_off, applied, gbp, given, id, percent, shipping_off, skus, totals,
};

fn coupon(promotion: &mut Promotion) {
    promotion.needs_coupon = true;
}

/// What is said about a single code for ten percent off under a condition.
fn problem(case: Case, condition: Condition) -> Option<CouponProblem> {
    let case = case.promotion_with("tenth", percent(10), |p| {
        p.needs_coupon = true;
        p.conditions.push(condition);
    });
    let priced = case.code("TENTH", 1).price();
    let answer = &priced.coupons[0];
    assert_eq!(answer.applied, answer.problem.is_none());
    assert_eq!(answer.applied, !priced.promotions.is_empty());
    assert!(!answer.detail.is_empty());
    answer.problem.clone()
}

#[test]
fn a_subtotal_is_of_the_lines_meant_before_promotions() {
    let at_least = |amount| Condition::Subtotal {
        at_least: gbp(amount),
        of: skus(&["A"]),
    };
    let basket = || given().line("A", 2, 1000).line("B", 1, 5000);
    assert_eq!(problem(basket(), at_least(2000)), None);
    assert_eq!(
        problem(basket(), at_least(2001)),
        Some(CouponProblem::SubtotalTooLow {
            at_least: gbp(2001),
            now: gbp(2000)
        })
    );
    let euros = Condition::Subtotal {
        at_least: Money::new(1, Currency::EUR),
        of: all(),
    };
    let currency = Currency::EUR;
    assert_eq!(
        problem(basket(), euros),
        Some(CouponProblem::OtherCurrency { currency })
    );
    // What another promotion took off before does not count.
    let both = basket().promotion("half", percent(50)).promotion_if(
        "more",
        amount_off(10),
        at_least(2000),
    );
    assert_eq!(applied(&both.price()), ["half", "more"]);
}

#[test]
fn a_quantity_is_of_the_units_meant() {
    let at_least = |at_least| Condition::Quantity {
        at_least,
        of: skus(&["A", "B"]),
    };
    let basket = || {
        given()
            .line("A", 2, 100)
            .line("B", 1, 100)
            .line("C", 9, 100)
    };
    assert_eq!(problem(basket(), at_least(3)), None);
    let too_few = CouponProblem::TooFewUnits {
        at_least: 4,
        now: 3,
    };
    assert_eq!(problem(basket(), at_least(4)), Some(too_few));
}

#[test]
fn who_where_and_whither() {
    let basket = || given().line("A", 1, 100);
    let list = |items: &[&str]| -> Vec<String> { items.iter().map(|i| (*i).into()).collect() };
    let groups = || Condition::Groups {
        any_of: list(&["trade", "staff"]),
    };
    assert_eq!(
        problem(basket(), groups()),
        Some(CouponProblem::OtherCustomers)
    );
    let mut trade = basket();
    trade.groups = list(&["vip", "trade"]);
    assert_eq!(problem(trade, groups()), None);

    let channels = |code: &str| Condition::Channels {
        any_of: list(&[code]),
    };
    assert_eq!(problem(basket(), channels("web")), None);
    assert_eq!(
        problem(basket(), channels("app")),
        Some(CouponProblem::OtherChannel)
    );

    let countries = || Condition::Countries {
        any_of: list(&["DE", "AT"]),
    };
    assert_eq!(
        problem(basket(), countries()),
        Some(CouponProblem::CountryUnknown)
    );
    assert_eq!(
        problem(basket().to(""), countries()),
        Some(CouponProblem::CountryUnknown)
    );
    assert_eq!(
        problem(basket().to("FR"), countries()),
        Some(CouponProblem::OtherCountry)
    );
    assert_eq!(problem(basket().to("at"), countries()), None);

    let first = |known| Case {
        first_order: known,
        ..basket()
    };
    assert_eq!(problem(first(Some(true)), Condition::FirstOrder {}), None);
    let not_first = Some(CouponProblem::NotFirstOrder);
    assert_eq!(
        problem(first(Some(false)), Condition::FirstOrder {}),
        not_first
    );
    let unknown = Some(CouponProblem::BuyerUnknown);
    assert_eq!(problem(first(None), Condition::FirstOrder {}), unknown);
}

#[test]
fn a_promotion_holds_from_its_first_moment_to_before_its_last() {
    let (start, end) = (Timestamp(10), Timestamp(20));
    for (now, expected) in [
        (9, Some(CouponProblem::NotYet { starts_at: start })),
        (10, None),
        (19, None),
        (20, Some(CouponProblem::Over { ended_at: end })),
    ] {
        let mut case =
            given()
                .line("A", 1, 100)
                .code("X", 1)
                .promotion_with("short", percent(10), |p| {
                    (p.starts_at, p.ends_at) = (Some(start), Some(end));
                    p.needs_coupon = true;
                });
        case.now = Timestamp(now);
        assert_eq!(case.price().coupons[0].problem, expected, "{now}");
    }
}

#[test]
fn promotions_are_tried_by_priority_then_the_older_first() {
    let case = given()
        .line("A", 1, 1000)
        .promotion("older", percent(10))
        .promotion("newer", amount_off(100))
        .promotion_with("first", amount_off(500), |p| p.priority = 5)
        .promotion_with("last", amount_off(1), |p| p.priority = -5)
        .promotion_with("off", percent(90), |p| p.active = false);
    let priced = case.price();
    assert_eq!(applied(&priced), ["first", "older", "newer", "last"]);
    // (1000 - 500) × 0.9 - 100 - 1
    assert_eq!(totals(&priced), [349]);
    let codes = priced.lines[0].adjustments.iter().map(|a| a.code.as_str());
    let expected = [
        "promotion:first",
        "promotion:older",
        "promotion:newer",
        "promotion:last",
    ];
    assert_eq!(codes.collect::<Vec<_>>(), expected);
}

#[test]
fn one_of_a_group_applies_the_first_that_fits() {
    let season = |p: &mut Promotion| p.stacking = Stacking::OneOf("season".into());
    let priced = given()
        .line("A", 1, 1000)
        .promotion_with("not-now", shipping_off(100, None), season)
        .promotion_with("spring", percent(10), season)
        .promotion_with("summer", percent(50), |p| {
            season(p);
            coupon(p);
        })
        .promotion_with("other", percent(10), |p| {
            p.stacking = Stacking::OneOf("loyal".into())
        })
        .promotion("any", amount_off(10))
        .code("SUMMER", 3)
        .price();
    assert_eq!(applied(&priced), ["spring", "other", "any"]);
    let by = "The spring".into();
    assert_eq!(
        priced.coupons[0].problem,
        Some(CouponProblem::Excluded { by })
    );
}

#[test]
fn an_exclusive_promotion_stands_alone() {
    let alone = |p: &mut Promotion| p.stacking = Stacking::Exclusive;
    let first = |p: &mut Promotion| {
        p.stacking = Stacking::Exclusive;
        p.priority = 1;
    };
    let basket = || given().line("A", 1, 1000);
    let after = basket()
        .promotion("any", percent(10))
        .promotion_with("alone", percent(50), alone);
    assert_eq!(applied(&after.price()), ["any"]);
    let before = basket()
        .promotion("any", percent(10))
        .promotion_with("alone", percent(50), first);
    assert_eq!(applied(&before.price()), ["alone"]);
    // One that takes nothing off stands in nobody's way.
    let idle = basket().promotion("any", percent(10)).promotion_with(
        "alone",
        shipping_off(100, None),
        first,
    );
    assert_eq!(applied(&idle.price()), ["any"]);
    let two = basket()
        .promotion_with("alone", percent(50), first)
        .promotion_with("too", percent(60), alone);
    assert_eq!(applied(&two.price()), ["alone"]);
}

#[test]
fn a_code_counts_once_however_it_is_typed() {
    let case = given()
        .line("A", 1, 1000)
        .promotion_with("summer", percent(10), coupon)
        .code("summer-10", 1)
        .code(" Ｓｕｍｍｅｒ－１０ ", 1)
        .code("SUMMER\u{2013}10", 1);
    let priced = case.price();
    assert_eq!(totals(&priced), [900]);
    assert_eq!(priced.coupons.len(), 1);
    assert_eq!(priced.coupons[0].code, "SUMMER-10");
    assert_eq!(priced.promotions[0].coupon.as_deref(), Some("SUMMER-10"));
    let because = &priced.promotions[0].because;
    assert_eq!(because, "10 % off; the code SUMMER-10 was given");
}

#[test]
fn every_code_that_gives_nothing_is_told_why() {
    let mut case = given()
        .line("A", 1, 1000)
        .promotion_with("ten", percent(10), coupon)
        .promotion("for-all", percent(1))
        .promotion_with("post", shipping_off(100, None), coupon)
        .promotion_with("gone", percent(10), |p| {
            p.needs_coupon = true;
            p.active = false;
        })
        .code("B-TEN", 1)
        .code("A-TEN", 1)
        .code("FOR-ALL", 2)
        .code("POST", 3)
        .code("GONE", 4)
        .code("STALE", 9)
        .code("WITHDRAWN", 1);
    case.coupons[6].coupon.as_mut().expect("a coupon").active = false;
    for entered in ["nonsense", "not a code!", ""] {
        case.coupons.push(GivenCoupon {
            code: entered.into(),
            coupon: None,
        });
    }
    let priced = case.price();
    let found: Vec<_> = priced
        .coupons
        .iter()
        .map(|c| (c.code.as_str(), c.problem.clone()))
        .collect();
    let counts = || "A-TEN".to_owned();
    let expected = [
        ("", Some(CouponProblem::Unknown)),
        ("not a code!", Some(CouponProblem::Unknown)),
        ("A-TEN", None),
        (
            "B-TEN",
            Some(CouponProblem::SamePromotion { counts: counts() }),
        ),
        ("FOR-ALL", Some(CouponProblem::NotNeeded)),
        ("GONE", Some(CouponProblem::NotInForce)),
        ("NONSENSE", Some(CouponProblem::Unknown)),
        ("POST", Some(CouponProblem::ShippingUnknown)),
        ("STALE", Some(CouponProblem::NotInForce)),
        ("WITHDRAWN", Some(CouponProblem::NotInForce)),
    ];
    assert_eq!(found, expected);
    assert_eq!(applied(&priced), ["ten", "for-all"]);
    let post = &priced.coupons[7];
    assert_eq!(post.detail, "It is for shipping: choose a way of shipping.");
}

#[test]
fn a_promotion_that_needs_a_code_does_not_apply_without() {
    let case = given()
        .line("A", 1, 1000)
        .promotion_with("ten", percent(10), coupon);
    assert_eq!(totals(&case.price()), [1000]);
}

#[test]
fn scarce_promotions_are_named_with_what_they_took_off() {
    let campaign: CampaignId = id("cmp", 1);
    let case = given()
        .line("A", 1, 1000)
        .line("B", 1, 500)
        .shipping(300)
        .promotion("free-for-all", percent(10))
        .promotion_with("code", amount_off(100), |p| {
            p.needs_coupon = true;
            p.campaign = Some(campaign.clone());
        })
        .promotion_with("few", shipping_off(50, None), |p| p.limit = Some(3))
        .code("hello", 2);
    let priced = case.price();
    let expected = [
        PromotionUse {
            promotion_id: id("prm", 2),
            coupon: Some("HELLO".into()),
            campaign: Some(campaign),
            amount: gbp(100),
        },
        PromotionUse {
            promotion_id: id("prm", 3),
            coupon: None,
            campaign: None,
            amount: gbp(150),
        },
    ];
    assert_eq!(priced.uses, expected);
    assert_eq!(applied(&priced), ["free-for-all", "code", "few"]);
}

#[test]
fn a_budget_in_another_currency_is_not_drawn_on() {
    let mut case =
        given()
            .line("A", 1, 1000)
            .code("X", 1)
            .promotion_with("budget", percent(10), |p| {
                p.needs_coupon = true;
                p.campaign = Some(id("cmp", 1));
            });
    case.rules.campaigns.push(Campaign {
        id: id("cmp", 1),
        name: "Spring".into(),
        uses: None,
        spend: Some(Money::new(100_000, Currency::EUR)),
    });
    let currency = Currency::EUR;
    let problem = Some(CouponProblem::OtherCurrency { currency });
    assert_eq!(case.price().coupons[0].problem, problem);
}

#[test]
fn an_applied_promotion_says_why() {
    let spend = Condition::Subtotal {
        at_least: gbp(5000),
        of: all(),
    };
    let case = given()
        .line("A", 6, 1000)
        .to("GB")
        .promotion_with("big", percent(15), |p| {
            let any_of = vec!["GB".into()];
            p.conditions = vec![spend, Condition::Countries { any_of }];
        });
    assert_eq!(
        case.price().promotions[0].because,
        "15 % off; the goods come to at least 50.00 GBP; the goods go to this country"
    );
}

#[test]
fn problems_are_told_with_a_code_and_in_words() {
    let problem = CouponProblem::SubtotalTooLow {
        at_least: gbp(5000),
        now: gbp(1250),
    };
    let json = serde_json::to_value(&problem).expect("it can be written");
    assert_eq!(json["code"], "subtotal-too-low");
    assert_eq!(json["at_least"]["amount"], 5000);
    let words = "It holds from 50.00 GBP on; what it is for comes to 12.50 GBP.";
    assert_eq!(problem.to_string(), words);
}
