//! The routes as their callers see them, with the read models in a real database.

mod shop;

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};
use shop::{ANN, NOW, READER, STAFF, Shop, found_in, gbp, text};

const CARDS: &str = "/api/credit/gift-cards";

async fn balance(shop: &Shop, code: &str) -> Value {
    let (status, body) = shop
        .try_post(
            None,
            "/api/credit/gift-cards/balance",
            json!({"code": code}),
        )
        .await;
    assert_eq!(status, StatusCode::OK, "{body}");
    body
}

/// A code that is well-formed and no card's.
fn nobodys(not: &str) -> String {
    let code = contracts::credit::GiftCardCode::from_random(12_345).spelled();
    assert_ne!(code, not);
    code
}

#[tokio::test(flavor = "multi_thread")]
async fn cards_are_issued_and_their_codes_are_read_however_they_are_typed() {
    let shop = Shop::open().await;
    let end = NOW.plus_seconds(1_000);
    let body = json!({"amount": gbp(2_500), "count": 3, "expires_at": end, "note": "autumn"});
    let (status, issued) = shop.try_post(Some(STAFF), CARDS, body).await;
    assert_eq!(status, StatusCode::CREATED);
    let cards = issued["cards"].as_array().expect("cards");
    assert_eq!(cards.len(), 3);
    let code = text(&cards[1]["code"]);
    let typed = code.to_lowercase().replace('-', " ").replace('0', "o");
    assert_eq!(
        balance(&shop, &typed).await,
        json!({"balance": gbp(2_500), "expires_at": end})
    );
    // No card has it: the same as an empty one.
    assert_eq!(balance(&shop, &nobodys(&code)).await, json!({}));
    // Mistyped: told so.
    let wrong = format!(
        "{}{}",
        &code[..18],
        if code.ends_with('0') { '1' } else { '0' }
    );
    let (status, body) = shop
        .try_post(
            None,
            "/api/credit/gift-cards/balance",
            json!({"code": wrong}),
        )
        .await;
    assert_eq!(
        (status, &body["field"]),
        (StatusCode::BAD_REQUEST, &json!("code"))
    );
    let found = shop
        .post(READER, "/api/credit/gift-cards/find", json!({"code": code}))
        .await;
    assert_eq!(found["id"], cards[1]["account_id"]);
    let unknown = json!({"code": nobodys(&code)});
    let (status, _) = shop
        .try_post(Some(READER), "/api/credit/gift-cards/find", unknown)
        .await;
    assert_eq!(status, StatusCode::NOT_FOUND);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_sent_again_issues_nothing_and_gets_its_codes_again() {
    let shop = Shop::open().await;
    let body = json!({"amount": gbp(1_000), "count": 2});
    let key: &[(&str, &str)] = &[("idempotency-key", "autumn-sale")];
    let issue = async |body: &Value| {
        shop.call(Method::POST, CARDS, Some(body.clone()), Some(STAFF), key)
            .await
    };
    let (status, first) = issue(&body).await;
    assert_eq!(status, StatusCode::CREATED, "{first}");
    assert_eq!(issue(&body).await, (StatusCode::CREATED, first.clone()));
    let (status, other) = issue(&json!({"amount": gbp(1_001)})).await;
    assert!(status.is_client_error(), "{status} {other}");
    let owed = shop.get(READER, "/api/credit/liabilities").await;
    assert_eq!(owed["items"][0]["gift_cards"], 2_000);
    // Another member of staff with the same words gets other cards.
    let other = "usr_9 credit:write";
    let (_, others) = shop
        .call(Method::POST, CARDS, Some(body), Some(other), key)
        .await;
    assert_ne!(others["cards"][0]["code"], first["cards"][0]["code"]);
    // The codes are nowhere on disk, not even in the record of the answer.
    let codes: Vec<String> = (0..2).map(|i| text(&first["cards"][i]["code"])).collect();
    let account = text(&first["cards"][0]["account_id"]);
    let data = shop.close().await;
    assert!(
        found_in(data.path(), &account),
        "the search finds what is there"
    );
    for code in codes {
        assert!(!found_in(data.path(), &code));
        assert!(!found_in(data.path(), &code.replace('-', "")));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn guessing_codes_is_slowed_down() {
    let shop = Shop::open().await;
    let (_, code) = shop.card(100).await;
    let ask = async |code: &str, address: &str| {
        let body = Some(json!({"code": code}));
        let path = "/api/credit/gift-cards/balance";
        let from = [("x-forwarded-for", address)];
        shop.call(Method::POST, path, body, None, &from).await.0
    };
    let wrong = nobodys(&code);
    for _ in 0..20 {
        assert_eq!(ask(&code, "6.6.6.6, 192.0.2.1").await, StatusCode::OK);
        assert_eq!(ask(&wrong, "6.6.6.6, 192.0.2.1").await, StatusCode::OK);
    }
    assert_eq!(
        ask(&wrong, "192.0.2.1").await,
        StatusCode::TOO_MANY_REQUESTS
    );
    assert_eq!(ask(&code, "192.0.2.2").await, StatusCode::OK);
    shop.clock.advance(2_000_000);
    assert_eq!(ask(&code, "192.0.2.1").await, StatusCode::OK);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_blocked_or_ended_card_looks_empty() {
    let shop = Shop::open().await;
    let body = json!({"amount": gbp(500), "expires_at": NOW.plus_seconds(100)});
    let issued = shop.post(STAFF, CARDS, body).await;
    let (id, code) = (
        text(&issued["cards"][0]["account_id"]),
        text(&issued["cards"][0]["code"]),
    );
    let path = |what: &str| format!("/api/credit/accounts/{id}/{what}");
    let why = json!({"reason": "reported stolen"});
    let blocked = shop.post(STAFF, &path("disable"), why.clone()).await;
    assert_eq!(blocked["disabled"], true);
    assert_eq!(balance(&shop, &code).await, json!({}));
    shop.post(STAFF, &path("enable"), why).await;
    let later = json!({"expires_at": NOW.plus_seconds(200)});
    let (status, moved) = shop
        .call(Method::PUT, &path("expiry"), Some(later), Some(STAFF), &[])
        .await;
    assert_eq!(
        (status, &moved["expires_at"]),
        (StatusCode::OK, &json!(NOW.plus_seconds(200)))
    );
    shop.clock.advance(100_000_000);
    assert_eq!(balance(&shop, &code).await["balance"], gbp(500));
    shop.clock.advance(100_000_000);
    assert_eq!(balance(&shop, &code).await, json!({}));
    // The timer takes what is left.
    assert_eq!(shop.hear().await, format!("expired {id}"));
    let history = shop.all(READER, &path("movements")).await;
    let reasons: Vec<&Value> = history.iter().map(|change| &change["reason"]).collect();
    assert_eq!(reasons, ["expired", "issued"]);
    let owed = shop.get(READER, "/api/credit/liabilities").await;
    assert_eq!(owed["items"][0]["total"], 0);
    assert!(
        shop.books()
            .await
            .contains(&("expired:gift_cards".into(), -500))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_sees_their_own_store_credit_and_nobody_elses() {
    let shop = Shop::open().await;
    let account = shop.grant(ANN, 300).await;
    let euros = json!({"customer_id": ANN, "reason": "sorry",
        "amount": {"amount": 50, "currency": "EUR"}});
    shop.post(STAFF, "/api/credit/grants", euros).await;
    let other = shop.grant("cus_bob", 700).await;
    let (card, _) = shop.card(100).await;
    let mine = shop.get(ANN, "/api/credit/me").await;
    assert_eq!(mine["accounts"].as_array().map(Vec::len), Some(2));
    let path = format!("/api/credit/accounts/{account}");
    assert_eq!(shop.get(ANN, &path).await["balance"], gbp(300));
    let history = format!("{path}/movements");
    assert!(
        shop.get(ANN, &history).await["items"][0]
            .get("note")
            .is_none()
    );
    assert_eq!(
        shop.get(READER, &history).await["items"][0]["note"],
        "sorry"
    );
    for not_theirs in [other, card, "crd_unknown".into()] {
        for path in ["", "/movements"] {
            let path = format!("/api/credit/accounts/{not_theirs}{path}");
            let (status, _) = shop.call(Method::GET, &path, None, Some(ANN), &[]).await;
            assert_eq!(status, StatusCode::NOT_FOUND, "{path}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_grant_and_a_correction_sent_again_happen_once() {
    let shop = Shop::open().await;
    let account = shop.grant(ANN, 300).await;
    let key: &[(&str, &str)] = &[("idempotency-key", "one")];
    let path = format!("/api/credit/accounts/{account}/adjust");
    let body = json!({"amount": gbp(-100), "reason": "miscounted"});
    for _ in 0..2 {
        let (status, after) = shop
            .call(Method::POST, &path, Some(body.clone()), Some(STAFF), key)
            .await;
        assert_eq!((status, &after["balance"]), (StatusCode::OK, &gbp(200)));
    }
    let body = json!({"customer_id": ANN, "amount": gbp(5), "reason": "sorry"});
    for _ in 0..2 {
        let grants = "/api/credit/grants";
        let (_, after) = shop
            .call(Method::POST, grants, Some(body.clone()), Some(STAFF), key)
            .await;
        assert_eq!(after["balance"], gbp(205));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_input_is_refused_by_the_name_of_its_field() {
    let shop = Shop::open().await;
    let account = shop.grant(ANN, 300).await;
    let adjust = format!("/api/credit/accounts/{account}/adjust");
    let disable = format!("/api/credit/accounts/{account}/disable");
    let grants = "/api/credit/grants";
    let grant = |amount: i64, reason: &str| json!({"customer_id": ANN, "amount": gbp(amount), "reason": reason});
    let long = "x".repeat(501);
    let long_customer = format!("cus_{}", "a".repeat(60));
    let cases = [
        (CARDS, json!({"amount": gbp(0)}), "amount.amount"),
        (
            CARDS,
            json!({"amount": gbp(1_000_000_001)}),
            "amount.amount",
        ),
        (
            CARDS,
            json!({"amount": {"amount": 1, "currency": "gbp"}}),
            "amount.currency",
        ),
        (CARDS, json!({"amount": gbp(1), "count": 0}), "count"),
        (CARDS, json!({"amount": gbp(1), "count": 501}), "count"),
        (
            CARDS,
            json!({"amount": gbp(1), "expires_at": NOW}),
            "expires_at",
        ),
        (
            CARDS,
            json!({"amount": gbp(1), "expires_at": i64::MAX}),
            "expires_at",
        ),
        (CARDS, json!({"amount": gbp(1), "note": "a\u{0}b"}), "note"),
        (CARDS, json!({"amount": gbp(1), "code": "MINE"}), "code"),
        (CARDS, json!({}), "amount"),
        (grants, grant(-1, "why"), "amount.amount"),
        (grants, grant(1, " "), "reason"),
        (grants, grant(1, &long), "reason"),
        (
            grants,
            json!({"customer_id": "usr_1", "amount": gbp(1), "reason": "a"}),
            "customer_id",
        ),
        (
            grants,
            json!({"customer_id": long_customer, "amount": gbp(1), "reason": "a"}),
            "customer_id",
        ),
        (
            &adjust,
            json!({"amount": gbp(0), "reason": "a"}),
            "amount.amount",
        ),
        (
            &adjust,
            json!({"amount": gbp(i64::MIN), "reason": "a"}),
            "amount.amount",
        ),
        (&adjust, json!({"amount": gbp(1), "reason": ""}), "reason"),
        (&disable, json!({"reason": ""}), "reason"),
    ];
    for (path, body, field) in cases {
        let (status, problem) = shop.try_post(Some(STAFF), path, body.clone()).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{path} {body}: {problem}");
        assert_eq!(problem["field"], field, "{path} {body}: {problem}");
    }
    let too_much = json!({"amount": gbp(-301), "reason": "a"});
    let (status, problem) = shop.try_post(Some(STAFF), &adjust, too_much).await;
    assert_eq!(
        (status, &problem["code"]),
        (StatusCode::CONFLICT, &json!("too-little-credit"))
    );
    let euros = json!({"amount": {"amount": 1, "currency": "EUR"}, "reason": "a"});
    let (status, problem) = shop.try_post(Some(STAFF), &adjust, euros).await;
    assert_eq!(
        (status, &problem["code"]),
        (StatusCode::UNPROCESSABLE_ENTITY, &json!("wrong-currency"))
    );
    for path in [
        "/api/credit/ledger?cursor=eA",
        "/api/credit/accounts?kind=coupon",
    ] {
        let (status, _) = shop.call(Method::GET, path, None, Some(STAFF), &[]).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{path}");
    }
    let unknown = "/api/credit/accounts/crd_unknown/adjust";
    let body = json!({"amount": gbp(1), "reason": "a"});
    let (status, _) = shop.try_post(Some(STAFF), unknown, body).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
}

#[tokio::test(flavor = "multi_thread")]
async fn routes_are_for_those_they_are_for() {
    let shop = Shop::open().await;
    for (method, path, access) in credit::service().routes.table() {
        let path = path.replace("{id}", "crd_1").replace("{order_id}", "ord_1");
        if access == web::Access::Public {
            continue;
        }
        let body = (method != Method::GET).then(|| json!({}));
        let mut wrong = vec![(None, StatusCode::UNAUTHORIZED)];
        wrong.push((Some("usr_3 orders:write"), StatusCode::FORBIDDEN));
        match access {
            web::Access::Permission("credit:write") => {
                wrong.push((Some(READER), StatusCode::FORBIDDEN));
                wrong.push((Some(ANN), StatusCode::FORBIDDEN));
            }
            web::Access::Permission(_) => wrong.push((Some(ANN), StatusCode::FORBIDDEN)),
            _ => {}
        }
        for (who, expected) in wrong {
            let (status, _) = shop
                .call(method.clone(), &path, body.clone(), who, &[])
                .await;
            assert_eq!(status, expected, "{method} {path} by {who:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_are_followed_to_their_end() {
    let shop = Shop::open().await;
    for amount in 1..=3 {
        shop.card(amount).await;
        shop.grant(&format!("cus_{amount}"), amount).await;
    }
    shop.grant("cus_1", 9).await;
    let accounts = "/api/credit/accounts";
    assert_eq!(shop.all(READER, accounts).await.len(), 6);
    let cards = format!("{accounts}?kind=gift_card");
    assert_eq!(shop.all(READER, &cards).await.len(), 3);
    let ones = format!("{accounts}?customer_id=cus_1");
    let ones = shop.all(READER, &ones).await;
    assert_eq!(ones.len(), 1);
    let history = format!("{accounts}/{}/movements", text(&ones[0]["id"]));
    assert_eq!(shop.all(READER, &history).await.len(), 2);
    let ledger = shop.all(READER, "/api/credit/ledger").await;
    let numbers: Vec<i64> = ledger
        .iter()
        .filter_map(|line| line["number"].as_i64())
        .collect();
    assert_eq!(numbers, (1..=14).rev().collect::<Vec<_>>());
    let sum: i64 = ledger
        .iter()
        .filter_map(|line| line["amount"]["amount"].as_i64())
        .sum();
    assert_eq!(sum, 0);
}
