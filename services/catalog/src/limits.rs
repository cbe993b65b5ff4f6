//! The bounds of a product: how much of everything, and what fits together. Checked by the
//! product's decider, so that nothing outside them is ever stored, whoever asks.

use std::collections::{BTreeMap, HashSet};

use contracts::catalog::{
    AttributeValue, Media, Product, ProductOption, ProductStatus, Variant, is_handle,
};
use kernel::{Money, Rejection};

/// Most bytes of a description as it is sent; escaping may make it longer.
pub const MAX_DESCRIPTION: usize = 65_536;
/// Most categories of a product.
pub const MAX_CATEGORIES: usize = 20;
/// Most variants of a product.
pub const MAX_VARIANTS: usize = 2_000;
/// `/api/catalog/products/bulk` is not a product.
const RESERVED: &str = "bulk";
const MAX_TITLE: usize = 255;
const MAX_TAGS: usize = 250;
const MAX_ATTRIBUTES: usize = 100;
const MAX_OPTIONS: usize = 6;
const MAX_MEDIA: usize = 250;
const MAX_CURRENCIES: usize = 50;
const MAX_SKU: usize = 128;
/// A thousand million in a currency of two digits.
const MAX_AMOUNT: i64 = 100_000_000_000;
const MAX_GRAMS: i64 = 100_000_000;
/// Longest side of a packed variant, millimetres.
pub const MAX_SIDE_MM: i64 = 100_000;

/// Refuses a product that is out of bounds, naming the field.
pub fn check(product: &Product) -> Result<(), Rejection> {
    if !is_handle(&product.handle) {
        return Err(Rejection::invalid(
            "handle",
            "must be lower case letters, digits and single dashes, 1 to 200 of them",
        ));
    }
    if product.handle == RESERVED {
        return Err(Rejection::invalid(
            "handle",
            "this one is an address of the API",
        ));
    }
    text("title", &product.title, 1, MAX_TITLE)?;
    text("vendor", &product.vendor, 0, MAX_TITLE)?;
    text("product_type", &product.product_type, 0, MAX_TITLE)?;
    if let Some(class) = &product.tax_class {
        tax_class(class)?;
    }
    if product.description.len() > 6 * MAX_DESCRIPTION {
        return Err(Rejection::invalid("description", "is too long"));
    }
    count("categories", product.categories.len(), 0, MAX_CATEGORIES)?;
    count("tags", product.tags.len(), 0, MAX_TAGS)?;
    for (i, tag) in product.tags.iter().enumerate() {
        text("tags", tag, 1, MAX_TITLE).map_err(|r| r.field(format!("tags[{i}]")))?;
    }
    attributes(&product.attributes)?;
    count("media", product.media.len(), 0, MAX_MEDIA)?;
    for (i, one) in product.media.iter().enumerate() {
        media(one).map_err(|r| under(format!("media[{i}]"), r))?;
    }
    options(&product.options)?;
    variants(product)
}

/// The rejection of a part, with the field as seen from the whole. Paths are put together only
/// when something is refused: a product may have thousands of parts.
fn under(whole: impl Into<String>, rejection: Rejection) -> Rejection {
    let whole = whole.into();
    let field = match &rejection.field {
        Some(part) if part.starts_with('[') => format!("{whole}{part}"),
        Some(part) => format!("{whole}.{part}"),
        None => whole,
    };
    rejection.field(field)
}

/// A text of `least` to `most` characters without controls.
fn text(field: &str, value: &str, least: usize, most: usize) -> Result<(), Rejection> {
    let length = value.chars().count();
    if length < least || length > most {
        return Err(Rejection::invalid(
            field,
            format!("must be {least} to {most} characters long"),
        ));
    }
    match value.chars().any(char::is_control) {
        true => Err(Rejection::invalid(field, "holds control characters")),
        false => Ok(()),
    }
}

fn count(field: &str, there: usize, least: usize, most: usize) -> Result<(), Rejection> {
    match (least..=most).contains(&there) {
        true => Ok(()),
        false => Err(Rejection::invalid(
            field,
            format!("must be {least} to {most} of them, not {there}"),
        )),
    }
}

fn attributes(attributes: &BTreeMap<String, AttributeValue>) -> Result<(), Rejection> {
    count("attributes", attributes.len(), 0, MAX_ATTRIBUTES)?;
    for (name, value) in attributes {
        text("attributes", name, 1, 64)?;
        let field = format!("attributes.{name}");
        match value {
            AttributeValue::Text(value) => long_text(&field, value)?,
            AttributeValue::Decimal(value) if !is_decimal(value) => {
                return Err(Rejection::invalid(
                    field,
                    "must be a decimal number such as 1.25",
                ));
            }
            AttributeValue::List(values) => {
                count(&field, values.len(), 0, 100)?;
                for value in values {
                    long_text(&field, value)?;
                }
            }
            AttributeValue::Decimal(_)
            | AttributeValue::Integer(_)
            | AttributeValue::Boolean(_) => {}
        }
    }
    Ok(())
}

/// A text that may have several lines.
fn long_text(field: &str, value: &str) -> Result<(), Rejection> {
    let odd = |c: char| c.is_control() && c != '\n' && c != '\t';
    match value.chars().count() <= 4_096 && !value.chars().any(odd) {
        true => Ok(()),
        false => Err(Rejection::invalid(
            field,
            "must be at most 4,096 characters without controls",
        )),
    }
}

fn is_decimal(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    let number =
        |part: &str| (1..=18).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
    number(whole) && number(fraction)
}

/// An absolute http(s) address or a path of this shop, and nothing that could be anything else.
fn media(media: &Media) -> Result<(), Rejection> {
    text("alt", &media.alt, 0, 1_000)?;
    let url = media.url.as_str();
    let here = url.starts_with('/') && !url.starts_with("//");
    let there = ["https://", "http://"].iter().any(|scheme| {
        url.strip_prefix(scheme)
            .is_some_and(|host| !host.is_empty())
    });
    let odd = |c: char| c.is_control() || c.is_whitespace() || matches!(c, '"' | '<' | '>' | '\\');
    match (here || there) && url.len() <= 2_048 && !url.chars().any(odd) {
        true => Ok(()),
        false => Err(Rejection::invalid(
            "url",
            "must be an http(s) address or a path beginning with `/`, at most 2,048 characters, without spaces",
        )),
    }
}

fn options(options: &[ProductOption]) -> Result<(), Rejection> {
    count("options", options.len(), 0, MAX_OPTIONS)?;
    let mut names = HashSet::new();
    for (i, option) in options.iter().enumerate() {
        let field = format!("options[{i}]");
        text(&format!("{field}.name"), &option.name, 1, MAX_TITLE)?;
        if !names.insert(option.name.as_str()) {
            return Err(Rejection::invalid(
                format!("{field}.name"),
                "another option has this name",
            ));
        }
        let values = format!("{field}.values");
        count(&values, option.values.len(), 1, MAX_VARIANTS)?;
        let mut seen = HashSet::new();
        for value in &option.values {
            text(&values, value, 1, MAX_TITLE)?;
            if !seen.insert(value.as_str()) {
                return Err(Rejection::invalid(
                    values,
                    format!("`{value}` is there twice"),
                ));
            }
        }
    }
    Ok(())
}

fn variants(product: &Product) -> Result<(), Rejection> {
    count("variants", product.variants.len(), 1, MAX_VARIANTS)?;
    let values: Vec<HashSet<&str>> = product
        .options
        .iter()
        .map(|option| option.values.iter().map(String::as_str).collect())
        .collect();
    let (mut skus, mut choices) = (HashSet::new(), HashSet::new());
    for (i, one) in product.variants.iter().enumerate() {
        let checked = variant(one).and_then(|()| {
            if product.status == ProductStatus::Published && one.prices.is_empty() {
                let detail = "a published product needs a price for each variant";
                return Err(Rejection::invalid("prices", detail));
            }
            if !choices.insert(choice(product, &values, one)?) {
                let detail = "another variant has the same options";
                return Err(Rejection::invalid("options", detail));
            }
            if !skus.insert(one.sku.as_str()) {
                let detail = format!("another variant of this product has the SKU `{}`", one.sku);
                return Err(Rejection::invalid("sku", detail));
            }
            Ok(())
        });
        checked.map_err(|r| under(format!("variants[{i}]"), r))?;
    }
    Ok(())
}

fn variant(variant: &Variant) -> Result<(), Rejection> {
    text("sku", &variant.sku, 1, MAX_SKU)?;
    if variant.sku.trim() != variant.sku {
        return Err(Rejection::invalid(
            "sku",
            "must not begin or end with a space",
        ));
    }
    text("title", &variant.title, 0, 6 * MAX_TITLE)?;
    prices(&variant.prices).map_err(|r| under("prices", r))?;
    prices(&variant.compare_at).map_err(|r| under("compare_at", r))?;
    if let Some(size) = variant.size_mm
        && !size.iter().all(|side| (1..=MAX_SIDE_MM).contains(side))
    {
        let detail = format!("must be three lengths of 1 to {MAX_SIDE_MM} millimetres");
        return Err(Rejection::invalid("size_mm", detail));
    }
    if let Some(barcode) = &variant.barcode {
        text("barcode", barcode, 1, 64)?;
    }
    if let Some(picture) = &variant.media {
        media(picture).map_err(|r| under("media", r))?;
    }
    match variant.weight_grams {
        Some(grams) if !(0..=MAX_GRAMS).contains(&grams) => Err(Rejection::invalid(
            "weight_grams",
            format!("must be 0 to {MAX_GRAMS}"),
        )),
        _ => Ok(()),
    }
}

fn tax_class(class: &str) -> Result<(), Rejection> {
    let fine = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    match (1..=40).contains(&class.len()) && class.bytes().all(fine) {
        true => Ok(()),
        false => Err(Rejection::invalid(
            "tax_class",
            "must be 1 to 40 lower-case letters, digits and dashes, such as reduced",
        )),
    }
}

fn prices(prices: &[Money]) -> Result<(), Rejection> {
    if prices.len() > MAX_CURRENCIES {
        let detail = format!("must be at most {MAX_CURRENCIES} of them");
        return Err(Rejection::new(
            kernel::RejectionKind::Invalid,
            "invalid",
            detail,
        ));
    }
    for (i, price) in prices.iter().enumerate() {
        if !(0..=MAX_AMOUNT).contains(&price.amount) {
            let detail = format!("must be 0 to {MAX_AMOUNT} minor units");
            return Err(Rejection::invalid(format!("[{i}].amount"), detail));
        }
        if prices[..i].iter().any(|p| p.currency == price.currency) {
            let detail = format!("there is a price in {} already", price.currency);
            return Err(Rejection::invalid(format!("[{i}].currency"), detail));
        }
    }
    Ok(())
}

/// The variant's values in the order of the product's options: exactly one of each.
fn choice<'a>(
    product: &'a Product,
    values: &[HashSet<&str>],
    variant: &'a Variant,
) -> Result<Vec<&'a str>, Rejection> {
    if variant.options.len() > product.options.len() {
        return Err(Rejection::invalid(
            "options",
            "has an option the product does not have",
        ));
    }
    let mut choice = Vec::with_capacity(product.options.len());
    for (option, allowed) in product.options.iter().zip(values) {
        let (name, value) = (&option.name, variant.options.get(&option.name));
        let value = value
            .ok_or_else(|| Rejection::invalid("options", format!("needs a value for `{name}`")))?;
        if !allowed.contains(value.as_str()) {
            let detail = format!("`{value}` is not one of the values of `{name}`");
            return Err(Rejection::invalid("options", detail));
        }
        choice.push(value.as_str());
    }
    Ok(choice)
}

#[cfg(test)]
mod tests {
    use kernel::Currency;

    use super::*;
    use crate::samples::mug;

    fn refused(change: impl FnOnce(&mut Product)) -> String {
        let mut product = mug();
        change(&mut product);
        let rejection = check(&product).expect_err("should be refused");
        rejection.field.unwrap_or_default()
    }

    #[test]
    fn a_sound_product_passes() {
        assert_eq!(check(&mug()), Ok(()));
    }

    #[test]
    fn what_is_out_of_bounds_is_refused_by_field() {
        let gbp = |amount| Money::new(amount, Currency::GBP);
        assert_eq!(refused(|p| p.handle = "Mug".into()), "handle");
        assert_eq!(refused(|p| p.handle = "bulk".into()), "handle");
        assert_eq!(refused(|p| p.title = String::new()), "title");
        assert_eq!(refused(|p| p.title = "x".repeat(256)), "title");
        assert_eq!(refused(|p| p.vendor = "a\0b".into()), "vendor");
        assert_eq!(refused(|p| p.tags = vec!["t".into(); 251]), "tags");
        assert_eq!(refused(|p| p.tags = vec![String::new()]), "tags[0]");
        assert_eq!(refused(|p| p.variants.clear()), "variants");
        assert_eq!(
            refused(|p| p.tax_class = Some("Reduced".into())),
            "tax_class"
        );
        assert_eq!(
            refused(|p| p.variants[0].size_mm = Some([1, 0, 1])),
            "variants[0].size_mm"
        );
        assert_eq!(
            refused(|p| p.variants[0].sku = " A".into()),
            "variants[0].sku"
        );
        assert_eq!(
            refused(|p| p.variants[1].sku = p.variants[0].sku.clone()),
            "variants[1].sku"
        );
        assert_eq!(
            refused(|p| p.variants[1].options = p.variants[0].options.clone()),
            "variants[1].options"
        );
        assert_eq!(
            refused(|p| p.variants[0].options.clear()),
            "variants[0].options"
        );
        assert_eq!(
            refused(|p| p.variants[0].prices = vec![gbp(-1)]),
            "variants[0].prices[0].amount"
        );
        assert_eq!(
            refused(|p| p.variants[0].prices = vec![gbp(1), gbp(2)]),
            "variants[0].prices[1].currency"
        );
        assert_eq!(
            refused(|p| p.variants[0].weight_grams = Some(-1)),
            "variants[0].weight_grams"
        );
        assert_eq!(
            refused(|p| p.options[0].values.push("Blue".into())),
            "options[0].values"
        );
    }

    #[test]
    fn skus_differ_by_case() {
        let mut product = mug();
        product.variants[1].sku = "mug-blue".into();
        assert_eq!(check(&product), Ok(()));
    }

    #[test]
    fn only_web_addresses_and_own_paths_are_media() {
        for bad in [
            "javascript:alert(1)",
            "//evil.example/x",
            "data:x",
            "https://",
            "/a b",
            "/\"x",
            "x.png",
            "",
        ] {
            assert_eq!(
                refused(|p| p.media[0].url = bad.into()),
                "media[0].url",
                "{bad}"
            );
        }
    }

    #[test]
    fn decimals_are_plain_numbers() {
        for good in ["1.25", "-0.5", "12"] {
            assert!(is_decimal(good), "{good}");
        }
        for bad in ["", ".5", "1.", "1e3", "NaN", "1,5", "--1"] {
            assert!(!is_decimal(bad), "{bad}");
        }
    }
}
