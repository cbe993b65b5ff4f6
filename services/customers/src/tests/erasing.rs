//! Erasure: everybody whose data is the customer's, once, and nothing left in the states.

use kernel::{opened, testing::kinds};

use super::*;
use crate::{
    customer::Standing,
    erasure::{EraseCustomer, EraseGuest},
    person::PersonCommand,
};

fn erase(number: u32) -> EraseCustomer {
    EraseCustomer {
        id: id(number),
        companies: vec![],
    }
}

fn erased(shop: &Shop, number: u32) -> bool {
    shop.0.state::<Persons>(person(number).as_str()).erased
}

#[test]
fn a_customer_is_erased_with_the_guests_they_were_and_their_duplicates() {
    let mut shop = Shop::open();
    shop.registers(1, "ann@example.org");
    shop.registers(2, "ann@work.example.org");
    shop.names(1, "Ann");
    shop.verifies(1);
    shop.places(5, None, "ann@example.org", gbp(10));
    shop.does(&super::merging::merge(2, 1));
    let (persons, work) = shop.does(&erase(1));
    assert_eq!(persons, [person(1), person(1_005), person(2)]);
    assert!([1, 2, 1_005].iter().all(|number| erased(&shop, *number)));
    assert!(kinds(&work).contains(&"customers.mailbox.released.v1"));
    let state = shop.customer(1);
    assert_eq!(state.standing, Standing::Erased);
    assert!(opened(&state.profile).is_none() && opened(&state.email).is_none());
    assert!(kinds(&shop.does(&erase(1)).1).is_empty(), "erased once");
    let refused = shop.refused(&erase(2));
    assert_eq!(
        refused.code, "merged",
        "a duplicate is erased with who they are"
    );
}

#[test]
fn an_order_that_was_under_way_is_forgotten_too() {
    let mut shop = Shop::open();
    shop.registers(1, "ann@example.org");
    shop.does(&erase(1));
    let late = shop.places(8, Some(1), "ann@example.org", gbp(10));
    assert_eq!(
        kinds(&late),
        ["customers.order.recorded.v1"],
        "their key goes anyway"
    );
    let mut of_another_person = placed(9, Some(1), "ann@example.org", gbp(10), shop.0.now);
    of_another_person.person = person(77);
    let record = with_keys(&plain_keys(), || RecordOrder::of(&of_another_person));
    shop.does(&record.expect("a command"));
    assert!(erased(&shop, 77));
    assert!(kinds(&shop.confirms(8)).contains(&"customers.order.changed.v1"));
}

#[test]
fn a_guest_is_erased_by_order_and_address_and_a_customers_order_is_not_a_guests() {
    let mut shop = Shop::open();
    shop.places(1, None, "bob@example.org", gbp(10));
    shop.places(2, Some(1), "ann@example.org", gbp(10));
    let erase = |number: u32, email: &str| EraseGuest {
        orders: vec![order(number)],
        email_hash: hash(email),
    };
    assert_eq!(shop.refused(&erase(1, "eve@example.org")).code, "not-found");
    assert_eq!(
        shop.refused(&erase(2, "ann@example.org")).code,
        "customers-order"
    );
    let (persons, _) = shop.does(&erase(1, "Bob@Example.org"));
    assert_eq!(persons, [person(1_001)]);
}

#[test]
fn a_key_is_deleted_after_the_decision_and_that_is_noted_once() {
    let mut shop = Shop::open();
    let deleted = || {
        let at = Timestamp(1);
        let done = PersonCommand::KeyDeleted {
            person: person(1),
            at,
        };
        kernel::Decide::<Persons>::new("per_1", done)
    };
    assert!(
        kinds(&shop.does(&deleted()).1).is_empty(),
        "nobody decided that"
    );
    shop.registers(1, "ann@example.org");
    shop.does(&erase(1));
    assert_eq!(
        kinds(&shop.does(&deleted()).1),
        ["customers.person.key_deleted.v1"]
    );
    assert!(kinds(&shop.does(&deleted()).1).is_empty());
}

#[test]
fn the_address_of_somebody_erased_can_be_a_new_customers() {
    let mut shop = Shop::open();
    shop.registers(1, "ann@example.org");
    shop.verifies(1);
    shop.does(&erase(1));
    shop.places(3, None, "ann@example.org", gbp(1));
    assert_eq!(shop.record(3).owner(), None);
    shop.registers(2, "ann@example.org");
    shop.verifies(2);
    shop.does(&crate::history::ClaimOrders {
        customer_id: id(2),
        orders: vec![order(3)],
    });
    assert_eq!(shop.record(3).owner(), Some(&id(2)));
}
