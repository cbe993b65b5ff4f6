//! Read models and schemas with several instances: started together, rebuilt while others write,
//! and changed by a newer program beside an older one.

use std::sync::Arc;

use kernel::{AppError, sql};
use runtime::SystemClock;

use crate::{
    life::{anyone, app, until},
    many::{modules, pay},
    neighbours::World,
    toys::{Trouble, audit, bank, bank_with_doubled_moves, deposit, mirror},
};

/// Instances that start at the same moment over empty databases make each table once.
#[tokio::test(flavor = "multi_thread")]
async fn several_start_at_once() {
    let world = World::new(&["bank", "audit"]);
    let start = |slot| world.start(slot, modules());
    let ((one, _), (two, _), (three, _)) = tokio::join!(start("a"), start("b"), start("c"));
    pay(&[&one, &two, &three], 6, 4).await;
    crate::many::noted_once(&world, &one, 6, 4).await;
    for shop in [one, two, three] {
        shop.shutdown().await;
    }
}

/// 24: a rebuild by one instance while the others write loses nothing and counts nothing twice.
#[tokio::test(flavor = "multi_thread")]
async fn one_rebuilds_while_others_write() {
    rebuilt_in(&World::new(&["bank", "audit"])).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_rebuilds_while_others_write_on_a_server() {
    rebuilt_in(&World::on_a_server(&["bank", "audit"]).await).await;
}

async fn rebuilt_in(world: &World) {
    let (one, _) = world.start("a", modules()).await;
    let (two, _) = world.start("b", modules()).await;
    let shops = [&one, &two];
    pay(&shops, 10, 10).await;
    let (one_ops, two_ops) = (one.ops(), two.ops());
    let rebuilds = async {
        for _ in 0..3 {
            let done = tokio::join!(
                one_ops.rebuild("bank", "balances"),
                // Whoever holds the partitions, any instance can do it; and two take turns.
                one_ops.rebuild("audit", "mirror"),
                two_ops.rebuild("audit", "mirror"),
            );
            done.0.expect("rebuilt");
            done.1.expect("rebuilt");
            done.2.expect("rebuilt");
        }
    };
    tokio::join!(rebuilds, pay(&shops, 10, 20));
    let moves = sql!("SELECT sum(moves) FROM balances");
    assert_eq!(world.number("bank", moves).await, 300);
    crate::many::noted_once(world, &two, 10, 30).await;
    one.shutdown().await;
    two.shutdown().await;
}

/// 24: what is written at the very moment of the switch is in the new tables.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_at_the_moment_of_the_switch() {
    let world = World::new(&["bank", "audit"]);
    let (one, gate) = world.start("a", modules()).await;
    pay(&[&one], 5, 2).await;
    crate::many::noted_once(&world, &one, 5, 2).await;
    let (two, _) = world.start("b", modules()).await;
    for (round, (service, projection)) in [("bank", "balances"), ("audit", "mirror")]
        .into_iter()
        .enumerate()
    {
        gate.stop_switches();
        let ops = one.ops();
        let rebuilding = tokio::spawn(async move { ops.rebuild(service, projection).await });
        until("it is about to switch", || async { gate.waiting() > 0 }).await;
        // Whoever of the two holds the partitions: the other one's batcher is not held up.
        let times = 3 + round as i64;
        pay(&[&two], 5, 1).await;
        let moves = sql!("SELECT coalesce(sum(moves), 0) FROM balances");
        assert_eq!(world.number("bank", moves).await, 5 * times);
        if service == "audit" {
            let two_holds = |shop| {
                crate::many::leases(shop, "audit")
                    .iter()
                    .filter(|l| l.starts_with("partition"))
                    .count()
            };
            until("what the other one holds is mirrored", || async {
                let here = sql!("SELECT count(*) FROM positions WHERE subscription = 'projection:mirror' AND position = $1", 5 * times);
                world.number("audit", here).await >= two_holds(&two) as i64
            })
            .await;
        }
        gate.go_on();
        rebuilding.await.expect("no panic").expect("rebuilt");
        let moves = sql!("SELECT coalesce(sum(moves), 0) FROM balances");
        assert_eq!(world.number("bank", moves).await, 5 * times);
        crate::many::noted_once(&world, &two, 5, times).await;
    }
    one.shutdown().await;
    two.shutdown().await;
}

/// 24: commits assert the live version. When a newer program has switched a read model, an older
/// one beside it writes no more, and says why; the newer one goes on.
#[tokio::test(flavor = "multi_thread")]
async fn a_newer_program_takes_the_read_model_over() {
    let world = World::new(&["bank"]);
    let (old, _) = world.start("a", vec![bank()]).await;
    pay(&[&old], 5, 4).await;
    let (new, _) = world.start("b", vec![bank_with_doubled_moves()]).await;
    let moves = || world.number("bank", sql!("SELECT sum(moves) FROM balances"));
    assert_eq!(moves().await, 40);
    let refused = app(&old, "bank").execute(&anyone(), deposit("0", 1)).await;
    assert!(matches!(refused.map(drop), Err(AppError::Unavailable(_))));
    assert!(
        old.not_ready().join("\n").contains("version 2"),
        "{:?}",
        old.not_ready()
    );
    pay(&[&new], 5, 1).await;
    assert_eq!(moves().await, 50);
    // Another one of the old program is not let in beside it, and changes nothing.
    let clock = Arc::new(SystemClock);
    let (started, _) = world.try_start("c", vec![bank()], clock.clone()).await;
    let refused = started.map(drop).expect_err("refused").to_string();
    assert!(refused.contains("version 2"), "{refused}");
    assert_eq!(moves().await, 50);
    old.shutdown().await;
    new.shutdown().await;
    // Alone, it may go back.
    let (old, _) = world.start("c", vec![bank()]).await;
    assert_eq!(moves().await, 25);
    old.shutdown().await;
}

/// The same with a read model of other services' events: built beside the old one, from the log.
#[tokio::test(flavor = "multi_thread")]
async fn a_newer_program_takes_a_read_model_of_others_over() {
    let world = World::new(&["bank", "audit"]);
    let trouble = Trouble::default();
    let (old, _) = world.start("a", vec![bank(), audit(&trouble)]).await;
    pay(&[&old], 5, 4).await;
    crate::many::noted_once(&world, &old, 5, 4).await;
    let mut newer = audit(&trouble);
    newer.projections.retain(|one| one.name != "mirror");
    let newer = newer.projection(mirror(2, trouble.clone()));
    let (new, _) = world.start("b", vec![bank(), newer]).await;
    let moves = || world.number("audit", sql!("SELECT sum(moves) FROM mirror"));
    assert_eq!(moves().await, 20, "it is there from the start");
    pay(&[&new], 5, 1).await;
    // The old one's partitions wait for it to go: it must not write the new tables.
    old.shutdown().await;
    until("everything is there", || async { moves().await == 25 }).await;
    crate::many::noted_once(&world, &new, 5, 5).await;
    new.shutdown().await;
}
