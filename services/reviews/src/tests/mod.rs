//! The rules, as given / when / then.

mod golden;
mod ratings;
mod rules;

use contracts::{catalog::ProductId, identity::CustomerId, reviews::ReviewId};
use kernel::{DeciderSpec, testing::World};

use crate::{
    author::Author,
    opinion::Opinion,
    rating::Rating,
    review::{Ask, NewText, Review},
};

pub fn world() -> World {
    World::new([
        DeciderSpec::of::<Review>(),
        DeciderSpec::of::<Rating>(),
        DeciderSpec::of::<Author>(),
        DeciderSpec::of::<Opinion>(),
    ])
}

pub fn review(n: usize) -> ReviewId {
    format!("rev_{n}").parse().expect("an id")
}

pub fn product(n: usize) -> ProductId {
    format!("prd_{n}").parse().expect("an id")
}

pub fn customer(n: usize) -> CustomerId {
    format!("cus_{n}").parse().expect("an id")
}

/// Customer `n` reviews product `product`.
pub fn submit(n: usize, of: usize, rating: u8, publish: bool) -> Ask {
    Ask::Submit(Box::new(NewText {
        product: product(of),
        customer: Some(customer(n)),
        person: format!("per_{n}").parse().expect("an id"),
        rating,
        content: contracts::reviews::ReviewContent {
            title: "Good".into(),
            text: "Keeps the tea warm.".into(),
            display_name: Some("Ann".into()),
        },
        verified: publish,
        source: None,
        at: None,
        publish,
    }))
}
