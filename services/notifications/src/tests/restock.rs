//! Those who wait for a SKU.

use kernel::{
    TimerOp,
    testing::{given, kinds},
};

use super::fixtures::{arc, message, wish, world};
use crate::{
    message::Message,
    restock::{ANNOUNCE, MAX_WAITING, Restock, RestockCommand, Restocked},
};
use kernel::Decide;

fn restocked(available: Option<bool>) -> Restocked {
    Restocked {
        sku: "MUG".into(),
        available,
    }
}

fn asked(n: u32) -> Decide<Restock> {
    Decide::new("MUG", RestockCommand::Ask(arc(wish(n))))
}

#[test]
fn only_a_change_between_some_and_none_is_recorded() {
    let mut world = world();
    let mut changes = Vec::new();
    for available in [false, true, true, false, false, true] {
        let (_, work) = world.run(&restocked(Some(available))).expect("noted");
        changes.push(kinds(&work).len());
    }
    assert_eq!(changes, [0, 1, 0, 1, 0, 1]);
}

#[test]
fn who_waits_is_told_once_when_there_is_some() {
    let mut world = world();
    world.run(&asked(1)).expect("noted");
    world.run(&asked(1)).expect("noted already");
    assert_eq!(world.state::<Restock>("MUG").waiting.len(), 1);
    world.run(&restocked(Some(false))).expect("nothing");
    assert!(message(&world, "back_in_stock-bsr_1").queued.is_none());
    for _ in 0..2 {
        world.run(&restocked(Some(true))).expect("told");
    }
    let told = message(&world, "back_in_stock-bsr_1").queued.expect("told");
    assert_eq!(
        told.to.get().map(String::as_str),
        Some("reader1@example.org")
    );
    assert!(world.state::<Restock>("MUG").waiting.is_empty());
    let refused = world.run(&asked(2)).err().expect("there is some");
    assert_eq!(refused.code, "in-stock");
}

#[test]
fn many_are_told_in_turns_for_as_long_as_there_is_some() {
    let mut world = world();
    for n in 1..=250 {
        world.run(&asked(n)).expect("noted");
    }
    let (_, work) = world.run(&restocked(Some(true))).expect("told");
    let timer = work.timers.first();
    assert!(matches!(timer, Some(TimerOp::Set(timer)) if timer.kind == ANNOUNCE));
    assert_eq!(world.state::<Restock>("MUG").waiting.len(), 150);
    world.run(&restocked(None)).expect("told");
    world.run(&restocked(Some(false))).expect("sold out");
    world.run(&restocked(None)).expect("nobody");
    assert_eq!(world.state::<Restock>("MUG").waiting.len(), 50);
    assert!(
        world
            .state::<Message>("back_in_stock-bsr_200")
            .queued
            .is_some()
    );
    assert!(
        world
            .state::<Message>("back_in_stock-bsr_201")
            .queued
            .is_none()
    );
}

#[test]
fn the_list_has_an_end() {
    let mut restock = given::<Restock>([]);
    let one = arc(wish(1));
    restock.state.waiting = vec![one; MAX_WAITING];
    let refused = restock.when(RestockCommand::Ask(arc(wish(2))));
    assert_eq!(refused.expect_err("full").code, "too-many-waiting");
}
