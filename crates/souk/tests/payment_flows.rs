//! Each way a payment provider and its webhooks can misbehave, and what people do with money
//! afterwards: the end state of order, stock and money is right, here and at the provider.
#![allow(missing_docs, clippy::unwrap_used)]

mod support;

use serde_json::{Value, json};
use support::{
    Buying, Shop, no_dead_letters, only_payment, order_status, provider_says, two_of_ten,
};

/// Confirmed, exactly two units sold, exactly one payment held.
async fn ends_confirmed_once(token: &'static str) {
    let (shop, _, view) = two_of_ten(token).await;
    assert_eq!(order_status(&view), "confirmed", "{view}");
    let stock = shop.stock_settles("MUG", 8).await;
    assert_eq!(
        (&stock["sold"], &stock["opening"]),
        (&json!(2), &json!(10)),
        "{stock}"
    );
    provider_says(&shop, "authorised", 0, 0).await;
    let payment = view["payment_id"].as_str().unwrap();
    // Capturing sends a further webhook, late or out of order like the first.
    shop.staff()
        .post(&format!("/api/payments/{payment}/capture"), json!({}))
        .await
        .ok();
    let payment = shop
        .payment_when(payment, "is captured", |payment| {
            payment["status"] == "captured"
        })
        .await;
    assert_eq!(payment["captured"]["amount"], 1_500, "{payment}");
    let ledger = shop.staff().get("/api/payments/ledger/summary").await.ok();
    assert_eq!(ledger["balanced"], true, "{ledger}");
    no_dead_letters(&shop).await;
}

#[tokio::test]
async fn a_declined_card_cancels_and_leaves_nothing_held() {
    for token in ["tok_declined", "tok_insufficient_funds"] {
        let (shop, _, view) = two_of_ten(token).await;
        assert_eq!(
            (order_status(&view), &view["cancel_reason"]),
            ("cancelled", &json!("payment_declined")),
            "{view}"
        );
        shop.stock_settles("MUG", 10).await;
        assert_eq!(only_payment(&shop).await, ("declined".into(), 0, 0));
        no_dead_letters(&shop).await;
    }
}

#[tokio::test]
async fn the_cardholder_approves_or_refuses() {
    let shop = Shop::start();
    shop.product("MUG", 750, 10).await;
    for (approve, end, left) in [(true, "confirmed", 8), (false, "cancelled", 8)] {
        let order = shop.buy(&Buying::one("MUG", 2, "tok_3ds")).await;
        let asked = shop
            .order_when(&order, "asks for the cardholder", |view| {
                order_status(view) == "payment_action_required"
            })
            .await;
        let url = asked["payment_action_url"].as_str().unwrap();
        shop.guest()
            .post(url, json!({"approve": approve}))
            .await
            .ok();
        let view = shop.settled(&order).await;
        assert_eq!(order_status(&view), end, "{view}");
        shop.stock_settles("MUG", left).await;
    }
    let statuses: Vec<Value> = shop
        .provider_payments()
        .await
        .iter()
        .map(|payment| payment["status"].clone())
        .collect();
    assert_eq!(statuses, ["authorised", "declined"]);
}

#[tokio::test]
async fn charged_without_an_answer_is_confirmed_once_by_asking() {
    ends_confirmed_once("tok_timeout_after_charge").await;
}

#[tokio::test]
async fn never_charged_and_never_answered_ends_at_the_deadline() {
    let shop = Shop::start_with(&[
        "--provider-timeout-ms",
        "500",
        "--confirm-within-seconds",
        "4",
    ]);
    shop.product("MUG", 750, 10).await;
    let (_, view) = shop
        .bought(&Buying::one("MUG", 2, "tok_timeout_before_charge"))
        .await;
    assert_eq!(
        (order_status(&view), &view["cancel_reason"]),
        ("cancelled", &json!("deadline")),
        "{view}"
    );
    shop.stock_settles("MUG", 10).await;
    assert_eq!(shop.provider_payments().await, Vec::<Value>::new());
    no_dead_letters(&shop).await;
}

#[tokio::test]
async fn the_webhook_comes_five_times_in_parallel() {
    ends_confirmed_once("tok_webhook_storm").await;
}

#[tokio::test]
async fn the_webhook_comes_before_the_answer() {
    ends_confirmed_once("tok_webhook_first").await;
}

#[tokio::test]
async fn the_webhook_comes_late() {
    ends_confirmed_once("tok_webhook_late").await;
}

#[tokio::test]
async fn the_webhooks_come_out_of_order() {
    ends_confirmed_once("tok_webhook_reordered").await;
}

#[tokio::test]
async fn the_provider_fails_once_and_works_then() {
    ends_confirmed_once("tok_error_500_then_ok").await;
}

#[tokio::test]
async fn cancelling_puts_stock_back_and_gives_the_money_up() {
    let (shop, order, view) = two_of_ten("tok_visa").await;
    shop.stock_settles("MUG", 8).await;
    let buyer = shop.with(&order.token);
    let path = format!("/api/orders/{}/cancel", order.id);
    let cancelled = buyer.post(&path, json!({})).await.ok();
    assert_eq!(
        (order_status(&cancelled), &cancelled["cancel_reason"]),
        ("cancelled", &json!("customer"))
    );
    shop.stock_settles("MUG", 10).await;
    provider_says(&shop, "voided", 0, 0).await;
    let payment = view["payment_id"].as_str().unwrap();
    shop.payment_when(payment, "is voided", |payment| {
        payment["status"] == "voided"
    })
    .await;
    assert_eq!(
        order_status(&buyer.post(&path, json!({})).await.ok()),
        "cancelled",
        "cancelling twice is cancelling once"
    );
    let refused = shop
        .staff()
        .post(&format!("/api/payments/{payment}/capture"), json!({}))
        .await;
    refused.refused(409);
    no_dead_letters(&shop).await;
}

#[tokio::test]
async fn cancelling_after_the_capture_gives_the_money_back() {
    let (shop, order, view) = two_of_ten("tok_visa").await;
    let payment = view["payment_id"].as_str().unwrap();
    shop.staff()
        .post(&format!("/api/payments/{payment}/capture"), json!({}))
        .await
        .ok();
    provider_says(&shop, "captured", 1_500, 0).await;
    shop.staff()
        .post(&format!("/api/orders/{}/cancel", order.id), json!({}))
        .await
        .ok();
    provider_says(&shop, "captured", 1_500, 1_500).await;
    shop.payment_when(payment, "is refunded", |payment| {
        payment["status"] == "refunded"
    })
    .await;
    let view = shop
        .order_when(&order, "knows of the refund", |view| {
            view["refunded"]["amount"] == 1_500
        })
        .await;
    assert_eq!(order_status(&view), "cancelled");
    shop.stock_settles("MUG", 10).await;
    assert_eq!(
        shop.staff().get("/api/payments/ledger/summary").await.ok()["balanced"],
        true
    );
}

#[tokio::test]
async fn money_is_taken_and_given_back_in_parts_and_never_too_much() {
    let (shop, order, view) = two_of_ten("tok_visa").await;
    let staff = shop.staff();
    let payment = view["payment_id"].as_str().unwrap().to_owned();
    let ask = async |what: &str, pence: i64| {
        let body = json!({"amount": {"amount": pence, "currency": "GBP"}});
        staff
            .post(&format!("/api/payments/{payment}/{what}"), body)
            .await
    };
    ask("refund", 1).await.refused(422);
    ask("capture", 1_000).await.ok();
    shop.payment_when(&payment, "is captured in part", |payment| {
        payment["captured"]["amount"] == 1_000
    })
    .await;
    ask("capture", 501).await.names(422, "amount.amount");
    ask("refund", 1_001).await.names(422, "amount.amount");
    ask("refund", 300).await.ok();
    shop.payment_when(&payment, "is refunded in part", |payment| {
        payment["refunded"]["amount"] == 300
    })
    .await;
    ask("capture", 500).await.ok();
    shop.payment_when(&payment, "is captured whole", |payment| {
        payment["captured"]["amount"] == 1_500
    })
    .await;
    ask("refund", 1_201).await.names(422, "amount.amount");
    ask("refund", 1_200).await.ok();
    ask("refund", 1).await.refused(422);
    provider_says(&shop, "captured", 1_500, 1_500).await;
    shop.order_when(&order, "knows the sums", |view| {
        view["captured"]["amount"] == 1_500 && view["refunded"]["amount"] == 1_500
    })
    .await;
    let ledger = shop.staff().get("/api/payments/ledger/summary").await.ok();
    assert_eq!(ledger["balanced"], true, "{ledger}");
    let wrong = json!({"amount": {"amount": 1, "currency": "EUR"}});
    staff
        .post(&format!("/api/payments/{payment}/capture"), wrong)
        .await
        .names(422, "amount.currency");
}
