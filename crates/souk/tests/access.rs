//! Who gets in: forged and foreign credentials, missing permissions, undeclared addresses, and a
//! second process on the same data.
#![allow(missing_docs, clippy::unwrap_used)]

mod support;

use reqwest::Method;
use serde_json::json;
use support::{Shop, raw, said, souk_in};

#[tokio::test]
async fn nobody_gets_in_with_forged_or_foreign_credentials() {
    let shop = Shop::start();
    shop.product("MUG", 750, 10).await;
    let other = Shop::start();
    let exchange = |shop: &Shop| {
        let (guest, key) = (shop.guest(), shop.key.clone());
        async move {
            guest
                .post("/api/identity/token", json!({"token": key}))
                .await
                .ok()["access_token"]
                .as_str()
                .unwrap()
                .to_owned()
        }
    };
    let (good, foreign) = (exchange(&shop).await, exchange(&other).await);
    let list = "/api/orders?limit=1";
    shop.with(&good).get(list).await.ok();
    let parts: Vec<&str> = good.split('.').collect();
    let flipped = |text: &str| {
        let mut text = text.to_owned();
        let last = if text.starts_with('A') { "B" } else { "A" };
        text.replace_range(0..1, last);
        text
    };
    // {"alg":"none","kid":"x"} and {"alg":"HS256","kid":"x"}
    let (none, hmac) = (
        "eyJhbGciOiJub25lIiwia2lkIjoieCJ9",
        "eyJhbGciOiJIUzI1NiIsImtpZCI6IngifQ",
    );
    let forged = [
        foreign,
        other.key.clone(),
        format!("{none}.{}.", parts[1]),
        format!("{none}.{}.{}", parts[1], parts[2]),
        format!("{hmac}.{}.{}", parts[1], parts[2]),
        format!("{}.{}.{}", parts[0], flipped(parts[1]), parts[2]),
        format!("{}.{}.{}", parts[0], parts[1], flipped(parts[2])),
        format!("{}.{}.", parts[0], parts[1]),
        "souk_0000".into(),
        "gst_0000".into(),
        "..".into(),
    ];
    for token in &forged {
        let answer = shop.with(token).get(list).await;
        assert!(
            matches!(answer.status, 401 | 403),
            "{token}: {}",
            answer.text
        );
        let answer = shop
            .with(token)
            .post(
                "/api/inventory/adjustments",
                json!({"adjustments": [{"sku": "MUG", "delta": 5, "reason": "count"}]}),
            )
            .await;
        assert!(
            matches!(answer.status, 401 | 403),
            "{token}: {}",
            answer.text
        );
        assert!(
            !answer.text.contains(token.as_str()),
            "the refusal shows the credential"
        );
    }
    assert_eq!(shop.stock("MUG").await["on_hand"], 10);
}

#[tokio::test]
async fn every_route_asks_who_calls_and_what_they_may() {
    let shop = Shop::start();
    let staff = shop.staff();
    let made = staff
        .post(
            "/api/identity/api-keys",
            json!({"name": "till", "permissions": ["catalog:write"]}),
        )
        .await
        .ok();
    let till = shop.with(made["secret"].as_str().unwrap());
    let protected = [
        (Method::GET, "/api/orders"),
        (Method::GET, "/api/payments"),
        (Method::GET, "/api/payments/ledger"),
        (Method::GET, "/api/inventory/summary"),
        (Method::POST, "/api/inventory/adjustments"),
        (Method::POST, "/api/inventory/receipts"),
        (Method::GET, "/api/identity/staff"),
        (Method::POST, "/api/identity/api-keys"),
        (Method::GET, "/api/ops/events/orders"),
        (Method::POST, "/api/ops/dead-letters/redrive"),
    ];
    for (method, path) in protected {
        let anonymous = raw(&shop.guest(), method.clone(), path, "{}").await;
        assert_eq!(anonymous.status, 401, "{path}: {}", anonymous.text);
        anonymous.refused(401);
        raw(&till, method, path, "{}").await.refused(403);
    }
    shop.guest()
        .post("/api/catalog/products", json!({"title": "No"}))
        .await
        .refused(401);
    till.post("/api/catalog/products", json!({"title": "Yes", "variants": [{"sku": "YES", "prices": [{"amount": 1, "currency": "GBP"}]}]})).await.ok();
    let more = json!({"name": "more", "permissions": ["*"]});
    till.post("/api/identity/api-keys", more).await.refused(403);
    for path in [
        "/api",
        "/api/",
        "/api/nothing",
        "/api/orders/x/y/z",
        "/api/internal",
        "/api/catalog",
        "/api/../etc/passwd",
    ] {
        let answer = staff.get(path).await;
        assert_eq!(answer.status, 404, "{path}: {}", answer.text);
    }
    let answer = raw(&staff, Method::DELETE, "/api/orders", "").await;
    assert_eq!(answer.status, 405, "{}", answer.text);
}

#[test]
fn two_processes_never_share_a_data_directory() {
    let mut shop = Shop::start();
    let data = shop.data();
    let data = data.to_str().unwrap();
    let second = souk_in(
        shop.folder(),
        &[],
        &["up", "--no-demo", "--data", data, "--listen", "127.0.0.1:0"],
    );
    assert!(!second.status.success());
    assert!(
        said(&second).contains("in use by another souk process"),
        "{}",
        said(&second)
    );
    assert!(shop.terminate());
    shop.open();
}

#[test]
fn a_directory_or_address_that_cannot_be_used_is_named() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("file"), "not a directory").unwrap();
    let refused = souk_in(
        folder.path(),
        &[],
        &[
            "up",
            "--no-demo",
            "--data",
            "file/data",
            "--listen",
            "127.0.0.1:0",
        ],
    );
    assert!(!refused.status.success());
    assert!(
        said(&refused).contains("cannot make the data directory file/data"),
        "{}",
        said(&refused)
    );

    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let refused = souk_in(
        folder.path(),
        &[],
        &["up", "--no-demo", "--data", "data", "--listen", &address],
    );
    assert!(!refused.status.success());
    let text = said(&refused);
    assert!(
        text.contains(&address) && text.contains("--listen"),
        "{text}"
    );
}
