//! The types of the API of wishlists.

use kernel::{Money, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Priority, WishlistId};
use crate::catalog::ProductId;

/// A new list.
#[derive(Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewWishlist {
    /// At most 100 characters; signed-in customers only.
    #[serde(default)]
    #[schema(max_length = 100)]
    pub name: Option<String>,
}

/// Another name.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WishlistChange {
    /// At most 100 characters; empty takes the name away.
    pub name: String,
}

/// Something to be put on a list. What is on it already is changed to this.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewItem {
    /// What: a SKU on sale.
    pub sku: String,
    /// How many, 1 to 9,999; 1 unless given.
    #[serde(default = "one")]
    #[schema(minimum = 1, maximum = 9_999)]
    pub quantity: i64,
    /// How much.
    #[serde(default)]
    pub priority: Priority,
    /// At most 500 characters; signed-in customers only.
    #[serde(default)]
    #[schema(max_length = 500)]
    pub note: Option<String>,
}

fn one() -> i64 {
    1
}

/// What is to be changed of an item; what is absent stays.
#[derive(Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ItemUpdate {
    /// How many, 1 to 9,999.
    #[serde(default)]
    pub quantity: Option<i64>,
    /// How much.
    #[serde(default)]
    pub priority: Option<Priority>,
    /// At most 500 characters; empty takes it away.
    #[serde(default)]
    pub note: Option<String>,
}

/// How a list is shared.
#[derive(Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ShareRequest {
    /// What visitors read of the owner, at most 60 characters.
    #[serde(default)]
    #[schema(max_length = 60)]
    pub display_name: Option<String>,
    /// Whether the owner wants to see what was bought; no unless given, or there is no surprise.
    #[serde(default)]
    pub show_bought: bool,
}

/// The link.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
pub struct ShareAnswer {
    /// What the link holds: a secret, shown this once and kept as a hash. The list is at
    /// `/api/wishlists/shared/{token}`.
    pub token: String,
}

/// Somebody bought some of an item.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Bought {
    /// What.
    pub sku: String,
    /// How many, 1 unless given.
    #[serde(default = "one")]
    #[schema(minimum = 1, maximum = 9_999)]
    pub quantity: i64,
}

/// A guest signed in and takes their list along.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ClaimRequest {
    /// The guest's access token.
    pub access_token: String,
    /// The list of the account its items are put on; a new one unless given.
    #[serde(default)]
    pub into: Option<WishlistId>,
}

/// Whether an item can be bought.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnSale {
    /// It is on sale.
    Yes,
    /// Its product is not on sale at present.
    NotNow,
    /// The catalogue has it no more.
    Gone,
}

/// An item of a list.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
pub struct ItemView {
    /// What.
    pub sku: String,
    /// Whether it can be bought.
    pub on_sale: OnSale,
    /// The product's name, with the variant's; the last one known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The product.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub product_id: Option<ProductId>,
    /// The product's handle.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub handle: Option<String>,
    /// What it costs, per currency.
    pub prices: Vec<Money>,
    /// What it cost when it was put on the list (not for visitors).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub prices_when_added: Vec<Money>,
    /// How many are wanted.
    pub quantity: i64,
    /// How much.
    pub priority: Priority,
    /// In the owner's words (not for visitors).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// How many were bought: for visitors, and for an owner who wants to know.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bought: Option<i64>,
    /// When it was put on the list, microseconds UTC.
    pub added_at: Timestamp,
}

/// A list as its owner sees it.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
pub struct WishlistView {
    /// Its id.
    pub id: WishlistId,
    /// What its owner calls it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Whether there is a link to it.
    pub shared: bool,
    /// Whether its owner sees what was bought.
    pub show_bought: bool,
    /// What is wished for most first, then what was added last.
    pub items: Vec<ItemView>,
    /// Microseconds UTC.
    pub created_at: Timestamp,
    /// Microseconds UTC.
    pub updated_at: Timestamp,
    /// A guest's right to it (`Authorization: Bearer gst_…`): a secret, given when it is made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access_token: Option<String>,
}

/// A list as visitors with its link see it.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
pub struct SharedView {
    /// What its owner wants to be called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// What is wished for most first, then what was added last.
    pub items: Vec<ItemView>,
}

/// A list in a list of lists.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
pub struct WishlistSummary {
    /// Its id.
    pub id: WishlistId,
    /// What its owner calls it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// How many items are on it.
    pub items: i64,
    /// Whether there is a link to it.
    pub shared: bool,
    /// Microseconds UTC.
    pub updated_at: Timestamp,
}
