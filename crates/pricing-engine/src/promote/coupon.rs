//! The codes a buyer gave: which promotions they open, and what is said about each.

use std::collections::HashMap;

use contracts::pricing::{CouponAnswer, CouponProblem, PromotionId, coupon_code};

use crate::{basket::Basket, rules::Rules};

/// A code with what is known of it so far.
pub(super) struct Given<'a> {
    code: String,
    promotion_id: Option<&'a PromotionId>,
    problem: Option<CouponProblem>,
}

/// The codes of a basket, each once however often and however it was typed, by code.
pub(super) fn read<'a>(rules: &Rules, basket: &'a Basket<'_>) -> Vec<Given<'a>> {
    let entered = basket.coupons.iter();
    let mut coded: Vec<_> = entered
        .map(|given| (coupon_code(&given.code), given))
        .collect();
    // What is no code at all comes first and is answered as it was entered; where the same code was
    // given twice, the one that is known counts.
    coded.sort_by_key(|(code, given)| {
        let as_entered = code.is_none().then_some(given.code.as_str());
        (code.clone(), as_entered, given.coupon.is_none())
    });
    coded.dedup_by(|a, b| a.0 == b.0 && (a.0.is_some() || a.1.code == b.1.code));
    let mut opened: HashMap<&PromotionId, String> = HashMap::new();
    coded
        .into_iter()
        .map(|(code, given)| {
            let coupon = given.coupon.as_ref().filter(|_| code.is_some());
            let code = code.unwrap_or_else(|| given.code.clone());
            let promotion_id = coupon.map(|coupon| &coupon.promotion_id);
            let problem = match (coupon, promotion_id.and_then(|id| rules.promotion(id))) {
                (None, _) => Some(CouponProblem::Unknown),
                (Some(coupon), Some(promotion)) if coupon.active && promotion.active => {
                    let counts = opened.get(&coupon.promotion_id).cloned();
                    match counts {
                        _ if !promotion.needs_coupon => Some(CouponProblem::NotNeeded),
                        Some(counts) => Some(CouponProblem::SamePromotion { counts }),
                        None => {
                            opened.insert(&coupon.promotion_id, code.clone());
                            None
                        }
                    }
                }
                _ => Some(CouponProblem::NotInForce),
            };
            Given {
                code,
                promotion_id,
                problem,
            }
        })
        .collect()
}

/// The code that gives a promotion.
pub(super) fn code_for(coupons: &[Given<'_>], promotion: &PromotionId) -> Option<String> {
    let mut usable = coupons
        .iter()
        .filter(|given| given.usable() == Some(promotion));
    usable.next().map(|given| given.code.clone())
}

impl<'a> Given<'a> {
    /// The promotion to try because of it.
    pub(super) fn usable(&self) -> Option<&'a PromotionId> {
        self.promotion_id.filter(|_| self.problem.is_none())
    }

    /// Notes why its promotion did not apply.
    pub(super) fn refuse(&mut self, refused: &HashMap<&PromotionId, CouponProblem>) {
        if let Some(problem) = self.usable().and_then(|id| refused.get(id)) {
            self.problem = Some(problem.clone());
        }
    }

    pub(super) fn answer(&self) -> CouponAnswer {
        let detail = match &self.problem {
            None => "It was applied.".into(),
            Some(problem) => problem.to_string(),
        };
        CouponAnswer {
            code: self.code.clone(),
            promotion_id: self.promotion_id.cloned(),
            applied: self.problem.is_none(),
            problem: self.problem.clone(),
            detail,
        }
    }
}
