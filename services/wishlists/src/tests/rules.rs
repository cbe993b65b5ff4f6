use contracts::wishlists::{Priority, WhyDeleted};
use kernel::{TimerOp, testing::kinds};

use super::{add, ask, create, create_guest, customer, list, owner, share, state, world};
use crate::{
    commands::{Claim, Erase, OnWishlist},
    items::MOST_ITEMS,
    list::Who,
    shelf::{MOST_LISTS, Shelf},
    wishlist::{Ask, Wish},
};

fn guest(hash: &str) -> Who {
    Who::Guest(hash.into())
}

fn visitor(hash: &str) -> Who {
    Who::Visitor(hash.into())
}

fn bought(sku: &str, quantity: i64) -> Ask {
    Ask::Bought(sku.into(), quantity)
}

#[test]
fn a_list_and_its_place_on_the_shelf_are_made_together() {
    let mut world = world();
    let (_, work) = world.run(&create(1, 1)).expect("accepted");
    assert_eq!(
        kinds(&work),
        [
            "wishlists.shelf.list_added.v1",
            "wishlists.wishlist.created.v1"
        ]
    );
    assert!(!work.events[1].data.contains("Birthday"), "it is sealed");
    let delete = ask(1, customer(1), Ask::Delete(WhyDeleted::Asked));
    let (_, work) = world.run(&delete).expect("accepted");
    assert_eq!(
        kinds(&work),
        [
            "wishlists.wishlist.deleted.v1",
            "wishlists.shelf.list_removed.v1"
        ]
    );
    assert!(state(&world, 1).is_none());
}

#[test]
fn a_list_is_there_for_its_owner_only() {
    let mut world = world();
    world.run(&create(1, 1)).expect("accepted");
    for stranger in [customer(2), guest("a"), visitor("a")] {
        for what in [add("MUG", 1), Ask::Unshare, bought("MUG", 1)] {
            let refused = world.run(&ask(1, stranger.clone(), what)).map(drop);
            assert_eq!(refused.expect_err("refused").code, "not-found");
        }
    }
}

#[test]
fn what_is_on_the_list_already_is_changed() {
    let mut world = world();
    world.run(&create(1, 1)).expect("accepted");
    let put = |what| ask(1, customer(1), what);
    world.run(&put(add("MUG", 1))).expect("accepted");
    let (_, work) = world.run(&put(add("MUG", 3))).expect("accepted");
    assert_eq!(kinds(&work), ["wishlists.item.changed.v1"]);
    let (changed, _) = world.run(&put(add("MUG", 3))).expect("accepted");
    assert!(!changed);
    let wish = Wish {
        priority: Some(Priority::High),
        note: Some(Some("The blue one.".into())),
        ..Wish::default()
    };
    let change = Ask::Change("MUG".into(), wish);
    world.run(&put(change)).expect("accepted");
    let item = &state(&world, 1).expect("there").items["MUG"];
    assert_eq!((item.quantity, item.priority), (3, Priority::High));
    assert_eq!(
        item.note.as_ref().and_then(|n| n.get()),
        Some(&"The blue one.".into())
    );
    for (what, field) in [
        (add("TEA", 0), "quantity"),
        (add("TEA", 10_000), "quantity"),
        (Ask::Remove("TEA".into()), "sku"),
        (Ask::Change("TEA".into(), Wish::default()), "sku"),
    ] {
        let refused = world.run(&put(what)).map(drop).expect_err("refused");
        assert_eq!(refused.field.as_deref(), Some(field));
    }
}

#[test]
fn a_list_and_a_shelf_can_be_full() {
    let mut world = world();
    for n in 0..MOST_LISTS {
        world.run(&create(n, 1)).expect("accepted");
    }
    let more = world.run(&create(MOST_LISTS, 1)).map(drop);
    assert_eq!(more.expect_err("refused").code, "too-many-lists");
    assert!(state(&world, MOST_LISTS).is_none());
    let put = |n: usize| ask(1, customer(1), add(&format!("SKU-{n}"), 1));
    for n in 0..MOST_ITEMS {
        world.run(&put(n)).expect("accepted");
    }
    let more = world.run(&put(MOST_ITEMS)).map(drop);
    assert_eq!(more.expect_err("refused").code, "list-full");
    world.run(&put(0)).expect("what is there may change");
}

#[test]
fn of_two_who_buy_the_last_one_the_second_is_told() {
    let mut world = world();
    world.run(&create(1, 1)).expect("accepted");
    world
        .run(&ask(1, customer(1), add("MUG", 2)))
        .expect("accepted");
    world
        .run(&ask(1, customer(1), share("link")))
        .expect("accepted");
    let updated = state(&world, 1).expect("there").updated_at;
    world.now = world.now.plus_seconds(10);
    let mut mark = |quantity| {
        let mark = ask(1, visitor("link"), bought("MUG", quantity));
        world.run(&mark).map(drop)
    };
    mark(2).expect("accepted");
    let second = mark(1).expect_err("refused");
    assert_eq!(second.code, "already-bought");
    assert_eq!(second.extra.expect("more")["left"], 0);
    mark(-1).expect("accepted");
    mark(1).expect("accepted");
    assert_eq!(mark(-3).expect_err("refused").code, "not-bought");
    let list = state(&world, 1).expect("there");
    assert_eq!(
        list.updated_at, updated,
        "the owner cannot tell by the time"
    );
}

#[test]
fn a_link_ends_when_it_is_taken_away_or_another_is_made() {
    let mut world = world();
    world.run(&create(1, 1)).expect("accepted");
    world
        .run(&ask(1, customer(1), add("MUG", 5)))
        .expect("accepted");
    let mark = |token: &str| ask(1, visitor(token), bought("MUG", 1));
    for (link, good, bad) in [(Some("a"), "a", "b"), (Some("b"), "b", "a")] {
        let share = share(link.expect("a link"));
        world.run(&ask(1, customer(1), share)).expect("accepted");
        world.run(&mark(good)).expect("accepted");
        assert!(world.run(&mark(bad)).is_err());
    }
    world
        .run(&ask(1, customer(1), Ask::Unshare))
        .expect("accepted");
    assert!(world.run(&mark("b")).is_err());
}

#[test]
fn a_guest_s_list_holds_no_words() {
    let mut world = world();
    world.run(&create_guest(1, "g")).expect("accepted");
    let put = |what| ask(1, guest("g"), what);
    world.run(&put(add("MUG", 1))).expect("accepted");
    let note = Wish {
        note: Some(Some("For Bob.".into())),
        ..Wish::default()
    };
    for what in [
        Ask::Rename(Some("Ann's".into())),
        Ask::Change("MUG".into(), note),
        share("link"),
    ] {
        let refused = world.run(&put(what)).map(drop).expect_err("refused");
        assert_eq!(refused.code, "sign-in-first");
    }
}

#[test]
fn a_guest_s_list_ends_when_nobody_used_it_for_long() {
    let mut world = world();
    let (_, work) = world.run(&create_guest(1, "g")).expect("accepted");
    let Some(TimerOp::Set(first)) = work.timers.first() else {
        panic!("a timer");
    };
    assert_eq!(first.due, world.now.plus_seconds(100));
    world.now = world.now.plus_seconds(60);
    world
        .run(&ask(1, guest("g"), add("MUG", 1)))
        .expect("accepted");
    let used = world.now;
    world.now = first.due;
    let expire = OnWishlist::expire(list(1), 100);
    let (_, work) = world.run(&expire).expect("never refused");
    let Some(TimerOp::Set(next)) = work.timers.first() else {
        panic!("it looks again");
    };
    assert_eq!((work.events.len(), next.due), (0, used.plus_seconds(100)));
    world.now = next.due;
    let (_, work) = world.run(&expire).expect("never refused");
    assert_eq!(kinds(&work), ["wishlists.wishlist.deleted.v1"]);
    assert!(
        world
            .run(&expire)
            .expect("never refused")
            .1
            .events
            .is_empty()
    );
}

#[test]
fn a_guest_who_signs_in_takes_the_list_along() {
    let mut world = world();
    world.run(&create_guest(1, "g")).expect("accepted");
    for (sku, quantity) in [("MUG", 3), ("TEA", 1)] {
        world
            .run(&ask(1, guest("g"), add(sku, quantity)))
            .expect("accepted");
    }
    world.run(&create(2, 7)).expect("accepted");
    for (sku, quantity) in [("MUG", 2), ("CUP", 1)] {
        world
            .run(&ask(2, customer(7), add(sku, quantity)))
            .expect("accepted");
    }
    let claim = |token: &str, into: usize, new| Claim {
        guest: list(1),
        token_hash: token.into(),
        owner: owner(7),
        into: list(into),
        new,
    };
    let wrong = world.run(&claim("x", 2, false)).map(drop);
    assert_eq!(wrong.expect_err("refused").code, "not-found");
    // A list of somebody else is none of theirs.
    world.run(&create(3, 8)).expect("accepted");
    assert!(world.run(&claim("g", 3, false)).is_err());
    assert_eq!(state(&world, 1).expect("still there").items.len(), 2);
    world.run(&claim("g", 2, false)).expect("accepted");
    let merged = state(&world, 2).expect("there");
    let of = |sku: &str| merged.items[sku].quantity;
    assert_eq!((of("MUG"), of("TEA"), of("CUP")), (3, 1, 1));
    assert!(state(&world, 1).is_none());
    assert!(world.run(&claim("g", 2, false)).is_err());

    world.run(&create_guest(1, "h")).expect("accepted");
    world
        .run(&ask(1, guest("h"), add("MUG", 1)))
        .expect("accepted");
    world.run(&claim("h", 4, true)).expect("accepted");
    assert_eq!(state(&world, 4).expect("there").items.len(), 1);
    assert_eq!(world.state::<Shelf>("per_7").lists.len(), 2);
}

#[test]
fn a_claim_that_does_not_fit_takes_nothing() {
    let mut world = world();
    world.run(&create_guest(1, "g")).expect("accepted");
    world
        .run(&ask(1, guest("g"), add("MUG", 3)))
        .expect("accepted");
    world.run(&create(2, 7)).expect("accepted");
    for n in 0..MOST_ITEMS {
        let put = ask(2, customer(7), add(&format!("SKU-{n}"), 1));
        world.run(&put).expect("accepted");
    }
    let claim = Claim {
        guest: list(1),
        token_hash: "g".into(),
        owner: owner(7),
        into: list(2),
        new: false,
    };
    let refused = world.run(&claim).map(drop).expect_err("refused");
    assert_eq!(refused.code, "list-full");
    assert!(state(&world, 1).is_some());
}

#[test]
fn given_lists_of_a_person_when_erased_then_they_go_and_no_more_are_made() {
    let mut world = world();
    world.run(&create(1, 1)).expect("accepted");
    world.run(&create(2, 1)).expect("accepted");
    world.run(&create(3, 2)).expect("accepted");
    let erase = Erase("per_1".parse().expect("an id"));
    world.run(&erase).expect("never refused");
    assert!(state(&world, 1).is_none() && state(&world, 2).is_none());
    assert!(state(&world, 3).is_some());
    assert!(
        world
            .run(&erase)
            .expect("never refused")
            .1
            .events
            .is_empty()
    );
    let late = world.run(&create(4, 1)).map(drop);
    assert_eq!(late.expect_err("refused").code, "erased");
}
