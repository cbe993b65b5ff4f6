//! What wishlists publishes, and the types of its API.

use kernel::{Money, PersonId, Personal, Timestamp, event_set, id};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::identity::CustomerId;

pub mod api;

id!(
    /// A wishlist.
    WishlistId, "wis"
);

/// How much something is wished for.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Priority {
    /// Nice to have.
    Low,
    /// Wished for.
    #[default]
    Normal,
    /// Wished for most.
    High,
}

/// Whose a list is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListOwner {
    /// The account.
    pub customer_id: CustomerId,
    /// Whose key seals what the list says.
    pub person: PersonId,
}

/// A list was made, by a customer or a guest.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WishlistCreated {
    /// Its id.
    pub id: WishlistId,
    /// Whose; absent for a guest's, which holds nothing personal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<ListOwner>,
    /// SHA-256 of a guest's access token, hex.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access_token_hash: Option<String>,
    /// What its owner calls it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<Personal<String>>,
    /// When.
    pub at: Timestamp,
}

/// A list has another name, or none.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WishlistRenamed {
    /// Which.
    pub id: WishlistId,
    /// What its owner calls it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<Personal<String>>,
    /// When.
    pub at: Timestamp,
}

/// A list can be seen with a link; the link before it is good for nothing any more.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WishlistShared {
    /// Which.
    pub id: WishlistId,
    /// SHA-256 of the link's token, hex.
    pub token_hash: String,
    /// What its visitors read of the owner.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_name: Option<Personal<String>>,
    /// Whether the owner wants to see what was bought.
    pub show_bought: bool,
    /// When.
    pub at: Timestamp,
}

/// The link is good for nothing any more.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WishlistUnshared {
    /// Which.
    pub id: WishlistId,
    /// When.
    pub at: Timestamp,
}

/// Why a list is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WhyDeleted {
    /// Its owner (or staff) said so.
    Asked,
    /// A guest signed in; its items are on a list of the account.
    Claimed,
    /// A guest's list that nobody used for long.
    Expired,
    /// Its owner was erased.
    Erasure,
}

/// A list is gone, with everything on it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WishlistDeleted {
    /// Which.
    pub id: WishlistId,
    /// Whose it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer_id: Option<CustomerId>,
    /// Why.
    pub why: WhyDeleted,
    /// When.
    pub at: Timestamp,
}

/// Something was put on a list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ItemAdded {
    /// Which list.
    pub wishlist_id: WishlistId,
    /// Whose list, if not a guest's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer_id: Option<CustomerId>,
    /// What.
    pub sku: String,
    /// How many are wanted.
    pub quantity: i64,
    /// How much.
    pub priority: Priority,
    /// In the owner's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Personal<String>>,
    /// What it cost then, per currency.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub prices: Vec<Money>,
    /// When.
    pub at: Timestamp,
}

/// An item is wanted otherwise than before.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ItemChanged {
    /// Which list.
    pub wishlist_id: WishlistId,
    /// What.
    pub sku: String,
    /// How many are wanted now.
    pub quantity: i64,
    /// How much.
    pub priority: Priority,
    /// In the owner's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Personal<String>>,
    /// When.
    pub at: Timestamp,
}

/// Something was taken off a list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ItemRemoved {
    /// Which list.
    pub wishlist_id: WishlistId,
    /// Whose list, if not a guest's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer_id: Option<CustomerId>,
    /// What.
    pub sku: String,
    /// When.
    pub at: Timestamp,
}

/// Somebody with the link (or the owner) says that they bought some of an item. Not for the owner's
/// eyes unless they want to know.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ItemBought {
    /// Which list.
    pub wishlist_id: WishlistId,
    /// What.
    pub sku: String,
    /// How many; negative when a mark is taken back.
    pub quantity: i64,
    /// How many in all, now.
    pub bought: i64,
    /// When.
    pub at: Timestamp,
}

event_set! {
    /// The life of a wishlist.
    pub enum WishlistEvent {
        /// Made.
        Created(WishlistCreated) = "wishlists.wishlist.created.v1",
        /// Renamed.
        Renamed(WishlistRenamed) = "wishlists.wishlist.renamed.v1",
        /// Shared.
        Shared(WishlistShared) = "wishlists.wishlist.shared.v1",
        /// Shared no more.
        Unshared(WishlistUnshared) = "wishlists.wishlist.unshared.v1",
        /// Gone.
        Deleted(WishlistDeleted) = "wishlists.wishlist.deleted.v1",
        /// Something put on it.
        ItemAdded(ItemAdded) = "wishlists.item.added.v1",
        /// Something wanted otherwise.
        ItemChanged(ItemChanged) = "wishlists.item.changed.v1",
        /// Something taken off.
        ItemRemoved(ItemRemoved) = "wishlists.item.removed.v1",
        /// Something bought.
        ItemBought(ItemBought) = "wishlists.item.bought.v1",
    }
}

/// A person has a list: so that all of theirs are found when they are erased, and counted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ShelfListAdded {
    /// Who.
    pub person: PersonId,
    /// Which.
    pub wishlist_id: WishlistId,
}

/// A person has a list no more.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ShelfListRemoved {
    /// Who.
    pub person: PersonId,
    /// Which.
    pub wishlist_id: WishlistId,
}

/// A person was erased: their lists are gone, and they make no more.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ShelfErased {
    /// Who.
    pub person: PersonId,
}

event_set! {
    /// The lists of one person.
    pub enum ShelfEvent {
        /// One more.
        ListAdded(ShelfListAdded) = "wishlists.shelf.list_added.v1",
        /// One less.
        ListRemoved(ShelfListRemoved) = "wishlists.shelf.list_removed.v1",
        /// Erased.
        Erased(ShelfErased) = "wishlists.shelf.erased.v1",
    }
}
