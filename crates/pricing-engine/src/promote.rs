//! Promotions: which ones apply, in which order, and what they take off.
//!
//! They are tried by priority, the highest first, then by id. One that takes nothing off (nothing is
//! meant, nothing is left) does not apply, and so stands in nobody's way. Conditions look at the
//! basket as it is before promotions; amounts are taken of what earlier ones left.

mod benefit;
mod condition;
mod coupon;
mod units;

use std::collections::HashMap;

use contracts::pricing::{
    AppliedPromotion, CouponAnswer, CouponProblem, Promotion, PromotionId, PromotionUse, Stacking,
};
use kernel::Money;

use crate::{basket::Basket, price::Bill, rules::Rules};
use benefit::Cut;

/// What came of the promotions, beside the adjustments.
pub(crate) struct Outcome {
    pub(crate) applied: Vec<AppliedPromotion>,
    pub(crate) uses: Vec<PromotionUse>,
    pub(crate) coupons: Vec<CouponAnswer>,
}

/// Applies all promotions that fit, and says what became of each coupon.
pub(crate) fn promote(rules: &Rules, basket: &Basket<'_>, bill: &mut Bill<'_>) -> Outcome {
    let mut coupons = coupon::read(rules, basket);
    let given: Vec<_> = coupons.iter().filter_map(coupon::Given::usable).collect();
    let mut tried = Tried::default();
    let mut refused: HashMap<&PromotionId, CouponProblem> = HashMap::new();
    for promotion in rules.candidates(given.iter().copied()) {
        let cut = check(rules, basket, bill, &tried, promotion);
        match cut {
            Ok(cut) => tried.apply(promotion, cut, &coupons, bill),
            // Only who gave a code is told why it gives nothing.
            Err(problem) if promotion.needs_coupon => {
                refused.insert(&promotion.id, problem);
            }
            Err(_) => {}
        }
    }
    coupons.iter_mut().for_each(|given| given.refuse(&refused));
    Outcome {
        coupons: coupons.iter().map(coupon::Given::answer).collect(),
        applied: tried.applied,
        uses: tried.uses,
    }
}

/// What a promotion would take off now, or the first thing in its way.
fn check(
    rules: &Rules,
    basket: &Basket<'_>,
    bill: &Bill<'_>,
    tried: &Tried<'_>,
    promotion: &Promotion,
) -> Result<Cut, CouponProblem> {
    condition::in_time(promotion, basket.now)?;
    tried.room_for(promotion)?;
    condition::same_currency(rules, promotion, basket.currency)?;
    for condition in &promotion.conditions {
        condition::holds(condition, basket, bill)?;
    }
    benefit::cut(&promotion.benefit, bill)
}

/// The promotions that applied so far.
#[derive(Default)]
struct Tried<'a> {
    applied: Vec<AppliedPromotion>,
    uses: Vec<PromotionUse>,
    /// The label of an exclusive one.
    exclusive: Option<&'a str>,
    /// The labels of those of which one in a group may apply, by group.
    groups: HashMap<&'a str, &'a str>,
}

impl<'a> Tried<'a> {
    /// Refuses what does not go together with what applied already.
    fn room_for(&self, promotion: &Promotion) -> Result<(), CouponProblem> {
        let in_the_way = match &promotion.stacking {
            _ if self.exclusive.is_some() => self.exclusive,
            Stacking::Stackable => None,
            Stacking::OneOf(group) => self.groups.get(group.as_str()).copied(),
            Stacking::Exclusive => self.applied.first().map(|first| first.label.as_str()),
        };
        match in_the_way {
            Some(label) => Err(CouponProblem::Excluded { by: label.into() }),
            None => Ok(()),
        }
    }

    fn apply(
        &mut self,
        promotion: &'a Promotion,
        cut: Cut,
        coupons: &[coupon::Given<'_>],
        bill: &mut Bill<'_>,
    ) {
        match &promotion.stacking {
            Stacking::Stackable => {}
            Stacking::OneOf(group) => {
                self.groups.insert(group, &promotion.label);
            }
            Stacking::Exclusive => self.exclusive = Some(&promotion.label),
        }
        let amount = Money::new(cut.sum(), bill.currency);
        let code = format!("promotion:{}", promotion.name);
        for (item, amount) in bill.items.iter_mut().zip(&cut.lines) {
            item.charge.take_off(&code, &promotion.label, *amount);
        }
        if let Some(shipping) = &mut bill.shipping {
            shipping.take_off(&code, &promotion.label, cut.shipping);
        }
        let coupon = coupon::code_for(coupons, &promotion.id);
        if promotion.is_scarce() {
            self.uses.push(PromotionUse {
                promotion_id: promotion.id.clone(),
                coupon: coupon.clone(),
                campaign: promotion.campaign.clone(),
                amount,
            });
        }
        self.applied.push(AppliedPromotion {
            promotion_id: promotion.id.clone(),
            name: promotion.name.clone(),
            label: promotion.label.clone(),
            because: because(promotion, coupon.as_deref()),
            coupon,
            amount,
        });
    }
}

/// Why a promotion applied: what it gives, the code, and every condition that holds.
fn because(promotion: &Promotion, coupon: Option<&str>) -> String {
    let mut reasons = vec![benefit::describe(&promotion.benefit)];
    reasons.extend(coupon.map(|code| format!("the code {code} was given")));
    reasons.extend(promotion.conditions.iter().map(condition::describe));
    reasons.join("; ")
}
