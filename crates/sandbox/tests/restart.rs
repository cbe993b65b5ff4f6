//! What survives: an orderly restart, and the sudden death of the process.

mod support;

use std::path::Path;
use std::time::Duration;

use sandbox::{Config, Retry, StartError};
use serde_json::json;
use support::{Receiver, payment, quick, start};

fn on_disk(data: &Path) -> Config {
    Config {
        data: Some(data.to_owned()),
        ..quick()
    }
}

#[tokio::test]
async fn everything_answered_is_there_after_a_restart() {
    let data = tempfile::tempdir().expect("a directory");
    let (sandbox, shop) = start(on_disk(data.path())).await;
    let opened = shop.pay("tok_visa", "order").await;
    let path = format!("/v1/payments/{}", opened.id());
    let captured = shop
        .post(&format!("{path}/capture"), "c", &json!({"amount": 600}))
        .await;
    let flaky = payment("tok_error_500_then_ok", "flaky");
    shop.post("/v1/payments", "flaky", &flaky)
        .await
        .assert_problem(500, "internal_error", None);
    let card = json!({"card": {"number": "5555555555554444", "exp_month": 1, "exp_year": 2060, "cvc": "000"}});
    let token = shop.post("/v1/tokens", "-", &card).await.json["token"]
        .as_str()
        .expect("a token")
        .to_owned();
    let before = shop.get(&path).await.json;
    sandbox.shutdown().await;

    let (sandbox, shop) = start(on_disk(data.path())).await;
    assert_eq!(shop.get(&path).await.json, before);
    let repeated = shop
        .post(&format!("{path}/capture"), "c", &json!({"amount": 600}))
        .await;
    assert_eq!(
        repeated.text, captured.text,
        "the saved answer, not a second capture"
    );
    assert_eq!(shop.pay("tok_visa", "order").await.text, opened.text);
    assert_eq!(
        shop.post("/v1/payments", "flaky", &flaky).await.status,
        201,
        "the first attempt was before"
    );
    let by_token = shop.pay(&token, "by-token").await;
    assert_eq!(
        by_token.json["card"],
        json!({"brand": "mastercard", "last4": "4444"})
    );
    assert_ne!(by_token.id(), opened.id());
    assert_eq!(shop.get("/v1/balance").await.json["payments"], 3);
    sandbox.shutdown().await;
}

#[tokio::test]
async fn sudden_death_loses_nothing_that_was_answered() {
    let data = tempfile::tempdir().expect("a directory");
    let (sandbox, shop) = start(on_disk(data.path())).await;
    let shop = std::sync::Arc::new(shop);
    let buyers: Vec<_> = (0..8)
        .map(|buyer| {
            let shop = shop.clone();
            tokio::spawn(async move {
                let mut ids = Vec::new();
                for n in 0..25 {
                    ids.push(shop.pay("tok_visa", &format!("{buyer}-{n}")).await.id());
                }
                ids
            })
        })
        .collect();
    let mut answered = Vec::new();
    for buyer in buyers {
        answered.extend(buyer.await.expect("no panic"));
    }
    // What the system holds at this moment is what a killed process leaves behind.
    let left_behind = tempfile::tempdir().expect("a directory");
    for file in ["sandbox.sqlite", "sandbox.sqlite-wal"] {
        std::fs::copy(data.path().join(file), left_behind.path().join(file)).expect("a copy");
    }
    let (heir, shop) = start(on_disk(left_behind.path())).await;
    for id in &answered {
        assert_eq!(shop.get(&format!("/v1/payments/{id}")).await.status, 200);
    }
    assert_eq!(shop.get("/v1/balance").await.json["payments"], 200);
    heir.shutdown().await;
    sandbox.shutdown().await;
}

#[tokio::test]
async fn undelivered_webhooks_wait_for_the_next_start() {
    let data = tempfile::tempdir().expect("a directory");
    let mut receiver = Receiver::start(&[500; 1_000], None).await;
    let config = Config {
        webhook_url: Some(receiver.url.clone()),
        ..on_disk(data.path())
    };
    let (sandbox, shop) = start(config.clone()).await;
    shop.pay("tok_visa", "one").await;
    shop.pay("tok_visa", "two").await;
    let refused = receiver.next().await;
    sandbox.shutdown().await;
    receiver.recover();
    receiver.so_far();

    let (sandbox, shop) = start(config).await;
    let mut arrived = [receiver.next().await, receiver.next().await];
    arrived.sort_by_key(|event| event["payment"]["reference"].to_string());
    assert_eq!(arrived[0]["payment"]["reference"], "one");
    assert_eq!(arrived[1]["payment"]["reference"], "two");
    assert!(
        arrived.iter().any(|event| event["id"] == refused["id"]),
        "the same event, not a new one"
    );
    // Numbers of delivered events are not used again.
    shop.pay("tok_visa", "three").await;
    let third = receiver.next().await;
    assert!(arrived.iter().all(|event| event["id"] != third["id"]));
    sandbox.shutdown().await;
}

#[tokio::test]
async fn a_long_outage_of_the_receiver_is_caught_up() {
    let mut receiver = Receiver::start(&[503; 400], None).await;
    let retry = Retry {
        first: Duration::from_millis(20),
        max: Duration::from_millis(200),
        attempts: 100,
    };
    let config = Config {
        webhook_url: Some(receiver.url.clone()),
        retry,
        ..quick()
    };
    let (sandbox, shop) = start(config).await;
    for n in 0..300 {
        shop.pay("tok_visa", &format!("order-{n}")).await;
    }
    let mut accepted = std::collections::HashSet::new();
    while accepted.len() < 300 {
        let event = receiver.next().await;
        if event["answered"] == 200 {
            accepted.insert(event["payment"]["reference"].to_string());
        }
    }
    sandbox.shutdown().await;
}

#[tokio::test]
async fn a_data_directory_has_one_owner() {
    let data = tempfile::tempdir().expect("a directory");
    let (sandbox, shop) = start(on_disk(data.path())).await;
    shop.pay("tok_visa", "order").await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a free port");
    let second = sandbox::start(listener, on_disk(data.path())).await;
    assert!(
        matches!(second, Err(StartError::Database(_))),
        "{:?}",
        second.err()
    );
    assert_eq!(shop.pay("tok_visa", "still-here").await.status, 201);
    sandbox.shutdown().await;
}

#[tokio::test]
async fn wrong_settings_are_named() {
    for (config, expected) in [
        (
            Config {
                webhook_url: Some("https://x/".to_owned()),
                ..quick()
            },
            "webhook_url",
        ),
        (
            Config {
                webhook_url: Some("nonsense".to_owned()),
                ..quick()
            },
            "webhook_url",
        ),
        (
            Config {
                api_key: String::new(),
                ..quick()
            },
            "api_key",
        ),
        (
            Config {
                public_url: Some("ftp://x".to_owned()),
                ..quick()
            },
            "public_url",
        ),
    ] {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a free port");
        match sandbox::start(listener, config).await {
            Err(StartError::Setting { name, .. }) => assert_eq!(name, expected),
            other => panic!("{expected} was accepted: {:?}", other.err()),
        }
    }
    let file = tempfile::NamedTempFile::new().expect("a file");
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a free port");
    let outcome = sandbox::start(listener, on_disk(&file.path().join("below"))).await;
    assert!(
        matches!(outcome, Err(StartError::Directory { .. })),
        "{:?}",
        outcome.err()
    );
}

#[tokio::test]
async fn a_seed_makes_identifiers_repeatable() {
    let mut ids = Vec::new();
    for seed in [Some(7), Some(7), Some(8), None, None] {
        let (sandbox, shop) = start(Config { seed, ..quick() }).await;
        ids.push(shop.pay("tok_visa", "order").await.id());
        sandbox.shutdown().await;
    }
    assert_eq!(ids[0], ids[1]);
    ids.remove(0);
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 4);
}
