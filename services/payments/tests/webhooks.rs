//! What comes from outside in a provider's name.

mod shop;

use axum::http::StatusCode;
use shop::{Answered, Shop};

const PATH: &str = "/api/payments/webhooks/sandbox";

fn body(reference: &str, payment: &str, operation: &str, amount: i64) -> String {
    serde_json::json!({
        "id": format!("evt_{operation}"), "type": "payment.captured", "created": 0,
        "operation_id": operation, "amount": amount,
        "payment": {
            "id": payment, "reference": reference, "status": "captured", "amount": 1_000,
            "currency": "GBP", "captured": amount, "refunded": 0, "created": 0,
            "card": {"brand": "visa", "last4": "4242"},
        },
    })
    .to_string()
}

async fn deliver(shop: &Shop, secret: &str, body: &str) -> Answered {
    let now = shop.payments.now().seconds();
    let signature = sandbox::signature::sign(secret.as_bytes(), now, body.as_bytes());
    let headers = [(sandbox::signature::HEADER, signature.as_str())];
    shop.send("POST", PATH, None, &headers, body).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_the_provider_is_believed() {
    let shop = Shop::open().await;
    let payment = shop.authorised().await;
    let view = shop.get(&format!("/api/payments/{payment}")).await.body;
    let reference = view["provider_reference"]
        .as_str()
        .expect("known")
        .to_owned();
    let told = body(payment.as_str(), &reference, "op_x", 300);
    let forged = deliver(&shop, "whsec_guess", &told).await;
    assert_eq!(forged.status, StatusCode::UNAUTHORIZED);
    let unsigned = shop.send("POST", PATH, None, &[], &told).await;
    assert_eq!(unsigned.status, StatusCode::UNAUTHORIZED);
    let old = sandbox::signature::sign(b"whsec_test", 1_000, told.as_bytes());
    let headers = [(sandbox::signature::HEADER, old.as_str())];
    let replayed = shop.send("POST", PATH, None, &headers, &told).await;
    assert_eq!(replayed.status, StatusCode::UNAUTHORIZED);
    assert_eq!(shop.count(&payment, "captured"), 0);
    let nobody = shop
        .send("POST", "/api/payments/webhooks/nobody", None, &[], &told)
        .await;
    assert_eq!(nobody.status, StatusCode::NOT_FOUND);
    let huge = deliver(&shop, "whsec_test", &"x".repeat(70_000)).await;
    assert_eq!(huge.status, StatusCode::PAYLOAD_TOO_LARGE);
    for nonsense in ["{}", "nonsense", "[1]"] {
        let answer = deliver(&shop, "whsec_test", nonsense).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    }
    let later = r#"{"id": "evt_9", "type": "dispute.opened", "amount": 1, "payment":
        {"id": "spay_1", "reference": "x", "status": "captured", "amount": 1, "currency": "GBP"}}"#;
    assert_eq!(
        deliver(&shop, "whsec_test", later).await.status,
        StatusCode::OK,
        "of no concern"
    );
    assert_eq!(shop.history(&payment), ["intended", "authorised"]);
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_capture_at_the_provider_itself_is_booked_once_however_often_it_is_told() {
    let shop = Shop::open().await;
    let payment = shop.authorised().await;
    let view = shop.get(&format!("/api/payments/{payment}")).await.body;
    let reference = view["provider_reference"]
        .as_str()
        .expect("known")
        .to_owned();
    let told = body(payment.as_str(), &reference, "op_x", 300);
    let deliver = || deliver(&shop, "whsec_test", &told);
    let (a, b, c) = tokio::join!(deliver(), deliver(), deliver());
    for answer in [a, b, c] {
        assert_eq!(answer.status, StatusCode::OK);
    }
    assert_eq!(shop.account("provider:sandbox:receivable").await, 300);
    shop.until(&payment, "captured").await;
    assert_eq!(shop.count(&payment, "captured"), 1);
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_belongs_to_no_payment_is_kept_once() {
    let shop = Shop::open().await;
    let payment = shop.authorised().await;
    let strange = [
        body("pay_00", "spay_9", "op_1", 5),
        body("no payment of ours", "spay_8", "op_2", 5),
        body(payment.as_str(), "spay_another", "op_3", 5),
    ];
    for told in strange.iter().chain(&strange) {
        let answer = deliver(&shop, "whsec_test", told).await;
        assert_eq!(answer.status, StatusCode::OK);
    }
    let kept = shop.get("/api/payments/unmatched").await.body;
    let kept = kept["items"].as_array().expect("a list").clone();
    assert_eq!(kept.len(), 3, "{kept:?}");
    assert_eq!(kept[0]["event"]["reference"], "pay_00");
    assert_eq!(kept[0]["event"]["amount"]["amount"], 5);
    assert_eq!(shop.history(&payment), ["intended", "authorised"]);
    shop.close().await;
}
