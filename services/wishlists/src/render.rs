//! A list's state as the API shows it.

use std::{cmp::Reverse, collections::HashMap};

use contracts::wishlists::api::{ItemView, OnSale, SharedView, WishlistView};
use kernel::opened;

use crate::{
    list::{Item, List},
    queries::Offer,
};

/// For its owner: what was bought is shown only to one who wants to know.
pub fn own(list: &List, offers: &HashMap<String, Offer>) -> WishlistView {
    let show_bought = list.share.as_ref().is_some_and(|share| share.show_bought);
    let items = sorted(list).into_iter().map(|(sku, item)| ItemView {
        note: opened(&item.note).cloned(),
        prices_when_added: item.prices.clone(),
        bought: show_bought.then_some(item.bought),
        ..view(sku, item, offers.get(sku))
    });
    WishlistView {
        id: list.made.id.clone(),
        name: opened(&list.name).cloned(),
        shared: list.share.is_some(),
        show_bought,
        items: items.collect(),
        created_at: list.made.at,
        updated_at: list.updated_at,
        access_token: None,
    }
}

/// For visitors: nothing that the owner wrote but the name they gave for this.
pub fn shared(list: &List, offers: &HashMap<String, Offer>) -> SharedView {
    let items = sorted(list).into_iter().map(|(sku, item)| ItemView {
        bought: Some(item.bought),
        ..view(sku, item, offers.get(sku))
    });
    let name = list.share.as_ref().map(|share| opened(&share.display_name));
    SharedView {
        owner: name.flatten().cloned(),
        items: items.collect(),
    }
}

/// What is wished for most first, then what was added last.
fn sorted(list: &List) -> Vec<(&String, &Item)> {
    let mut items: Vec<_> = list.items.iter().collect();
    items.sort_by_key(|(_, item)| Reverse((item.priority, item.added_at)));
    items
}

fn view(sku: &str, item: &Item, offer: Option<&Offer>) -> ItemView {
    ItemView {
        sku: sku.to_owned(),
        on_sale: offer.map_or(OnSale::Gone, |offer| offer.on_sale),
        title: offer.map(|offer| offer.title.clone()),
        product_id: offer.and_then(|offer| offer.product.clone()),
        handle: offer.map(|offer| offer.handle.clone()),
        prices: offer.map_or_else(Vec::new, |offer| offer.prices.clone()),
        prices_when_added: Vec::new(),
        quantity: item.quantity,
        priority: item.priority,
        note: None,
        bought: None,
        added_at: item.added_at,
    }
}
