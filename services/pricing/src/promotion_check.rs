//! What a promotion may be, by itself: limits of its fields, and one currency for all its amounts.

use contracts::pricing::{
    Benefit, Condition, LineFilter, Promotion, PromotionId, PromotionInput, Stacking,
};
use kernel::{Money, Rejection};

use crate::check;

/// Most entries of a list of SKUs, products or categories.
const MAX_FILTER: usize = 500;
/// Most units that a benefit counts.
const MAX_UNITS: i64 = 1_000_000;

/// A promotion as a caller wants it.
pub fn promotion_of(id: PromotionId, input: PromotionInput) -> Result<Promotion, Rejection> {
    check::code("name", &input.name, 60)?;
    check::text("label", &input.label, 100)?;
    benefit(&input.benefit)?;
    check::count("conditions", input.conditions.len(), 0, 20)?;
    for (i, one) in input.conditions.iter().enumerate() {
        condition(&format!("conditions[{i}]"), one)?;
    }
    check::priority(input.priority)?;
    if let Stacking::OneOf(group) = &input.stacking {
        check::code("stacking.one_of", group, 60)?;
    }
    check::period(input.starts_at, input.ends_at)?;
    check::limit("limit", input.limit)?;
    check::limit("limit_per_buyer", input.limit_per_buyer)?;
    let promotion = Promotion {
        id,
        name: input.name,
        label: input.label,
        benefit: input.benefit,
        conditions: input.conditions,
        needs_coupon: input.needs_coupon,
        priority: input.priority,
        stacking: input.stacking,
        starts_at: input.starts_at,
        ends_at: input.ends_at,
        limit: input.limit,
        limit_per_buyer: input.limit_per_buyer,
        campaign: input.campaign,
        active: input.active,
    };
    one_currency(&promotion)?;
    Ok(promotion)
}

/// Every amount of money in a promotion, with its field.
fn amounts(promotion: &Promotion) -> Vec<(String, Money)> {
    let of_benefit = match &promotion.benefit {
        Benefit::AmountOff { amount, .. } | Benefit::AmountOffEach { amount, .. } => {
            Some(("benefit.amount".to_owned(), *amount))
        }
        Benefit::FixedPrice { price, .. } => Some(("benefit.price".to_owned(), *price)),
        Benefit::ShippingOff { up_to, .. } => up_to.map(|money| ("benefit.up_to".into(), money)),
        Benefit::PercentOff { .. } | Benefit::BuyGet { .. } | Benefit::CheapestFree { .. } => None,
    };
    let conditions = promotion.conditions.iter().enumerate();
    let of_conditions = conditions.filter_map(|(i, condition)| match condition {
        Condition::Subtotal { at_least, .. } => {
            Some((format!("conditions[{i}].at_least"), *at_least))
        }
        _ => None,
    });
    of_benefit.into_iter().chain(of_conditions).collect()
}

/// Amounts in two currencies could never hold together.
fn one_currency(promotion: &Promotion) -> Result<(), Rejection> {
    let amounts = amounts(promotion);
    let Some((first, money)) = amounts.first() else {
        return Ok(());
    };
    match amounts.iter().find(|(_, m)| m.currency != money.currency) {
        None => Ok(()),
        Some((field, _)) => Err(Rejection::invalid(
            format!("{field}.currency"),
            format!("must be {}, as in {first}", money.currency),
        )),
    }
}

/// Refuses a promotion whose amounts are in another currency than its campaign's budget.
pub fn fits_budget(promotion: &Promotion, budget: Option<Money>) -> Result<(), Rejection> {
    let Some(budget) = budget else {
        return Ok(());
    };
    let amounts = amounts(promotion);
    match amounts.iter().find(|(_, m)| m.currency != budget.currency) {
        None => Ok(()),
        Some((field, _)) => Err(Rejection::unprocessable(
            "foreign-currency",
            format!("the campaign's budget is in {}", budget.currency),
        )
        .field(format!("{field}.currency"))),
    }
}

fn benefit(benefit: &Benefit) -> Result<(), Rejection> {
    match benefit {
        Benefit::PercentOff { ppm, of } => {
            check::share("benefit.ppm", *ppm)?;
            filter("benefit.of", of)
        }
        Benefit::AmountOff { amount, of } | Benefit::AmountOffEach { amount, of } => {
            check::amount("benefit.amount", *amount, 1)?;
            filter("benefit.of", of)
        }
        Benefit::FixedPrice { price, of } => {
            check::amount("benefit.price", *price, 0)?;
            filter("benefit.of", of)
        }
        Benefit::BuyGet {
            buy,
            buy_quantity,
            get,
            get_quantity,
            ppm,
            at_most,
        } => {
            filter("benefit.buy", buy)?;
            check::number("benefit.buy_quantity", *buy_quantity, 1, MAX_UNITS)?;
            filter("benefit.get", get)?;
            check::number("benefit.get_quantity", *get_quantity, 1, MAX_UNITS)?;
            check::share("benefit.ppm", *ppm)?;
            at_most.map_or(Ok(()), |times| {
                check::number("benefit.at_most", times, 1, MAX_UNITS)
            })
        }
        Benefit::CheapestFree { of_every, of } => {
            check::number("benefit.of_every", *of_every, 2, MAX_UNITS)?;
            filter("benefit.of", of)
        }
        Benefit::ShippingOff { ppm, up_to } => {
            check::share("benefit.ppm", *ppm)?;
            up_to.map_or(Ok(()), |money| check::amount("benefit.up_to", money, 1))
        }
    }
}

fn condition(field: &str, condition: &Condition) -> Result<(), Rejection> {
    let of = format!("{field}.of");
    let at_least_field = format!("{field}.at_least");
    let any_of = format!("{field}.any_of");
    match condition {
        Condition::Subtotal {
            at_least,
            of: lines,
        } => {
            check::amount(&at_least_field, *at_least, 1)?;
            filter(&of, lines)
        }
        Condition::Quantity {
            at_least,
            of: lines,
        } => {
            check::number(&at_least_field, *at_least, 1, MAX_UNITS)?;
            filter(&of, lines)
        }
        Condition::Groups { any_of: codes } | Condition::Channels { any_of: codes } => {
            check::count(&any_of, codes.len(), 1, 50)?;
            check::codes(&any_of, codes)
        }
        Condition::Countries { any_of: countries } => check::countries(&any_of, countries),
        Condition::FirstOrder {} => Ok(()),
    }
}

fn filter(field: &str, filter: &LineFilter) -> Result<(), Rejection> {
    let lists = [
        ("skus", &filter.skus),
        ("products", &filter.products),
        ("categories", &filter.categories),
        ("except_skus", &filter.except_skus),
    ];
    for (name, list) in lists {
        let field = format!("{field}.{name}");
        check::count(&field, list.len(), 0, MAX_FILTER)?;
        for (i, entry) in list.iter().enumerate() {
            check::text(&format!("{field}[{i}]"), entry, 500)?;
        }
    }
    Ok(())
}
