//! Read models: rebuilt beside the old tables while the shop goes on, and equal to a fresh build.

use kernel::{Module, Row, Statement, sql};
use runtime::Runtime;

use crate::{
    life::{anyone, app, number, rows, start, until},
    toys::{Trouble, audit, bank, bank_with_doubled_moves, deposit, mirror, noted},
};

fn modules(trouble: &Trouble) -> Vec<Module> {
    vec![bank(), audit(trouble)]
}

fn balances() -> Statement {
    sql!("SELECT id, balance, moves FROM balances ORDER BY id")
}

fn mirrored() -> Statement {
    sql!("SELECT id, balance, moves FROM mirror ORDER BY id")
}

async fn pay_much(shop: &Runtime, times: i64) {
    let bank = app(shop, "bank");
    let nobody = anyone();
    for n in 0..times {
        let paid = (0..10).map(|m| bank.execute(&nobody, deposit(&format!("{m}"), n % 11)));
        let paid = futures_util::future::join_all(paid).await;
        assert!(paid.into_iter().all(|done| done.is_ok()));
    }
}

/// Tables that no projection answers from.
async fn leftovers(shop: &Runtime, service: &str) -> Vec<Row> {
    let shadows = sql!(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name LIKE '%\\_\\_%' ESCAPE '\\'"
    );
    rows(&app(shop, service), shadows).await
}

/// Waits until the mirror has as many moves as the bank.
async fn mirror_is_full(shop: &Runtime) {
    let (bank, audit) = (app(shop, "bank"), app(shop, "audit"));
    until("the mirror is full", || async {
        let there = number(&bank, sql!("SELECT sum(moves) FROM balances")).await;
        number(&audit, sql!("SELECT coalesce(sum(moves), 0) FROM mirror")).await == there
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rebuild_while_writes_go_on_equals_what_grew_by_itself() {
    let folder = tempfile::tempdir().expect("a folder");
    let shop = start(folder.path(), modules(&Trouble::default())).await;
    pay_much(&shop, 100).await;
    let ops = shop.ops();
    // Someone damages the tables; that is what rebuilding is for.
    let damage = |file: &str, sql: &str| {
        let file = rusqlite::Connection::open(folder.path().join(file)).expect("opens");
        file.busy_timeout(std::time::Duration::from_secs(10))
            .expect("set");
        file.execute_batch(sql).expect("damaged");
    };
    damage(
        "bank.db",
        "UPDATE balances SET moves = 7777 WHERE id = '3'; DELETE FROM balances WHERE id = '4'",
    );
    mirror_is_damaged(&shop, damage).await;
    for _ in 0..2 {
        let (own, topics, ()) = tokio::join!(
            ops.rebuild("bank", "balances"),
            ops.rebuild("audit", "mirror"),
            pay_much(&shop, 60),
        );
        own.expect("rebuilt");
        topics.expect("rebuilt");
    }
    assert!(ops.rebuild("bank", "no such").await.is_err());
    let (bank, audit) = (app(&shop, "bank"), app(&shop, "audit"));
    let expected: i64 = (0..100).chain(0..60).chain(0..60).map(|n| n % 11).sum();
    let grown = rows(&bank, balances()).await;
    assert_eq!(grown.len(), 10);
    for row in &grown {
        assert_eq!(
            (row.get::<i64>(1), row.get::<i64>(2)),
            (expected, 220),
            "{row:?}"
        );
    }
    until("the mirror shows the same", || async {
        rows(&audit, mirrored()).await == grown
    })
    .await;
    assert_eq!(
        (
            leftovers(&shop, "bank").await,
            leftovers(&shop, "audit").await
        ),
        (vec![], vec![])
    );
    shop.shutdown().await;
    // Index names of earlier rebuilds are in no later one's way, also after a restart.
    let shop = start(folder.path(), modules(&Trouble::default())).await;
    shop.ops()
        .rebuild("bank", "balances")
        .await
        .expect("rebuilt again");
    assert_eq!(rows(&app(&shop, "bank"), balances()).await, grown);
    shop.shutdown().await;
}

async fn mirror_is_damaged(shop: &Runtime, damage: impl Fn(&str, &str)) {
    mirror_is_full_of(shop, 1_000).await;
    damage("audit.db", "UPDATE mirror SET balance = -1");
}

async fn mirror_is_full_of(shop: &Runtime, moves: i64) {
    let audit = app(shop, "audit");
    until("the mirror is full", || async {
        number(&audit, sql!("SELECT coalesce(sum(moves), 0) FROM mirror")).await == moves
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_version_is_built_from_the_log_at_the_next_start() {
    let folder = tempfile::tempdir().expect("a folder");
    let shop = start(folder.path(), vec![bank()]).await;
    pay_much(&shop, 20).await;
    let moves = || sql!("SELECT sum(moves) FROM balances");
    assert_eq!(number(&app(&shop, "bank"), moves()).await, 200);
    shop.shutdown().await;
    let shop = start(folder.path(), vec![bank_with_doubled_moves()]).await;
    let bank_app = app(&shop, "bank");
    assert_eq!(number(&bank_app, moves()).await, 400);
    bank_app
        .execute(&anyone(), deposit("1", 1))
        .await
        .expect("committed");
    assert_eq!(number(&bank_app, moves()).await, 402);
    assert!(leftovers(&shop, "bank").await.is_empty());
    shop.shutdown().await;
    // Started again with the same version it is not built again.
    let file = rusqlite::Connection::open(folder.path().join("bank.db")).expect("opens");
    file.execute("UPDATE balances SET moves = 0", [])
        .expect("marked");
    let shop = start(folder.path(), vec![bank_with_doubled_moves()]).await;
    assert_eq!(number(&app(&shop, "bank"), moves()).await, 0);
    shop.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_version_of_a_read_model_of_others_is_read_from_the_beginning() {
    let folder = tempfile::tempdir().expect("a folder");
    let trouble = Trouble::default();
    let shop = start(folder.path(), modules(&trouble)).await;
    pay_much(&shop, 5).await;
    app(&shop, "bank")
        .execute(&anyone(), noted("bad", 1, "unreadable"))
        .await
        .expect("committed");
    until("it is parked", || async {
        !shop.ops().dead_letters().await.expect("letters").is_empty()
    })
    .await;
    shop.shutdown().await;
    // The new version can read it: nothing of the old version's troubles stays.
    trouble.heal();
    let mut audit_two = audit(&trouble);
    audit_two
        .projections
        .retain(|projection| projection.name != "mirror");
    let audit_two = audit_two.projection(mirror(2, trouble));
    let shop = start(folder.path(), vec![bank(), audit_two]).await;
    mirror_is_full(&shop).await;
    assert_eq!(
        number(
            &app(&shop, "audit"),
            sql!("SELECT balance FROM mirror WHERE id = 'bad'")
        )
        .await,
        1
    );
    assert!(shop.ops().dead_letters().await.expect("letters").is_empty());
    shop.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_parked_stays_out_of_a_rebuild_until_it_is_redriven() {
    let folder = tempfile::tempdir().expect("a folder");
    let trouble = Trouble::default();
    let shop = start(folder.path(), modules(&trouble)).await;
    let bank = app(&shop, "bank");
    for memo in ["", "unreadable", ""] {
        bank.execute(&anyone(), noted("a", 1, memo))
            .await
            .expect("committed");
    }
    bank.execute(&anyone(), deposit("b", 1))
        .await
        .expect("committed");
    let audit = app(&shop, "audit");
    mirror_is_full_of(&shop, 2).await;
    let before = rows(&audit, mirrored()).await;
    shop.ops()
        .rebuild("audit", "mirror")
        .await
        .expect("rebuilt");
    assert_eq!(rows(&audit, mirrored()).await, before);
    trouble.heal();
    assert_eq!(
        shop.ops()
            .redrive("audit", Some("projection:mirror"))
            .await
            .expect("redriven"),
        2
    );
    mirror_is_full(&shop).await;
    shop.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rebuild_that_a_crash_broke_off_leaves_nothing_behind() {
    let folder = tempfile::tempdir().expect("a folder");
    let shop = start(folder.path(), vec![bank()]).await;
    pay_much(&shop, 3).await;
    let grown = rows(&app(&shop, "bank"), balances()).await;
    shop.shutdown().await;
    // As a crash in the middle of it would leave the file.
    let file = rusqlite::Connection::open(folder.path().join("bank.db")).expect("opens");
    file.execute_batch(
        "CREATE TABLE balances__1 (id TEXT PRIMARY KEY, balance INTEGER NOT NULL, moves INTEGER NOT NULL) STRICT; \
         CREATE INDEX balances_by_balance__1 ON balances__1 (balance); \
         INSERT INTO balances__1 VALUES ('half', 1, 1); \
         INSERT INTO rebuilds VALUES ('balances', 1, 'balances__1')",
    )
    .expect("broken off");
    let shop = start(folder.path(), vec![bank()]).await;
    assert!(leftovers(&shop, "bank").await.is_empty());
    shop.ops()
        .rebuild("bank", "balances")
        .await
        .expect("rebuilt");
    assert_eq!(rows(&app(&shop, "bank"), balances()).await, grown);
    shop.shutdown().await;
}
