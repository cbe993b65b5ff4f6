//! From rows to products.

use std::collections::{HashSet, VecDeque};

use contracts::catalog::{
    AttributeValue, Media, ProductInput, ProductOption, ProductStatus, VariantInput,
};

use super::{
    Names,
    row::{Attribute, Kind, Prices, Reading, list, text_value},
};
use crate::{ImportRow, OpeningStock, RowIssue, values};

/// Most variants the catalogue takes.
const MAX_VARIANTS: usize = 2_000;
/// Stands for an option that a variation leaves open.
const ANY: &str = "Any";

/// A simple, grouped or external product.
pub(crate) fn single(
    reading: &Reading<'_>,
    kind: Kind,
    names: &mut Names,
) -> Result<ImportRow, RowIssue> {
    let mut product = reading.product(names)?;
    for attribute in reading.attributes() {
        add_attribute(&mut product, attribute);
    }
    let mut warnings = Vec::new();
    let mut draft = |product: &mut ProductInput, message: &str| {
        product.status = Some(ProductStatus::Draft);
        warnings.push(reading.issue("Type", message).of(&product.title));
    };
    match kind {
        Kind::Grouped => {
            let skus = AttributeValue::List(list(reading.row.get("Grouped products")));
            product.attributes.insert("grouped_skus".into(), skus);
            draft(
                &mut product,
                "a grouped product became a draft: it cannot be bought as one thing",
            );
        }
        Kind::External => {
            for (column, name) in [
                ("External URL", "external_url"),
                ("Button text", "button_text"),
            ] {
                let text = reading.row.get(column);
                if !text.is_empty() {
                    product
                        .attributes
                        .insert(name.into(), text_value(text.to_owned()));
                }
            }
            draft(
                &mut product,
                "an external product became a draft: it is sold elsewhere",
            );
        }
        Kind::Simple | Kind::Variable | Kind::Variation => {}
    }
    warn_if_hidden(reading, &product, &mut warnings);
    // A group has no price of its own; as a draft it needs none.
    let prices = match (kind, reading.row.get("Regular price")) {
        (Kind::Grouped | Kind::External, "") => None,
        _ => Some(reading.prices()?),
    };
    let (quantity, backorder, warning) = reading.stock()?;
    warnings.extend(warning.map(|warning| warning.of(&product.title)));
    let sku = reading.field("SKU", values::sku)?;
    let sku = sku.unwrap_or_else(|| names.generate(&product.handle, &[], reading.row.number()));
    names.skus.insert(sku.clone());
    product
        .variants
        .push(variant(reading, sku.clone(), prices, None)?);
    Ok(ImportRow {
        row: reading.row.number(),
        product,
        stock: vec![OpeningStock {
            sku,
            quantity,
            backorder,
        }],
        warnings,
    })
}

fn warn_if_hidden(reading: &Reading<'_>, product: &ProductInput, warnings: &mut Vec<RowIssue>) {
    if reading.is_hidden() {
        let message = "a product hidden from the catalogue became a draft";
        warnings.push(
            reading
                .issue("Visibility in catalog", message)
                .of(&product.title),
        );
    }
}

fn variant(
    reading: &Reading<'_>,
    sku: String,
    prices: Option<Prices>,
    media: Option<Media>,
) -> Result<VariantInput, RowIssue> {
    let (price, was) = prices.map_or((None, None), |p| (Some(p.price), p.was));
    Ok(VariantInput {
        sku,
        title: String::new(),
        options: std::collections::BTreeMap::new(),
        prices: price.into_iter().collect(),
        compare_at: was.into_iter().collect(),
        weight_grams: reading.weight()?,
        size_mm: None,
        barcode: None,
        media,
        requires_shipping: !reading.is_virtual(),
    })
}

/// Takes an attribute over as one of the product's, as far as it has values.
fn add_attribute(product: &mut ProductInput, (name, mut values): Attribute) {
    let value = match values.len() {
        0 => return,
        1 => text_value(values.remove(0)),
        _ => AttributeValue::List(values),
    };
    product.attributes.insert(name, value);
}

/// A variation, not yet matched with the options of its product.
pub(crate) struct Variation {
    pub row: u64,
    variant: VariantInput,
    has_sku: bool,
    attributes: Vec<Attribute>,
    stock: OpeningStock,
    warning: Option<RowIssue>,
    /// Unpublished variations are not for sale.
    published: bool,
}

impl Variation {
    pub fn read(reading: &Reading<'_>, names: &mut Names) -> Result<Self, RowIssue> {
        let published = match reading.row.get("Published") {
            "-1" => false,
            _ => reading.field("Published", |text| values::flag(text, true))?,
        };
        let prices = reading.prices()?;
        let (quantity, backorder, warning) = reading.stock()?;
        let media = reading.media()?.into_iter().next();
        let given = reading.field("SKU", values::sku)?;
        let has_sku = given.is_some();
        let sku = given.unwrap_or_default();
        if has_sku {
            names.skus.insert(sku.clone());
        }
        Ok(Self {
            row: reading.row.number(),
            variant: variant(reading, sku.clone(), Some(prices), media)?,
            has_sku,
            attributes: reading.attributes(),
            stock: OpeningStock {
                sku,
                quantity,
                backorder,
            },
            warning,
            published,
        })
    }

    /// What it fixes for the option `name`.
    fn value(&self, name: &str) -> Option<&str> {
        let (_, values) = self.attributes.iter().find(|(known, _)| known == name)?;
        values.first().map(String::as_str)
    }
}

/// A variable product with the variations found so far.
pub(crate) struct Parent {
    pub row: u64,
    product: ProductInput,
    attributes: Vec<Attribute>,
    variations: Vec<Variation>,
    warnings: Vec<RowIssue>,
    issues: Vec<RowIssue>,
}

impl Parent {
    pub fn read(reading: &Reading<'_>, names: &mut Names, claimed: Result<(), RowIssue>) -> Self {
        let mut parent = Self {
            row: reading.row.number(),
            product: ProductInput::default(),
            attributes: reading.attributes(),
            variations: Vec::new(),
            warnings: Vec::new(),
            issues: Vec::new(),
        };
        match claimed.and_then(|()| reading.product(names)) {
            Ok(product) => {
                warn_if_hidden(reading, &product, &mut parent.warnings);
                parent.product = product;
            }
            Err(issue) => {
                parent.product.title = reading.row.get("Name").to_owned();
                parent.reject(issue);
            }
        }
        parent
    }

    pub fn take(&mut self, variation: Result<Variation, RowIssue>) {
        match variation {
            Ok(variation) => self.variations.push(variation),
            Err(issue) => self.reject(issue),
        }
    }

    pub fn reject(&mut self, issue: RowIssue) {
        self.issues.push(issue.of(&self.product.title));
    }

    /// Makes the product, now that all variations are here.
    pub fn finish(mut self, names: &mut Names, ready: &mut VecDeque<Result<ImportRow, RowIssue>>) {
        let mut variations = std::mem::take(&mut self.variations);
        let all = variations.len();
        variations.retain(|variation| variation.published);
        if variations.len() < all {
            let message = format!(
                "{} unpublished variations were left out",
                all - variations.len()
            );
            self.warnings
                .push(RowIssue::new(self.row, None, message).of(&self.product.title));
        }
        if self.issues.is_empty() && variations.is_empty() {
            self.reject(RowIssue::new(
                self.row,
                None,
                "a variable product without variations",
            ));
        }
        if variations.len() > MAX_VARIANTS {
            let message = format!("more than {MAX_VARIANTS} variations of one product");
            self.reject(RowIssue::new(self.row, None, message));
        }
        let options = self.split_options(&variations);
        let mut stock = Vec::with_capacity(variations.len());
        let mut choices = HashSet::new();
        for variation in variations {
            let chosen: Vec<String> = options
                .iter()
                .map(|name| variation.value(name).unwrap_or(ANY).to_owned())
                .collect();
            if !choices.insert(chosen.clone()) {
                let message = "another variation of this product has the same attributes";
                self.reject(RowIssue::new(variation.row, None, message));
                continue;
            }
            stock.push(self.add(variation, &options, chosen, names));
        }
        if !self.issues.is_empty() {
            ready.extend(self.issues.into_iter().map(Err));
            return;
        }
        ready.push_back(Ok(ImportRow {
            row: self.row,
            product: self.product,
            stock,
            warnings: self.warnings,
        }));
    }

    /// The names of the attributes that variations fix; all others become the product's own.
    fn split_options(&mut self, variations: &[Variation]) -> Vec<String> {
        let mut options = Vec::new();
        for (name, values) in std::mem::take(&mut self.attributes) {
            if variations
                .iter()
                .any(|variation| variation.value(&name).is_some())
            {
                options.push(name);
            } else {
                add_attribute(&mut self.product, (name, values));
            }
        }
        for variation in variations {
            for (name, values) in &variation.attributes {
                if !values.is_empty() && !options.contains(name) {
                    options.push(name.clone());
                }
            }
        }
        self.product.options = options
            .iter()
            .map(|name| ProductOption {
                name: name.clone(),
                values: Vec::new(),
            })
            .collect();
        options
    }

    fn add(
        &mut self,
        variation: Variation,
        options: &[String],
        chosen: Vec<String>,
        names: &mut Names,
    ) -> OpeningStock {
        let Variation {
            row,
            mut variant,
            has_sku,
            mut stock,
            warning,
            ..
        } = variation;
        for (option, value) in self.product.options.iter_mut().zip(&chosen) {
            if !option.values.contains(value) {
                option.values.push(value.clone());
            }
        }
        if !has_sku {
            let values: Vec<&str> = chosen.iter().map(String::as_str).collect();
            let sku = names.generate(&self.product.handle, &values, row);
            stock.sku.clone_from(&sku);
            variant.sku = sku;
        }
        variant.options = options.iter().cloned().zip(chosen).collect();
        self.warnings
            .extend(warning.map(|w| w.of(&self.product.title)));
        self.product.variants.push(variant);
        stock
    }
}
