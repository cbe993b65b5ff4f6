//! Whatever happens to reviews, a product's rating is that of its published ones.

use contracts::reviews::{Objection, WithdrawnBy, api::ReviewChange};
use kernel::testing::World;
use proptest::prelude::*;

use super::{customer, product, review, submit, world};
use crate::{
    commands::{Erase, OnReview},
    rating::Rating,
    review::{Ask, Review},
};

const CUSTOMERS: usize = 3;
const PRODUCTS: usize = 2;

#[derive(Clone, Debug)]
enum Step {
    Submit(usize, u8, bool),
    Edit(usize, u8, bool),
    Publish(usize),
    Reject(usize),
    Withdraw(usize),
    Erase(usize),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let of = 0..CUSTOMERS * PRODUCTS;
    let step = prop_oneof![
        4 => (of.clone(), 0..7u8, any::<bool>()).prop_map(|(n, r, p)| Step::Submit(n, r, p)),
        3 => (of.clone(), 0..7u8, any::<bool>()).prop_map(|(n, r, p)| Step::Edit(n, r, p)),
        4 => of.clone().prop_map(Step::Publish),
        2 => of.clone().prop_map(Step::Reject),
        2 => of.prop_map(Step::Withdraw),
        1 => (0..CUSTOMERS).prop_map(Step::Erase),
    ];
    proptest::collection::vec(step, 1..60)
}

fn take(world: &mut World, step: &Step) {
    let edition = |n: usize| {
        let state = world.state::<Review>(review(n).as_str());
        state.written.map_or(0, |written| written.edition)
    };
    let (n, ask) = match *step {
        Step::Submit(n, rating, publish) => {
            (n, submit(n % CUSTOMERS, n / CUSTOMERS, rating, publish))
        }
        Step::Edit(n, rating, publish_verified) => {
            let change = ReviewChange {
                rating: Some(rating),
                ..ReviewChange::default()
            };
            let edit = Ask::Edit {
                customer: customer(n % CUSTOMERS),
                change,
                verified: true,
                publish_verified,
            };
            (n, edit)
        }
        Step::Publish(n) => {
            let edition = edition(n);
            (n, Ask::Publish { edition })
        }
        Step::Reject(n) => {
            let reject = Ask::Reject {
                edition: edition(n),
                reason: Objection::Spam,
                note: None,
            };
            (n, reject)
        }
        Step::Withdraw(n) => (n, Ask::Withdraw(WithdrawnBy::Author)),
        Step::Erase(n) => {
            let person = format!("per_{n}").parse().expect("an id");
            world.run(&Erase(person)).expect("never refused");
            return;
        }
    };
    let _ = world.run(&OnReview::new(review(n), ask));
}

proptest! {
    #[test]
    fn a_rating_is_that_of_the_published_reviews(steps in steps()) {
        let mut world = world();
        for step in &steps {
            take(&mut world, step);
            for of in 0..PRODUCTS {
                let counted: Vec<u8> = (0..CUSTOMERS * PRODUCTS)
                    .filter_map(|n| world.state::<Review>(review(n).as_str()).counts())
                    .filter_map(|(id, rating)| (id == product(of)).then_some(rating))
                    .collect();
                let rating = world.state::<Rating>(product(of).as_str());
                let sum: i64 = counted.iter().map(|rating| i64::from(*rating)).sum();
                prop_assert_eq!(rating.count(), counted.len() as i64);
                prop_assert_eq!(rating.sum(), sum);
                prop_assert!(rating.histogram.iter().all(|n| *n >= 0));
            }
        }
    }
}
