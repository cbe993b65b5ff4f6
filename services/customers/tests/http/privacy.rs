//! Consents, export and erasure on a real store.

use crate::support::{STAFF, Shop, address, until};
use axum::http::StatusCode;
use serde_json::{Value, json};

const ME: &str = "/api/customers/me";

#[tokio::test(flavor = "multi_thread")]
async fn consents_are_kept_with_time_source_and_history() {
    let shop = Shop::open().await;
    let ann = shop.registers(1, "ann@example.org").await;
    let path = format!("{ME}/consents");
    let give = json!({"purpose": "marketing_email", "granted": true, "source": "checkout", "policy_version": "7"});
    let (status, view) = ann.post(&path, give.clone()).await;
    assert_eq!(
        (status, &view["current"][0]["source"]),
        (StatusCode::OK, &json!("checkout")),
        "{view}"
    );
    ann.post(&path, give).await;
    let take = json!({"purpose": "marketing_email", "granted": false});
    let (_, view) = ann.post(&path, take).await;
    assert_eq!(view["current"][0]["granted"], false);
    assert_eq!(
        view["history"].as_array().map(Vec::len),
        Some(2),
        "given twice is given once"
    );
    let forged = json!({"purpose": "profiling", "granted": true, "source": "staff"});
    let (status, refused) = ann.post(&path, forged).await;
    assert_eq!(
        (status, &refused["field"]),
        (StatusCode::BAD_REQUEST, &json!("source"))
    );
    let odd = json!({"purpose": "everything", "granted": true});
    assert_eq!(ann.post(&path, odd).await.0, StatusCode::BAD_REQUEST);
    let (_, seen) = shop.staff(STAFF).get("/api/customers/cus_1/consents").await;
    assert_eq!(seen, view);
    shop.close().await;
}

/// A customer about whom every part of the service knows something.
async fn known(shop: &Shop) {
    let ann = shop.registers(1, "ann@example.org").await;
    ann.patch(ME, json!({"name": "Ann Example"})).await;
    ann.post(&format!("{ME}/addresses"), json!(address())).await;
    let consent = json!({"purpose": "profiling", "granted": true});
    ann.post(&format!("{ME}/consents"), consent).await;
    let staff = shop.staff(STAFF);
    let note = json!({"text": "likes green"});
    staff.post("/api/customers/cus_1/notes", note).await;
    shop.places(1, Some(1), "ann@example.org", 900).await;
    shop.confirms(1, 900).await;
    shop.captures(1, 900).await;
    let path = format!("{ME}/export");
    until("it is all known", async || {
        let (_, all) = ann.get(&path).await;
        all["services"]["payments"][0]["what"] == "captured"
            && all["services"]["orders"][0]["number"] == "S-1"
            && all["order_history"][0]["status"] == "confirmed"
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_holds_everything_and_no_secret() {
    let shop = Shop::open().await;
    known(&shop).await;
    let (status, all) = shop.customer(1).get(&format!("{ME}/export")).await;
    assert_eq!(status, StatusCode::OK);
    let pointers = [
        ("/customer/email", json!("ann@example.org")),
        ("/customer/profile/name", json!("Ann Example")),
        (
            "/customer/addresses/0/address/line1",
            json!("1 High Street"),
        ),
        ("/notes/0/text", json!("likes green")),
        ("/consents/current/0/purpose", json!("profiling")),
        ("/services/orders/0/contact/email", json!("ann@example.org")),
        ("/services/payments/0/amount/amount", json!(900)),
    ];
    for (pointer, wanted) in pointers {
        assert_eq!(all.pointer(pointer), Some(&wanted), "{pointer}");
    }
    assert!(
        !all.to_string().contains("tok_secret"),
        "a payment token is exported"
    );
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_erased_customer_is_gone_for_good_and_history_stays() {
    let shop = Shop::open().await;
    known(&shop).await;
    let ann = shop.customer(1);
    let erase = format!("{ME}/erase");
    let (status, refused) = ann.post(&erase, json!({"confirm": "cus_2"})).await;
    assert_eq!(
        (status, &refused["field"]),
        (StatusCode::BAD_REQUEST, &json!("confirm"))
    );
    shop.places(2, Some(1), "ann@example.org", 100).await;
    until("a second order is heard of", async || {
        ann.get(&format!("{ME}/orders?limit=1")).await.1["items"][0]["number"] == "S-2"
    })
    .await;
    let (status, refused) = ann.post(&erase, json!({"confirm": "cus_1"})).await;
    assert_eq!(
        (status, &refused["code"]),
        (StatusCode::CONFLICT, &json!("order-under-way"))
    );
    shop.confirms(2, 100).await;
    until("it is decided and done", async || {
        let (status, view) = ann.post(&erase, json!({"confirm": "cus_1"})).await;
        status == StatusCode::ACCEPTED && view["deleted"] == view["persons"]
    })
    .await;
    let staff = shop.staff(STAFF);
    let (_, view) = staff.get("/api/customers/cus_1").await;
    assert_eq!(
        (&view["status"], view.get("email")),
        (&json!("erased"), None)
    );
    let (_, all) = staff.get("/api/customers/cus_1/export").await;
    let text = all.to_string();
    for gone in ["Ann", "ann@", "High Street", "likes green"] {
        assert!(!text.contains(gone), "{gone} is still there: {text}");
    }
    assert_eq!(
        all["order_history"].as_array().map(Vec::len),
        Some(2),
        "sums stay"
    );
    assert_eq!(
        staff.get("/api/customers?email=ann@example.org").await.1["items"],
        json!([])
    );
    let name = json!({"name": "Ann Again"});
    assert_eq!(ann.patch(ME, name).await.0, StatusCode::GONE);
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guest_is_erased_by_order_number_and_address() {
    let shop = Shop::open().await;
    shop.places(1, None, "bob@example.org", 100).await;
    shop.confirms(1, 100).await;
    let staff = shop.staff(STAFF);
    let path = "/api/customers/erase-guest";
    let ask = |email: &str| json!({"order_number": "S-1", "email": email});
    until("it is decided and done", async || {
        let (status, view) = staff.post(path, ask("Bob@example.org")).await;
        status == StatusCode::ACCEPTED && view["deleted"] == 1
    })
    .await;
    let (status, _) = staff.post(path, ask("eve@example.org")).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    assert_eq!(
        shop.customer(1).post(path, Value::Null).await.0,
        StatusCode::FORBIDDEN
    );
    shop.close().await;
}
