//! An instance that was stopped and goes on cannot write what is not its own any more.

use std::sync::Arc;

use kernel::{sql, testing::ManualClock};

use crate::{
    life::{anyone, app, until},
    many::{leases, modules, noted_once, pay},
    neighbours::World,
    toys::{Account, Alarm, bank, deposit},
};

/// 8, 13: the position commits with its effects, and the lease is asserted in the same commit.
/// 5: callers' commands that share a batch with a refused one go on.
#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_holder_that_goes_on_is_refused() {
    a_stopped_holder_that_goes_on_is_refused_in(&World::new(&["bank", "audit"])).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_holder_that_goes_on_is_refused_on_a_server() {
    a_stopped_holder_that_goes_on_is_refused_in(&World::on_a_server(&["bank", "audit"]).await)
        .await;
}

async fn a_stopped_holder_that_goes_on_is_refused_in(world: &World) {
    let (bank_alone, _) = world.start("bank", vec![bank()]).await;
    let (one, gate) = world.start("a", vec![modules().remove(1)]).await;
    pay(&[&bank_alone], 20, 2).await;
    noted_once(world, &one, 20, 2).await;
    // Stopped as by SIGSTOP, with a commit on its way: events came, and were decided on.
    gate.stop();
    pay(&[&bank_alone], 20, 2).await;
    until("a commit of it is on its way", || async {
        gate.waiting() > 1
    })
    .await;
    let call = {
        let audit = app(&one, "audit");
        tokio::spawn(async move {
            audit
                .execute(
                    &anyone(),
                    kernel::Decide::<crate::toys::Page>::new("caller", (1, 1)),
                )
                .await
        })
    };
    let (two, _) = world.start("b", vec![modules().remove(1)]).await;
    until("another has taken over", || async {
        leases(&two, "audit").len() == 10
    })
    .await;
    noted_once(world, &two, 20, 4).await;
    // Its late commits arrive now. They must all be refused, but not its caller's command.
    gate.go_on();
    call.await.expect("a caller").expect("committed");
    until("it has its share again", || async {
        leases(&one, "audit").len() == 5 && leases(&two, "audit").len() == 5
    })
    .await;
    pay(&[&bank_alone], 20, 2).await;
    until("everything is noted, and the caller's page", || async {
        world
            .number("audit", sql!("SELECT count(*) FROM events"))
            .await
            == 121
    })
    .await;
    let twice = sql!(
        "SELECT coalesce(max(n), 0) FROM (SELECT count(*) AS n FROM events GROUP BY stream) AS x WHERE n > 6"
    );
    assert_eq!(world.number("audit", twice).await, 0);
    noted_once(world, &two, 20, 6).await;
    for shop in [one, two, bank_alone] {
        shop.shutdown().await;
    }
}

/// A start in the slot of one that was killed takes over at once: nobody waits for its death.
#[tokio::test(flavor = "multi_thread")]
async fn a_new_start_in_the_same_slot_takes_over_at_once() {
    let world = World::new(&["bank", "audit"]);
    let (killed, gate) = world.start("a", modules()).await;
    pay(&[&killed], 5, 1).await;
    gate.stop();
    let (next, _) = world.start("a", modules()).await;
    assert_eq!(leases(&next, "audit").len(), 10);
    pay(&[&next], 5, 2).await;
    noted_once(&world, &next, 5, 3).await;
    // It was not killed after all: it does not take the slot back.
    gate.go_on();
    until("it holds nothing", || async {
        leases(&killed, "audit").is_empty()
    })
    .await;
    pay(&[&next], 5, 1).await;
    noted_once(&world, &next, 5, 4).await;
    assert_eq!(leases(&next, "audit").len(), 10);
    killed.shutdown().await;
    assert_eq!(leases(&next, "audit").len(), 10);
    next.shutdown().await;
}

/// 13: a timer fires once, also when its holder was stopped in the middle of firing it.
#[tokio::test(flavor = "multi_thread")]
async fn a_timer_fires_once_among_several() {
    a_timer_fires_once_among_several_in(&World::new(&["bank"])).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_timer_fires_once_among_several_on_a_server() {
    a_timer_fires_once_among_several_in(&World::on_a_server(&["bank"]).await).await;
}

async fn a_timer_fires_once_among_several_in(world: &World) {
    let clock = Arc::new(ManualClock::at(kernel::Timestamp(0)));
    let (one, gate) = world.start_with("a", vec![bank()], clock.clone()).await;
    let alarm = |id: i64, due| Alarm {
        id: id.to_string(),
        due: Some(kernel::Timestamp(due)),
        again: 0,
        kind: "interest",
    };
    for id in 0..50 {
        let set = app(&one, "bank").execute(&anyone(), alarm(id, 1_000)).await;
        set.expect("set");
    }
    assert!(leases(&one, "bank").contains("timers"));
    gate.stop();
    let (two, _) = world.start_with("b", vec![bank()], clock.clone()).await;
    clock.advance(2_000);
    let fired = || world.number("bank", sql!("SELECT count(*) FROM events"));
    until("another has fired them", || async { fired().await == 50 }).await;
    gate.go_on();
    // One that another instance sets wakes the holder soon enough.
    until("the timers are somebody's", || async {
        leases(&one, "bank").contains("timers") || leases(&two, "bank").contains("timers")
    })
    .await;
    for shop in [&one, &two] {
        let set = app(shop, "bank").execute(&anyone(), alarm(99, 0)).await;
        set.expect("set");
    }
    until("it has fired", || async {
        world
            .number("bank", sql!("SELECT count(*) FROM timers"))
            .await
            == 0
    })
    .await;
    let balance = app(&two, "bank").state::<Account>("7").await;
    assert_eq!(balance.expect("a state").state.balance, 1);
    assert!((51..=52).contains(&fired().await));
    one.shutdown().await;
    two.shutdown().await;
}

/// 13: a timer that another instance moved while its holder was firing it stands, and is not lost.
#[tokio::test(flavor = "multi_thread")]
async fn a_timer_moved_elsewhere_while_it_is_being_fired_stands() {
    let world = World::new(&["bank"]);
    let clock = Arc::new(ManualClock::at(kernel::Timestamp(0)));
    let (one, gate) = world.start_with("a", vec![bank()], clock.clone()).await;
    let (two, _) = world.start_with("b", vec![bank()], clock.clone()).await;
    let (holder, other) = match leases(&one, "bank").contains("timers") {
        true => (&one, &two),
        false => panic!("the first one holds the timers"),
    };
    let alarm = |due| Alarm {
        id: "x".into(),
        due: Some(kernel::Timestamp(due)),
        again: 0,
        kind: "interest",
    };
    let set = app(holder, "bank").execute(&anyone(), alarm(1_000)).await;
    set.expect("set");
    gate.stop_writes();
    clock.advance(2_000);
    until("it is being fired", || async { gate.waiting() > 0 }).await;
    let moved = app(other, "bank")
        .execute(&anyone(), alarm(1_000_000))
        .await;
    moved.expect("moved");
    gate.go_on();
    // Something after it, through the same batcher: then the late commit has been answered.
    let after = app(holder, "bank")
        .execute(&anyone(), deposit("y", 1))
        .await;
    after.expect("committed");
    let standing = sql!("SELECT count(*) FROM timers WHERE due = 1000000");
    assert_eq!(world.number("bank", standing).await, 1);
    assert_eq!(
        world
            .number("bank", sql!("SELECT count(*) FROM events"))
            .await,
        1
    );
    one.shutdown().await;
    two.shutdown().await;
}

/// Callers need no lease: whoever holds what, each command takes effect once.
#[tokio::test(flavor = "multi_thread")]
async fn commands_go_on_whoever_holds_the_leases() {
    let world = World::new(&["bank", "audit"]);
    let (one, _) = world.start("a", modules()).await;
    let (two, _) = world.start("b", modules()).await;
    let callers = (0..40).map(|n| {
        let bank = app(if n % 2 == 0 { &one } else { &two }, "bank");
        tokio::spawn(async move {
            for _ in 0..10 {
                let done = bank
                    .execute(&anyone(), deposit(&format!("{}", n % 5), 1))
                    .await;
                done.unwrap_or_else(|error| panic!("{error}"));
            }
        })
    });
    for caller in callers.collect::<Vec<_>>() {
        caller.await.expect("a caller");
    }
    noted_once(&world, &two, 5, 80).await;
    one.shutdown().await;
    two.shutdown().await;
}
