//! The real shop as many processes, with PostgreSQL and NATS that the supervisor starts itself
//! (Debian: `apt-get install postgresql nats-server`).
#![cfg(unix)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr
)]

mod support;

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU64, Ordering},
};

use support::{
    Api, Buying, Shop, order_status, said,
    supervised::{Steering, Supervised, all_gone},
};

const SHOP: &[&str] = &["--processes", "--provider-timeout-ms", "1000"];

#[tokio::test]
async fn a_shop_sells_while_its_processes_come_and_go_and_is_all_there_the_next_day() {
    let mut shop = Shop::start_with(SHOP);
    let steering = Steering::of(&shop.data());
    shop.product("lamp", 2500, 100).await;
    let buying = Buying::one("lamp", 1, "tok_visa");
    let (_, first) = shop.bought(&buying).await;
    assert_eq!(order_status(&first), "confirmed");

    // More of everything on the way of an order.
    steering.ok(&["scale", "orders=2", "inventory=2"]);
    assert_eq!(steering.slots("orders"), ["orders-1", "orders-2"]);
    let (_, second) = shop.bought(&buying).await;
    assert_eq!(order_status(&second), "confirmed");

    // One of them dies in the middle of things; so does the database.
    let pid = steering.kill("orders-1");
    let (_, third) = shop.bought(&buying).await;
    assert_eq!(order_status(&third), "confirmed");
    steering.replaced("orders-1", pid).await;

    // Back to one; nothing is lost.
    steering.ok(&["scale", "orders=1", "inventory=1"]);
    let (_, fourth) = shop.bought(&buying).await;
    assert_eq!(order_status(&fourth), "confirmed");
    shop.stock_settles("lamp", 96).await;

    let pids = steering.pids();
    let ended = steering.ok(&["down"]);
    assert!(ended.contains("orders-1 has ended"), "{ended}");
    all_gone(&pids).await;
    shop.wait_end();

    // The next day.
    shop.open();
    for order in [&first, &second, &third, &fourth] {
        let path = format!("/api/orders/{}", order["id"].as_str().unwrap());
        let there = shop.staff().get(&path).await.ok();
        assert_eq!(order_status(&there), "confirmed");
    }
    shop.bought(&buying).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_notices_that_everything_is_replaced() {
    let shop = Shop::start_with(SHOP);
    let steering = Steering::of(&shop.data());
    shop.product("lamp", 2500, 1_000_000).await;
    let before = steering.pids();
    let (stop, asked) = (
        Arc::new(AtomicBool::new(false)),
        Arc::new(AtomicU64::new(0)),
    );
    let mut shoppers = tokio::task::JoinSet::new();
    for shopper in 0..4 {
        let (url, stop, asked) = (shop.url.clone(), stop.clone(), asked.clone());
        shoppers.spawn(async move {
            let kept = Api::new(&url, None);
            let mut failed = Vec::new();
            while !stop.load(Ordering::Relaxed) {
                // Two keep their connections, two come anew each time.
                let api = if shopper % 2 == 0 {
                    kept.clone()
                } else {
                    Api::new(&url, None)
                };
                for path in ["/api/catalog/products?limit=3", "/"] {
                    match api.try_get(path).await {
                        Ok(answer) if answer.status == 200 => {}
                        Ok(answer) => {
                            failed.push(format!("{path}: {} {}", answer.status, answer.text))
                        }
                        Err(error) => failed.push(format!("{path}: {error}")),
                    }
                    asked.fetch_add(1, Ordering::Relaxed);
                }
            }
            failed
        });
    }
    let steered = steering.clone();
    let restart = tokio::task::spawn_blocking(move || steered.souk(&["restart"]));
    // Somebody buys meanwhile, again and again.
    let mut orders = 0;
    let buying = Buying::one("lamp", 1, "tok_visa");
    while !restart.is_finished() {
        let (_, order) = shop.bought(&buying).await;
        assert_eq!(order_status(&order), "confirmed");
        orders += 1;
    }
    let restarted = restart.await.unwrap();
    stop.store(true, Ordering::Relaxed);
    let failed: Vec<String> = shoppers.join_all().await.concat();
    assert!(restarted.status.success(), "{}", said(&restarted));
    let all = asked.load(Ordering::Relaxed);
    assert!(
        failed.is_empty(),
        "{} of {all} failed: {:#?}",
        failed.len(),
        &failed[..failed.len().min(5)]
    );
    assert!(orders > 0 && all > 20, "{orders} orders, {all} requests");
    let servers: Vec<u64> = ["postgres", "nats"]
        .iter()
        .filter_map(|server| steering.process(server).unwrap()["pid"].as_u64())
        .collect();
    let old = steering
        .pids()
        .into_iter()
        .filter(|pid| before.contains(pid) && !servers.contains(pid));
    assert_eq!(old.count(), 0);
}

#[tokio::test]
async fn the_first_start_says_how_to_get_in_and_has_things_to_sell() {
    let mut shop = Supervised::start(&[]);
    let lines = shop.printed.clone();
    let first = lines
        .iter()
        .position(|line| line.starts_with("First start"));
    let account = &lines[first.expect("an account") + 1];
    let (email, password) = account.split_once("  /  ").unwrap();
    let guest = Api::new(&shop.url, None);
    let products = guest.get("/api/catalog/products?limit=3").await.ok();
    assert_eq!(products["items"].as_array().unwrap().len(), 3);
    let change = serde_json::json!({"email": email, "current_password": password, "new_password": "a phrase of one's own"});
    let answer = guest.post("/api/identity/password", change).await;
    assert_eq!(answer.status, 200, "{}", answer.text);

    // What was shown once is kept nowhere.
    for folder in ["run", "logs"] {
        for entry in std::fs::read_dir(shop.data().join(folder)).unwrap() {
            let text = std::fs::read(entry.unwrap().path()).unwrap_or_default();
            assert!(
                !String::from_utf8_lossy(&text).contains(password),
                "{folder}"
            );
        }
    }
    assert!(!shop.data().join("run/api-key").exists());
    assert!(!shop.console().contains(password));

    // Nobody survives the supervisor, though it had no chance to tell them.
    let pids = shop.pids();
    assert!(pids.len() > 9, "{pids:?}");
    shop.signal("KILL");
    assert!(!shop.ended());
    all_gone(&pids).await;
}
