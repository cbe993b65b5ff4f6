//! The rules of one wishlist.

use std::{collections::BTreeMap, sync::Arc};

use contracts::wishlists::{
    ItemRemoved, ListOwner, Priority, WhyDeleted, WishlistCreated, WishlistDeleted, WishlistEvent,
    WishlistId, WishlistRenamed, WishlistShared, WishlistUnshared,
};
use kernel::{Decider, Money, Personal, Rejection, Timestamp};

use crate::{
    items::{add, bought, there, want},
    list::{List, State, Who, fold, sign_in_first},
};

/// Decides what may happen to a list.
pub struct Wishlist;

/// What is to be changed of an item; what is absent stays.
#[derive(Clone, Debug, Default)]
pub struct Wish {
    /// How many.
    pub quantity: Option<i64>,
    /// How much.
    pub priority: Option<Priority>,
    /// Some words; `Some(None)` takes them away.
    pub note: Option<Option<String>>,
}

/// What can be asked of a list.
#[derive(Clone, Debug)]
pub enum Ask {
    /// Make it.
    Create {
        /// Whose; a guest's has an access token instead.
        owner: Option<ListOwner>,
        /// Hash of that token.
        access_token_hash: Option<String>,
        /// Its name.
        name: Option<String>,
    },
    /// Give it a name, or none.
    Rename(Option<String>),
    /// Put something on it, or change what is there.
    Add {
        /// What: known to be on sale.
        sku: String,
        /// How it is wanted.
        wish: Wish,
        /// What it costs.
        prices: Vec<Money>,
    },
    /// Want something otherwise.
    Change(String, Wish),
    /// Take something off.
    Remove(String),
    /// Make a link, in place of the one before.
    Share {
        /// Hash of its token.
        token_hash: String,
        /// What visitors read of the owner.
        display_name: Option<String>,
        /// Whether the owner wants to see what was bought.
        show_bought: bool,
    },
    /// Take the link away.
    Unshare,
    /// Some were bought (negative: were not).
    Bought(String, i64),
    /// Delete it.
    Delete(WhyDeleted),
}

/// What is asked of which list, by whom and when.
#[derive(Clone, Debug)]
pub struct Command {
    /// Which.
    pub id: WishlistId,
    /// By whom.
    pub who: Who,
    /// What.
    pub ask: Arc<Ask>,
    /// Now.
    pub at: Timestamp,
}

impl Decider for Wishlist {
    const CATEGORY: &'static str = "wishlist";
    const SNAPSHOT_EVERY: Option<i64> = Some(200);
    type State = State;
    type Command = Command;
    type Event = WishlistEvent;

    fn decide(state: &State, command: &Command) -> Result<Vec<WishlistEvent>, Rejection> {
        if let Ask::Create {
            owner,
            access_token_hash,
            name,
        } = &*command.ask
        {
            let owned = (owner.clone(), access_token_hash.clone());
            return create(state, command, owned, name.as_deref());
        }
        let unknown = || Rejection::not_found("wishlist");
        let list = state.list.as_deref().ok_or_else(unknown)?;
        let allowed = match (&command.who, &*command.ask) {
            (Who::Visitor(token), Ask::Bought(..)) => list.is_open_to(token),
            (who, _) => list.belongs_to(who),
        };
        match allowed {
            true => change(list, command),
            false => Err(unknown()),
        }
    }

    fn evolve(state: &mut State, event: &WishlistEvent) {
        match event {
            WishlistEvent::Created(made) => {
                state.list = Some(Box::new(List {
                    made: made.clone(),
                    name: made.name.clone(),
                    share: None,
                    items: BTreeMap::new(),
                    updated_at: made.at,
                }));
            }
            WishlistEvent::Deleted(_) => state.list = None,
            event => {
                if let Some(list) = state.list.as_deref_mut() {
                    fold(list, event);
                }
            }
        }
    }
}

fn create(
    state: &State,
    command: &Command,
    (owner, access_token_hash): (Option<ListOwner>, Option<String>),
    name: Option<&str>,
) -> Result<Vec<WishlistEvent>, Rejection> {
    if state.list.is_some() {
        let detail = "there is a wishlist with this id already";
        return Err(Rejection::conflict("already-exists", detail));
    }
    let name = match (name, &owner) {
        (None, _) => None,
        (Some(name), Some(owner)) => Some(Personal::new(owner.person.clone(), name.to_owned())),
        (Some(_), None) => return Err(sign_in_first("name")),
    };
    let made = WishlistCreated {
        id: command.id.clone(),
        owner,
        access_token_hash,
        name,
        at: command.at,
    };
    Ok(vec![made.into()])
}

fn change(list: &List, command: &Command) -> Result<Vec<WishlistEvent>, Rejection> {
    let (id, at) = (command.id.clone(), command.at);
    Ok(match &*command.ask {
        Ask::Create { .. } => Vec::new(),
        Ask::Rename(name) => {
            let name = list.sealed("name", name.as_deref())?;
            match name == list.name {
                true => Vec::new(),
                false => vec![WishlistRenamed { id, name, at }.into()],
            }
        }
        Ask::Add { sku, wish, prices } if !list.items.contains_key(sku) => {
            vec![add(list, command, sku, wish, prices)?.into()]
        }
        Ask::Add { sku, wish, .. } | Ask::Change(sku, wish) => {
            want(list, command, sku, wish)?.into_iter().collect()
        }
        Ask::Remove(sku) => {
            there(list, sku)?;
            let removed = ItemRemoved {
                wishlist_id: id,
                customer_id: list.customer().cloned(),
                sku: sku.clone(),
                at,
            };
            vec![removed.into()]
        }
        Ask::Share {
            token_hash,
            display_name,
            show_bought,
        } => {
            if list.made.owner.is_none() {
                return Err(sign_in_first("access_token"));
            }
            let shared = WishlistShared {
                id,
                token_hash: token_hash.clone(),
                display_name: list.sealed("display_name", display_name.as_deref())?,
                show_bought: *show_bought,
                at,
            };
            vec![shared.into()]
        }
        Ask::Unshare => match list.share {
            Some(_) => vec![WishlistUnshared { id, at }.into()],
            None => Vec::new(),
        },
        Ask::Bought(sku, quantity) => vec![bought(list, command, sku, *quantity)?.into()],
        Ask::Delete(why) => {
            let deleted = WishlistDeleted {
                id,
                customer_id: list.customer().cloned(),
                why: *why,
                at,
            };
            vec![deleted.into()]
        }
    })
}
