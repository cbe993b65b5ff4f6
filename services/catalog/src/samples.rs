//! Products for the tests of this crate.

use std::collections::BTreeMap;

use contracts::catalog::{
    AttributeValue, Media, Product, ProductInput, ProductOption, ProductStatus, Variant,
    VariantInput,
};
use kernel::{Currency, Money};

/// A published product with two variants, as the catalogue keeps it.
pub fn mug() -> Product {
    let variant = |id: &str, sku: &str, glaze: &str| Variant {
        id: id.parse().unwrap(),
        sku: sku.into(),
        title: glaze.into(),
        options: BTreeMap::from([("Glaze".into(), glaze.into())]),
        prices: vec![
            Money::new(1_450, Currency::GBP),
            Money::new(1_700, Currency::EUR),
        ],
        compare_at: vec![Money::new(1_800, Currency::GBP)],
        weight_grams: Some(310),
        size_mm: None,
        barcode: Some("5012345678900".into()),
        media: None,
        requires_shipping: true,
    };
    Product {
        id: "prd_1".parse().unwrap(),
        handle: "mug".into(),
        title: "Hand-thrown mug".into(),
        description: "<p>Thrown and glazed by hand.</p>".into(),
        vendor: "Kiln Lane".into(),
        product_type: "Mug".into(),
        tax_class: None,
        status: ProductStatus::Published,
        categories: vec!["home/tableware".into()],
        tags: vec!["stoneware".into()],
        attributes: BTreeMap::from([
            ("dishwasher_safe".into(), AttributeValue::Boolean(true)),
            ("capacity_ml".into(), AttributeValue::Integer(350)),
        ]),
        options: vec![ProductOption {
            name: "Glaze".into(),
            values: vec!["Blue".into(), "Red".into()],
        }],
        media: vec![Media {
            url: "/media/demo/mug.svg".into(),
            alt: "A mug".into(),
        }],
        variants: vec![
            variant("var_1", "MUG-BLUE", "Blue"),
            variant("var_2", "MUG-RED", "Red"),
        ],
    }
}

/// The smallest published product: a title and one variant.
pub fn input(handle: &str, sku: &str, pence: i64) -> ProductInput {
    ProductInput {
        handle: handle.into(),
        title: format!("The {handle}"),
        status: Some(ProductStatus::Published),
        variants: vec![VariantInput::new(sku, Money::new(pence, Currency::GBP))],
        ..ProductInput::default()
    }
}
