//! Several instances of a service share its work: every event takes effect once, whoever comes and
//! goes. (Numbers in comments are those of the design's guarantees.)

use std::{collections::BTreeSet, sync::Arc};

use kernel::{Module, sql, testing::ManualClock};
use runtime::Runtime;

use crate::{
    life::{anyone, app, until},
    neighbours::World,
    toys::{Page, Trouble, audit, bank, deposit},
};

pub fn modules() -> Vec<Module> {
    vec![bank(), audit(&Trouble::default())]
}

/// What an instance holds of a service.
pub fn leases(shop: &Runtime, service: &str) -> BTreeSet<String> {
    let held = shop.ops().leases(service).expect("a service");
    held.expect("leases").into_iter().collect()
}

/// Pays 1 to each of `accounts`, `times` times, through all `shops` in turn.
pub async fn pay(shops: &[&Runtime], accounts: i64, times: i64) {
    for n in 0..times {
        let paid = (0..accounts).map(|id| {
            let bank = app(shops[(n + id) as usize % shops.len()], "bank");
            async move { bank.execute(&anyone(), deposit(&format!("{id}"), 1)).await }
        });
        for done in futures_util::future::join_all(paid).await {
            done.unwrap_or_else(|error| panic!("{error}"));
        }
    }
}

/// Waits until the audit has noted `count` movements, and checks that none was noted twice or out
/// of order.
pub async fn noted_once(world: &World, shop: &Runtime, accounts: i64, times: i64) {
    until("everything is noted", || async {
        world
            .number("audit", sql!("SELECT count(*) FROM events"))
            .await
            >= accounts * times
    })
    .await;
    until("the mirror is full", || async {
        let moves = sql!("SELECT coalesce(sum(moves), 0) FROM mirror");
        world.number("audit", moves).await >= accounts * times
    })
    .await;
    for id in 0..accounts {
        let page = app(shop, "audit").state::<Page>(&id.to_string()).await;
        let page = page.expect("a page").state;
        assert_eq!(
            page.versions,
            (1..=times).collect::<Vec<_>>(),
            "account {id}"
        );
    }
    let moves = sql!("SELECT sum(moves) FROM mirror");
    assert_eq!(world.number("audit", moves).await, accounts * times);
    let letters = sql!("SELECT count(*) FROM dead_letters");
    assert_eq!(world.number("audit", letters).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn instances_share_the_work() {
    instances_share_the_work_in(&World::new(&["bank", "audit"])).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn instances_share_the_work_on_a_server() {
    instances_share_the_work_in(&World::on_a_server(&["bank", "audit"]).await).await;
}

async fn instances_share_the_work_in(world: &World) {
    let (one, _) = world.start("a", modules()).await;
    one.wait_ready().await;
    assert_eq!(leases(&one, "audit").len(), 10);
    pay(&[&one], 20, 5).await;
    // Others join while work goes on.
    let (two, _) = world.start("b", modules()).await;
    let (three, _) = world.start("c", modules()).await;
    pay(&[&one, &two, &three], 20, 5).await;
    let shops = [&one, &two, &three];
    until("the leases are shared out", || async {
        let counts = shops.map(|shop| leases(shop, "audit").len());
        counts.iter().sum::<usize>() == 10 && counts.iter().all(|n| (2..=4).contains(n))
    })
    .await;
    pay(&shops, 20, 5).await;
    noted_once(world, &two, 20, 15).await;
    // One leaves in order: what it held is somebody's within a moment, nobody need be dead.
    let begun = std::time::Instant::now();
    one.shutdown().await;
    until("its leases are taken", || async {
        leases(&two, "audit").len() + leases(&three, "audit").len() == 10
    })
    .await;
    assert!(
        begun.elapsed() < std::time::Duration::from_secs(1),
        "{:?}",
        begun.elapsed()
    );
    pay(&[&two, &three], 20, 5).await;
    noted_once(world, &three, 20, 20).await;
    two.shutdown().await;
    three.shutdown().await;
}

/// 13: a jump of the wall clock steals nothing.
#[tokio::test(flavor = "multi_thread")]
async fn a_jump_of_the_wall_clock_steals_nothing() {
    let world = World::new(&["bank", "audit"]);
    let clock = Arc::new(ManualClock::at(kernel::Timestamp(0)));
    let (one, _) = world.start_with("a", modules(), clock.clone()).await;
    let (two, _) = world.start_with("b", modules(), clock.clone()).await;
    until("the leases are shared out", || async {
        leases(&one, "audit").len() == 5 && leases(&two, "audit").len() == 5
    })
    .await;
    let epochs = || world.number("audit", sql!("SELECT sum(epoch) FROM leases"));
    let before = epochs().await;
    let beats = || world.number("audit", sql!("SELECT min(beat) FROM instances"));
    let seen = beats().await;
    clock.advance(3_600_000_000 * 24);
    until("some beats have passed", || async {
        beats().await > seen + 3
    })
    .await;
    assert_eq!(epochs().await, before);
    one.shutdown().await;
    two.shutdown().await;
}

/// A process without services has feeds.
#[tokio::test(flavor = "multi_thread")]
async fn a_process_without_services_hears_the_others() {
    let world = World::new(&["bank", "audit"]);
    let (shop, _) = world.start("a", modules()).await;
    pay(&[&shop], 3, 1).await;
    let (mut gateway, _) = world.start("gateway", Vec::new()).await;
    let heard = Arc::new(std::sync::atomic::AtomicI64::new(0));
    let counting = heard.clone();
    gateway.listen(&kernel::Broadcast::new(
        "feed",
        &["bank"],
        kernel::From::Beginning,
        move |event| counting.store(event.position, std::sync::atomic::Ordering::SeqCst),
    ));
    gateway.wait_ready().await;
    let position = || heard.load(std::sync::atomic::Ordering::SeqCst);
    assert_eq!(position(), 3);
    pay(&[&shop], 3, 1).await;
    until("it has heard the rest", || async { position() == 6 }).await;
    gateway.shutdown().await;
    shop.shutdown().await;
}
