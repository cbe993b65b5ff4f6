//! What merchants and browsers ask, and what they are told.

mod support;

use http::Method;
use serde_json::{Value, json};
use support::{payment, quick, start};

#[tokio::test]
async fn a_payment_goes_from_authorised_to_refunded() {
    let (sandbox, shop) = start(quick()).await;
    let opened = shop.pay("tok_visa", "order-1").await;
    assert_eq!(opened.status, 201, "{}", opened.text);
    let id = opened.id();
    assert!(id.starts_with("spay_"));
    assert_eq!(opened.json["status"], "authorised");
    assert_eq!(
        opened.json["card"],
        json!({"brand": "visa", "last4": "4242"})
    );
    assert!(
        opened.json["operation_id"]
            .as_str()
            .is_some_and(|id| id.starts_with("op_"))
    );

    let path = format!("/v1/payments/{id}");
    let first = shop
        .post(&format!("{path}/capture"), "c1", &json!({"amount": 300}))
        .await;
    assert_eq!(first.status, 200, "{}", first.text);
    assert_eq!(
        (&first.json["type"], &first.json["amount"]),
        (&json!("capture"), &json!(300))
    );
    assert_eq!(first.json["payment"]["captured"], 300);
    let too_much = shop
        .post(&format!("{path}/capture"), "c2", &json!({"amount": 701}))
        .await;
    too_much.assert_problem(422, "amount_too_large", Some("amount"));
    // A refused request does not use its key up; without an amount the rest is taken.
    let rest = shop
        .post(&format!("{path}/capture"), "c2", &json!({}))
        .await;
    assert_eq!(rest.json["amount"], 700);

    let void = shop.post(&format!("{path}/void"), "v1", &json!({})).await;
    void.assert_problem(409, "wrong_state", None);
    let refund = shop
        .post(&format!("{path}/refund"), "r1", &json!({"amount": 250}))
        .await;
    assert_eq!(refund.json["payment"]["refunded"], 250);
    let again = shop
        .post(&format!("{path}/refund"), "r1", &json!({"amount": 250}))
        .await;
    assert_eq!(again.text, refund.text);
    assert_eq!(again.headers["idempotent-replayed"], "true");
    let too_much = shop
        .post(&format!("{path}/refund"), "r2", &json!({"amount": 751}))
        .await;
    too_much.assert_problem(422, "amount_too_large", Some("amount"));

    let read = shop.get(&path).await.json;
    assert_eq!(
        (&read["captured"], &read["refunded"]),
        (&json!(1000), &json!(250))
    );
    let operations: Vec<_> = read["operations"]
        .as_array()
        .expect("operations")
        .iter()
        .collect();
    let kinds: Vec<_> = operations
        .iter()
        .map(|operation| &operation["type"])
        .collect();
    assert_eq!(kinds, ["authorise", "capture", "capture", "refund"]);
    assert_eq!(operations[0]["operation_id"], opened.json["operation_id"]);
    assert_eq!(operations[3]["operation_id"], refund.json["operation_id"]);
    sandbox.shutdown().await;
}

#[tokio::test]
async fn one_key_charges_once_however_many_ask_at_once() {
    let (sandbox, shop) = start(quick()).await;
    let shop = std::sync::Arc::new(shop);
    let asks = (0..32).map(|_| {
        let shop = shop.clone();
        tokio::spawn(async move { shop.pay("tok_visa", "same").await.text })
    });
    let mut answers = Vec::new();
    for ask in asks.collect::<Vec<_>>() {
        answers.push(ask.await.expect("no panic"));
    }
    answers.dedup();
    assert_eq!(answers.len(), 1, "{answers:?}");
    assert_eq!(shop.payments_of("same").await.len(), 1);

    let mut other = payment("tok_visa", "same");
    other["amount"] = json!(1001);
    let reused = shop.post("/v1/payments", "same", &other).await;
    reused.assert_problem(409, "idempotency_key_reused", Some("Idempotency-Key"));
    // Keys are one space: another operation must not reuse it either.
    let id = shop.payments_of("same").await[0]["id"]
        .as_str()
        .expect("an id")
        .to_owned();
    let reused = shop
        .post(
            &format!("/v1/payments/{id}/capture"),
            "same",
            &json!({"amount": 1000}),
        )
        .await;
    reused.assert_problem(409, "idempotency_key_reused", Some("Idempotency-Key"));
    // The order of fields is not another request.
    let reordered =
        r#"{"reference":"same","capture":false,"token":"tok_visa","currency":"GBP","amount":1000}"#;
    let headers = [
        ("authorization", "Bearer sk_sandbox"),
        ("idempotency-key", "same"),
    ];
    let repeated = shop
        .send(Method::POST, "/v1/payments", &headers, reordered.to_owned())
        .await;
    assert_eq!(repeated.text, answers[0]);
    sandbox.shutdown().await;
}

#[tokio::test]
async fn declines_are_answers_and_void_releases() {
    let (sandbox, shop) = start(quick()).await;
    for (token, code) in [
        ("tok_declined", "card_declined"),
        ("tok_insufficient_funds", "insufficient_funds"),
    ] {
        let declined = shop.pay(token, token).await;
        assert_eq!(declined.status, 201);
        assert_eq!(
            (&declined.json["status"], &declined.json["decline_code"]),
            (&json!("declined"), &json!(code))
        );
        let capture = shop
            .post(
                &format!("/v1/payments/{}/capture", declined.id()),
                "c",
                &json!({}),
            )
            .await;
        capture.assert_problem(409, "wrong_state", None);
    }
    let held = shop.pay("tok_visa", "held").await.id();
    let voided = shop
        .post(&format!("/v1/payments/{held}/void"), "v", &json!({}))
        .await;
    assert_eq!(voided.json["payment"]["status"], "voided");
    let capture = shop
        .post(&format!("/v1/payments/{held}/capture"), "c", &json!({}))
        .await;
    capture.assert_problem(409, "wrong_state", None);

    let mut at_once = payment("tok_mastercard", "at-once");
    at_once["capture"] = json!(true);
    let captured = shop.post("/v1/payments", "at-once", &at_once).await.json;
    assert_eq!(
        (&captured["status"], &captured["captured"]),
        (&json!("captured"), &json!(1000))
    );

    let mut euros = payment("tok_visa", "euros");
    euros["currency"] = json!("EUR");
    shop.post("/v1/payments", "euros", &euros).await;
    let balance = shop.get("/v1/balance").await.json;
    assert_eq!(balance["payments"], 5);
    assert_eq!(
        balance["currencies"],
        json!([
            {"currency": "EUR", "authorised": 1000, "captured": 0, "refunded": 0, "voided": 0,
             "counts": {"requires_action": 0, "authorised": 1, "captured": 0, "declined": 0, "voided": 0}},
            {"currency": "GBP", "authorised": 1000, "captured": 1000, "refunded": 0, "voided": 1000,
             "counts": {"requires_action": 0, "authorised": 0, "captured": 1, "declined": 2, "voided": 1}},
        ])
    );
    sandbox.shutdown().await;
}

#[tokio::test]
async fn lists_can_be_read_to_the_end() {
    let (sandbox, shop) = start(quick()).await;
    for n in 0..7 {
        shop.pay("tok_visa", &format!("order-{n}")).await;
    }
    let (mut seen, mut after) = (Vec::new(), String::new());
    loop {
        let page = shop.get(&format!("/v1/payments?limit=3{after}")).await.json;
        let items = page["items"].as_array().expect("items");
        assert!(items.len() <= 3);
        seen.extend(items.iter().map(|item| item["reference"].clone()));
        let Some(next) = page["next_after"].as_str() else {
            break;
        };
        after = format!("&after={next}");
    }
    let expected: Vec<_> = (0..7).map(|n| json!(format!("order-{n}"))).collect();
    assert_eq!(seen, expected);
    assert_eq!(shop.payments_of("never").await, Vec::<Value>::new());
    shop.get("/v1/payments?limit=0")
        .await
        .assert_problem(422, "invalid_field", Some("limit"));
    shop.get("/v1/payments?limit=1001")
        .await
        .assert_problem(422, "invalid_field", Some("limit"));
    shop.get("/v1/payments?after=spay_1")
        .await
        .assert_problem(422, "invalid_field", Some("after"));
    sandbox.shutdown().await;
}

#[tokio::test]
async fn bad_requests_name_the_field_and_change_nothing() {
    let (sandbox, shop) = start(quick()).await;
    let cases: [(&str, Value, &str); 13] = [
        ("amount", json!(0), "invalid_field"),
        ("amount", json!(-5), "invalid_field"),
        ("amount", json!(1.5), "invalid_field"),
        ("amount", json!("1000"), "invalid_field"),
        ("amount", json!(u64::MAX), "invalid_field"),
        ("amount", Value::Null, "invalid_field"),
        ("currency", json!("gbp"), "invalid_field"),
        ("currency", json!("POUNDS"), "invalid_field"),
        ("token", json!("tok_unknown"), "invalid_token"),
        ("token", json!("4242424242424242"), "invalid_token"),
        ("reference", json!(""), "invalid_field"),
        ("reference", json!("x".repeat(129)), "invalid_field"),
        ("capture", json!("yes"), "invalid_field"),
    ];
    for (field, value, code) in cases {
        let mut body = payment("tok_visa", "bad");
        body[field] = value;
        let refused = shop.post("/v1/payments", "key", &body).await;
        refused.assert_problem(422, code, Some(field));
        assert!(!refused.text.contains("4242424242424242"));
    }
    let mut extra = payment("tok_visa", "bad");
    extra["ammount"] = json!(1);
    shop.post("/v1/payments", "key", &extra)
        .await
        .assert_problem(422, "unknown_field", None);

    let headers = [
        ("authorization", "Bearer sk_sandbox"),
        ("idempotency-key", "key"),
    ];
    let broken = shop
        .send(
            Method::POST,
            "/v1/payments",
            &headers,
            "{\"amount\":".to_owned(),
        )
        .await;
    broken.assert_problem(400, "malformed_json", None);
    let huge = shop
        .send(Method::POST, "/v1/payments", &headers, " ".repeat(20_000))
        .await;
    huge.assert_problem(413, "body_too_large", None);
    let keyless = shop
        .send(
            Method::POST,
            "/v1/payments",
            &headers[..1],
            payment("tok_visa", "bad").to_string(),
        )
        .await;
    keyless.assert_problem(400, "idempotency_key_required", Some("Idempotency-Key"));

    shop.get("/v1/payments/spay_0000000001aaaaaaaaaaaaaaaa")
        .await
        .assert_problem(404, "not_found", None);
    shop.get("/v1/nothing")
        .await
        .assert_problem(404, "not_found", None);
    let wrong_method = shop
        .send(Method::DELETE, "/v1/payments", &headers, String::new())
        .await;
    wrong_method.assert_problem(405, "method_not_allowed", None);
    assert_eq!(shop.get("/v1/balance").await.json["payments"], 0);
    // The key was not burnt by any of them.
    assert_eq!(
        shop.post("/v1/payments", "key", &payment("tok_visa", "good"))
            .await
            .status,
        201
    );
    sandbox.shutdown().await;
}

#[tokio::test]
async fn only_the_right_key_opens() {
    let (sandbox, shop) = start(quick()).await;
    let id = shop.pay("tok_visa", "order").await.id();
    let paths = [
        (Method::GET, "/v1/payments".to_owned()),
        (Method::GET, "/v1/balance".to_owned()),
        (Method::GET, format!("/v1/payments/{id}")),
        (Method::POST, "/v1/payments".to_owned()),
        (Method::POST, format!("/v1/payments/{id}/capture")),
        (Method::POST, format!("/v1/payments/{id}/void")),
        (Method::POST, format!("/v1/payments/{id}/refund")),
    ];
    for (method, path) in paths {
        for key in [
            "",
            "Bearer ",
            "Bearer pk_sandbox",
            "Bearer sk_sandboxx",
            "sk_sandbox",
            "Basic sk_sandbox",
        ] {
            let headers = [("authorization", key), ("idempotency-key", "k")];
            let refused = shop
                .send(method.clone(), &path, &headers, "{}".to_owned())
                .await;
            refused.assert_problem(401, "unauthorised", Some("Authorization"));
        }
    }
    assert_eq!(
        shop.get(&format!("/v1/payments/{id}")).await.json["status"],
        "authorised"
    );
    sandbox.shutdown().await;
}

#[tokio::test]
async fn browsers_exchange_cards_for_tokens_that_pay() {
    let (sandbox, shop) = start(quick()).await;
    let preflight = shop
        .send(
            Method::OPTIONS,
            "/v1/tokens",
            &[("origin", "http://shop.example")],
            String::new(),
        )
        .await;
    assert_eq!(preflight.status, 204);
    assert_eq!(preflight.headers["access-control-allow-origin"], "*");
    assert_eq!(
        preflight.headers["access-control-allow-headers"],
        "authorization, content-type"
    );

    let browser = [
        ("authorization", "Bearer pk_sandbox"),
        ("origin", "http://shop.example"),
    ];
    let card = |number: &str| json!({"card": {"number": number, "exp_month": 12, "exp_year": 2060, "cvc": "123"}});
    let good = shop
        .send(
            Method::POST,
            "/v1/tokens",
            &browser,
            card("4242424242424242").to_string(),
        )
        .await;
    assert_eq!(good.status, 201, "{}", good.text);
    assert_eq!(good.headers["access-control-allow-origin"], "*");
    assert_eq!(
        (&good.json["brand"], &good.json["last4"]),
        (&json!("visa"), &json!("4242"))
    );
    let token = good.json["token"].as_str().expect("a token");
    assert_eq!(
        shop.pay(token, "by-card").await.json["status"],
        "authorised"
    );

    let declined = shop
        .send(
            Method::POST,
            "/v1/tokens",
            &browser,
            card("4000000000000002").to_string(),
        )
        .await;
    let token = declined.json["token"].as_str().expect("a token");
    assert_eq!(shop.pay(token, "declined").await.json["status"], "declined");

    let wrong = shop
        .send(
            Method::POST,
            "/v1/tokens",
            &browser,
            card("4242424242424241").to_string(),
        )
        .await;
    wrong.assert_problem(422, "invalid_field", Some("card.number"));
    assert!(!wrong.text.contains("42424"), "no card number in an error");
    assert_eq!(wrong.headers["access-control-allow-origin"], "*");
    let keyless = shop
        .send(
            Method::POST,
            "/v1/tokens",
            &[],
            card("4242424242424242").to_string(),
        )
        .await;
    keyless.assert_problem(401, "unauthorised", Some("Authorization"));
    sandbox.shutdown().await;
}

#[tokio::test]
async fn the_front_page_lists_the_test_cards() {
    let (sandbox, shop) = start(quick()).await;
    let page = shop.send(Method::GET, "/", &[], String::new()).await;
    assert_eq!(page.status, 200);
    for card in sandbox::TEST_CARDS {
        assert!(
            page.text.contains(card.number) && page.text.contains(card.token),
            "{}",
            card.token
        );
    }
    sandbox.shutdown().await;
}
