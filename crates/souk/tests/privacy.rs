//! What is personal or secret is nowhere to be read: not in the databases, not in the log.
#![allow(missing_docs, clippy::unwrap_used)]

mod support;

use std::path::{Path, PathBuf};

use reqwest::Method;
use serde_json::json;
use support::{Buying, Shop, heads, order_status};

/// All files below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder)
        .unwrap()
        .flatten()
        .map(|entry| entry.path());
    entries
        .flat_map(|path| {
            if path.is_dir() {
                files(&path)
            } else {
                vec![path]
            }
        })
        .collect()
}

/// The files in which one of the texts can be read.
fn readable<'a>(folder: &Path, texts: &[&'a str]) -> Vec<(PathBuf, &'a str)> {
    let mut found = Vec::new();
    for path in files(folder) {
        let bytes = std::fs::read(&path).unwrap();
        for text in texts {
            if bytes
                .windows(text.len())
                .any(|window| window == text.as_bytes())
            {
                found.push((path.clone(), *text));
            }
        }
    }
    found
}

#[tokio::test]
async fn nothing_personal_and_no_secret_is_kept_or_logged_in_clear() {
    let mut shop = Shop::start_with(&["--log", "debug"]);
    shop.product("MUG", 750, 10).await;
    let guest = shop.guest();
    let registered =
        json!({"email": "customer.private@example.com", "password": "a long pass phrase 17"});
    let customer = guest.post("/api/identity/register", registered).await.ok();
    let session = customer["session_token"].as_str().unwrap();
    let (order, view) = shop.bought(&Buying::one("MUG", 2, "tok_visa")).await;
    assert_eq!(order_status(&view), "confirmed");
    let key = shop.key.clone();
    let secrets = [
        "buyer@example.com",
        "A. Buyer",
        "1 High Street",
        "AB1 2CD",
        "customer.private@example.com",
        "a long pass phrase 17",
        session,
        &order.token,
        &key,
    ];
    for text in secrets {
        assert!(!shop.log().contains(text), "the log shows {text}");
    }
    // Killed: also what only the write-ahead logs hold is looked at.
    let data = shop.data();
    shop.kill();
    let found = readable(&data, &secrets);
    assert!(found.is_empty(), "readable on disk: {found:?}");
    // The search itself works: an order's number is no secret.
    let number = view["number"].as_str().unwrap();
    assert!(!readable(&data, &[number]).is_empty());
    shop.open();
    let again = shop
        .with(&order.token)
        .get(&format!("/api/orders/{}", order.id))
        .await
        .ok();
    assert_eq!(again["email"], "buyer@example.com", "its buyer can read it");
}

#[tokio::test]
async fn customers_see_their_own_orders_and_no_others() {
    let shop = Shop::start();
    shop.product("MUG", 750, 10).await;
    let sign_up = async |email: &str| {
        let answer = shop
            .guest()
            .post(
                "/api/identity/register",
                json!({"email": email, "password": "a long pass phrase 17"}),
            )
            .await
            .ok();
        shop.with(answer["access_token"].as_str().unwrap())
    };
    let (ann, bob) = (
        sign_up("ann@example.org").await,
        sign_up("bob@example.org").await,
    );
    let taken = json!({"email": "ANN@example.org", "password": "another pass phrase 18"});
    shop.guest()
        .post("/api/identity/register", taken)
        .await
        .refused(409);
    let wrong = json!({"email": "ann@example.org", "password": "not the pass phrase"});
    shop.guest()
        .post("/api/identity/login", wrong)
        .await
        .refused(401);

    let buying = Buying::one("MUG", 1, "tok_visa");
    let cart = ann.new_cart().await;
    let path = format!("/api/carts/{cart}");
    ann.post(&format!("{path}/lines"), buying.lines())
        .await
        .ok();
    for stranger in [&bob, &shop.guest()] {
        stranger.get(&path).await.refused(404);
        stranger
            .post(&format!("{path}/lines"), buying.lines())
            .await
            .refused(404);
        stranger
            .post(&format!("{path}/checkout"), buying.checkout())
            .await
            .refused(404);
    }
    let placed = ann
        .post(&format!("{path}/checkout"), buying.checkout())
        .await
        .ok();
    let order = support::Order::of(&placed);
    shop.settled(&order).await;
    let mine = ann.get("/api/orders/mine").await.ok();
    assert_eq!(
        (
            mine["items"].as_array().unwrap().len(),
            &mine["items"][0]["id"]
        ),
        (1, &json!(order.id)),
        "{mine}"
    );
    assert_eq!(bob.get("/api/orders/mine").await.ok()["items"], json!([]));
    let path = format!("/api/orders/{}", order.id);
    assert_eq!(ann.get(&path).await.ok()["email"], "buyer@example.com");
    bob.get(&path).await.refused(404);
    bob.post(&format!("{path}/cancel"), json!({}))
        .await
        .refused(404);
    bob.get("/api/orders").await.refused(403);
    bob.get(&format!(
        "/api/orders?customer={}",
        mine["items"][0]["customer_id"].as_str().unwrap()
    ))
    .await
    .refused(403);
}

#[tokio::test]
async fn a_webhook_that_the_provider_did_not_sign_changes_nothing() {
    let shop = Shop::start();
    shop.product("MUG", 750, 10).await;
    let order = shop.buy(&Buying::one("MUG", 1, "tok_3ds")).await;
    let view = shop
        .order_when(&order, "asks for the cardholder", |view| {
            order_status(view) == "payment_action_required"
        })
        .await;
    let mut payment = shop.provider_payments().await.remove(0);
    payment["status"] = "authorised".into();
    let body = json!({"id": "evt_1", "type": "payment.authorised", "created": 1, "operation_id": "op_1", "amount": 750, "payment": payment});
    let before = heads(&shop).await;
    let signatures = [
        "",
        "t=1,v1=00",
        "t=9999999999,v1=0000000000000000000000000000000000000000000000000000000000000000",
    ];
    for signature in signatures {
        let request = shop
            .guest()
            .request(Method::POST, "/api/payments/webhooks/sandbox")
            .json(&body);
        let request = ["souk-sandbox-signature"]
            .iter()
            .fold(request, |request, name| request.header(*name, signature));
        let answer = shop.guest().try_send(request).await.unwrap();
        assert!(
            (400..500).contains(&answer.status),
            "{} {}",
            answer.status,
            answer.text
        );
    }
    let unknown = shop
        .guest()
        .post("/api/payments/webhooks/nobody", body)
        .await;
    assert!(
        (400..500).contains(&unknown.status),
        "{} {}",
        unknown.status,
        unknown.text
    );
    assert_eq!(heads(&shop).await, before, "a forged webhook was recorded");
    let now = shop
        .with(&order.token)
        .get(&format!("/api/orders/{}", order.id))
        .await
        .ok();
    assert_eq!(now["status"], view["status"]);
}
