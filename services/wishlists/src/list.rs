//! The state of a wishlist, and how events change it.

use std::collections::BTreeMap;

use contracts::{
    identity::CustomerId,
    wishlists::{Priority, WishlistCreated, WishlistEvent, WishlistShared},
};
use kernel::{Money, Personal, Rejection, Timestamp};
use serde::{Deserialize, Serialize};

/// What the rules need to know.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct State {
    /// The list; `None` before it is made and after it is deleted.
    pub list: Option<Box<List>>,
}

/// A list.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct List {
    /// How it was made: id, owner, access token.
    pub made: WishlistCreated,
    /// What its owner calls it.
    pub name: Option<Personal<String>>,
    /// Its link.
    pub share: Option<WishlistShared>,
    /// By SKU.
    pub items: BTreeMap<String, Item>,
    /// Its last change by its owner.
    pub updated_at: Timestamp,
}

/// Something wished for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Item {
    /// How many.
    pub quantity: i64,
    /// How much.
    pub priority: Priority,
    /// In the owner's words.
    pub note: Option<Personal<String>>,
    /// What it cost when it was added.
    pub prices: Vec<Money>,
    /// When.
    pub added_at: Timestamp,
    /// How many were bought.
    pub bought: i64,
}

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Who {
    /// A customer.
    Customer(CustomerId),
    /// A guest, by the hash of their access token.
    Guest(String),
    /// A visitor, by the hash of the link's token.
    Visitor(String),
    /// Staff whose permission was checked, or the shop itself.
    Shop,
}

impl List {
    /// Whether it is theirs: for everybody else it does not exist.
    pub fn belongs_to(&self, who: &Who) -> bool {
        match who {
            Who::Shop => true,
            Who::Customer(id) => self.customer() == Some(id),
            Who::Guest(hash) => self.made.access_token_hash.as_ref() == Some(hash),
            Who::Visitor(_) => false,
        }
    }

    /// Whether this is its link's token.
    pub fn is_open_to(&self, token_hash: &str) -> bool {
        self.share
            .as_ref()
            .is_some_and(|share| share.token_hash == token_hash)
    }

    /// Whose it is, if not a guest's.
    pub fn customer(&self) -> Option<&CustomerId> {
        self.made.owner.as_ref().map(|owner| &owner.customer_id)
    }

    /// `text`, sealed for the owner. A guest's list has nobody whose erasure would remove it.
    pub(crate) fn sealed(
        &self,
        field: &str,
        text: Option<&str>,
    ) -> Result<Option<Personal<String>>, Rejection> {
        match (text, &self.made.owner) {
            (None, _) => Ok(None),
            (Some(text), Some(owner)) => {
                Ok(Some(Personal::new(owner.person.clone(), text.to_owned())))
            }
            (Some(_), None) => Err(sign_in_first(field)),
        }
    }
}

/// Refuses words and links for a list without an account.
pub(crate) fn sign_in_first(field: &str) -> Rejection {
    let detail = "a guest's list holds no words; sign in and claim it first";
    Rejection::unprocessable("sign-in-first", detail).field(field)
}

/// The list after `event`.
pub(crate) fn fold(list: &mut List, event: &WishlistEvent) {
    list.updated_at = match event {
        WishlistEvent::Renamed(e) => {
            list.name.clone_from(&e.name);
            e.at
        }
        WishlistEvent::Shared(e) => {
            list.share = Some(e.clone());
            e.at
        }
        WishlistEvent::Unshared(e) => {
            list.share = None;
            e.at
        }
        WishlistEvent::ItemAdded(e) => {
            let item = Item {
                quantity: e.quantity,
                priority: e.priority,
                note: e.note.clone(),
                prices: e.prices.clone(),
                added_at: e.at,
                bought: 0,
            };
            list.items.insert(e.sku.clone(), item);
            e.at
        }
        WishlistEvent::ItemChanged(e) => {
            if let Some(item) = list.items.get_mut(&e.sku) {
                (item.quantity, item.priority) = (e.quantity, e.priority);
                item.note.clone_from(&e.note);
            }
            e.at
        }
        WishlistEvent::ItemRemoved(e) => {
            list.items.remove(&e.sku);
            e.at
        }
        // What visitors do is no change of the owner's, nor may it look like one.
        WishlistEvent::ItemBought(e) => {
            if let Some(item) = list.items.get_mut(&e.sku) {
                item.bought = e.bought;
            }
            list.updated_at
        }
        WishlistEvent::Created(_) | WishlistEvent::Deleted(_) => list.updated_at,
    };
}
