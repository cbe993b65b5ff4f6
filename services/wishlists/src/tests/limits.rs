//! Whatever is asked, no limit is passed.

use contracts::wishlists::WhyDeleted;
use kernel::testing::World;
use proptest::prelude::*;

use super::{add, ask, create, customer, list, share, state, world};
use crate::{
    commands::Erase,
    items::{MOST_ITEMS, MOST_OF_ONE},
    list::Who,
    shelf::{MOST_LISTS, Shelf},
    wishlist::{Ask, Wish},
};

#[derive(Clone, Debug)]
enum Step {
    Create(usize),
    Delete(usize),
    AddMany(usize, usize, usize),
    Add(usize, usize, i64),
    Want(usize, usize, i64),
    Remove(usize, usize),
    Bought(usize, usize, i64),
    Erase,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let quantity = prop_oneof![0..6i64, Just(MOST_OF_ONE), Just(i64::MAX), Just(i64::MIN)];
    let (list, sku) = (0..60usize, 0..8usize);
    let item = (list.clone(), sku, quantity);
    let step = prop_oneof![
        40 => list.clone().prop_map(Step::Create),
        4 => list.clone().prop_map(Step::Delete),
        4 => (list.clone(), 0..600usize, 0..600usize).prop_map(|(n, a, b)| Step::AddMany(n, a, b)),
        20 => item.clone().prop_map(|(n, sku, q)| Step::Add(n, sku, q)),
        10 => item.clone().prop_map(|(n, sku, q)| Step::Want(n, sku, q)),
        4 => (list, 0..8usize).prop_map(|(n, sku)| Step::Remove(n, sku)),
        20 => item.prop_map(|(n, sku, q)| Step::Bought(n, sku, q)),
        1 => Just(Step::Erase),
    ];
    proptest::collection::vec(step, 1..150)
}

fn sku(n: usize) -> String {
    format!("SKU-{n}")
}

fn take(world: &mut World, step: &Step) -> Result<(), kernel::Rejection> {
    let (n, what) = match *step {
        Step::Create(n) => {
            world.run(&create(n, 1))?;
            (n, share(&n.to_string()))
        }
        Step::Delete(n) => (n, Ask::Delete(WhyDeleted::Asked)),
        Step::AddMany(n, from, to) => {
            for item in from..to {
                world.run(&ask(n, customer(1), add(&sku(item), 1)))?;
            }
            return Ok(());
        }
        Step::Add(n, item, quantity) => (n, add(&sku(item), quantity)),
        Step::Want(n, item, quantity) => {
            let wish = Wish {
                quantity: Some(quantity),
                ..Wish::default()
            };
            (n, Ask::Change(sku(item), wish))
        }
        Step::Remove(n, item) => (n, Ask::Remove(sku(item))),
        Step::Bought(n, item, quantity) => {
            let bought = Ask::Bought(sku(item), quantity);
            world.run(&ask(n, Who::Visitor(n.to_string()), bought))?;
            return Ok(());
        }
        Step::Erase => {
            world.run(&Erase("per_1".parse().expect("an id")))?;
            return Ok(());
        }
    };
    world.run(&ask(n, customer(1), what)).map(drop)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn no_limit_is_passed(steps in steps()) {
        let mut world = world();
        for step in &steps {
            let bought_before = match *step {
                Step::Bought(n, item, _) => state(&world, n)
                    .and_then(|list| list.items.get(&sku(item)).map(|item| item.bought)),
                _ => None,
            };
            let taken = take(&mut world, step);
            let shelf = world.state::<Shelf>("per_1");
            prop_assert!(shelf.lists.len() <= MOST_LISTS);
            let there = (0..60).filter(|n| state(&world, *n).is_some());
            let mut kept: Vec<_> = shelf.lists.iter().map(ToString::to_string).collect();
            let mut there: Vec<_> = there.map(|n| list(n).to_string()).collect();
            kept.sort();
            there.sort();
            prop_assert_eq!(kept, there, "the shelf knows the lists there are");
            let touched = match *step {
                Step::Create(n) | Step::AddMany(n, ..) | Step::Add(n, ..) => n,
                Step::Delete(n) | Step::Want(n, ..) | Step::Remove(n, _) | Step::Bought(n, ..) => n,
                Step::Erase => continue,
            };
            let Some(list) = state(&world, touched) else { continue };
            prop_assert!(list.items.len() <= MOST_ITEMS);
            for item in list.items.values() {
                prop_assert!((1..=MOST_OF_ONE).contains(&item.quantity));
                prop_assert!((0..=MOST_OF_ONE).contains(&item.bought));
            }
            if let (Step::Bought(_, item, quantity), Some(before)) = (step, bought_before) {
                let item = &list.items[&sku(*item)];
                let after = if taken.is_ok() { before + quantity } else { before };
                prop_assert_eq!(item.bought, after);
                prop_assert!(*quantity < 0 || taken.is_err() || item.bought <= item.quantity);
            }
        }
    }
}
