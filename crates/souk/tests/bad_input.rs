//! Bad input at the front door: each request is refused with a problem document that names what is
//! wrong, and nothing is recorded anywhere.
#![allow(missing_docs, clippy::unwrap_used)]

mod support;

use reqwest::Method;
use serde_json::{Value, json};
use support::{Buying, Shop, heads, order_status, raw};

#[tokio::test]
async fn carts_and_checkouts_refuse_what_makes_no_sense_and_record_nothing() {
    let shop = Shop::start();
    shop.product("MUG", 750, 10).await;
    let guest = shop.guest();
    let cart = guest.new_cart().await;
    let (lines, checkout) = (
        format!("/api/carts/{cart}/lines"),
        format!("/api/carts/{cart}/checkout"),
    );
    let before = heads(&shop).await;

    for body in ["{", "{\"sku\": \"MUG\", }", "nul", "\u{0}"] {
        let problem = raw(&guest, Method::POST, &lines, body).await.refused(400);
        assert_eq!(problem["code"], "malformed-json", "{problem}");
    }
    for quantity in [0, -1, i64::MIN, i64::MAX, 1_000_000_000] {
        guest
            .post(&lines, json!({"sku": "MUG", "quantity": quantity}))
            .await
            .names(400, "quantity");
        let several =
            json!({"lines": [{"sku": "MUG", "quantity": 1}, {"sku": "MUG", "quantity": quantity}]});
        guest
            .post(&lines, several)
            .await
            .names(400, "lines[1].quantity");
    }
    for quantity in [json!("2"), json!(1.5), json!(1e30), json!(null), json!([1])] {
        let problem = guest
            .post(
                &lines,
                json!({"lines": [{"sku": "MUG", "quantity": quantity}]}),
            )
            .await
            .refused(400);
        assert_eq!(problem["field"], "lines[0].quantity", "{problem}");
    }
    guest
        .post(&lines, json!({"sku": "NOPE", "quantity": 1}))
        .await
        .names(422, "sku");
    let long = "M".repeat(10_000);
    for sku in ["", "MUG\u{0}", "MUG\n", long.as_str()] {
        guest
            .post(&lines, json!({"sku": sku, "quantity": 1}))
            .await
            .names(400, "sku");
    }
    guest
        .post(&lines, json!({"quantity": 1}))
        .await
        .names(400, "sku");
    guest
        .post(&lines, json!({"sku": "MUG", "quantity": 1, "price": 1}))
        .await
        .names(400, "price");
    guest
        .post(&lines, json!({"lines": []}))
        .await
        .names(400, "lines");
    guest
        .post("/api/carts", json!({"currency": "pounds"}))
        .await
        .names(400, "currency");
    guest
        .post("/api/carts", json!({"currency": 826}))
        .await
        .names(400, "currency");
    guest
        .post("/api/carts", json!({"colour": "red"}))
        .await
        .names(400, "colour");
    guest
        .post(&checkout, Buying::one("MUG", 1, "tok_visa").checkout())
        .await
        .names(422, "lines");
    for unknown in [
        "crt_0198c5d2a0f07000800000000000000",
        "nothing",
        "%00",
        "ord_1",
        "..%2f..%2fetc",
    ] {
        let answer = guest
            .post(
                &format!("/api/carts/{unknown}/lines"),
                json!({"sku": "MUG", "quantity": 1}),
            )
            .await;
        assert!(
            matches!(answer.status, 404 | 400),
            "{unknown}: {}",
            answer.text
        );
    }
    let mut text = guest
        .request(Method::POST, &lines)
        .body("sku=MUG&quantity=1");
    text = text.header("content-type", "application/x-www-form-urlencoded");
    guest.try_send(text).await.unwrap().refused(415);
    assert_eq!(heads(&shop).await, before, "something was recorded");

    guest
        .post(&lines, json!({"sku": "MUG", "quantity": 1}))
        .await
        .ok();
    let before = heads(&shop).await;
    let good = Buying::one("MUG", 1, "tok_visa").checkout();
    let wrong = |path: &[&str], value: Value| {
        let mut body = good.clone();
        *path.iter().fold(&mut body, |at, name| &mut at[*name]) = value;
        body
    };
    for (path, value) in [
        (&["email"][..], json!("nobody")),
        (&["email"], json!("a@b@c.d")),
        (&["shipping_address", "country"], json!("Britain")),
        (&["shipping_address", "city"], json!("")),
        (&["shipping_address", "line1"], json!("x".repeat(5_000))),
        (&["shipping_address", "planet"], json!("Mars")),
        (&["payment", "provider"], json!("No Such Provider")),
        (&["payment", "token"], json!("")),
        (&["payment", "token"], json!("4242424242424242")),
        (&["discount"], json!(100)),
    ] {
        let problem = guest
            .post(&checkout, wrong(path, value.clone()))
            .await
            .names(400, &path.join("."));
        let detail = problem["detail"].as_str().unwrap();
        let quoted = value
            .as_str()
            .is_some_and(|value| value.len() > 3 && detail.contains(value));
        assert!(
            !quoted,
            "the refusal quotes what may be personal: {problem}"
        );
    }
    let mut missing = good.clone();
    missing.as_object_mut().unwrap().remove("payment");
    guest.post(&checkout, missing).await.names(400, "payment");
    let odd_key = guest
        .try_post(&checkout, &good, &[("idempotency-key", "with space")])
        .await
        .unwrap();
    odd_key.names(400, "Idempotency-Key");
    assert_eq!(heads(&shop).await, before, "something was recorded");

    let answer = guest.post(&checkout, good).await;
    assert_eq!(
        answer.status, 201,
        "the same cart can still be bought: {}",
        answer.text
    );
    assert_eq!(
        order_status(&shop.settled(&support::Order::of(&answer.body)).await),
        "confirmed"
    );
}

#[tokio::test]
async fn a_cart_in_a_currency_without_prices_takes_nothing() {
    let shop = Shop::start();
    shop.product("MUG", 750, 10).await;
    let guest = shop.guest();
    let cart = guest
        .post("/api/carts", json!({"currency": "EUR"}))
        .await
        .ok();
    let path = format!("/api/carts/{}/lines", cart["id"].as_str().unwrap());
    let problem = guest
        .post(&path, json!({"sku": "MUG", "quantity": 1}))
        .await
        .names(422, "sku");
    assert_eq!(problem["code"], "no-price", "{problem}");
}

#[tokio::test]
async fn bodies_beyond_the_limit_are_refused_before_they_are_read_whole() {
    let shop = Shop::start();
    let guest = shop.guest();
    let cart = guest.new_cart().await;
    let before = heads(&shop).await;
    let body = format!(
        "{{\"sku\": \"{}\", \"quantity\": 1}}",
        "x".repeat(3 * 1024 * 1024)
    );
    raw(
        &guest,
        Method::POST,
        &format!("/api/carts/{cart}/lines"),
        body,
    )
    .await
    .refused(413);
    let body = format!("{{\"email\": \"{}\"}}", "x".repeat(100_000));
    raw(&guest, Method::POST, "/api/identity/login", body)
        .await
        .refused(413);
    let body = format!("{{\"title\": \"{}\"}}", "x".repeat(6 * 1024 * 1024));
    raw(&shop.staff(), Method::POST, "/api/catalog/products", body)
        .await
        .refused(413);
    let deep = "[".repeat(100_000);
    raw(&guest, Method::POST, "/api/carts", deep)
        .await
        .refused(400);
    assert_eq!(heads(&shop).await, before, "something was recorded");
}

#[tokio::test]
async fn staff_input_is_checked_like_any_other() {
    let shop = Shop::start();
    shop.product("MUG", 750, 10).await;
    let staff = shop.staff();
    let before = heads(&shop).await;
    let product =
        |price: Value| json!({"title": "Odd", "variants": [{"sku": "ODD", "prices": [price]}]});
    for price in [
        json!({"amount": -1, "currency": "GBP"}),
        json!({"amount": 1.5, "currency": "GBP"}),
        json!({"amount": 1, "currency": "XXXX"}),
        json!({"amount": 1}),
    ] {
        let problem = staff
            .post("/api/catalog/products", product(price.clone()))
            .await;
        assert!(
            matches!(problem.status, 400 | 422),
            "{price}: {}",
            problem.text
        );
        let problem = problem.body;
        assert!(
            problem["field"]
                .as_str()
                .is_some_and(|field| field.starts_with("variants[0].prices")),
            "{problem}"
        );
    }
    staff
        .post(
            "/api/catalog/products",
            json!({"title": "", "variants": [{"sku": "ODD", "prices": []}]}),
        )
        .await
        .names(400, "title");
    staff
        .post(
            "/api/catalog/products",
            json!({"title": "Odd", "colour": 1}),
        )
        .await
        .names(400, "colour");
    let adjust = |line: Value| json!({"adjustments": [line]});
    for (line, field) in [
        (
            json!({"sku": "", "delta": 1, "reason": "count"}),
            "adjustments[0].sku",
        ),
        (
            json!({"sku": "MUG", "delta": i64::MAX, "reason": "count"}),
            "adjustments[0].delta",
        ),
        (
            json!({"sku": "MUG", "delta": 1, "reason": "magic"}),
            "adjustments[0].reason",
        ),
        (
            json!({"sku": "MUG", "delta": 1, "reason": "count", "why": 1}),
            "adjustments[0].why",
        ),
    ] {
        let answer = staff
            .post("/api/inventory/adjustments", adjust(line.clone()))
            .await;
        assert!(
            matches!(answer.status, 400 | 422),
            "{line}: {}",
            answer.text
        );
        assert_eq!(answer.body["field"], field, "{}", answer.text);
    }
    for query in [
        "limit=0",
        "limit=201",
        "limit=-1",
        "limit=x",
        "cursor=%00",
        "cursor=zzz!",
    ] {
        let answer = staff.get(&format!("/api/orders?{query}")).await;
        assert_eq!(answer.status, 400, "{query}: {}", answer.text);
    }
    staff
        .get("/api/orders?status=lost")
        .await
        .names(400, "status");
    assert_eq!(heads(&shop).await, before, "something was recorded");
}
