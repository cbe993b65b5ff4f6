//! The rules, as given / when / then.

mod golden;
mod limits;
mod rules;

use std::sync::Arc;

use contracts::wishlists::{ListOwner, WishlistId};
use kernel::{DeciderSpec, testing::World};

use crate::{
    commands::OnWishlist,
    list::{List, Who},
    shelf::Shelf,
    wishlist::{Ask, Wish, Wishlist},
};

pub fn world() -> World {
    World::new([DeciderSpec::of::<Wishlist>(), DeciderSpec::of::<Shelf>()])
}

pub fn list(n: usize) -> WishlistId {
    format!("wis_{n}").parse().expect("an id")
}

pub fn owner(n: usize) -> ListOwner {
    ListOwner {
        customer_id: format!("cus_{n}").parse().expect("an id"),
        person: format!("per_{n}").parse().expect("an id"),
    }
}

pub fn customer(n: usize) -> Who {
    Who::Customer(owner(n).customer_id)
}

pub fn ask(n: usize, who: Who, ask: Ask) -> OnWishlist {
    OnWishlist {
        id: list(n),
        who,
        ask: Arc::new(ask),
        guest_lists_live: 100,
    }
}

/// Customer `whose` makes list `n`.
pub fn create(n: usize, whose: usize) -> OnWishlist {
    let create = Ask::Create {
        owner: Some(owner(whose)),
        access_token_hash: None,
        name: Some("Birthday".into()),
    };
    ask(n, Who::Shop, create)
}

/// A guest whose token's hash is `hash` makes list `n`.
pub fn create_guest(n: usize, hash: &str) -> OnWishlist {
    let create = Ask::Create {
        owner: None,
        access_token_hash: Some(hash.into()),
        name: None,
    };
    ask(n, Who::Shop, create)
}

pub fn add(sku: &str, quantity: i64) -> Ask {
    Ask::Add {
        sku: sku.into(),
        wish: Wish {
            quantity: Some(quantity),
            ..Wish::default()
        },
        prices: Vec::new(),
    }
}

pub fn share(token_hash: &str) -> Ask {
    Ask::Share {
        token_hash: token_hash.into(),
        display_name: Some("Ann".into()),
        show_bought: false,
    }
}

pub fn state(world: &World, n: usize) -> Option<Box<List>> {
    world.state::<Wishlist>(list(n).as_str()).list
}
