//! What must hold for a promotion to apply.

use contracts::pricing::{Benefit, Condition, CouponProblem, LineFilter, Promotion};
use kernel::{Currency, Money, Timestamp};

use crate::{
    basket::Basket,
    filter::meant,
    price::{Bill, Item},
    rules::{Rules, country_code, in_force},
};

/// Whether the promotion is in force now.
pub(super) fn in_time(promotion: &Promotion, now: Timestamp) -> Result<(), CouponProblem> {
    match (promotion.starts_at, promotion.ends_at) {
        _ if !promotion.active => Err(CouponProblem::NotInForce),
        (starts_at, ends_at) if in_force(starts_at, ends_at, now) => Ok(()),
        (Some(starts_at), _) if now < starts_at => Err(CouponProblem::NotYet { starts_at }),
        (_, Some(ended_at)) => Err(CouponProblem::Over { ended_at }),
        _ => Err(CouponProblem::NotInForce),
    }
}

/// Whether what the promotion gives, and the budget it draws on, are in the basket's currency.
pub(super) fn same_currency(
    rules: &Rules,
    promotion: &Promotion,
    currency: Currency,
) -> Result<(), CouponProblem> {
    let given = match &promotion.benefit {
        Benefit::AmountOff { amount, .. } | Benefit::AmountOffEach { amount, .. } => Some(amount),
        Benefit::FixedPrice { price, .. } => Some(price),
        Benefit::ShippingOff { up_to, .. } => up_to.as_ref(),
        Benefit::PercentOff { .. } | Benefit::BuyGet { .. } | Benefit::CheapestFree { .. } => None,
    };
    let campaign = promotion
        .campaign
        .as_ref()
        .and_then(|id| rules.campaign(id));
    let budget = campaign.and_then(|campaign| campaign.spend.as_ref());
    let other = |money: &&Money| money.currency != currency;
    match given.into_iter().chain(budget).find(other) {
        Some(money) => Err(CouponProblem::OtherCurrency {
            currency: money.currency,
        }),
        None => Ok(()),
    }
}

/// Whether a condition holds. What is not known (where the goods go, who buys) does not hold.
pub(super) fn holds(
    condition: &Condition,
    basket: &Basket<'_>,
    bill: &Bill<'_>,
) -> Result<(), CouponProblem> {
    let problem = match condition {
        Condition::Subtotal { at_least, of } => return subtotal(*at_least, of, bill),
        Condition::Quantity { at_least, of } => return quantity(*at_least, of, bill),
        Condition::Groups { any_of } => {
            let found = basket.groups.iter().any(|group| any_of.contains(group));
            (!found).then_some(CouponProblem::OtherCustomers)
        }
        Condition::Channels { any_of } => {
            let found = any_of.iter().any(|code| code == basket.channel);
            (!found).then_some(CouponProblem::OtherChannel)
        }
        Condition::Countries { any_of } => country(any_of, basket),
        Condition::FirstOrder {} => match basket.first_order {
            Some(true) => None,
            Some(false) => Some(CouponProblem::NotFirstOrder),
            None => Some(CouponProblem::BuyerUnknown),
        },
    };
    problem.map_or(Ok(()), Err)
}

fn subtotal(at_least: Money, of: &LineFilter, bill: &Bill<'_>) -> Result<(), CouponProblem> {
    if at_least.currency != bill.currency {
        return Err(CouponProblem::OtherCurrency {
            currency: at_least.currency,
        });
    }
    let sum = items(of, bill).map(|item| item.charge.full.amount).sum();
    let now = Money::new(sum, bill.currency);
    match now.amount >= at_least.amount {
        true => Ok(()),
        false => Err(CouponProblem::SubtotalTooLow { at_least, now }),
    }
}

fn quantity(at_least: i64, of: &LineFilter, bill: &Bill<'_>) -> Result<(), CouponProblem> {
    let units = items(of, bill).map(|item| item.line.quantity);
    let now = units.fold(0, i64::saturating_add);
    match now >= at_least {
        true => Ok(()),
        false => Err(CouponProblem::TooFewUnits { at_least, now }),
    }
}

fn country(any_of: &[String], basket: &Basket<'_>) -> Option<CouponProblem> {
    let country = basket.destination.map(|to| country_code(to.country));
    match country.filter(|code| !code.is_empty()) {
        None => Some(CouponProblem::CountryUnknown),
        Some(code) if any_of.iter().any(|one| country_code(one) == code) => None,
        Some(_) => Some(CouponProblem::OtherCountry),
    }
}

fn items<'b>(of: &'b LineFilter, bill: &'b Bill<'b>) -> impl Iterator<Item = &'b Item<'b>> {
    bill.items.iter().filter(|item| meant(of, item.line))
}

/// A condition that holds, in words for shoppers.
pub(super) fn describe(condition: &Condition) -> String {
    match condition {
        Condition::Subtotal { at_least, .. } => format!("the goods come to at least {at_least}"),
        Condition::Quantity { at_least, .. } => format!("there are at least {at_least} of them"),
        Condition::Groups { .. } => "it is for this customer group".into(),
        Condition::Channels { .. } => "it is for this channel".into(),
        Condition::Countries { .. } => "the goods go to this country".into(),
        Condition::FirstOrder {} => "it is a first order".into(),
    }
}
