//! A running shop on embedded storage is carried to PostgreSQL and goes on there.
#![allow(missing_docs, clippy::unwrap_used)]

mod support;

use std::process::{Command, Stdio};

use scratch::{Postgres, PostgresOptions};
use support::{Buying, Shop, lines_of, order_status, souk_in};

#[tokio::test]
async fn a_running_shop_is_carried_over_with_its_whole_history() {
    let folder = tempfile::tempdir().unwrap();
    let options = PostgresOptions {
        fsync: false,
        ..PostgresOptions::default()
    };
    let postgres = Postgres::start(&folder.path().join("postgres"), options).unwrap();
    let (database, keyring) = (postgres.url("{service}"), postgres.url("souk_keyring"));

    let mut old = Shop::start();
    old.product("lamp", 900, 10).await;
    let (order, bought) = old.bought(&Buying::one("lamp", 2, "tok_visa")).await;
    assert_eq!(order_status(&bought), "confirmed");
    let from = format!("sqlite:{}", old.data().display());
    let mut moving = Command::new(env!("CARGO_BIN_EXE_souk"))
        .args([
            "move-data",
            "--from",
            &from,
            "--to",
            &database,
            "--keyring",
            &keyring,
        ])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = lines_of(moving.stdout.take().unwrap());
    let mut said = Vec::new();
    while !said
        .iter()
        .any(|line: &String| line.contains("Stop the shop"))
    {
        said.push(lines.recv_timeout(support::PATIENCE).expect("it goes on"));
    }
    assert!(old.terminate());
    assert!(moving.wait().unwrap().success(), "{said:#?}");
    said.extend(lines.iter());
    let checked = said.iter().filter(|line| line.ends_with(": the same"));
    assert_eq!(checked.count(), 13, "each service: {said:#?}");

    // Another shop's history does not go on top of it.
    let stranger = Shop::start();
    let from = format!("sqlite:{}", stranger.data().display());
    let args = [
        "move-data",
        "--from",
        &from,
        "--to",
        &database,
        "--keyring",
        &keyring,
    ];
    let refused = souk_in(folder.path(), &[], &args);
    assert!(!refused.status.success());
    assert!(support::said(&refused).contains("another shop's history"));
    drop(stranger);

    let new = Shop::start_with(&[
        "--processes",
        "--database",
        &database,
        "--keyring",
        &keyring,
    ]);
    let path = format!("/api/orders/{}", order.id);
    let seen = new.staff().get(&path).await.ok();
    // Read models are built from the events, and personal data is still opened by its key.
    assert_eq!(order_status(&seen), "confirmed");
    assert_eq!(seen["email"], bought["email"]);
    let stock = new.stock_settles("lamp", 8).await;
    assert_eq!(stock["available"], 8, "{stock}");
    let (_, more) = new.bought(&Buying::one("lamp", 1, "tok_visa")).await;
    assert_eq!(order_status(&more), "confirmed");
}
