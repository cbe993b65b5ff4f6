//! Segment rules: what may be one, and whom it fits. Pure: the present moment is one of the facts.

use contracts::{
    address::is_country,
    customers::{Combine, Condition, SegmentRule, Statistics},
};
use kernel::{Rejection, Timestamp};

const DAY: i64 = 24 * 60 * 60;
const MOST_CONDITIONS: usize = 20;
const MOST_DAYS: i64 = 36_500;

/// What rules look at.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// What was bought.
    pub statistics: Statistics,
    /// ISO 3166-1 alpha-2, when one is known.
    pub country: Option<String>,
    /// When the account was opened, once that is known.
    pub registered_at: Option<Timestamp>,
    /// The present.
    pub now: Timestamp,
}

/// Whether the rule fits.
pub fn fits(rule: &SegmentRule, facts: &Facts) -> bool {
    let mut holding = rule.conditions.iter().map(|one| holds(one, facts));
    match rule.combine {
        Combine::All => holding.all(|holds| holds),
        Combine::Any => holding.any(|holds| holds),
    }
}

fn holds(condition: &Condition, facts: &Facts) -> bool {
    let since = |days: i64| facts.now.plus_seconds(days.saturating_mul(-DAY));
    let last = facts.statistics.last_order_at();
    match condition {
        Condition::SpentAtLeast { amount } => {
            let mut sums = facts.statistics.currencies.iter();
            let sum = sums.find(|one| one.spent.currency == amount.currency);
            sum.map_or(0, |one| one.spent.amount) >= amount.amount
        }
        Condition::OrdersAtLeast { count } => facts.statistics.orders() >= *count,
        Condition::LastOrderBefore { days } => last.is_some_and(|at| at < since(*days)),
        Condition::LastOrderWithin { days } => last.is_some_and(|at| at >= since(*days)),
        Condition::Country { countries } => facts
            .country
            .as_ref()
            .is_some_and(|country| countries.contains(country)),
        Condition::RegisteredSince { at } => {
            facts.registered_at.is_some_and(|opened| opened >= *at)
        }
        Condition::RegisteredWithin { days } => facts
            .registered_at
            .is_some_and(|opened| opened >= since(*days)),
    }
}

/// Whether time alone may change whom the rule fits.
pub fn is_timed(rule: &SegmentRule) -> bool {
    rule.conditions.iter().any(Condition::is_timed)
}

/// Refuses a rule that says nothing, too much, or nonsense.
pub fn check(rule: &SegmentRule) -> Result<(), Rejection> {
    let count = rule.conditions.len();
    if count == 0 || count > MOST_CONDITIONS {
        let detail = format!("must have 1 to {MOST_CONDITIONS} conditions");
        return Err(Rejection::invalid("rule.conditions", detail));
    }
    for (i, condition) in rule.conditions.iter().enumerate() {
        let wrong = |field: &str, detail: &str| {
            Rejection::invalid(format!("rule.conditions[{i}].{field}"), detail)
        };
        match condition {
            Condition::SpentAtLeast { amount } if amount.amount < 1 => {
                return Err(wrong("amount", "must be more than nothing"));
            }
            Condition::OrdersAtLeast { count } if !(1..=1_000_000).contains(count) => {
                return Err(wrong("count", "must be 1 to 1,000,000"));
            }
            Condition::LastOrderBefore { days }
            | Condition::LastOrderWithin { days }
            | Condition::RegisteredWithin { days }
                if !(1..=MOST_DAYS).contains(days) =>
            {
                return Err(wrong("days", "must be 1 to 36,500"));
            }
            Condition::Country { countries } => {
                let good = (1..=249).contains(&countries.len());
                if !good || !countries.iter().all(|country| is_country(country)) {
                    let detail = "must be 1 to 249 countries of ISO 3166-1, such as GB";
                    return Err(wrong("countries", detail));
                }
            }
            _ => {}
        }
    }
    Ok(())
}
