//! The one timer of a cart's life: left alone, closed, and never in the way of a checkout.

use contracts::cart::CartStatus;
use kernel::{
    DeciderSpec, TimerOp, Work,
    testing::{World, kinds},
};

use super::*;
use crate::command::OnCart;

fn world() -> World {
    let mut world = World::new([DeciderSpec::of::<Cart>()]);
    world.now = START;
    run(
        &mut world,
        Ask::Create(cart_id(), kernel::Currency::GBP, "web".into(), None),
    );
    world
}

fn run(world: &mut World, ask: Ask) -> Work {
    let by = match ask {
        Ask::Idle => Who::System,
        _ => Who::Anyone,
    };
    let command = OnCart {
        id: cart_id(),
        by,
        rules: RULES,
        ask: Arc::new(ask),
    };
    world.run(&command).expect("accepted").1
}

fn put(sku: &str) -> Ask {
    Ask::AddLines {
        lines: vec![wanted(sku, 1)],
        single: true,
        offers: offers([offer(sku, 100)]),
    }
}

/// When the timer was set to fall due, in seconds after the start.
fn due(work: &Work) -> Option<i64> {
    work.timers.iter().find_map(|op| match op {
        TimerOp::Set(timer) => Some((timer.due.0 - START.0) / 1_000_000),
        TimerOp::Cancel(_) => None,
    })
}

#[test]
fn only_the_first_line_sets_a_timer() {
    let mut world = world();
    assert_eq!(due(&run(&mut world, put("A"))), Some(3_600));
    world.now = START.plus_seconds(60);
    assert_eq!(run(&mut world, put("B")).timers, []);
    assert_eq!(
        run(&mut world, change_to(line(1, "A", 1, 1).id, 5)).timers,
        []
    );
}

#[test]
fn the_timer_looks_at_the_last_change_and_sets_itself_again() {
    let mut world = world();
    run(&mut world, put("A"));
    world.now = START.plus_seconds(3_000);
    run(&mut world, put("B"));
    world.now = START.plus_seconds(3_600);
    let work = run(&mut world, Ask::Idle);
    assert_eq!((kinds(&work), due(&work)), (vec![], Some(6_600)));
    world.now = START.plus_seconds(6_600);
    let work = run(&mut world, Ask::Idle);
    assert_eq!(kinds(&work), ["cart.cart.abandoned.v1"]);
    assert_eq!(due(&work), Some(3_000 + 86_400));
}

#[test]
fn a_change_after_it_was_abandoned_starts_the_watch_anew() {
    let mut world = world();
    run(&mut world, put("A"));
    world.now = START.plus_seconds(3_600);
    run(&mut world, Ask::Idle);
    world.now = START.plus_seconds(5_000);
    assert_eq!(due(&run(&mut world, put("B"))), Some(8_600));
    world.now = START.plus_seconds(8_600);
    assert_eq!(
        kinds(&run(&mut world, Ask::Idle)),
        ["cart.cart.abandoned.v1"]
    );
}

#[test]
fn a_cart_left_alone_long_enough_is_closed_and_says_so() {
    let mut world = world();
    run(&mut world, put("A"));
    world.now = START.plus_seconds(86_400);
    let work = run(&mut world, Ask::Idle);
    assert_eq!(
        (kinds(&work), due(&work)),
        (vec!["cart.cart.expired.v1"], None)
    );
    assert_eq!(run(&mut world, Ask::Idle).events.len(), 0);
}

#[test]
fn an_expired_cart_is_gone_even_before_its_timer_fired() {
    let mut world = world();
    run(&mut world, put("A"));
    world.now = START.plus_seconds(86_399);
    assert_eq!(
        world.state::<Cart>("crt_1").status_at(world.now, &RULES),
        CartStatus::Open
    );
    world.now = START.plus_seconds(86_400);
    let late = OnCart {
        id: cart_id(),
        by: Who::Anyone,
        rules: RULES,
        ask: Arc::new(put("B")),
    };
    assert_eq!(code(world.run(&late).map(|done| done.0)), "cart-expired");
    assert_eq!(
        world.state::<Cart>("crt_1").status_at(world.now, &RULES),
        CartStatus::Expired
    );
}

#[test]
fn a_checkout_cancels_the_timer_in_the_same_commit() {
    let mut world = world();
    run(&mut world, put("A"));
    let checkout = Ask::CheckOut(Box::new(buyer("ord_1", offers([offer("A", 100)]))));
    let work = run(&mut world, checkout.clone());
    assert_eq!(work.timers, [TimerOp::Cancel("cart-idle:crt_1".into())]);
    assert_eq!(run(&mut world, checkout).timers, []);
    // A timer that was on its way already finds nothing to do.
    let late = run(&mut world, Ask::Idle);
    assert_eq!((late.events.len(), late.timers), (0, vec![]));
}
