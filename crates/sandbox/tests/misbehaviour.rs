//! Each way in which the provider misbehaves, and that it can always be asked what is true.

mod support;

use std::time::Duration;

use sandbox::{Config, Retry};
use serde_json::{Value, json};
use support::{Receiver, payment, quick, start};

async fn with_webhooks(
    script: &[u16],
    crowd: Option<usize>,
) -> (sandbox::Sandbox, support::Shop, Receiver) {
    let receiver = Receiver::start(script, crowd).await;
    let config = Config {
        webhook_url: Some(receiver.url.clone()),
        ..quick()
    };
    let (sandbox, shop) = start(config).await;
    (sandbox, shop, receiver)
}

fn kind(event: &Value) -> &str {
    event["type"].as_str().expect("a type")
}

#[tokio::test]
async fn time_out_after_the_charge_is_settled_by_asking() {
    let (sandbox, shop, mut receiver) = with_webhooks(&[], None).await;
    let body = payment("tok_timeout_after_charge", "lost");
    // The client's own time limit is shorter than the provider holds the connection.
    let patience = Duration::from_millis(100);
    let waited = tokio::time::timeout(patience, shop.try_post("/v1/payments", "lost", &body)).await;
    assert!(waited.is_err(), "no answer within the time limit");
    // The charge was made all the same.
    assert_eq!(kind(&receiver.next().await), "payment.authorised");
    let found = shop.payments_of("lost").await;
    assert_eq!(
        (found.len(), &found[0]["status"]),
        (1, &json!("authorised"))
    );
    // Repeating the key answers, and does not charge again.
    let repeated = shop.post("/v1/payments", "lost", &body).await;
    assert_eq!(
        (repeated.status.as_u16(), &repeated.json["id"]),
        (201, &found[0]["id"])
    );
    assert_eq!(shop.get("/v1/balance").await.json["payments"], 1);
    sandbox.shutdown().await;
}

#[tokio::test]
async fn a_held_connection_is_dropped_without_an_answer() {
    let (sandbox, shop) = start(Config {
        hold: Duration::from_millis(20),
        ..quick()
    })
    .await;
    for token in ["tok_timeout_after_charge", "tok_timeout_before_charge"] {
        assert!(
            shop.try_post("/v1/payments", token, &payment(token, token))
                .await
                .is_none(),
            "{token}"
        );
    }
    assert_eq!(shop.payments_of("tok_timeout_after_charge").await.len(), 1);
    sandbox.shutdown().await;
}

#[tokio::test]
async fn time_out_before_the_charge_never_charges() {
    let (sandbox, shop) = start(Config {
        hold: Duration::from_millis(20),
        ..quick()
    })
    .await;
    let body = payment("tok_timeout_before_charge", "nothing");
    for _ in 0..3 {
        assert!(
            shop.try_post("/v1/payments", "nothing", &body)
                .await
                .is_none()
        );
    }
    assert_eq!(shop.payments_of("nothing").await, Vec::<Value>::new());
    assert_eq!(shop.get("/v1/balance").await.json["payments"], 0);
    sandbox.shutdown().await;
}

#[tokio::test]
async fn shutting_down_does_not_wait_for_held_connections() {
    let (sandbox, shop) = start(Config {
        hold: Duration::from_secs(3_600),
        ..quick()
    })
    .await;
    let held = tokio::spawn(async move {
        let body = payment("tok_timeout_after_charge", "held");
        shop.try_post("/v1/payments", "held", &body).await
    });
    let other = support::Shop::new(sandbox.url());
    while other.payments_of("held").await.is_empty() {}
    tokio::time::timeout(support::PATIENCE, sandbox.shutdown())
        .await
        .expect("shut down in time");
    assert!(
        held.await.expect("no panic").is_none(),
        "dropped, not answered"
    );
}

#[tokio::test]
async fn error_500_then_ok_charges_once_per_key() {
    let (sandbox, shop) = start(quick()).await;
    let body = payment("tok_error_500_then_ok", "flaky");
    let first = shop.post("/v1/payments", "k", &body).await;
    first.assert_problem(500, "internal_error", None);
    assert_eq!(shop.payments_of("flaky").await, Vec::<Value>::new());
    let mut other = body.clone();
    other["amount"] = json!(7);
    let reused = shop.post("/v1/payments", "k", &other).await;
    reused.assert_problem(409, "idempotency_key_reused", Some("Idempotency-Key"));
    let second = shop.post("/v1/payments", "k", &body).await;
    assert_eq!(
        (second.status.as_u16(), &second.json["status"]),
        (201, &json!("authorised"))
    );
    let third = shop.post("/v1/payments", "k", &body).await;
    assert_eq!(third.text, second.text);
    assert_eq!(shop.payments_of("flaky").await.len(), 1);
    sandbox.shutdown().await;
}

#[tokio::test]
async fn webhooks_tell_every_step_with_its_operation() {
    let (sandbox, shop, mut receiver) = with_webhooks(&[], None).await;
    let opened = shop.pay("tok_visa", "order").await;
    let event = receiver.next().await;
    assert_eq!(kind(&event), "payment.authorised");
    assert!(
        event["id"]
            .as_str()
            .is_some_and(|id| id.starts_with("evt_"))
    );
    assert_eq!(event["operation_id"], opened.json["operation_id"]);
    assert_eq!(
        (&event["payment"]["id"], &event["payment"]["reference"]),
        (&opened.json["id"], &json!("order"))
    );
    assert!(
        event["created"]
            .as_i64()
            .is_some_and(|at| support::now_us().abs_diff(at) < 60_000_000)
    );

    let path = format!("/v1/payments/{}", opened.id());
    for (operation, body, expected, amount) in [
        ("capture", json!({"amount": 400}), "payment.captured", 400),
        ("capture", json!({"amount": 100}), "payment.captured", 100),
        ("refund", json!({"amount": 150}), "payment.refunded", 150),
    ] {
        let answer = shop
            .post(
                &format!("{path}/{operation}"),
                &format!("{operation}{amount}"),
                &body,
            )
            .await;
        let event = receiver.next().await;
        assert_eq!((kind(&event), &event["amount"]), (expected, &json!(amount)));
        assert_eq!(event["operation_id"], answer.json["operation_id"]);
        assert_eq!(event["payment"], answer.json["payment"]);
    }
    shop.pay("tok_declined", "declined").await;
    assert_eq!(kind(&receiver.next().await), "payment.declined");
    let id = shop.pay("tok_amex", "voided").await.id();
    assert_eq!(kind(&receiver.next().await), "payment.authorised");
    shop.post(&format!("/v1/payments/{id}/void"), "void", &json!({}))
        .await;
    assert_eq!(kind(&receiver.next().await), "payment.voided");
    sandbox.shutdown().await;
    assert_eq!(receiver.so_far(), Vec::<Value>::new());
}

#[tokio::test]
async fn a_busy_provider_delivers_every_webhook_once() {
    let (sandbox, shop, mut receiver) = with_webhooks(&[], None).await;
    let shop = std::sync::Arc::new(shop);
    let buyers: Vec<_> = (0..8)
        .map(|buyer| {
            let shop = shop.clone();
            tokio::spawn(async move {
                for n in 0..50 {
                    shop.pay("tok_visa", &format!("{buyer}-{n}")).await;
                }
            })
        })
        .collect();
    let mut seen = std::collections::HashSet::new();
    while seen.len() < 400 {
        let event = receiver.next().await;
        assert!(seen.insert(event["id"].to_string()), "sent twice: {event}");
    }
    for buyer in buyers {
        buyer.await.expect("no panic");
    }
    sandbox.shutdown().await;
}

#[tokio::test]
async fn a_webhook_storm_is_five_in_parallel() {
    // The receiver answers nobody until five are there at the same time.
    let (sandbox, shop, mut receiver) = with_webhooks(&[], Some(5)).await;
    shop.pay("tok_webhook_storm", "storm").await;
    let mut ids = Vec::new();
    for _ in 0..5 {
        let event = receiver.next().await;
        assert_eq!(kind(&event), "payment.authorised");
        ids.push(event["id"].clone());
    }
    ids.dedup();
    assert_eq!(ids.len(), 1, "one event, five times");
    sandbox.shutdown().await;
}

#[tokio::test]
async fn the_webhook_may_come_before_the_answer() {
    let (sandbox, shop, mut receiver) = with_webhooks(&[200, 500], None).await;
    let opened = shop.pay("tok_webhook_first", "first").await;
    let before = receiver.so_far();
    assert_eq!(before.len(), 1, "it was there before the answer");
    assert_eq!(
        (kind(&before[0]), &before[0]["payment"]["id"]),
        ("payment.authorised", &opened.json["id"])
    );

    // One that is refused is answered anyway, and comes again later.
    shop.post(
        &format!("/v1/payments/{}/capture", opened.id()),
        "c",
        &json!({}),
    )
    .await;
    let before = receiver.so_far();
    assert_eq!(
        (before.len(), kind(&before[0]), &before[0]["answered"]),
        (1, "payment.captured", &json!(500))
    );
    let again = receiver.next().await;
    assert_eq!(
        (&again["id"], &again["answered"]),
        (&before[0]["id"], &json!(200))
    );
    sandbox.shutdown().await;
}

#[tokio::test]
async fn late_webhooks_are_late() {
    let (sandbox, shop, mut receiver) = with_webhooks(&[], None).await;
    shop.pay("tok_webhook_late", "late").await;
    let event = receiver.next().await;
    let late =
        event["arrived"].as_i64().expect("a time") - event["created"].as_i64().expect("a time");
    assert!(late >= 200_000, "only {late} µs late");
    sandbox.shutdown().await;
}

#[tokio::test]
async fn later_webhooks_may_overtake_the_first() {
    // The first is held for a minute unless it is overtaken.
    let (sandbox, shop, mut receiver) = with_webhooks(&[], None).await;
    let id = shop.pay("tok_webhook_reordered", "reordered").await.id();
    shop.post(&format!("/v1/payments/{id}/capture"), "c", &json!({}))
        .await;
    assert_eq!(kind(&receiver.next().await), "payment.captured");
    assert_eq!(kind(&receiver.next().await), "payment.authorised");

    let mut at_once = payment("tok_webhook_reordered", "at-once");
    at_once["capture"] = json!(true);
    shop.post("/v1/payments", "at-once", &at_once).await;
    assert_eq!(kind(&receiver.next().await), "payment.captured");
    assert_eq!(kind(&receiver.next().await), "payment.authorised");
    sandbox.shutdown().await;
    assert_eq!(receiver.so_far(), Vec::<Value>::new());
}

#[tokio::test]
async fn a_held_webhook_goes_on_its_own_in_the_end() {
    let mut receiver = Receiver::start(&[], None).await;
    let hold = Duration::from_millis(50);
    let config = Config {
        webhook_url: Some(receiver.url.clone()),
        reorder_hold: hold,
        ..quick()
    };
    let (sandbox, shop) = start(config).await;
    shop.pay("tok_webhook_reordered", "alone").await;
    assert_eq!(kind(&receiver.next().await), "payment.authorised");
    sandbox.shutdown().await;
}

#[tokio::test]
async fn refused_webhooks_come_again_until_accepted() {
    let (sandbox, shop, mut receiver) = with_webhooks(&[500, 404, 302], None).await;
    shop.pay("tok_visa", "again").await;
    let mut events = Vec::new();
    for _ in 0..4 {
        events.push(receiver.next().await);
    }
    let answers: Vec<_> = events
        .iter()
        .map(|event| event["answered"].clone())
        .collect();
    assert_eq!(answers, [500, 404, 302, 200]);
    assert!(events.iter().all(|event| event["id"] == events[0]["id"]));
    let waits: Vec<_> = events
        .windows(2)
        .map(|pair| {
            pair[1]["arrived"].as_i64().unwrap_or(0) - pair[0]["arrived"].as_i64().unwrap_or(0)
        })
        .collect();
    assert!(
        waits[0] >= 30_000 && waits[1] >= 60_000 && waits[2] >= 100_000,
        "{waits:?}"
    );
    sandbox.shutdown().await;
}

#[tokio::test]
async fn a_webhook_nobody_accepts_is_given_up() {
    let mut receiver = Receiver::start(&[500, 500, 500], None).await;
    let retry = Retry {
        first: Duration::from_millis(5),
        max: Duration::from_millis(5),
        attempts: 3,
    };
    let config = Config {
        webhook_url: Some(receiver.url.clone()),
        retry,
        webhook_concurrency: 1,
        ..quick()
    };
    let (sandbox, shop) = start(config).await;
    let hopeless = shop.pay("tok_visa", "hopeless").await.json["id"].clone();
    for _ in 0..3 {
        assert_eq!(receiver.next().await["payment"]["id"], hopeless);
    }
    let next = shop.pay("tok_visa", "next").await.json["id"].clone();
    assert_eq!(
        receiver.next().await["payment"]["id"],
        next,
        "the first one is not tried a fourth time"
    );
    sandbox.shutdown().await;
}
