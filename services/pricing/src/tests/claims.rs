//! Uses of scarce promotions: all that an order uses is counted, or nothing is.

use contracts::pricing::{PromotionUse, RedemptionRefusal, RedemptionStatus};
use kernel::{
    Timestamp,
    testing::{World, kinds},
};

use super::samples::*;
use crate::{
    coupon::{CouponCommand, Coupons},
    redeem::{ClaimUses, ReleaseUses},
    redemption::Redemptions,
    usage::{Usage, UsageState},
};

/// When the orders here are placed.
const AT: Timestamp = Timestamp(1_000);

fn claim_by(
    world: &mut World,
    order: &str,
    buyer: &str,
    uses: Vec<PromotionUse>,
) -> Vec<&'static str> {
    let claim = ClaimUses {
        order_id: id(order),
        uses,
        buyer_key: buyer.into(),
        at: AT,
    };
    let (_, work) = world.run(&claim).expect("a claim is never rejected");
    kinds(&work)
}

/// Claims and says what was in the way, if anything was.
fn claim(world: &mut World, order: &str, uses: Vec<PromotionUse>) -> Option<RedemptionRefusal> {
    claim_by(world, order, "buyer", uses);
    world.state::<Redemptions>(order).reason
}

fn release(world: &mut World, order: &str) -> Vec<&'static str> {
    let release = ReleaseUses {
        order_id: id(order),
    };
    let (_, work) = world.run(&release).expect("a release is never rejected");
    kinds(&work)
}

fn usage(world: &World, subject: &str) -> UsageState {
    world.state::<Usage>(subject)
}

/// A promotion with a coupon `CODE`.
fn with_coupon(limit: Option<i64>) -> World {
    let mut world = world();
    let mut sale = promotion("prm_1");
    sale.needs_coupon = true;
    put(&mut world, sale).unwrap();
    coupon(&mut world, "prm_1", "CODE", limit).unwrap();
    world
}

#[test]
fn a_use_is_counted_of_everything_it_is_of_and_given_back() {
    let mut world = with_coupon(None);
    put_campaign(&mut world, campaign("cmp_1")).unwrap();
    let mut sale = promotion("prm_1");
    (sale.needs_coupon, sale.campaign) = (true, Some(id("cmp_1")));
    put(&mut world, sale).unwrap();
    let wanted = vec![a_use("prm_1", Some("code"), 250)];
    let events = claim_by(&mut world, "ord_1", "b", wanted.clone());
    let counted = "pricing.usage.counted.v1";
    assert_eq!(
        events,
        [
            counted,
            counted,
            counted,
            counted,
            "pricing.redemption.made.v1"
        ]
    );
    let subjects = [
        "promotion:prm_1",
        "coupon:CODE",
        "buyer:prm_1:b",
        "campaign:cmp_1",
    ];
    for subject in subjects {
        let usage = usage(&world, subject);
        assert_eq!((usage.uses, usage.spent), (1, vec![gbp(250)]), "{subject}");
    }
    let made = world.state::<Redemptions>("ord_1");
    assert_eq!(made.uses[0].coupon.as_deref(), Some("CODE"));
    assert_eq!(
        made.uses[0].campaign,
        Some(id("cmp_1")),
        "as the rules are now"
    );

    assert!(
        claim_by(&mut world, "ord_1", "b", wanted).is_empty(),
        "heard again"
    );
    assert_eq!(release(&mut world, "ord_1").len(), 5);
    assert!(release(&mut world, "ord_1").is_empty(), "heard again");
    for subject in subjects {
        assert_eq!(usage(&world, subject), UsageState::default(), "{subject}");
    }
    let status = world.state::<Redemptions>("ord_1").status;
    assert_eq!(status, Some(RedemptionStatus::Released));
}

#[test]
fn a_coupon_with_one_use_left_is_used_once() {
    let mut world = with_coupon(Some(1));
    let wanted = || vec![a_use("prm_1", Some("CODE"), 1)];
    assert_eq!(claim(&mut world, "ord_1", wanted()), None);
    let second = claim(&mut world, "ord_2", wanted());
    assert_eq!(second, Some(RedemptionRefusal::CouponUsedUp));
    release(&mut world, "ord_1");
    assert_eq!(claim(&mut world, "ord_3", wanted()), None);
    assert!(release(&mut world, "ord_2").is_empty(), "it took nothing");
    assert_eq!(usage(&world, "coupon:CODE").uses, 1);
}

#[test]
fn limits_in_total_and_per_buyer_hold() {
    let mut world = world();
    let mut sale = promotion("prm_1");
    (sale.limit, sale.limit_per_buyer) = (Some(2), Some(1));
    put(&mut world, sale.clone()).unwrap();
    let wanted = || vec![a_use("prm_1", None, 1)];
    let reason = |world: &World, order: &str| world.state::<Redemptions>(order).reason;
    claim_by(&mut world, "ord_1", "ann", wanted());
    claim_by(&mut world, "ord_2", "ann", wanted());
    assert_eq!(reason(&world, "ord_2"), Some(RedemptionRefusal::BuyerLimit));
    claim_by(&mut world, "ord_3", "", wanted());
    assert_eq!(
        reason(&world, "ord_3"),
        Some(RedemptionRefusal::BuyerLimit),
        "who is not known cannot be counted"
    );
    claim_by(&mut world, "ord_4", "bob", wanted());
    assert_eq!(reason(&world, "ord_4"), None);
    claim_by(&mut world, "ord_5", "cid", wanted());
    assert_eq!(reason(&world, "ord_5"), Some(RedemptionRefusal::UsedUp));
    // A limit that is set later holds for what was used before it.
    sale.limit = None;
    sale.limit_per_buyer = None;
    put(&mut world, sale.clone()).unwrap();
    claim_by(&mut world, "ord_6", "ann", wanted());
    sale.limit_per_buyer = Some(2);
    put(&mut world, sale).unwrap();
    claim_by(&mut world, "ord_7", "ann", wanted());
    assert_eq!(reason(&world, "ord_7"), Some(RedemptionRefusal::BuyerLimit));
}

#[test]
fn a_campaigns_budget_is_spent_and_not_more() {
    let mut world = world();
    let mut summer = campaign("cmp_1");
    (summer.uses, summer.spend) = (Some(3), Some(gbp(1_000)));
    put_campaign(&mut world, summer).unwrap();
    for name in ["prm_1", "prm_2"] {
        let mut sale = promotion(name);
        sale.campaign = Some(id("cmp_1"));
        put(&mut world, sale).unwrap();
    }
    let both = |one, two| vec![a_use("prm_1", None, one), a_use("prm_2", None, two)];
    let spent = Some(RedemptionRefusal::BudgetSpent);
    assert_eq!(claim(&mut world, "ord_1", both(600, 401)), spent);
    assert_eq!(
        usage(&world, "promotion:prm_1").uses,
        0,
        "none of it was counted"
    );
    assert_eq!(claim(&mut world, "ord_2", both(500, 400)), None);
    let of_campaign = usage(&world, "campaign:cmp_1");
    assert_eq!((of_campaign.uses, of_campaign.spent), (1, vec![gbp(900)]));
    assert_eq!(claim(&mut world, "ord_3", both(50, 51)), spent);
    assert_eq!(claim(&mut world, "ord_4", both(50, 50)), None);
    assert_eq!(claim(&mut world, "ord_5", both(0, 0)), None);
    assert_eq!(
        claim(&mut world, "ord_6", both(0, 0)),
        spent,
        "three orders"
    );
    release(&mut world, "ord_2");
    assert_eq!(claim(&mut world, "ord_7", both(900, 0)), None);
    let mut euros = both(0, 0);
    euros[0].amount = money(1, "EUR");
    let foreign = claim(&mut world, "ord_8", euros);
    assert_eq!(foreign, Some(RedemptionRefusal::NotInForce));
}

#[test]
fn what_is_not_in_force_is_refused() {
    let not_in_force = Some(RedemptionRefusal::NotInForce);
    let mut world = with_coupon(None);
    let by = |code: Option<&str>| vec![a_use("prm_1", code, 1)];
    for (order, wanted) in [
        ("ord_1", vec![a_use("prm_9", None, 1)]),
        ("ord_2", by(None)),
        ("ord_3", by(Some("OTHER"))),
        ("ord_4", by(Some("not a\u{0}code"))),
    ] {
        assert_eq!(claim(&mut world, order, wanted), not_in_force, "{order}");
    }
    let mut other = promotion("prm_2");
    other.needs_coupon = true;
    put(&mut world, other).unwrap();
    let borrowed = vec![a_use("prm_2", Some("CODE"), 1)];
    assert_eq!(claim(&mut world, "ord_5", borrowed), not_in_force);

    let periods = [
        (None, Some(AT), true, false),
        (Some(Timestamp(AT.0 + 1)), None, true, false),
        (Some(AT), Some(Timestamp(AT.0 + 1)), true, true),
        (None, None, false, false),
    ];
    for (i, (starts_at, ends_at, active, fine)) in periods.into_iter().enumerate() {
        let mut sale = promotion("prm_1");
        (sale.starts_at, sale.ends_at, sale.active) = (starts_at, ends_at, active);
        sale.needs_coupon = true;
        put(&mut world, sale).unwrap();
        let outcome = claim(&mut world, &format!("ord_1{i}"), by(Some("CODE")));
        assert_eq!(outcome.is_none(), fine, "{i}");
    }
    let mut sale = promotion("prm_1");
    sale.needs_coupon = true;
    put(&mut world, sale).unwrap();
    let off = CouponCommand::Deactivate(id("prm_1"));
    world
        .run(&kernel::Decide::<Coupons>::new("CODE", off))
        .unwrap();
    assert_eq!(claim(&mut world, "ord_20", by(Some("CODE"))), not_in_force);
}

#[test]
fn the_first_thing_in_the_way_is_named_and_nothing_is_counted() {
    let mut world = with_coupon(Some(1));
    put(&mut world, promotion("prm_2")).unwrap();
    let both = || vec![a_use("prm_2", None, 5), a_use("prm_1", Some("code"), 5)];
    assert_eq!(claim(&mut world, "ord_1", both()), None);
    let events = claim_by(&mut world, "ord_2", "buyer", both());
    assert_eq!(events, ["pricing.redemption.refused.v1"]);
    assert_eq!(usage(&world, "promotion:prm_2").uses, 1);
}

#[test]
fn an_order_uses_a_promotion_once_however_often_it_names_it() {
    let mut world = world();
    let mut sale = promotion("prm_1");
    sale.limit = Some(1);
    put(&mut world, sale).unwrap();
    let twice = vec![a_use("prm_1", None, 5), a_use("prm_1", None, 7)];
    assert_eq!(claim(&mut world, "ord_1", twice), None);
    let usage_now = usage(&world, "promotion:prm_1");
    assert_eq!((usage_now.uses, usage_now.spent), (1, vec![gbp(12)]));
    release(&mut world, "ord_1");
    assert_eq!(usage(&world, "promotion:prm_1"), UsageState::default());
}

#[test]
fn a_cancelled_order_that_used_nothing_writes_nothing() {
    let mut world = world();
    assert!(release(&mut world, "ord_1").is_empty());
}
