//! Which lines a promotion means.

use contracts::pricing::{Benefit, Condition, LineFilter, Promotion};

use crate::basket::BasketLine;

/// Sorts the lists of all filters of a promotion, so that [`meant`] can search them.
pub(crate) fn prepare(promotion: &mut Promotion) {
    for condition in &mut promotion.conditions {
        match condition {
            Condition::Subtotal { of, .. } | Condition::Quantity { of, .. } => sort(of),
            Condition::Groups { .. }
            | Condition::Channels { .. }
            | Condition::Countries { .. }
            | Condition::FirstOrder {} => {}
        }
    }
    match &mut promotion.benefit {
        Benefit::PercentOff { of, .. }
        | Benefit::AmountOff { of, .. }
        | Benefit::AmountOffEach { of, .. }
        | Benefit::FixedPrice { of, .. }
        | Benefit::CheapestFree { of, .. } => sort(of),
        Benefit::BuyGet { buy, get, .. } => {
            sort(buy);
            sort(get);
        }
        Benefit::ShippingOff { .. } => {}
    }
}

fn sort(filter: &mut LineFilter) {
    for path in &mut filter.categories {
        *path = path.trim_matches('/').to_owned();
    }
    filter.skus.sort_unstable();
    filter.products.sort_unstable();
    filter.categories.sort_unstable();
    filter.except_skus.sort_unstable();
}

/// Whether a (prepared) filter means a line.
pub(crate) fn meant(filter: &LineFilter, line: &BasketLine<'_>) -> bool {
    let one_of = |list: &[String], text: &str| list.is_empty() || has(list, text);
    let categories = &filter.categories;
    !has(&filter.except_skus, line.sku)
        && one_of(&filter.skus, line.sku)
        && one_of(&filter.products, line.product_id)
        && (categories.is_empty() || line.categories.iter().any(|path| within(categories, path)))
}

fn has(sorted: &[String], text: &str) -> bool {
    let found = sorted.binary_search_by(|one| one.as_str().cmp(text));
    found.is_ok()
}

/// Whether the category, or one above it, is in the list.
fn within(sorted: &[String], path: &str) -> bool {
    let path = path.trim_matches('/');
    let above = path.match_indices('/').map(|(at, _)| &path[..at]);
    above.chain([path]).any(|path| has(sorted, path))
}

#[cfg(test)]
mod tests {
    use contracts::cart::LineId;
    use kernel::{Currency, Money};

    use super::*;

    fn list(items: &[&str]) -> Vec<String> {
        items.iter().map(|item| (*item).to_owned()).collect()
    }

    fn means(mut filter: LineFilter, categories: &[&str]) -> bool {
        sort(&mut filter);
        let line = BasketLine {
            id: "lin_1".parse::<LineId>().unwrap(),
            sku: "TEE",
            product_id: "prd_1",
            categories: &list(categories),
            tax_class: None,
            quantity: 1,
            unit_price: Money::new(100, Currency::GBP),
        };
        meant(&filter, &line)
    }

    #[test]
    fn a_category_means_those_below_it() {
        let clothing = || LineFilter {
            categories: list(&["toys", "clothing/"]),
            ..LineFilter::default()
        };
        assert!(means(clothing(), &["clothing"]));
        assert!(means(clothing(), &["shoes", "clothing/shirts/blue"]));
        assert!(!means(clothing(), &["clothing-for-dogs"]));
        assert!(!means(clothing(), &["shoes/clothing"]));
        assert!(!means(clothing(), &[]));
    }

    #[test]
    fn a_line_matches_every_list_that_is_not_empty_and_no_exception() {
        let filter = |skus: &[&str], products: &[&str], except: &[&str]| LineFilter {
            skus: list(skus),
            products: list(products),
            categories: Vec::new(),
            except_skus: list(except),
        };
        assert!(means(filter(&[], &[], &[]), &[]));
        assert!(means(filter(&["ZED", "TEE"], &["prd_1"], &["A"]), &[]));
        assert!(!means(filter(&["TEE"], &["prd_2"], &[]), &[]));
        assert!(!means(filter(&["tee"], &[], &[]), &[]));
        assert!(!means(filter(&[], &["prd_1"], &["TEE"]), &[]));
    }
}
