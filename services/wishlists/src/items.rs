//! The rules of one item of a wishlist.

use contracts::wishlists::{ItemAdded, ItemBought, ItemChanged, WishlistEvent};
use kernel::{Money, Rejection};

use crate::{
    list::{Item, List},
    wishlist::{Command, Wish},
};

/// How many items a list may hold.
pub const MOST_ITEMS: usize = 500;
/// How many of one thing may be wanted.
pub const MOST_OF_ONE: i64 = 9_999;

/// The item.
pub(crate) fn there<'a>(list: &'a List, sku: &str) -> Result<&'a Item, Rejection> {
    let unknown = || Rejection::not_found("item on this list").field("sku");
    list.items.get(sku).ok_or_else(unknown)
}

fn wanted(quantity: i64) -> Result<i64, Rejection> {
    match (1..=MOST_OF_ONE).contains(&quantity) {
        true => Ok(quantity),
        false => {
            let detail = format!("must be from 1 to {MOST_OF_ONE}");
            Err(Rejection::invalid("quantity", detail))
        }
    }
}

/// Something new.
pub(crate) fn add(
    list: &List,
    command: &Command,
    sku: &str,
    wish: &Wish,
    prices: &[Money],
) -> Result<ItemAdded, Rejection> {
    if list.items.len() >= MOST_ITEMS {
        let detail = format!("a list holds at most {MOST_ITEMS} items");
        return Err(Rejection::unprocessable("list-full", detail));
    }
    let note = wish.note.as_ref().and_then(Option::as_deref);
    Ok(ItemAdded {
        wishlist_id: command.id.clone(),
        customer_id: list.customer().cloned(),
        sku: sku.to_owned(),
        quantity: wanted(wish.quantity.unwrap_or(1))?,
        priority: wish.priority.unwrap_or_default(),
        note: list.sealed("note", note)?,
        prices: prices.to_vec(),
        at: command.at,
    })
}

/// Something wanted otherwise; nothing when it is not.
pub(crate) fn want(
    list: &List,
    command: &Command,
    sku: &str,
    wish: &Wish,
) -> Result<Option<WishlistEvent>, Rejection> {
    let old = there(list, sku)?;
    let note = match &wish.note {
        None => old.note.clone(),
        Some(note) => list.sealed("note", note.as_deref())?,
    };
    let changed = ItemChanged {
        wishlist_id: command.id.clone(),
        sku: sku.to_owned(),
        quantity: wanted(wish.quantity.unwrap_or(old.quantity))?,
        priority: wish.priority.unwrap_or(old.priority),
        note,
        at: command.at,
    };
    let same = (changed.quantity, changed.priority, &changed.note)
        == (old.quantity, old.priority, &old.note);
    Ok((!same).then(|| changed.into()))
}

/// Some were bought, or were not after all.
pub(crate) fn bought(
    list: &List,
    command: &Command,
    sku: &str,
    quantity: i64,
) -> Result<ItemBought, Rejection> {
    let item = there(list, sku)?;
    wanted(quantity.saturating_abs())?;
    let bought = item.bought.saturating_add(quantity);
    if quantity > 0 && bought > item.quantity {
        let left = (item.quantity - item.bought).max(0);
        let detail = "somebody else was quicker: fewer than that are left to buy";
        let extra = serde_json::json!({ "left": left });
        return Err(Rejection::conflict("already-bought", detail)
            .field("quantity")
            .extra(extra));
    }
    if bought < 0 {
        let detail = "fewer than that were bought";
        return Err(Rejection::conflict("not-bought", detail).field("quantity"));
    }
    Ok(ItemBought {
        wishlist_id: command.id.clone(),
        sku: sku.to_owned(),
        quantity,
        bought,
        at: command.at,
    })
}
