//! Commands on the uses of an order: each touches the order's redemption and every counter of what
//! it uses, in one commit.

use std::sync::Arc;

use contracts::{
    orders::OrderId,
    pricing::{
        Campaign, Promotion, PromotionUse, RedemptionMade, RedemptionRefusal, RedemptionRefused,
        RedemptionStatus, UsageSubject, coupon_code,
    },
};
use kernel::{Command, Decider, Money, Rejection, StreamId, Timestamp, UnitOfWork};

use crate::{
    coupon::{Coupons, coupon_stream},
    redemption::{RedemptionCommand, RedemptionState, Redemptions},
    usage::{Bounds, Usage, UsageCommand, usage_stream},
    whole::{Whole, stream},
};

/// What an order uses of each subject: one use each, however often it is named, and the sum of what
/// it takes off.
#[derive(Clone, Debug, Default)]
struct Tally(Vec<(UsageSubject, Money, Bounds)>);

impl Tally {
    /// What the order takes off by this subject already.
    fn so_far(&self, subject: &UsageSubject, currency: kernel::Currency) -> Money {
        let known = self.0.iter().find(|(known, ..)| known == subject);
        known.map_or(Money::zero(currency), |(_, amount, _)| *amount)
    }

    fn set(&mut self, subject: UsageSubject, amount: Money, bounds: Bounds) {
        match self.0.iter_mut().find(|(known, ..)| *known == subject) {
            Some(entry) => *entry = (subject, amount, bounds),
            None => self.0.push((subject, amount, bounds)),
        }
    }
}

/// Of what a use is counted. The buyer is counted whether or not there is a limit per buyer, so
/// that one which is set later holds for what was used before.
fn subjects(used: &PromotionUse, buyer_key: &str) -> Vec<UsageSubject> {
    let promotion = &used.promotion_id;
    let buyer = || UsageSubject::Buyer(promotion.clone(), buyer_key.to_owned());
    let mut subjects = vec![UsageSubject::Promotion(promotion.clone())];
    subjects.extend(used.coupon.clone().map(UsageSubject::Coupon));
    subjects.extend((!buyer_key.is_empty()).then(buyer));
    subjects.extend(used.campaign.clone().map(UsageSubject::Campaign));
    subjects
}

/// An order was placed that uses scarce promotions: count all of it, or record that it is refused
/// and what was in the way.
pub struct ClaimUses {
    /// The order.
    pub order_id: OrderId,
    /// What it uses; amounts of one currency, none negative.
    pub uses: Vec<PromotionUse>,
    /// Who buys, as a keyed hash; empty: not known.
    pub buyer_key: String,
    /// When it was placed.
    pub at: Timestamp,
}

impl Command for ClaimUses {
    type Output = ();

    fn streams(&self) -> Vec<StreamId> {
        let mut streams = vec![redemption_stream(&self.order_id)];
        for used in self.uses.iter().map(normal) {
            streams.push(stream::<Promotion>(used.promotion_id.as_str()));
            streams.extend(used.coupon.as_deref().map(coupon_stream));
            let campaign = used.campaign.as_ref();
            streams.extend(campaign.map(|id| stream::<Campaign>(id.as_str())));
            streams.extend(subjects(&used, &self.buyer_key).iter().map(usage_stream));
        }
        streams
    }

    fn handle(&self, work: &mut UnitOfWork<'_>) -> Result<(), Rejection> {
        let id = self.order_id.as_str();
        if work.state::<Redemptions>(id)?.status.is_some() {
            return Ok(());
        }
        let mut tally = Tally::default();
        let mut counted = Vec::with_capacity(self.uses.len());
        for wanted in self.uses.iter().map(normal) {
            match self.examine(work, &wanted, &mut tally)? {
                Ok(used) => counted.push(used),
                Err(reason) => {
                    let refused = RedemptionCommand::Refuse(RedemptionRefused {
                        order_id: self.order_id.clone(),
                        promotion_id: wanted.promotion_id,
                        coupon: wanted.coupon,
                        reason,
                    });
                    return work.decide::<Redemptions>(id, &refused).map(drop);
                }
            }
        }
        for (subject, amount, bounds) in tally.0 {
            let stream = subject.to_string();
            let count = UsageCommand::Count {
                subject,
                order_id: self.order_id.clone(),
                amount,
                bounds,
            };
            work.decide::<Usage>(&stream, &count)?;
        }
        let made = RedemptionCommand::Make(RedemptionMade {
            order_id: self.order_id.clone(),
            uses: counted,
            buyer_key: self.buyer_key.clone(),
            at: work.now(),
        });
        work.decide::<Redemptions>(id, &made).map(drop)
    }
}

impl ClaimUses {
    /// Whether a use may be counted beside those in `tally`, which it is then added to. The answer
    /// is the use as it is counted, or what is in the way.
    fn examine(
        &self,
        work: &mut UnitOfWork<'_>,
        wanted: &PromotionUse,
        tally: &mut Tally,
    ) -> Result<Result<PromotionUse, RedemptionRefusal>, Rejection> {
        let Some((used, bounds)) = self.in_force(work, wanted)? else {
            return Ok(Err(RedemptionRefusal::NotInForce));
        };
        if self.buyer_key.is_empty() && bounds.buyer.uses.is_some() {
            // Who cannot be counted cannot be kept to a limit.
            return Ok(Err(RedemptionRefusal::BuyerLimit));
        }
        let mut next = Vec::with_capacity(4);
        for subject in subjects(&used, &self.buyer_key) {
            let (bounds, reason) = bounds.of(&subject);
            let so_far = tally.so_far(&subject, used.amount.currency);
            let Ok(amount) = so_far.plus(used.amount) else {
                return Ok(Err(reason));
            };
            let state = work.state::<Usage>(&subject.to_string())?;
            if !state.has_room(&bounds, amount) {
                return Ok(Err(reason));
            }
            next.push((subject, amount, bounds));
        }
        for (subject, amount, bounds) in next {
            tally.set(subject, amount, bounds);
        }
        Ok(Ok(used))
    }

    /// The use as the rules are now, whatever the cart knew of them, and how far each part of it
    /// may be used; `None` if the promotion, its coupon or its campaign's budget is not there for
    /// this order.
    fn in_force(
        &self,
        work: &mut UnitOfWork<'_>,
        wanted: &PromotionUse,
    ) -> Result<Option<(PromotionUse, UseBounds)>, Rejection> {
        let id = wanted.promotion_id.as_str();
        let Some(promotion) = work.state::<Whole<Promotion>>(id)?.clone() else {
            return Ok(None);
        };
        if !holds(&promotion, self.at) || (promotion.needs_coupon && wanted.coupon.is_none()) {
            return Ok(None);
        }
        let mut bounds = UseBounds {
            promotion: uses(promotion.limit),
            buyer: uses(promotion.limit_per_buyer),
            ..UseBounds::default()
        };
        if let Some(code) = &wanted.coupon {
            match work.state::<Coupons>(code)? {
                Some(coupon) if coupon.active && coupon.promotion_id == promotion.id => {
                    bounds.coupon = uses(coupon.limit);
                }
                _ => return Ok(None),
            }
        }
        if let Some(campaign) = &promotion.campaign {
            match work.state::<Whole<Campaign>>(campaign.as_str())? {
                Some(found) if pays(found, wanted.amount) => {
                    bounds.campaign = Bounds {
                        uses: found.uses,
                        spend: found.spend,
                    };
                }
                _ => return Ok(None),
            }
        }
        let used = PromotionUse {
            campaign: promotion.campaign.clone(),
            ..wanted.clone()
        };
        Ok(Some((used, bounds)))
    }
}

/// A use with its code in the one way to write it. What cannot be a code is not passed on: it
/// becomes one that no coupon has.
fn normal(wanted: &PromotionUse) -> PromotionUse {
    let code = |typed: &String| coupon_code(typed).unwrap_or_else(|| "?".to_owned());
    PromotionUse {
        coupon: wanted.coupon.as_ref().map(code),
        ..wanted.clone()
    }
}

/// Whether a promotion is in force now, for an order of the moment `at`.
fn holds(promotion: &Arc<Promotion>, at: Timestamp) -> bool {
    promotion.active
        && promotion.starts_at.is_none_or(|starts| starts <= at)
        && promotion.ends_at.is_none_or(|ends| at < ends)
}

/// A budget pays in its own currency only.
fn pays(campaign: &Campaign, amount: Money) -> bool {
    campaign
        .spend
        .is_none_or(|budget| budget.currency == amount.currency)
}

fn uses(uses: Option<i64>) -> Bounds {
    Bounds { uses, spend: None }
}

/// How far each part of a use may be used.
#[derive(Default)]
struct UseBounds {
    promotion: Bounds,
    coupon: Bounds,
    buyer: Bounds,
    campaign: Bounds,
}

impl UseBounds {
    /// The bounds of a subject, and what it means to reach them.
    fn of(&self, subject: &UsageSubject) -> (Bounds, RedemptionRefusal) {
        match subject {
            UsageSubject::Promotion(_) => (self.promotion, RedemptionRefusal::UsedUp),
            UsageSubject::Coupon(_) => (self.coupon, RedemptionRefusal::CouponUsedUp),
            UsageSubject::Buyer(..) => (self.buyer, RedemptionRefusal::BuyerLimit),
            UsageSubject::Campaign(_) => (self.campaign, RedemptionRefusal::BudgetSpent),
        }
    }
}

fn redemption_stream(order: &OrderId) -> StreamId {
    StreamId::new(Redemptions::CATEGORY, order.as_str())
}

/// The order was given up: what it used may be used by others.
pub struct ReleaseUses {
    /// The order.
    pub order_id: OrderId,
}

impl Command for ReleaseUses {
    type Output = ();

    fn streams(&self) -> Vec<StreamId> {
        vec![redemption_stream(&self.order_id)]
    }

    fn handle(&self, work: &mut UnitOfWork<'_>) -> Result<(), Rejection> {
        let id = self.order_id.as_str();
        let state = work.state::<Redemptions>(id)?.clone();
        if state.status == Some(RedemptionStatus::Made) {
            self.give_back(work, &state)?;
        }
        let release = RedemptionCommand::Release(self.order_id.clone());
        work.decide::<Redemptions>(id, &release).map(drop)
    }
}

impl ReleaseUses {
    fn give_back(
        &self,
        work: &mut UnitOfWork<'_>,
        state: &RedemptionState,
    ) -> Result<(), Rejection> {
        let mut tally = Tally::default();
        for used in state.uses.iter() {
            for subject in subjects(used, &state.buyer_key) {
                let so_far = tally.so_far(&subject, used.amount.currency);
                // What was counted has been summed before.
                let amount = so_far.plus(used.amount).unwrap_or(so_far);
                tally.set(subject, amount, Bounds::default());
            }
        }
        // Every counter is asked for before the first missing one ends the attempt, so that all of
        // them are loaded at once.
        let mut loaded = Ok(());
        for (subject, ..) in &tally.0 {
            let version = work.version::<Usage>(&subject.to_string());
            loaded = loaded.and(version.map(drop));
        }
        loaded?;
        for (subject, amount, _) in tally.0 {
            let stream = subject.to_string();
            let give_back = UsageCommand::GiveBack {
                subject,
                order_id: self.order_id.clone(),
                amount,
            };
            work.decide::<Usage>(&stream, &give_back)?;
        }
        Ok(())
    }
}
