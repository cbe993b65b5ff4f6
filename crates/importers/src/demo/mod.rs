//! A small souk to begin with: about forty products of our own invention, with stock and with
//! pictures that are drawn when they are asked for. Always the same.

mod draw;
mod goods;
mod item;
mod palette;
mod pantry;
mod rooms;

use contracts::catalog::{ProductInput, slug};

use crate::OpeningStock;
use item::Item;

/// Where the pictures are served: `/media/demo/<handle>.svg`.
pub const MEDIA: &str = "/media/demo/";

/// A product of the demo shop.
#[derive(Clone, Debug, PartialEq)]
pub struct DemoProduct {
    /// For the catalogue.
    pub input: ProductInput,
    /// For the inventory: one entry per variant.
    pub stock: Vec<OpeningStock>,
}

/// The whole demo catalogue, in the order it should be listed.
pub fn products() -> Vec<DemoProduct> {
    items().iter().map(Item::product).collect()
}

/// The picture of a product of the demo catalogue: an SVG document of 600 by 600, without scripts
/// or references to anything outside. `None` for a handle that is not of the demo catalogue.
pub fn picture(handle: &str) -> Option<String> {
    let items = items();
    let item = items.iter().find(|item| slug(item.title) == handle)?;
    Some(draw::picture(item, handle))
}

fn items() -> Vec<Item> {
    // Mixed, so that a first page shows a bit of everything.
    let shelves = [rooms::items(), pantry::items(), goods::items()];
    let longest = shelves.iter().map(Vec::len).max().unwrap_or(0);
    let places = (0..longest).flat_map(|place| shelves.iter().map(move |shelf| (shelf, place)));
    places
        .filter_map(|(shelf, place)| shelf.get(place).cloned())
        .collect()
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeSet, HashSet};

    use super::*;

    #[test]
    fn the_catalogue_fits_together() {
        let products = products();
        assert!((38..=48).contains(&products.len()), "{}", products.len());
        let (mut handles, mut skus) = (HashSet::new(), HashSet::new());
        let mut categories = BTreeSet::new();
        for DemoProduct { input, stock } in &products {
            assert!(handles.insert(&input.handle), "{}", input.handle);
            assert_eq!(input.media[0].url, format!("{MEDIA}{}.svg", input.handle));
            assert!(input.description.len() > 80, "{}", input.handle);
            categories.extend(input.categories.iter());
            let known: Vec<&String> = input.variants.iter().map(|v| &v.sku).collect();
            assert_eq!(stock.iter().map(|s| &s.sku).collect::<Vec<_>>(), known);
            for variant in &input.variants {
                assert!(skus.insert(&variant.sku), "{}", variant.sku);
                assert!(variant.prices.iter().all(|price| price.amount >= 300));
                let mut was = variant.compare_at.iter();
                assert!(was.all(|was| was.amount > variant.prices[0].amount));
                let values = input.options.iter();
                assert!(
                    values
                        .clone()
                        .all(|o| o.values.contains(&variant.options[&o.name]))
                );
                assert_eq!(values.len(), variant.options.len());
            }
        }
        assert!(categories.len() >= 6 && categories.iter().any(|c| c.contains(" > ")));
        assert!(products.iter().any(|p| p.input.options.len() == 2));
    }

    #[test]
    fn every_product_has_a_picture_of_its_own_that_never_changes() {
        let mut seen = HashSet::new();
        for DemoProduct { input, .. } in products() {
            let svg = picture(&input.handle).expect("a picture");
            assert_eq!(Some(&svg), picture(&input.handle).as_ref());
            assert!(
                svg.starts_with("<svg") && svg.ends_with("</svg>"),
                "{}",
                input.handle
            );
            assert!(
                !svg.contains("script") && !svg.contains("{"),
                "{}",
                input.handle
            );
            assert!(svg.len() < 40_000, "{} {}", input.handle, svg.len());
            assert!(well_formed(&svg), "{}", input.handle);
            assert!(seen.insert(svg), "{} looks like another", input.handle);
        }
        assert_eq!(picture("nothing-of-ours"), None);
    }

    /// Every element is closed, in order.
    fn well_formed(svg: &str) -> bool {
        let mut open = Vec::new();
        for tag in svg.split('<').skip(1) {
            let Some((tag, _)) = tag.split_once('>') else {
                return false;
            };
            let name = tag
                .split([' ', '/'])
                .find(|part| !part.is_empty())
                .unwrap_or("");
            if tag.starts_with('/') {
                if open.pop() != Some(name) {
                    return false;
                }
            } else if !tag.ends_with('/') {
                open.push(name);
            }
        }
        open.is_empty()
    }
}
