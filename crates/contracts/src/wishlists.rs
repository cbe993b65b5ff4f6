//! What wishlists publishes, and the types of its API.

use kernel::{event_set, id};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

id!(
    /// Names one wishlist.
    WishlistId, "wis"
);

/// A new wishlist.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WishlistCreated {
    /// Its id.
    pub id: WishlistId,
    /// Its name, 1 to 200 characters.
    pub name: String,
}

event_set! {
    /// The life of a wishlist.
    pub enum WishlistEvent {
        /// Created.
        Created(WishlistCreated) = "wishlists.wishlist.created.v1",
    }
}

/// What it takes to create a wishlist.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewWishlist {
    /// Its name, 1 to 200 characters.
    #[schema(min_length = 1, max_length = 200)]
    pub name: String,
}

/// A wishlist as the API shows it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct WishlistView {
    /// Its id.
    pub id: WishlistId,
    /// Its name.
    pub name: String,
}
