//! What an option costs for the items of a cart. Pure arithmetic over the plan.

use std::{collections::BTreeMap, sync::Arc};

use contracts::{
    catalog::ProductId,
    shipping::{
        Destination, PriceRule, PriceStep, ShippingOption, ShippingProfile, ShippingProfileId,
    },
};
use kernel::{Currency, Money};

use crate::{place::covers, plan::Plan};

/// Units of a SKU that are shipped, as the service's copy of the catalogue knows it.
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    /// Which SKU.
    pub sku: String,
    /// Of which product.
    pub product_id: ProductId,
    /// The product's categories, by path.
    pub categories: Vec<String>,
    /// How many, positive.
    pub quantity: i64,
    /// The catalogue's price of one in the cart's currency, minor units, if it has one.
    pub price: Option<i64>,
    /// Weight of one in grams, if known.
    pub grams: Option<i64>,
    /// Length, width and height of one in millimetres, if known.
    pub size_mm: Option<[i64; 3]>,
}

/// Every active option that fits, with its price: by position, price, then age.
pub fn offers(
    plan: &Plan,
    items: &[Item],
    currency: Currency,
    destination: &Destination,
) -> Vec<(Arc<ShippingOption>, Money)> {
    let by_profile = by_profile(plan, items);
    let mut offers: Vec<_> = plan
        .options()
        .filter(|option| option.active && goes_to(plan, option, destination))
        .filter_map(|option| Some((option.clone(), price(option, &by_profile, currency)?)))
        .map(|(option, amount)| (option, Money::new(amount, currency)))
        .collect();
    offers.sort_by(|(a, x), (b, y)| {
        (a.position, x.amount, &a.id).cmp(&(b.position, y.amount, &b.id))
    });
    offers
}

fn goes_to(plan: &Plan, option: &ShippingOption, destination: &Destination) -> bool {
    match &option.zone_id {
        None => true,
        Some(zone) => plan
            .zone(zone)
            .is_some_and(|zone| covers(zone, destination)),
    }
}

type ByProfile<'a> = BTreeMap<ShippingProfileId, Vec<&'a Item>>;

fn by_profile<'a>(plan: &Plan, items: &'a [Item]) -> ByProfile<'a> {
    let profiles: Vec<&ShippingProfile> = plan.profiles().collect();
    let mut by = ByProfile::new();
    for item in items {
        by.entry(profile_of(&profiles, item))
            .or_default()
            .push(item);
    }
    by
}

/// The profile an item belongs to; see [`ShippingProfile`].
pub fn profile_of(profiles: &[&ShippingProfile], item: &Item) -> ShippingProfileId {
    let by_sku = || profiles.iter().find(|p| p.skus.contains(&item.sku));
    let by_product = || {
        profiles
            .iter()
            .find(|p| p.products.contains(&item.product_id))
    };
    let by_category = || {
        let fit = |p: &&ShippingProfile| {
            let named = p.categories.iter().filter(|path| is_below(item, path));
            named.map(String::len).max()
        };
        let fits = profiles.iter().filter_map(|p| Some((fit(p)?, p)));
        // The longest path counts; of equals the first, which is the oldest.
        fits.reduce(|best, next| if next.0 > best.0 { next } else { best })
            .map(|(_, p)| p)
    };
    let found = by_sku().or_else(by_product).or_else(by_category);
    found.map_or_else(ShippingProfileId::general, |p| p.id.clone())
}

fn is_below(item: &Item, path: &str) -> bool {
    item.categories.iter().any(|category| {
        let rest = category.strip_prefix(path);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    })
}

/// The option's price for these items: the sum over their profiles. `None` when it has no rate for
/// one of them, or a rate does not go so far.
fn price(option: &ShippingOption, items: &ByProfile<'_>, currency: Currency) -> Option<i64> {
    let mut sum = 0i64;
    for (profile, items) in items {
        let rate = option
            .rates
            .iter()
            .find(|rate| rate.profile_id == *profile && rate.currency == currency)?;
        sum = sum.saturating_add(amount(&rate.price, items)?);
    }
    match is_free(option, items, currency) {
        true => Some(0),
        false => Some(sum),
    }
}

fn is_free(option: &ShippingOption, items: &ByProfile<'_>, currency: Currency) -> bool {
    let over = option.free_over.iter().find(|m| m.currency == currency);
    let all = items.values().flatten().copied().collect::<Vec<_>>();
    over.is_some_and(|over| subtotal(&all).is_some_and(|sum| sum >= over.amount))
}

fn amount(rule: &PriceRule, items: &[&Item]) -> Option<i64> {
    match rule {
        PriceRule::Flat { amount } => Some(*amount),
        PriceRule::Weight {
            steps,
            up_to,
            divisor,
            unknown_grams,
        } => {
            let mut grams = 0i64;
            for item in items {
                let one = chargeable_grams(item, *divisor, *unknown_grams)?;
                grams = grams.saturating_add(one.saturating_mul(item.quantity));
            }
            look_up(steps, *up_to, grams)
        }
        PriceRule::Price { steps, up_to } => look_up(steps, *up_to, subtotal(items)?),
        PriceRule::Quantity { steps, up_to } => {
            let units = items.iter().map(|item| item.quantity);
            look_up(steps, *up_to, units.fold(0, i64::saturating_add))
        }
    }
}

/// What one unit counts for: the larger of its weight and its dimensional weight.
fn chargeable_grams(item: &Item, divisor: Option<i64>, unknown: Option<i64>) -> Option<i64> {
    let by_size = divisor.zip(item.size_mm).map(|(divisor, size)| {
        let volume = size
            .iter()
            .fold(1i64, |volume, mm| volume.saturating_mul(*mm));
        let divisor = divisor.max(1);
        volume / divisor + i64::from(volume % divisor > 0)
    });
    let by_weight = item.grams.or(unknown)?;
    Some(by_size.map_or(by_weight, |size| size.max(by_weight)))
}

/// At the catalogue's prices; `None` when one of them has none in the currency.
fn subtotal(items: &[&Item]) -> Option<i64> {
    items.iter().try_fold(0i64, |sum, item| {
        Some(sum.saturating_add(item.price?.saturating_mul(item.quantity)))
    })
}

/// The price of the last step that begins at or below `value`.
pub fn look_up(steps: &[PriceStep], up_to: Option<i64>, value: i64) -> Option<i64> {
    if up_to.is_some_and(|up_to| value > up_to) {
        return None;
    }
    let behind = steps.partition_point(|step| step.from <= value);
    let step = steps.get(behind.checked_sub(1)?)?;
    Some(step.amount)
}

#[cfg(test)]
#[path = "rates_tests.rs"]
mod tests;
