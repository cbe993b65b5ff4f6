//! What the catalogue's API takes, and what it answers beside whole products.

use std::collections::BTreeMap;

use kernel::Money;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{AttributeValue, CategoryId, Media, ProductId, ProductOption, ProductStatus};

/// A product as a merchant gives it: the whole of it. What is left out is empty, except `handle`
/// and `status` (see there).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ProductInput {
    /// Unique name for URLs: lower case letters, digits and dashes, at most 200. Left out: made
    /// from the title for a new product, kept for one that is replaced.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub handle: String,
    /// Name, 1 to 255 characters.
    pub title: String,
    /// Description in HTML, at most 65,536 bytes. Simple formatting stays (paragraphs, lists,
    /// emphasis, headings, tables); every attribute and other element is taken out.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// Maker or brand, at most 255 characters.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub vendor: String,
    /// Kind of product in the merchant's words, at most 255 characters.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub product_type: String,
    /// Tax class, such as `reduced`: 1 to 40 lower-case letters, digits and dashes; left out:
    /// `standard`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tax_class: Option<String>,
    /// Left out: draft for a new product, unchanged for one that is replaced. A published product
    /// needs a price for each variant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<ProductStatus>,
    /// At most 20 categories, each by path (`clothing/shirts`) or by names (`Clothing > Shirts`),
    /// at most 6 deep. Those that do not exist are made.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub categories: Vec<String>,
    /// At most 250 labels of at most 255 characters.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// At most 100 typed attributes.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub attributes: BTreeMap<String, AttributeValue>,
    /// At most 6 choices; every variant has one value of each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub options: Vec<ProductOption>,
    /// At most 250 pictures.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub media: Vec<Media>,
    /// 1 to 2,000 variants.
    pub variants: Vec<VariantInput>,
}

/// A variant as a merchant gives it. One that is known by its SKU keeps its id.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct VariantInput {
    /// Stock-keeping unit, unique in the shop, case matters; 1 to 128 printable characters.
    pub sku: String,
    /// Left out: made of the option values, such as `Blue / M`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub title: String,
    /// Option name → value, one for each option of the product.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub options: BTreeMap<String, String>,
    /// One price per currency, none below zero. A draft may be without.
    #[serde(default)]
    pub prices: Vec<Money>,
    /// The price it is compared with ("was"), per currency.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub compare_at: Vec<Money>,
    /// Weight in grams, if known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weight_grams: Option<i64>,
    /// Length, width and height in millimetres as packed, 1 to 100,000 each, if known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size_mm: Option<[i64; 3]>,
    /// GTIN / EAN / UPC, if known; at most 64 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub barcode: Option<String>,
    /// Its own picture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media: Option<Media>,
    /// Whether it is shipped (a download is not).
    #[serde(default = "yes")]
    pub requires_shipping: bool,
}

impl VariantInput {
    /// A variant that is shipped, with one price and nothing else.
    pub fn new(sku: impl Into<String>, price: Money) -> Self {
        Self {
            sku: sku.into(),
            title: String::new(),
            options: BTreeMap::new(),
            prices: vec![price],
            compare_at: Vec::new(),
            weight_grams: None,
            size_mm: None,
            barcode: None,
            media: None,
            requires_shipping: true,
        }
    }
}

fn yes() -> bool {
    true
}

/// Many products at once. Each is created or replaced whole, or rejected whole; one does not
/// hinder another.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BulkRequest {
    /// At most 500.
    pub products: Vec<ProductInput>,
    /// What to do with a product whose handle is known.
    #[serde(default)]
    pub mode: BulkMode,
}

/// How a bulk call treats products that exist.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum BulkMode {
    /// A known handle is replaced, an unknown one created.
    #[default]
    Upsert,
}

/// What became of one product of a bulk call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum BulkStatus {
    /// It is new.
    Created,
    /// It changed.
    Updated,
    /// It was so already; nothing was written.
    Unchanged,
    /// Nothing of it was taken; `problem` says why.
    Rejected,
}

/// The answer for one product of a bulk call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct BulkResult {
    /// Its place in `products`, from 0.
    pub row: usize,
    /// What became of it.
    pub status: BulkStatus,
    /// Its id, unless it was rejected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<ProductId>,
    /// Its handle, if known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub handle: Option<String>,
    /// Why it was rejected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<BulkProblem>,
}

/// Why one product of a bulk call was rejected: the members of a problem document (RFC 9457) that
/// differ from row to row.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct BulkProblem {
    /// Machine-readable, such as `sku-taken`.
    pub code: String,
    /// One sentence for a person.
    pub detail: String,
    /// The offending field of the product, such as `variants[2].sku`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
}

/// The answer to a bulk call: one result per product, in their order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct BulkAnswer {
    /// The results.
    pub results: Vec<BulkResult>,
}

/// A category to be made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CategoryInput {
    /// From the root, such as `clothing/shirts`; left out: made from the name. Ancestors that do
    /// not exist are made.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub path: String,
    /// What shoppers read, 1 to 128 characters.
    pub name: String,
}

/// A category's new name; its path stays.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CategoryChange {
    /// What shoppers read, 1 to 128 characters.
    pub name: String,
}

/// A category in a list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CategoryListed {
    /// Its id.
    pub id: CategoryId,
    /// From the root, such as `clothing/shirts`.
    pub path: String,
    /// What shoppers read.
    pub name: String,
    /// The path of the category it is in; absent at the root.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<String>,
    /// Published products in it and below.
    pub products: i64,
}
