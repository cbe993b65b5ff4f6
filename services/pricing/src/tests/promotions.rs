//! Promotions, campaigns and coupons: what may be made of them, and what not.

use contracts::pricing::{
    Benefit, Condition, CouponChange, CouponEvent, LineFilter, PromotionInput, Stacking,
};
use kernel::{
    Rejection, Timestamp,
    testing::{CountingIds, given},
};

use super::samples::*;
use crate::{
    coupon::{CouponCommand, Coupons, generate, prefix_of},
    promotion::{Members, PutPromotion, RemoveCampaign, RemovePromotion},
    promotion_check::promotion_of,
};

fn refused(change: impl FnOnce(&mut PromotionInput)) -> (String, Option<String>) {
    let mut input = promotion_input();
    change(&mut input);
    let refused: Rejection = promotion_of(id("prm_1"), input).expect_err("it was taken");
    (refused.detail, refused.field)
}

fn all() -> LineFilter {
    LineFilter::default()
}

#[test]
fn a_promotion_that_makes_no_sense_is_refused_by_field() {
    type Change = fn(&mut PromotionInput);
    let cases: &[(&str, Change)] = &[
        ("name", |p| p.name = "Summer Sale".into()),
        ("name", |p| p.name = String::new()),
        ("label", |p| p.label = " ".into()),
        ("label", |p| p.label = "a\u{0}b".into()),
        ("priority", |p| p.priority = 1_001),
        ("limit", |p| p.limit = Some(0)),
        ("limit_per_buyer", |p| p.limit_per_buyer = Some(-1)),
        ("starts_at", |p| p.starts_at = Some(Timestamp(-1))),
        ("ends_at", |p| {
            p.starts_at = Some(Timestamp(10));
            p.ends_at = Some(Timestamp(10));
        }),
        ("stacking.one_of", |p| {
            p.stacking = Stacking::OneOf("A B".into())
        }),
        ("conditions", |p| {
            p.conditions = vec![Condition::FirstOrder {}; 21]
        }),
        ("conditions[0].any_of[1]", |p| {
            let any_of = vec!["GB".into(), "gb".into()];
            p.conditions = vec![Condition::Countries { any_of }];
        }),
        ("conditions[0].any_of", |p| {
            p.conditions = vec![Condition::Groups { any_of: vec![] }];
        }),
        ("conditions[0].at_least", |p| {
            let (at_least, of) = (0, LineFilter::default());
            p.conditions = vec![Condition::Quantity { at_least, of }];
        }),
    ];
    for (field, change) in cases {
        let (detail, named) = refused(change);
        assert_eq!(named.as_deref(), Some(*field), "{detail}");
    }
}

#[test]
fn a_benefit_that_gives_more_than_there_is_or_nothing_is_refused() {
    let cases = [
        (
            "benefit.ppm",
            Benefit::PercentOff {
                ppm: 1_000_001,
                of: all(),
            },
        ),
        ("benefit.ppm", Benefit::PercentOff { ppm: 0, of: all() }),
        (
            "benefit.ppm",
            Benefit::ShippingOff {
                ppm: 2_000_000,
                up_to: None,
            },
        ),
        (
            "benefit.amount.amount",
            Benefit::AmountOff {
                amount: gbp(-5),
                of: all(),
            },
        ),
        (
            "benefit.amount.amount",
            Benefit::AmountOffEach {
                amount: gbp(0),
                of: all(),
            },
        ),
        (
            "benefit.price.amount",
            Benefit::FixedPrice {
                price: gbp(-1),
                of: all(),
            },
        ),
        (
            "benefit.of_every",
            Benefit::CheapestFree {
                of_every: 1,
                of: all(),
            },
        ),
        (
            "benefit.get_quantity",
            Benefit::BuyGet {
                buy: all(),
                buy_quantity: 1,
                get: all(),
                get_quantity: 0,
                ppm: 1_000_000,
                at_most: None,
            },
        ),
        (
            "benefit.of.skus",
            Benefit::PercentOff {
                ppm: 1,
                of: LineFilter {
                    skus: vec!["A".into(); 501],
                    ..all()
                },
            },
        ),
    ];
    for (field, benefit) in cases {
        let (detail, named) = refused(|p| p.benefit = benefit);
        assert_eq!(named.as_deref(), Some(field), "{detail}");
    }
}

#[test]
fn all_amounts_of_a_promotion_are_of_one_currency() {
    let (detail, field) = refused(|p| {
        p.benefit = Benefit::AmountOff {
            amount: money(500, "EUR"),
            of: all(),
        };
        p.conditions = vec![
            Condition::FirstOrder {},
            Condition::Subtotal {
                at_least: gbp(5_000),
                of: all(),
            },
        ];
    });
    assert_eq!(field.as_deref(), Some("conditions[1].at_least.currency"));
    assert_eq!(detail, "must be EUR, as in benefit.amount");
}

#[test]
fn a_promotion_draws_on_a_campaign_that_is_there_and_in_its_currency() {
    let mut world = world();
    let mut sale = promotion("prm_1");
    sale.campaign = Some(id("cmp_1"));
    let unknown = put(&mut world, sale.clone()).unwrap_err();
    assert_eq!(
        (unknown.code, unknown.field.as_deref()),
        ("unknown-campaign", Some("campaign"))
    );
    let mut summer = campaign("cmp_1");
    summer.spend = Some(gbp(10_000));
    put_campaign(&mut world, summer.clone()).unwrap();
    sale.benefit = Benefit::AmountOff {
        amount: money(500, "EUR"),
        of: all(),
    };
    let foreign = put(&mut world, sale.clone()).unwrap_err();
    assert_eq!(
        (foreign.code, foreign.field.as_deref()),
        ("foreign-currency", Some("benefit.amount.currency"))
    );
    sale.benefit = Benefit::AmountOff {
        amount: gbp(500),
        of: all(),
    };
    assert_eq!(
        put(&mut world, sale).unwrap(),
        [
            "pricing.campaign_member.joined.v1",
            "pricing.promotion.set.v1"
        ]
    );
    summer.spend = Some(money(10_000, "EUR"));
    let foreign = put_campaign(&mut world, summer).unwrap_err();
    assert_eq!(
        (foreign.code, foreign.field.as_deref()),
        ("foreign-currency", Some("spend.currency"))
    );
}

#[test]
fn a_campaign_goes_when_no_promotion_draws_on_it() {
    let mut world = world();
    put_campaign(&mut world, campaign("cmp_1")).unwrap();
    put_campaign(&mut world, campaign("cmp_2")).unwrap();
    let mut sale = promotion("prm_1");
    sale.campaign = Some(id("cmp_1"));
    put(&mut world, sale.clone()).unwrap();
    let remove = || RemoveCampaign(id("cmp_1"));
    let in_use = world.run(&remove()).map(drop).unwrap_err();
    assert_eq!(in_use.code, "campaign-in-use");
    assert!(in_use.detail.contains("prm_1"), "{}", in_use.detail);
    sale.campaign = Some(id("cmp_2"));
    put(&mut world, sale).unwrap();
    world.run(&remove()).unwrap();
    assert_eq!(
        world.run(&remove()).map(drop).unwrap_err().code,
        "not-found"
    );
    world.run(&RemovePromotion(id("prm_1"))).unwrap();
    assert!(world.state::<Members>("cmp_2").0.is_empty());
    world.run(&RemoveCampaign(id("cmp_2"))).unwrap();
}

#[test]
fn the_same_again_is_nothing_and_what_is_not_there_cannot_be_changed() {
    let mut world = world();
    assert_eq!(put(&mut world, promotion("prm_1")).unwrap().len(), 1);
    assert!(put(&mut world, promotion("prm_1")).unwrap().is_empty());
    let change = PutPromotion {
        promotion: promotion("prm_2"),
        new: false,
    };
    assert_eq!(world.run(&change).map(drop).unwrap_err().code, "not-found");
}

#[test]
fn a_code_belongs_to_one_promotion_for_ever() {
    let mut world = world();
    let mut sale = promotion("prm_1");
    assert_eq!(
        coupon(&mut world, "prm_1", "A", None).unwrap_err().code,
        "not-found"
    );
    put(&mut world, sale.clone()).unwrap();
    assert_eq!(
        coupon(&mut world, "prm_1", "A", None).unwrap_err().code,
        "no-coupon-needed"
    );
    sale.needs_coupon = true;
    put(&mut world, sale).unwrap();
    coupon(&mut world, "prm_1", "A", Some(3)).unwrap();
    let taken = coupon(&mut world, "prm_1", "A", None).unwrap_err();
    assert_eq!(
        (taken.code, taken.field.as_deref()),
        ("coupon-taken", Some("code"))
    );
    assert_eq!(coupon_state(&world, "A").unwrap().limit, Some(3));
}

#[test]
fn a_coupon_is_changed_under_its_own_promotion_only() {
    let made = CouponEvent::Set(contracts::pricing::CouponSet {
        coupon: contracts::pricing::Coupon {
            code: "A".into(),
            promotion_id: id("prm_1"),
            limit: Some(1),
            active: true,
        },
    });
    let mut coupon = given::<Coupons>([made]);
    let change = |promotion: &str| {
        let (limit, active) = (Some(5), true);
        CouponCommand::Change(id(promotion), CouponChange { limit, active })
    };
    assert_eq!(coupon.when(change("prm_2")).unwrap_err().code, "not-found");
    assert_eq!(coupon.when(change("prm_1")).unwrap().len(), 1);
    assert_eq!(coupon.when(change("prm_1")).unwrap().len(), 0);
    let off = || CouponCommand::Deactivate(id("prm_1"));
    assert_eq!(coupon.when(off()).unwrap().len(), 1);
    assert_eq!(coupon.when(off()).unwrap().len(), 0);
    let state = coupon.state.unwrap();
    assert_eq!((state.limit, state.active), (Some(5), false));
}

#[test]
fn generated_codes_are_codes() {
    let ids = CountingIds::default();
    let prefix = prefix_of(Some(" summer ")).unwrap();
    for code in generate(5, &prefix, &ids).unwrap() {
        assert_eq!(contracts::pricing::coupon_code(&code), Some(code.clone()));
        assert_eq!(code.len(), "SUMMER-0000-0000-0000".len(), "{code}");
    }
    for count in [0, -1, 1_001] {
        let refused = generate(count, "", &ids).unwrap_err();
        assert_eq!(refused.field.as_deref(), Some("count"));
    }
    for bad in ["", "a b", &"x".repeat(33)] {
        assert!(prefix_of(Some(bad)).is_err(), "{bad}");
    }
    assert_eq!(prefix_of(None).unwrap(), "");
}
