//! Limits on what callers send, said in terms of the field.

use std::collections::BTreeSet;

use contracts::{
    pricing::STANDARD_CLASS,
    shipping::{
        Package, PriceRule, PriceStep, ShippingOption, ShippingOptionId, ShippingOptionInput,
        ShippingProfile, ShippingProfileId, ShippingProfileInput, ShippingRate, ShippingZone,
        ShippingZoneId, ShippingZoneInput, ZonePlace,
    },
};
use kernel::Rejection;

use crate::place::pattern_problem;

/// Largest amount, in minor units; also the largest weight (grams) and quantity of a table.
const MAX_VALUE: i64 = 1_000_000_000_000;
/// Heaviest parcel, grams.
const MAX_GRAMS: i64 = 10_000_000;
/// Longest edge of a parcel, millimetres.
const MAX_MM: i64 = 100_000;

fn bad(field: impl Into<String>, detail: impl Into<String>) -> Rejection {
    Rejection::invalid(field, detail)
}

/// 1 to `limit` characters, none of them a control character.
pub fn text(field: &str, text: &str, limit: usize) -> Result<(), Rejection> {
    let good = !text.trim().is_empty()
        && text.chars().count() <= limit
        && !text.contains(char::is_control);
    match good {
        true => Ok(()),
        false => Err(bad(
            field,
            format!("must be 1 to {limit} visible characters"),
        )),
    }
}

/// `least` to `most` entries.
pub fn count(field: &str, count: usize, least: usize, most: usize) -> Result<(), Rejection> {
    match (least..=most).contains(&count) {
        true => Ok(()),
        false => Err(bad(field, format!("must have {least} to {most} entries"))),
    }
}

/// ISO 3166-1 alpha-2: two capital letters.
pub fn country(field: &str, country: &str) -> Result<(), Rejection> {
    match country.len() == 2 && country.bytes().all(|b| b.is_ascii_uppercase()) {
        true => Ok(()),
        false => Err(bad(
            field,
            "must be two capital letters (ISO 3166-1), as in GB",
        )),
    }
}

/// A number within limits.
pub fn range(field: &str, value: i64, least: i64, most: i64) -> Result<(), Rejection> {
    match (least..=most).contains(&value) {
        true => Ok(()),
        false => Err(bad(field, format!("must be {least} to {most}"))),
    }
}

/// A zone as it was sent.
pub fn zone(id: ShippingZoneId, input: ShippingZoneInput) -> Result<ShippingZone, Rejection> {
    text("name", &input.name, 100)?;
    count("places", input.places.len(), 1, 500)?;
    for (
        i,
        ZonePlace {
            country: code,
            provinces,
            postcodes,
        },
    ) in input.places.iter().enumerate()
    {
        country(&format!("places[{i}].country"), code)?;
        count(&format!("places[{i}].provinces"), provinces.len(), 0, 100)?;
        count(&format!("places[{i}].postcodes"), postcodes.len(), 0, 1_000)?;
        for (j, province) in provinces.iter().enumerate() {
            text(&format!("places[{i}].provinces[{j}]"), province, 100)?;
        }
        for (j, pattern) in postcodes.iter().enumerate() {
            if let Some(detail) = pattern_problem(pattern) {
                return Err(bad(format!("places[{i}].postcodes[{j}]"), detail));
            }
        }
    }
    Ok(ShippingZone {
        id,
        name: input.name,
        places: input.places,
    })
}

/// A profile as it was sent.
pub fn profile(
    id: ShippingProfileId,
    input: ShippingProfileInput,
) -> Result<ShippingProfile, Rejection> {
    text("name", &input.name, 100)?;
    count("skus", input.skus.len(), 0, 5_000)?;
    count("products", input.products.len(), 0, 5_000)?;
    count("categories", input.categories.len(), 0, 500)?;
    for (i, sku) in input.skus.iter().enumerate() {
        text(&format!("skus[{i}]"), sku, 128)?;
    }
    for (i, path) in input.categories.iter().enumerate() {
        text(&format!("categories[{i}]"), path, 500)?;
    }
    Ok(ShippingProfile {
        id,
        name: input.name,
        skus: input.skus,
        products: input.products,
        categories: input.categories,
    })
}

/// An option as it was sent.
pub fn option(
    id: ShippingOptionId,
    input: ShippingOptionInput,
) -> Result<ShippingOption, Rejection> {
    text("label", &input.label, 100)?;
    if input.zone_id.is_none() && input.collect_from.is_none() {
        return Err(bad("zone_id", "is needed, except for what is collected"));
    }
    rates(&input.rates)?;
    free_over(&input)?;
    days(&input)?;
    let tax_class = input.tax_class.unwrap_or_else(|| STANDARD_CLASS.to_owned());
    let word = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    if !(1..=40).contains(&tax_class.len()) || !tax_class.bytes().all(word) {
        let detail = "must be 1 to 40 lower-case letters, digits and dashes";
        return Err(bad("tax_class", detail));
    }
    range("position", input.position, -1_000, 1_000)?;
    Ok(ShippingOption {
        id,
        zone_id: input.zone_id,
        label: input.label,
        rates: input.rates,
        free_over: input.free_over,
        collect_from: input.collect_from,
        min_days: input.min_days,
        max_days: input.max_days,
        tax_class,
        position: input.position,
        active: input.active,
    })
}

fn rates(rates: &[ShippingRate]) -> Result<(), Rejection> {
    count("rates", rates.len(), 1, 100)?;
    let mut seen = BTreeSet::new();
    for (i, rate) in rates.iter().enumerate() {
        if !seen.insert((&rate.profile_id, rate.currency)) {
            let detail = "there is a rate for this profile and currency above";
            return Err(bad(format!("rates[{i}]"), detail));
        }
        rule(&format!("rates[{i}].price"), &rate.price)?;
    }
    Ok(())
}

fn rule(field: &str, rule: &PriceRule) -> Result<(), Rejection> {
    let (steps, up_to) = match rule {
        PriceRule::Flat { amount } => {
            return range(&format!("{field}.amount"), *amount, 0, MAX_VALUE);
        }
        PriceRule::Weight {
            steps,
            up_to,
            divisor,
            unknown_grams,
        } => {
            range(
                &format!("{field}.divisor"),
                divisor.unwrap_or(1),
                1,
                1_000_000,
            )?;
            let unknown = format!("{field}.unknown_grams");
            range(&unknown, unknown_grams.unwrap_or(0), 0, MAX_GRAMS)?;
            (steps, up_to)
        }
        PriceRule::Price { steps, up_to } | PriceRule::Quantity { steps, up_to } => (steps, up_to),
    };
    table(&format!("{field}.steps"), steps)?;
    let first = steps.first().map_or(0, |step| step.from);
    range(
        &format!("{field}.up_to"),
        up_to.unwrap_or(first),
        first,
        MAX_VALUE,
    )
}

fn table(field: &str, steps: &[PriceStep]) -> Result<(), Rejection> {
    count(field, steps.len(), 1, 200)?;
    for (i, step) in steps.iter().enumerate() {
        range(&format!("{field}[{i}].from"), step.from, 0, MAX_VALUE)?;
        range(&format!("{field}[{i}].amount"), step.amount, 0, MAX_VALUE)?;
        if i > 0 && steps[i - 1].from >= step.from {
            let detail = "must be above the step before it";
            return Err(bad(format!("{field}[{i}].from"), detail));
        }
    }
    Ok(())
}

fn free_over(input: &ShippingOptionInput) -> Result<(), Rejection> {
    count("free_over", input.free_over.len(), 0, 50)?;
    let mut seen = BTreeSet::new();
    for (i, over) in input.free_over.iter().enumerate() {
        range(&format!("free_over[{i}].amount"), over.amount, 0, MAX_VALUE)?;
        if !seen.insert(over.currency) {
            let detail = "there is an amount in this currency above";
            return Err(bad(format!("free_over[{i}]"), detail));
        }
    }
    Ok(())
}

fn days(input: &ShippingOptionInput) -> Result<(), Rejection> {
    let least = input.min_days.unwrap_or(0);
    range("min_days", least, 0, 365)?;
    range("max_days", input.max_days.unwrap_or(least), least, 365)
}

/// Parcels as they were sent.
pub fn packages(packages: &[Package]) -> Result<(), Rejection> {
    count("packages", packages.len(), 1, 50)?;
    for (i, package) in packages.iter().enumerate() {
        let field = format!("packages[{i}]");
        range(
            &format!("{field}.weight_grams"),
            package.weight_grams,
            1,
            MAX_GRAMS,
        )?;
        for (j, mm) in package.size_mm.iter().flatten().enumerate() {
            range(&format!("{field}.size_mm[{j}]"), *mm, 1, MAX_MM)?;
        }
    }
    Ok(())
}
