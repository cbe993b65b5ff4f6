//! Whatever orders come and go: no limit is passed, and when all are gone all counts are nought.

use std::collections::BTreeMap;

use contracts::pricing::{PromotionUse, RedemptionStatus};
use kernel::{Timestamp, testing::World};
use proptest::prelude::*;

use super::samples::*;
use crate::{
    redeem::{ClaimUses, ReleaseUses},
    redemption::Redemptions,
    usage::{Usage, UsageState},
};

const PROMOTIONS: [&str; 3] = ["prm_1", "prm_2", "prm_3"];
const BUYERS: [&str; 3] = ["", "ann", "bob"];

/// How far things may be used.
#[derive(Clone, Debug)]
struct Limits {
    promotion: Option<i64>,
    buyer: Option<i64>,
    coupon: Option<i64>,
    campaign: Option<i64>,
    spend: Option<i64>,
}

#[derive(Clone, Debug)]
enum Step {
    Claim {
        order: usize,
        buyer: usize,
        uses: Vec<(usize, i64)>,
    },
    Release {
        order: usize,
    },
}

fn limits() -> impl Strategy<Value = Limits> {
    let limit = || proptest::option::of(1i64..5);
    (
        limit(),
        limit(),
        limit(),
        limit(),
        proptest::option::of(1i64..300),
    )
        .prop_map(|(promotion, buyer, coupon, campaign, spend)| Limits {
            promotion,
            buyer,
            coupon,
            campaign,
            spend,
        })
}

fn step() -> impl Strategy<Value = Step> {
    let uses = proptest::collection::vec((0..PROMOTIONS.len(), 0i64..100), 1..4);
    prop_oneof![
        3 => (0usize..20, 0..BUYERS.len(), uses).prop_map(|(order, buyer, uses)| Step::Claim { order, buyer, uses }),
        1 => (0usize..20).prop_map(|order| Step::Release { order }),
    ]
}

/// The first promotion goes by coupon; the first two share a campaign.
fn shop(limits: &Limits) -> World {
    let mut world = world();
    let mut summer = campaign("cmp_1");
    (summer.uses, summer.spend) = (limits.campaign, limits.spend.map(gbp));
    put_campaign(&mut world, summer).unwrap();
    for (i, name) in PROMOTIONS.into_iter().enumerate() {
        let mut sale = promotion(name);
        sale.needs_coupon = i == 0;
        (sale.limit, sale.limit_per_buyer) = (limits.promotion, limits.buyer);
        sale.campaign = (i < 2).then(|| id("cmp_1"));
        put(&mut world, sale).unwrap();
    }
    coupon(&mut world, "prm_1", "CODE", limits.coupon).unwrap();
    world
}

fn order(number: usize) -> String {
    format!("ord_{number}")
}

fn run(world: &mut World, step: &Step) {
    match step {
        Step::Claim {
            order: number,
            buyer,
            uses,
        } => {
            let uses = uses.iter().map(|(promotion, amount)| {
                a_use(
                    PROMOTIONS[*promotion],
                    (*promotion == 0).then_some("code"),
                    *amount,
                )
            });
            let claim = ClaimUses {
                order_id: id(&order(*number)),
                uses: uses.collect(),
                buyer_key: BUYERS[*buyer].into(),
                at: Timestamp(1),
            };
            world.run(&claim).expect("a claim is never rejected");
        }
        Step::Release { order: number } => {
            let release = ReleaseUses {
                order_id: id(&order(*number)),
            };
            world.run(&release).expect("a release is never rejected");
        }
    }
}

/// What the counters must stand at: counted anew from the redemptions that are made.
fn expected(world: &World) -> BTreeMap<String, (i64, i64)> {
    let mut expected: BTreeMap<String, (i64, i64)> = BTreeMap::new();
    for number in 0..20 {
        let made = world.state::<Redemptions>(&order(number));
        if made.status != Some(RedemptionStatus::Made) {
            continue;
        }
        let mut of_order: BTreeMap<String, i64> = BTreeMap::new();
        for used in made.uses.iter() {
            for subject in subjects(used, &made.buyer_key) {
                *of_order.entry(subject).or_default() += used.amount.amount;
            }
        }
        for (subject, amount) in of_order {
            let entry = expected.entry(subject).or_default();
            *entry = (entry.0 + 1, entry.1 + amount);
        }
    }
    expected
}

fn subjects(used: &PromotionUse, buyer: &str) -> Vec<String> {
    let promotion = &used.promotion_id;
    let mut subjects = vec![format!("promotion:{promotion}")];
    subjects.extend(used.coupon.as_ref().map(|code| format!("coupon:{code}")));
    subjects.extend(used.campaign.as_ref().map(|id| format!("campaign:{id}")));
    if !buyer.is_empty() {
        subjects.push(format!("buyer:{promotion}:{buyer}"));
    }
    subjects
}

fn all_subjects() -> Vec<String> {
    let mut all = vec!["coupon:CODE".to_owned(), "campaign:cmp_1".to_owned()];
    for promotion in PROMOTIONS {
        all.push(format!("promotion:{promotion}"));
        all.extend(BUYERS.map(|buyer| format!("buyer:{promotion}:{buyer}")));
    }
    all
}

fn within(limits: &Limits, subject: &str, state: &UsageState) -> bool {
    let uses = match subject.split(':').next() {
        Some("promotion") => limits.promotion,
        Some("buyer") => limits.buyer,
        Some("coupon") => limits.coupon,
        _ => limits.campaign,
    };
    let spend = limits.spend.filter(|_| subject.starts_with("campaign"));
    let spent: i64 = state.spent.iter().map(|sum| sum.amount).sum();
    uses.is_none_or(|most| state.uses <= most) && spend.is_none_or(|most| spent <= most)
}

proptest! {
    #[test]
    fn no_limit_is_ever_passed_and_counts_return_to_nought(
        limits in limits(),
        steps in proptest::collection::vec(step(), 1..60),
    ) {
        let mut world = shop(&limits);
        for step in &steps {
            run(&mut world, step);
            let expected = expected(&world);
            for subject in all_subjects() {
                let state = world.state::<Usage>(&subject);
                prop_assert!(within(&limits, &subject, &state), "{}: {:?}", subject, state);
                let spent: i64 = state.spent.iter().map(|sum| sum.amount).sum();
                let wanted = expected.get(&subject).copied().unwrap_or_default();
                prop_assert_eq!((state.uses, spent), wanted, "{}", subject);
            }
        }
        for number in 0..20 {
            run(&mut world, &Step::Release { order: number });
        }
        for subject in all_subjects() {
            prop_assert_eq!(world.state::<Usage>(&subject), UsageState::default());
        }
    }
}
