//! What the catalogue publishes, and the types of its API.

mod input;
mod slug;

use std::collections::BTreeMap;

use kernel::{Money, event_set, id};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub use input::{
    BulkAnswer, BulkMode, BulkProblem, BulkRequest, BulkResult, BulkStatus, CategoryChange,
    CategoryInput, CategoryListed, ProductInput, VariantInput,
};
pub use slug::{MAX_HANDLE, is_handle, slug};

id!(
    /// A product.
    ProductId, "prd"
);
id!(
    /// A variant of a product: what has a SKU, a price and stock.
    VariantId, "var"
);
id!(
    /// A category.
    CategoryId, "cat"
);

/// Whether shoppers may see and buy a product.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ProductStatus {
    /// Being prepared, or taken off sale.
    #[default]
    Draft,
    /// On sale.
    Published,
}

/// A choice a shopper makes, such as size, with its values in order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ProductOption {
    /// `Size`.
    pub name: String,
    /// `S`, `M`, `L`.
    pub values: Vec<String>,
}

/// A picture or file of a product, by reference.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Media {
    /// Absolute http(s) URL, or a path of this shop beginning with `/`.
    pub url: String,
    /// Text for those who do not see it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub alt: String,
}

/// A typed attribute's value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "type", content = "value", rename_all = "snake_case")]
pub enum AttributeValue {
    /// Free text.
    Text(String),
    /// A whole number.
    Integer(i64),
    /// Yes or no.
    Boolean(bool),
    /// A decimal number as text, exact, such as `1.25`.
    Decimal(String),
    /// Several texts.
    List(Vec<String>),
}

/// A variant as the catalogue publishes it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Variant {
    /// Its id.
    pub id: VariantId,
    /// Stock-keeping unit, unique in the shop (case matters).
    pub sku: String,
    /// Name of the variant, such as `Blue / M`; empty for a product's only variant.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub title: String,
    /// Option name → value.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub options: BTreeMap<String, String>,
    /// One price per currency.
    pub prices: Vec<Money>,
    /// The price it is compared with ("was"), per currency.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub compare_at: Vec<Money>,
    /// Weight in grams, if known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weight_grams: Option<i64>,
    /// Length, width and height in millimetres as packed, if known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size_mm: Option<[i64; 3]>,
    /// GTIN / EAN / UPC, if known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub barcode: Option<String>,
    /// Its own picture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media: Option<Media>,
    /// Whether it is shipped (a gift card is not).
    #[serde(default = "yes")]
    pub requires_shipping: bool,
}

fn yes() -> bool {
    true
}

/// A product as the catalogue publishes it: whole, so that listeners need no other source.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Product {
    /// Its id.
    pub id: ProductId,
    /// Unique name for URLs: lower case letters, digits and dashes.
    pub handle: String,
    /// Name.
    pub title: String,
    /// Description (HTML, cleaned).
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// Maker or brand.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub vendor: String,
    /// Kind of product in the merchant's words.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub product_type: String,
    /// Tax class, such as `reduced`; absent: `standard`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tax_class: Option<String>,
    /// On sale or not.
    pub status: ProductStatus,
    /// Categories, by path from the root, such as `clothing/shirts`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub categories: Vec<String>,
    /// Free labels.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// Typed attributes.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub attributes: BTreeMap<String, AttributeValue>,
    /// Choices.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub options: Vec<ProductOption>,
    /// Pictures.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub media: Vec<Media>,
    /// Variants, at least one.
    pub variants: Vec<Variant>,
}

/// A product was made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ProductCreated {
    /// All of it.
    pub product: Product,
}

/// A product changed (content, variants, prices or status).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ProductUpdated {
    /// All of it, as it is now.
    pub product: Product,
    /// SKUs that were part of it and are no longer.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub removed_skus: Vec<String>,
    /// The handle it had before, when that changed; free again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous_handle: Option<String>,
}

/// A product is gone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ProductDeleted {
    /// Which.
    pub product_id: ProductId,
    /// Its handle, free again.
    pub handle: String,
    /// Its SKUs, free again.
    pub skus: Vec<String>,
}

event_set! {
    /// The life of a product.
    pub enum ProductEvent {
        /// Made.
        Created(ProductCreated) = "catalog.product.created.v1",
        /// Changed; publishing and unpublishing is a change of status.
        Updated(ProductUpdated) = "catalog.product.updated.v1",
        /// Gone.
        Deleted(ProductDeleted) = "catalog.product.deleted.v1",
    }
}

/// A category as the catalogue publishes it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Category {
    /// Its id.
    pub id: CategoryId,
    /// From the root, such as `clothing/shirts`; for ever the same.
    pub path: String,
    /// What shoppers read.
    pub name: String,
}

/// A category was made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CategoryCreated {
    /// All of it.
    pub category: Category,
}

/// A category has another name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CategoryRenamed {
    /// All of it, as it is now.
    pub category: Category,
}

event_set! {
    /// The life of a category.
    pub enum CategoryEvent {
        /// Made.
        Created(CategoryCreated) = "catalog.category.created.v1",
        /// Renamed.
        Renamed(CategoryRenamed) = "catalog.category.renamed.v1",
    }
}

/// What a claimed value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClaimKind {
    /// A product's handle.
    Handle,
    /// A variant's SKU.
    Sku,
}

/// A value that must be unique in the shop belongs to a product now.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClaimTaken {
    /// What kind of value.
    pub kind: ClaimKind,
    /// The value.
    pub value: String,
    /// Whose it is.
    pub product_id: ProductId,
}

/// A unique value is free again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClaimReleased {
    /// What kind of value.
    pub kind: ClaimKind,
    /// The value.
    pub value: String,
    /// Whose it was.
    pub product_id: ProductId,
}

event_set! {
    /// What happens to one unique value.
    pub enum ClaimEvent {
        /// Taken.
        Taken(ClaimTaken) = "catalog.claim.taken.v1",
        /// Free again.
        Released(ClaimReleased) = "catalog.claim.released.v1",
    }
}
