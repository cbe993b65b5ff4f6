//! What each kind of promotion takes off: given a basket, when it is priced, then.

mod support;

use contracts::pricing::{Benefit, CouponProblem, LineFilter};
use kernel::{Currency, Money, MoneyError};
use support::{all, amount_off, applied, gbp, given, percent, shipping_off, skus, totals};

#[test]
fn a_share_is_taken_off_each_line_half_up() {
    let priced = given()
        .line("A", 3, 333)
        .line("B", 1, 5)
        .line("C", 1, 4)
        .promotion("tenth", percent(10))
        .price();
    // 99.9, 0.5 and 0.4.
    assert_eq!(totals(&priced), [899, 4, 4]);
    let adjustment = &priced.lines[0].adjustments[0];
    assert_eq!(adjustment.code, "promotion:tenth");
    assert_eq!(adjustment.label, "The tenth");
    assert_eq!(adjustment.amount, gbp(-100));
    assert_eq!(priced.promotions[0].amount, gbp(101));
    assert!(priced.lines[2].adjustments.is_empty());
}

#[test]
fn everything_may_be_free_and_nothing_falls_below_zero() {
    let priced = given()
        .line("A", 2, 999)
        .promotion("free", percent(100))
        .promotion("more", amount_off(500))
        .promotion("still-more", percent(50))
        .price();
    assert_eq!(priced.totals.total, gbp(0));
    assert_eq!(applied(&priced), ["free"]);
}

#[test]
fn an_amount_is_shared_out_by_value_to_the_last_penny() {
    let priced = given()
        .line("A", 1, 1000)
        .line("B", 1, 1000)
        .line("C", 1, 1000)
        .promotion("pound", amount_off(100))
        .price();
    // 33.33 each: the missing penny goes to the first of equals.
    assert_eq!(totals(&priced), [966, 967, 967]);
    let priced = given()
        .line("A", 1, 100)
        .line("B", 1, 900)
        .promotion("off", amount_off(55))
        .price();
    // 5.5 and 49.5.
    assert_eq!(totals(&priced), [94, 851]);
}

#[test]
fn an_amount_is_never_more_than_the_lines_meant_cost() {
    let off = Benefit::AmountOff {
        amount: gbp(5000),
        of: skus(&["A"]),
    };
    let priced = given()
        .line("A", 1, 700)
        .line("B", 1, 900)
        .promotion("off", off)
        .price();
    assert_eq!(totals(&priced), [0, 900]);
    assert_eq!(priced.promotions[0].amount, gbp(700));
}

#[test]
fn an_amount_off_each_counts_units_and_stops_at_nothing() {
    let off = Benefit::AmountOffEach {
        amount: gbp(150),
        of: all(),
    };
    let priced = given()
        .line("A", 3, 1000)
        .line("B", 4, 100)
        .promotion("off", off)
        .price();
    assert_eq!(totals(&priced), [2550, 0]);
}

#[test]
fn a_fixed_price_only_ever_lowers() {
    let fixed = |price| Benefit::FixedPrice {
        price: gbp(price),
        of: all(),
    };
    let priced = given()
        .line("A", 3, 1000)
        .line("B", 2, 400)
        .promotion("five", fixed(500))
        .price();
    assert_eq!(totals(&priced), [1500, 800]);
    let priced = given()
        .line("A", 3, 1000)
        .promotion("dear", fixed(1000))
        .price();
    assert_eq!(applied(&priced), [""; 0]);
}

fn buy_get(buy: (LineFilter, i64), get: (LineFilter, i64), at_most: Option<i64>) -> Benefit {
    Benefit::BuyGet {
        buy: buy.0,
        buy_quantity: buy.1,
        get: get.0,
        get_quantity: get.1,
        ppm: 1_000_000,
        at_most,
    }
}

#[test]
fn buy_two_get_one_of_the_same_kind() {
    let offer = || buy_get((all(), 2), (all(), 1), None);
    for (quantity, paid) in [(1, 1), (2, 2), (3, 2), (4, 3), (5, 4), (6, 4), (100, 67)] {
        let priced = given()
            .line("A", quantity, 500)
            .promotion("third", offer())
            .price();
        assert_eq!(totals(&priced), [paid * 500], "{quantity}");
    }
    // The cheapest units are the ones that are got.
    let priced = given()
        .line("A", 2, 900)
        .line("B", 3, 100)
        .line("C", 1, 500)
        .promotion("third", offer())
        .price();
    assert_eq!(totals(&priced), [1800, 100, 500]);
}

#[test]
fn buy_one_kind_get_another() {
    let offer = || buy_get((skus(&["BED"]), 1), (skus(&["LAMP", "RUG"]), 2), None);
    let basket = || {
        given()
            .line("BED", 2, 50_000)
            .line("LAMP", 3, 2_000)
            .line("RUG", 1, 9_000)
    };
    // Two beds: four units are got, all there are.
    let priced = basket().promotion("home", offer()).price();
    assert_eq!(totals(&priced), [100_000, 0, 0]);
    // One bed: the two cheapest.
    let mut one = basket().promotion("home", offer());
    one.lines[0].quantity = 1;
    assert_eq!(totals(&one.price()), [50_000, 2_000, 9_000]);
    // A set is whole or none: for one lamp alone nothing is got.
    let lonely = given().line("BED", 1, 50_000).line("LAMP", 1, 2_000);
    assert_eq!(applied(&lonely.promotion("home", offer()).price()), [""; 0]);
}

#[test]
fn a_unit_counts_once_as_bought_or_as_got() {
    // Any two bought, a tee got: the only tees are needed as bought ones too.
    let offer = || buy_get((all(), 2), (skus(&["TEE"]), 1), None);
    let priced = given()
        .line("TEE", 2, 500)
        .promotion("tee", offer())
        .price();
    assert_eq!(applied(&priced), [""; 0]);
    let priced = given()
        .line("CAP", 1, 100)
        .line("TEE", 2, 500)
        .promotion("tee", offer())
        .price();
    assert_eq!(totals(&priced), [100, 500]);
    // Three caps and three tees: two sets.
    let priced = given()
        .line("CAP", 3, 100)
        .line("TEE", 3, 500)
        .promotion("tee", offer())
        .price();
    assert_eq!(totals(&priced), [300, 500]);
    // Caps may be got too but are cheap: of cap, cap, tee, tee, tee, tee the caps are got.
    let either = buy_get((skus(&["TEE"]), 2), (all(), 1), None);
    let priced = given()
        .line("CAP", 2, 100)
        .line("TEE", 4, 500)
        .promotion("any", either)
        .price();
    assert_eq!(totals(&priced), [0, 2000]);
}

#[test]
fn buy_and_get_may_be_limited_and_by_a_share() {
    let priced = given()
        .line("A", 12, 500)
        .promotion("twice", buy_get((all(), 1), (all(), 1), Some(2)))
        .price();
    assert_eq!(totals(&priced), [5000]);
    let Benefit::BuyGet {
        buy,
        buy_quantity,
        get,
        get_quantity,
        at_most,
        ..
    } = buy_get((all(), 1), (all(), 1), None)
    else {
        unreachable!("it was just made");
    };
    let half = Benefit::BuyGet {
        buy,
        buy_quantity,
        get,
        get_quantity,
        at_most,
        ppm: 500_000,
    };
    let priced = given()
        .line("A", 2, 333)
        .promotion("second-half", half)
        .price();
    // Half of 333 is 166.5.
    assert_eq!(totals(&priced), [666 - 167]);
}

#[test]
fn of_every_three_the_cheapest_is_free() {
    let offer = || Benefit::CheapestFree {
        of_every: 3,
        of: all(),
    };
    let priced = given()
        .line("A", 1, 900)
        .line("B", 1, 500)
        .line("C", 1, 700)
        .promotion("three", offer())
        .price();
    assert_eq!(totals(&priced), [900, 0, 700]);
    // Threes are made from the dearest down, as if they were bought one by one: 9 9 9, 2 2 2.
    let priced = given()
        .line("A", 3, 900)
        .line("B", 3, 200)
        .promotion("three", offer())
        .price();
    assert_eq!(totals(&priced), [1800, 400]);
    let priced = given()
        .line("A", 2, 900)
        .promotion("three", offer())
        .price();
    assert_eq!(applied(&priced), [""; 0]);
    let priced = given()
        .line("A", 1_000_000_000, 1)
        .promotion("three", offer())
        .price();
    assert_eq!(totals(&priced), [1_000_000_000 - 333_333_333]);
}

#[test]
fn the_cheapest_is_the_cheapest_after_earlier_promotions() {
    let third = Benefit::CheapestFree {
        of_every: 2,
        of: all(),
    };
    let half_a = Benefit::PercentOff {
        ppm: 500_000,
        of: skus(&["A"]),
    };
    let priced = given()
        .line("A", 1, 1000)
        .line("B", 1, 800)
        .promotion("half", half_a)
        .promotion("two", third)
        .price();
    assert_eq!(totals(&priced), [0, 800]);
}

#[test]
fn shipping_may_be_free_up_to_a_price() {
    let basket = || given().line("A", 1, 1000).shipping(495);
    let priced = basket().promotion("post", shipping_off(100, None)).price();
    let shipping = priced.shipping.as_ref().expect("shipping");
    assert_eq!((shipping.amount, shipping.total), (gbp(495), gbp(0)));
    assert_eq!(
        (priced.totals.shipping, priced.totals.total),
        (gbp(495), gbp(1000))
    );
    let priced = basket()
        .promotion("post", shipping_off(50, Some(495)))
        .price();
    assert_eq!(priced.totals.total, gbp(1247));
    let priced = basket()
        .promotion("post", shipping_off(100, Some(494)))
        .price();
    assert_eq!(applied(&priced), [""; 0]);
}

#[test]
fn filters_say_which_lines_are_meant() {
    let shirts = LineFilter {
        categories: vec!["clothing/shirts".into()],
        except_skus: vec!["NEW".into()],
        ..LineFilter::default()
    };
    let half = Benefit::PercentOff {
        ppm: 500_000,
        of: shirts,
    };
    let priced = given()
        .line_in("TEE", 1, 1000, &["sale", "clothing/shirts/tees"])
        .line_in("NEW", 1, 1000, &["clothing/shirts"])
        .line_in("SOCK", 1, 1000, &["clothing/socks"])
        .promotion("shirts", half)
        .price();
    assert_eq!(totals(&priced), [500, 1000, 1000]);
}

#[test]
fn amounts_in_another_currency_take_nothing_off() {
    let euros = || Money::new(500, Currency::EUR);
    let benefits = [
        Benefit::AmountOff {
            amount: euros(),
            of: all(),
        },
        Benefit::AmountOffEach {
            amount: euros(),
            of: all(),
        },
        Benefit::FixedPrice {
            price: euros(),
            of: all(),
        },
        Benefit::ShippingOff {
            ppm: 1_000_000,
            up_to: Some(euros()),
        },
    ];
    for benefit in benefits {
        let case = given().line("A", 1, 1000).shipping(100);
        let priced = case
            .promotion_with("euros", benefit.clone(), |p| p.needs_coupon = true)
            .code("EUR", 1)
            .price();
        assert_eq!(priced.totals.total, gbp(1100), "{benefit:?}");
        let currency = Currency::EUR;
        assert_eq!(
            priced.coupons[0].problem,
            Some(CouponProblem::OtherCurrency { currency })
        );
    }
}

#[test]
fn rules_that_pricing_would_refuse_do_no_harm() {
    let odd = [
        Benefit::PercentOff { ppm: -5, of: all() },
        Benefit::AmountOff {
            amount: gbp(-100),
            of: all(),
        },
        Benefit::AmountOffEach {
            amount: gbp(i64::MIN),
            of: all(),
        },
        Benefit::CheapestFree {
            of_every: 0,
            of: all(),
        },
        Benefit::CheapestFree {
            of_every: i64::MIN,
            of: all(),
        },
        buy_get((all(), 0), (all(), -1), Some(-1)),
        buy_get((all(), i64::MAX), (all(), i64::MAX), Some(i64::MAX)),
        Benefit::ShippingOff {
            ppm: i64::MIN,
            up_to: None,
        },
    ];
    for benefit in odd {
        let case = given()
            .line("A", 3, 1000)
            .shipping(100)
            .promotion("odd", benefit.clone());
        assert_eq!(case.price().totals.total, gbp(3100), "{benefit:?}");
    }
    let all_of_it = [
        Benefit::PercentOff {
            ppm: i64::MAX,
            of: all(),
        },
        Benefit::AmountOff {
            amount: gbp(i64::MAX),
            of: all(),
        },
        Benefit::AmountOffEach {
            amount: gbp(i64::MAX),
            of: all(),
        },
        Benefit::FixedPrice {
            price: gbp(i64::MIN),
            of: all(),
        },
    ];
    for benefit in all_of_it {
        let case = given()
            .line("A", 3, 1000)
            .shipping(100)
            .promotion("odd", benefit.clone());
        assert_eq!(case.price().totals.total, gbp(100), "{benefit:?}");
    }
}

#[test]
fn baskets_that_cannot_be_priced_are_refused() {
    let case = |quantity, price| given().line("A", quantity, price).try_price().map(|_| ());
    assert_eq!(case(-1, 100), Err(MoneyError::BadAmount));
    assert_eq!(case(1, -100), Err(MoneyError::BadAmount));
    assert_eq!(case(2, i64::MAX), Err(MoneyError::Overflow));
    assert_eq!(case(1, i64::MAX), Ok(()));
    let two = given().line("A", 1, i64::MAX).line("B", 1, 1);
    assert_eq!(two.try_price().map(|_| ()), Err(MoneyError::Overflow));
    let mut foreign = given().line("A", 1, 1);
    foreign.lines[0].price = Money::new(1, Currency::EUR);
    assert_eq!(
        foreign.try_price().map(|_| ()),
        Err(MoneyError::CurrencyMismatch)
    );
    assert_eq!(
        given().shipping(-1).try_price().map(|_| ()),
        Err(MoneyError::BadAmount)
    );
    let taxed = given().region(&["GB"], false).rate("GB", 200_000).to("GB");
    let taxed = taxed.line("A", 1, i64::MAX - 1);
    assert_eq!(taxed.try_price().map(|_| ()), Err(MoneyError::Overflow));
    let priced = given().price();
    assert_eq!((priced.totals.total, priced.lines.len()), (gbp(0), 0));
}
