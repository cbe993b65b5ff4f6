//! A shop under chance: seeded commands, crashes and restarts. At the end the totals add up and
//! every read model equals what a rebuild makes of the events.

use std::sync::Arc;

use kernel::{Timestamp, sql, testing::ManualClock};
use proptest::{
    prelude::Rng as _,
    test_runner::{RngAlgorithm, TestRng},
};
use runtime::Runtime;

use crate::{
    life::{anyone, app, config, number, rows, until},
    toys::{Account, Alarm, Page, Transfer, Trouble, audit, bank, deposit, noted},
};

const SEEDS: u64 = 8;
const ACCOUNTS: u64 = 9;

/// One life of the shop on threads of its own, so that all of it can be dropped at any moment.
struct Life {
    threads: tokio::runtime::Runtime,
    shop: Option<Runtime>,
}

impl Life {
    fn start(folder: &std::path::Path, clock: &Arc<ManualClock>, trouble: &Trouble) -> Self {
        let mut threads = tokio::runtime::Builder::new_multi_thread();
        let threads = threads
            .worker_threads(2)
            .enable_all()
            .build()
            .expect("threads");
        let modules = vec![bank(), audit(trouble)];
        let started = threads.block_on(Runtime::start(config(folder, clock.clone()), modules));
        Self {
            threads,
            shop: Some(started.expect("starts")),
        }
    }

    fn shop(&self) -> &Runtime {
        self.shop.as_ref().expect("it lives")
    }

    /// Ends without a word: tasks stop where they stand.
    fn crash(mut self) {
        self.shop.take();
    }

    fn stop(mut self) {
        let shop = self.shop.take().expect("it lives");
        self.threads.block_on(shop.shutdown());
    }
}

fn chance(seed: u64) -> TestRng {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    TestRng::from_seed(RngAlgorithm::ChaCha, &bytes)
}

/// Sets off a few commands at once and does not always wait for their answers.
fn act(life: &Life, chance: &mut TestRng, clock: &ManualClock, in_timers: &mut i64) -> i64 {
    let bank = app(life.shop(), "bank");
    let mut calls = Vec::new();
    for _ in 0..chance.next_u64() % 30 {
        let (bank, id) = (bank.clone(), format!("{}", chance.next_u64() % ACCOUNTS));
        let kind = chance.next_u64() % 10;
        let other = format!("{}", chance.next_u64() % ACCOUNTS);
        let amount = (chance.next_u64() % 12) as i64;
        let due = Timestamp(kernel::Clock::now(clock).0 + amount * 1_000);
        if kind == 7 {
            *in_timers += 1;
        }
        calls.push(life.threads.spawn(async move {
            let nobody = anyone();
            match kind {
                0 => {
                    let memo =
                        ["poison", "panic", "bad reaction", "unreadable"][amount as usize % 4];
                    bank.execute(&nobody, noted(&id, amount, memo))
                        .await
                        .map_or(0, |_| amount)
                }
                1 => bank
                    .execute(&nobody, noted(&id, amount, "bad statement"))
                    .await
                    .map_or(0, |_| amount),
                2..=4 => {
                    let announced = kind == 2;
                    let transfer = Transfer {
                        from: id,
                        to: other,
                        amount,
                        announced,
                    };
                    let _ = bank.execute(&nobody, transfer).await;
                    0
                }
                7 => {
                    let alarm = Alarm {
                        id,
                        due: Some(due),
                        again: amount % 3,
                        kind: "interest",
                    };
                    let _ = bank.execute(&nobody, alarm).await;
                    0
                }
                _ => bank
                    .execute(&nobody, deposit(&id, amount))
                    .await
                    .map_or(0, |_| amount),
            }
        }));
    }
    if chance.next_u64().is_multiple_of(3) {
        return 0;
    }
    life.threads.block_on(async {
        let mut acknowledged = 0;
        for call in calls {
            acknowledged += call.await.unwrap_or(0);
        }
        acknowledged
    })
}

#[test]
fn whatever_happens_the_totals_add_up_and_read_models_equal_their_events() {
    for seed in 0..SEEDS {
        let folder = tempfile::tempdir().expect("a folder");
        let clock = Arc::new(ManualClock::at(Timestamp(1_000_000)));
        let (trouble, mut chance) = (Trouble::default(), chance(seed));
        let (mut acknowledged, mut in_timers) = (0, 0);
        let mut life = Life::start(folder.path(), &clock, &trouble);
        for _ in 0..25 {
            acknowledged += act(&life, &mut chance, &clock, &mut in_timers);
            match chance.next_u64() % 8 {
                0 => {
                    life.crash();
                    life = Life::start(folder.path(), &clock, &trouble);
                }
                1 => {
                    life.stop();
                    life = Life::start(folder.path(), &clock, &trouble);
                }
                2 => clock.advance(5_000),
                3 => {
                    let ops = life.shop().ops();
                    let _ = life.threads.block_on(ops.redrive("audit", None));
                }
                4 => {
                    let ops = life.shop().ops();
                    life.threads
                        .block_on(ops.rebuild("bank", "balances"))
                        .expect("rebuilt");
                }
                _ => {}
            }
        }
        life.stop();
        trouble.heal();
        let life = Life::start(folder.path(), &clock, &trouble);
        life.threads
            .block_on(settle(life.shop(), &clock, acknowledged, in_timers, seed));
        life.stop();
    }
}

async fn settle(shop: &Runtime, clock: &ManualClock, acknowledged: i64, in_timers: i64, seed: u64) {
    let (ops, bank, audit) = (shop.ops(), app(shop, "bank"), app(shop, "audit"));
    clock.advance(1_000_000);
    until("no timer is left", || async {
        number(&bank, sql!("SELECT count(*) FROM timers")).await == 0
    })
    .await;
    let moves = || sql!("SELECT coalesce(sum(moves), 0) FROM balances");
    // What was parked on the way is handled now.
    until("everything is noted once", || async {
        ops.redrive("audit", None).await.expect("redriven");
        let noted = number(&audit, sql!("SELECT count(*) FROM events")).await;
        let mirrored = number(&audit, sql!("SELECT coalesce(sum(moves), 0) FROM mirror")).await;
        let there = number(&bank, moves()).await;
        assert!(
            noted <= there && mirrored <= there,
            "seed {seed}: something was noted twice"
        );
        noted == there && mirrored == there
    })
    .await;
    assert!(
        ops.dead_letters().await.expect("letters").is_empty(),
        "seed {seed}"
    );
    let total = number(
        &bank,
        sql!("SELECT coalesce(sum(balance), 0) FROM balances"),
    )
    .await;
    let interest = ops.events("bank", 0, 1_000_000).await.expect("events");
    let interest = interest
        .iter()
        .filter(|event| event.data.contains("interest"))
        .count() as i64;
    assert!(
        total - interest >= acknowledged,
        "seed {seed}: acknowledged money is gone"
    );
    assert!(
        interest <= in_timers * 3,
        "seed {seed}: a timer fired twice"
    );
    for account in 0..ACCOUNTS {
        let id = account.to_string();
        let state = bank.state::<Account>(&id).await.expect("a state").state;
        let page = audit.state::<Page>(&id).await.expect("a page").state;
        let in_order = page.versions.windows(2).all(|pair| pair[0] < pair[1]);
        assert!(in_order, "seed {seed}: {:?}", page.versions);
        assert_eq!(page.total, state.balance, "seed {seed}, account {id}");
    }
    let tables = || async {
        let balances = rows(&bank, sql!("SELECT * FROM balances ORDER BY id")).await;
        let mirror = rows(&audit, sql!("SELECT * FROM mirror ORDER BY id")).await;
        let totals = rows(&audit, sql!("SELECT * FROM totals ORDER BY id")).await;
        (balances, mirror, totals)
    };
    let grown = tables().await;
    ops.rebuild("bank", "balances").await.expect("rebuilt");
    ops.rebuild("audit", "mirror").await.expect("rebuilt");
    ops.rebuild("audit", "totals").await.expect("rebuilt");
    assert_eq!(
        tables().await,
        grown,
        "seed {seed}: a rebuild shows something else"
    );
}
