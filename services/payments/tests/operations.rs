//! Captures, voids and refunds over the API, and the ledger they leave.

mod shop;

use axum::http::StatusCode;
use contracts::payments::{PaymentId, PaymentView};
use shop::{Answered, Options, Shop, guest_of, order_of};

fn gbp(amount: i64) -> String {
    format!(r#"{{"amount": {{"amount": {amount}, "currency": "GBP"}}}}"#)
}

fn view(answer: Answered) -> PaymentView {
    serde_json::from_value(answer.body).expect("a payment")
}

async fn ask(shop: &Shop, payment: &PaymentId, what: &str, body: &str) -> Answered {
    shop.post(&format!("/api/payments/{payment}/{what}"), body)
        .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn capture_and_refund_in_parts_are_answered_when_they_are_done() {
    let shop = Shop::open().await;
    let payment = shop.authorised().await;
    let captured = ask(&shop, &payment, "capture", &gbp(600)).await;
    assert_eq!(captured.status, StatusCode::OK);
    let captured = view(captured);
    assert_eq!(
        (captured.captured.amount, captured.operation),
        (600, Some(1))
    );
    assert_eq!(captured.status.as_str(), "partially_captured");
    // No body: all the rest.
    let rest = view(ask(&shop, &payment, "capture", "").await);
    assert_eq!(
        (rest.captured.amount, rest.status.as_str()),
        (1_000, "captured")
    );
    let refund = r#"{"amount": {"amount": 250, "currency": "GBP"}, "reason": "broken"}"#;
    let refunded = view(ask(&shop, &payment, "refund", refund).await);
    assert_eq!(refunded.refunded.amount, 250);
    assert_eq!(refunded.operations[2].note.as_deref(), Some("broken"));

    assert_eq!(shop.account("provider:sandbox:receivable").await, 750);
    assert_eq!(shop.account("orders:revenue").await, -1_000);
    assert_eq!(shop.account("orders:refunds").await, 250);
    shop.until_webhooks(4).await;
    assert_eq!(
        shop.account("provider:sandbox:receivable").await,
        750,
        "not booked twice"
    );
    let balance = shop.balance().await["currencies"][0].clone();
    assert_eq!(
        (&balance["captured"], &balance["refunded"]),
        (&1_000.into(), &250.into())
    );
    let listed = shop
        .get(&format!("/api/payments?order_id={}", order_of(&payment)))
        .await
        .body;
    assert_eq!(listed["items"][0]["status"], "partially_refunded");
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn parallel_refunds_never_give_back_more_than_was_captured() {
    let shop = Shop::open().await;
    let payment = shop.authorised().await;
    ask(&shop, &payment, "capture", "{}").await;
    let body = gbp(300);
    let (a, b, c, d, e) = tokio::join!(
        ask(&shop, &payment, "refund", &body),
        ask(&shop, &payment, "refund", &body),
        ask(&shop, &payment, "refund", &body),
        ask(&shop, &payment, "refund", &body),
        ask(&shop, &payment, "refund", &body),
    );
    let statuses = [a, b, c, d, e].map(|answer| answer.status);
    let done = statuses.iter().filter(|s| **s == StatusCode::OK).count();
    assert_eq!(done, 3, "{statuses:?}");
    assert_eq!(shop.account("provider:sandbox:receivable").await, 100);
    assert_eq!(shop.balance().await["currencies"][0]["refunded"], 900);
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_makes_no_sense_is_refused_and_named() {
    let shop = Shop::open().await;
    let payment = shop.authorised().await;
    let cases = [
        ("capture", gbp(1_001), 422, "amount.amount"),
        ("capture", gbp(0), 422, "amount.amount"),
        ("capture", gbp(-1), 422, "amount.amount"),
        ("refund", gbp(1), 422, "amount"),
        (
            "capture",
            r#"{"amount": {"amount": 1, "currency": "EUR"}}"#.into(),
            422,
            "amount.currency",
        ),
        (
            "capture",
            r#"{"amount": {"amount": 1, "currency": "eur"}}"#.into(),
            400,
            "amount.currency",
        ),
        ("capture", r#"{"amount": 5}"#.into(), 400, "amount"),
        ("capture", r#"{"sum": 5}"#.into(), 400, "sum"),
        (
            "refund",
            format!(r#"{{"reason": "{}"}}"#, "x".repeat(501)),
            400,
            "reason",
        ),
    ];
    for (what, body, status, field) in cases {
        let answer = ask(&shop, &payment, what, &body).await;
        assert_eq!(
            answer.status.as_u16(),
            status,
            "{what} {body}: {}",
            answer.body
        );
        assert_eq!(answer.body["field"], field, "{what} {body}");
    }
    let unknown: PaymentId = "pay_00".parse().expect("an id");
    assert_eq!(
        ask(&shop, &unknown, "capture", "").await.status,
        StatusCode::NOT_FOUND
    );
    let odd = shop.post("/api/payments/nonsense/capture", "").await;
    assert_eq!(odd.status, StatusCode::NOT_FOUND);
    assert_eq!(
        shop.history(&payment),
        ["intended", "authorised"],
        "nothing changed"
    );
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_key_captures_once() {
    let shop = Shop::open().await;
    let payment = shop.authorised().await;
    let path = format!("/api/payments/{payment}/capture");
    let token = shop.staff(&["payments:write"]);
    let key = [("idempotency-key", "k1")];
    let (body, other) = (gbp(400), gbp(500));
    let once = || shop.send("POST", &path, Some(&token), &key, &body);
    let (first, second) = tokio::join!(once(), once());
    let again = once().await;
    for answer in [first, second, again] {
        assert_eq!(answer.status, StatusCode::OK);
        let view = view(answer);
        assert_eq!((view.captured.amount, view.operation), (400, Some(1)));
    }
    let reused = shop.send("POST", &path, Some(&token), &key, &other).await;
    assert!(reused.status.is_client_error());
    // A refusal does not use a key up.
    let fresh = [("idempotency-key", "k2")];
    let too_much = shop
        .send("POST", &path, Some(&token), &fresh, &gbp(601))
        .await;
    assert_eq!(too_much.status, StatusCode::UNPROCESSABLE_ENTITY);
    let enough = shop
        .send("POST", &path, Some(&token), &fresh, &gbp(600))
        .await;
    assert_eq!(enough.status, StatusCode::OK);
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_void_is_done_once_and_an_operation_without_an_answer_is_accepted() {
    let options = Options {
        wait: std::time::Duration::from_millis(1),
        ..Options::default()
    };
    let mut shop = Shop::with(options).await;
    let payment = shop.authorised().await;
    shop.until_webhooks(1).await;
    shop.stop_sandbox().await;
    for _ in 0..2 {
        let answer = ask(&shop, &payment, "void", "").await;
        assert_eq!(answer.status, StatusCode::ACCEPTED);
    }
    shop.start_sandbox_again().await;
    shop.until(&payment, "voided").await;
    let answer = ask(&shop, &payment, "void", "").await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(view(answer).status.as_str(), "voided");
    let late = ask(&shop, &payment, "capture", "").await;
    assert_eq!(late.status, StatusCode::CONFLICT);
    assert_eq!(shop.count(&payment, "operation_requested"), 1);
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_provider_refuses_is_told_to_the_caller() {
    let shop = Shop::open().await;
    let payment = shop.authorised().await;
    // Voided at the provider behind our back; the webhook may or may not have come yet.
    let reference =
        shop.get(&format!("/api/payments/{payment}")).await.body["provider_reference"].clone();
    let path = format!(
        "/v1/payments/{}/void",
        reference.as_str().expect("a reference")
    );
    shop.ask_provider("POST", &path, "{}").await;
    let answer = ask(&shop, &payment, "capture", "").await;
    match answer.body["code"].as_str() {
        Some("refused-by-provider") => assert_eq!(answer.body["provider_code"], "wrong_state"),
        code => assert_eq!(code, Some("not-authorised")),
    }
    shop.until(&payment, "voided").await;
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cancelled_order_gets_its_money_back() {
    let shop = Shop::open().await;
    let payment = shop.authorised().await;
    ask(&shop, &payment, "capture", &gbp(800)).await;
    ask(&shop, &payment, "refund", &gbp(100)).await;
    shop.cancel(&payment).await;
    shop.until_so("all of it", || shop.count(&payment, "refunded") == 2)
        .await;
    assert_eq!(shop.account("provider:sandbox:receivable").await, 0);
    let late = ask(&shop, &payment, "capture", "").await;
    assert_eq!(late.body["code"], "order-cancelled");
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_an_order_asks_to_be_taken_is_captured_once() {
    let shop = Shop::open().await;
    let payment = shop.authorised().await;
    shop.ask_to_capture(&payment, 400).await;
    shop.ask_to_capture(&payment, 1_000).await;
    shop.ask_to_capture(&payment, 1_000).await;
    shop.until_so("all of it", || shop.count(&payment, "captured") == 2)
        .await;
    assert_eq!(shop.account("orders:revenue").await, -1_000);
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_payment_is_shown_to_its_buyer_and_to_staff_only() {
    let shop = Shop::open().await;
    let payment = shop.authorised().await;
    let path = format!("/api/payments/{payment}");
    let status = async |token: Option<&str>| shop.send("GET", &path, token, &[], "").await.status;
    assert_eq!(status(Some(&guest_of(&payment))).await, StatusCode::OK);
    assert_eq!(
        status(Some(&shop.staff(&["payments:read"]))).await,
        StatusCode::OK
    );
    assert_eq!(status(Some("gst_other")).await, StatusCode::NOT_FOUND);
    assert_eq!(status(None).await, StatusCode::UNAUTHORIZED);
    let capture = format!("{path}/capture");
    let guest = shop
        .send("POST", &capture, Some(&guest_of(&payment)), &[], "")
        .await;
    assert_eq!(guest.status, StatusCode::FORBIDDEN);
    let reader = shop.staff(&["payments:read"]);
    let reader = shop.send("POST", &capture, Some(&reader), &[], "").await;
    assert_eq!(reader.status, StatusCode::FORBIDDEN);
    shop.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lists_are_read_page_by_page() {
    let shop = Shop::open().await;
    let mut payments = Vec::new();
    for _ in 0..3 {
        payments.push(shop.authorised().await);
    }
    for payment in &payments {
        ask(&shop, payment, "capture", "").await;
    }
    payments.sort();
    let ids = |list: &serde_json::Value, field: &str| -> Vec<String> {
        let items = list["items"].as_array().expect("a list").iter();
        items
            .map(|item| item[field].as_str().expect("text").to_owned())
            .collect()
    };
    let page = shop.get("/api/payments?limit=2&status=captured").await.body;
    assert_eq!(
        ids(&page, "id"),
        [payments[0].to_string(), payments[1].to_string()]
    );
    let cursor = page["next_cursor"].as_str().expect("there is more");
    let page = shop
        .get(&format!(
            "/api/payments?limit=2&status=captured&cursor={cursor}"
        ))
        .await
        .body;
    assert_eq!(ids(&page, "id"), [payments[2].to_string()]);
    assert!(page["next_cursor"].is_null());
    let (mut lines, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = shop
            .get(&format!("/api/payments/ledger?limit=1&cursor={cursor}"))
            .await
            .body;
        lines.extend(ids(&page, "account"));
        match page["next_cursor"].as_str() {
            Some(next) => cursor = next.to_owned(),
            None => break,
        }
    }
    let pair = ["provider:sandbox:receivable", "orders:revenue"];
    assert_eq!(lines, [pair, pair, pair].concat());
    assert_eq!(
        shop.get("/api/payments?status=nonsense").await.body["field"],
        "status"
    );
    assert_eq!(
        shop.get("/api/payments/ledger?cursor=eA").await.body["field"],
        "cursor"
    );
    shop.close().await;
}
