//! The cart's API on a real store.

use crate::support::{Shop, checkout, until};
use axum::http::{Method, StatusCode};
use contracts::catalog::ProductStatus;
use serde_json::{Value, json};

fn problems(view: &Value) -> Vec<&str> {
    let problems = view["problems"].as_array().expect("problems");
    problems
        .iter()
        .filter_map(|problem| problem["code"].as_str())
        .collect()
}

#[tokio::test]
async fn a_cart_is_filled_and_becomes_one_order_however_often_it_is_completed() {
    let shop = Shop::open().await;
    shop.on_sale(&[("MUG", 1_250), ("TEA", 399)]).await;
    let cart = shop.cart().await;
    let path = format!("/api/carts/{cart}");
    let lines = format!("{path}/lines");
    shop.post(&lines)
        .send(json!({"sku": "MUG", "quantity": 1}))
        .await;
    let many = json!({"lines": [{"sku": "TEA", "quantity": 3}, {"sku": "MUG", "quantity": 1}]});
    let (status, view) = shop.post(&lines).send(many).await;
    assert_eq!(status, StatusCode::OK, "{view}");
    assert_eq!(
        view["totals"]["total"],
        json!({"amount": 2 * 1_250 + 3 * 399, "currency": "GBP"})
    );
    let tea = view["lines"][1]["id"].as_str().expect("an id");
    let line = format!("{lines}/{tea}");
    let (status, view) = shop
        .call(Method::PATCH, &line)
        .send(json!({"quantity": 1}))
        .await;
    assert_eq!(
        (status, &view["lines"][1]["quantity"]),
        (StatusCode::OK, &json!(1))
    );
    let (status, view) = shop.call(Method::DELETE, &line).ask().await;
    assert_eq!(
        (status, view["lines"].as_array().map(Vec::len)),
        (StatusCode::OK, Some(1))
    );

    let (status, first) = shop
        .post(&format!("{path}/checkout"))
        .send(checkout())
        .await;
    assert_eq!(status, StatusCode::CREATED, "{first}");
    assert_eq!(first["order"]["status"], "placed");
    assert_eq!(first["order"]["totals"]["total"]["amount"], 2_500);
    assert!(
        first["order"]["number"]
            .as_str()
            .is_some_and(|number| number.starts_with("S-"))
    );
    let (status, second) = shop
        .post(&format!("{path}/checkout"))
        .send(checkout())
        .await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(second, first, "the same order and the same access token");

    let (status, closed) = shop.get(&path).ask().await;
    assert_eq!(
        (status, &closed["status"]),
        (StatusCode::OK, &json!("completed"))
    );
    assert_eq!(closed["order_id"], first["order"]["id"]);
    let text = closed.to_string();
    assert!(!text.contains("ann@") && !text.contains("High Street") && !text.contains("gst_"));
    let (status, refused) = shop
        .post(&lines)
        .send(json!({"sku": "MUG", "quantity": 1}))
        .await;
    assert_eq!(
        (status, &refused["code"]),
        (StatusCode::CONFLICT, &json!("cart-completed"))
    );
    shop.close().await;
}

#[tokio::test]
async fn an_order_can_be_asked_for_where_only_the_cart_knows_it() {
    let shop = Shop::open().await;
    shop.on_sale(&[("MUG", 1_250)]).await;
    let cart = shop.cart().await;
    shop.post(&format!("/api/carts/{cart}/lines"))
        .send(json!({"sku": "MUG", "quantity": 1}))
        .await;
    let (_, done) = shop
        .post(&format!("/api/carts/{cart}/checkout"))
        .send(checkout())
        .await;
    let path = format!(
        "/api/carts/checkouts/{}",
        done["order"]["id"].as_str().expect("an id")
    );
    let token = done["access_token"].as_str().expect("a token");

    let (status, order) = shop.get(&path).bearer(token).ask().await;
    assert_eq!((status, &order), (StatusCode::OK, &done["order"]));
    assert_eq!(
        shop.get(&path).by("usr_1", &["orders:read"]).ask().await.0,
        StatusCode::OK
    );
    assert_eq!(shop.get(&path).ask().await.0, StatusCode::UNAUTHORIZED);
    assert_eq!(
        shop.get(&path).bearer("gst_forged").ask().await.0,
        StatusCode::NOT_FOUND
    );
    assert_eq!(
        shop.get(&path).by("cus_9", &[]).ask().await.0,
        StatusCode::NOT_FOUND
    );
    assert_eq!(
        shop.get(&path)
            .by("usr_1", &["catalog:write"])
            .ask()
            .await
            .0,
        StatusCode::FORBIDDEN
    );
    let unknown = shop
        .get("/api/carts/checkouts/ord_0")
        .bearer(token)
        .ask()
        .await;
    assert_eq!(unknown.0, StatusCode::NOT_FOUND);
    shop.close().await;
}

#[tokio::test]
async fn a_request_sent_again_under_its_key_takes_effect_once() {
    let shop = Shop::open().await;
    shop.on_sale(&[("MUG", 1_250)]).await;
    let (_, first) = shop.post("/api/carts").key("open").send(json!({})).await;
    let (status, again) = shop.post("/api/carts").key("open").send(json!({})).await;
    assert_eq!((status, &again["id"]), (StatusCode::CREATED, &first["id"]));
    let path = format!("/api/carts/{}", first["id"].as_str().expect("an id"));
    let (lines, pay) = (format!("{path}/lines"), format!("{path}/checkout"));

    let two = json!({"sku": "MUG", "quantity": 2});
    for _ in 0..3 {
        let (status, view) = shop.post(&lines).key("add").send(two.clone()).await;
        assert_eq!(
            (status, &view["lines"][0]["quantity"]),
            (StatusCode::OK, &json!(2))
        );
    }
    let other = json!({"sku": "MUG", "quantity": 3});
    let (status, refused) = shop.post(&lines).key("add").send(other.clone()).await;
    assert_eq!(
        (status, &refused["field"]),
        (StatusCode::CONFLICT, &json!("Idempotency-Key"))
    );

    // A refusal does not use the key up.
    let unknown = json!({"sku": "CUP", "quantity": 1});
    let (status, _) = shop.post(&lines).key("later").send(unknown).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    let (status, view) = shop.post(&lines).key("later").send(other).await;
    assert_eq!(
        (status, &view["lines"][0]["quantity"]),
        (StatusCode::OK, &json!(5))
    );

    let (status, order) = shop.post(&pay).key("pay").send(checkout()).await;
    assert_eq!(status, StatusCode::CREATED);
    let (status, repeat) = shop.post(&pay).key("pay").send(checkout()).await;
    assert_eq!((status, repeat), (StatusCode::CREATED, order.clone()));
    let mut changed = checkout();
    changed["email"] = json!("eve@example.org");
    assert_eq!(
        shop.post(&pay).key("pay").send(changed).await.0,
        StatusCode::CONFLICT
    );
    let (status, repeat) = shop.post(&pay).key("another").send(checkout()).await;
    assert_eq!((status, repeat), (StatusCode::OK, order));
    shop.close().await;
}

#[tokio::test]
async fn a_changed_price_is_shown_refused_and_accepted() {
    let shop = Shop::open().await;
    shop.on_sale(&[("MUG", 1_250)]).await;
    let path = format!("/api/carts/{}", shop.cart().await);
    shop.post(&format!("{path}/lines"))
        .send(json!({"sku": "MUG", "quantity": 2}))
        .await;
    shop.changed(&[("MUG", 1_300)], ProductStatus::Published)
        .await;
    until("the cart knows the new price", async || {
        problems(&shop.get(&path).ask().await.1) == ["price-changed"]
    })
    .await;
    let (status, refused) = shop
        .post(&format!("{path}/checkout"))
        .key("k")
        .send(checkout())
        .await;
    assert_eq!(
        (status, &refused["code"]),
        (StatusCode::CONFLICT, &json!("price-changed"))
    );
    assert_eq!(refused["problems"][0]["old"]["amount"], 1_250);
    assert_eq!(refused["problems"][0]["new"]["amount"], 1_300);
    let (status, view) = shop.post(&format!("{path}/reprice")).ask().await;
    assert_eq!(
        (status, &view["totals"]["total"]["amount"]),
        (StatusCode::OK, &json!(2_600))
    );
    assert_eq!(problems(&view), Vec::<&str>::new());
    let (status, done) = shop
        .post(&format!("{path}/checkout"))
        .key("k")
        .send(checkout())
        .await;
    assert_eq!(
        (status, &done["order"]["totals"]["total"]["amount"]),
        (StatusCode::CREATED, &json!(2_600))
    );
    shop.close().await;
}

#[tokio::test]
async fn what_went_off_sale_stands_in_the_way_and_short_stock_only_warns() {
    let shop = Shop::open().await;
    shop.on_sale(&[("MUG", 1_250)]).await;
    let path = format!("/api/carts/{}", shop.cart().await);
    shop.post(&format!("{path}/lines"))
        .send(json!({"sku": "MUG", "quantity": 2}))
        .await;
    shop.in_stock("MUG", 1).await;
    until("the cart knows the stock", async || {
        problems(&shop.get(&path).ask().await.1) == ["short-stock"]
    })
    .await;
    shop.changed(&[("MUG", 1_250)], ProductStatus::Draft).await;
    until("the cart knows it is off sale", async || {
        problems(&shop.get(&path).ask().await.1) == ["unpublished"]
    })
    .await;
    let (status, refused) = shop
        .post(&format!("{path}/checkout"))
        .send(checkout())
        .await;
    assert_eq!(
        (status, &refused["code"]),
        (StatusCode::CONFLICT, &json!("unpublished"))
    );
    shop.changed(&[("MUG", 1_250)], ProductStatus::Published)
        .await;
    until("it is on sale again", async || {
        problems(&shop.get(&path).ask().await.1) == ["short-stock"]
    })
    .await;
    let (status, _) = shop
        .post(&format!("{path}/checkout"))
        .send(checkout())
        .await;
    assert_eq!(status, StatusCode::CREATED, "inventory decides");
    shop.close().await;
}

#[tokio::test]
async fn a_customer_s_cart_is_nobody_else_s() {
    let shop = Shop::open().await;
    shop.on_sale(&[("MUG", 1_250)]).await;
    let (_, cart) = shop
        .post("/api/carts")
        .by("cus_1", &[])
        .send(json!({}))
        .await;
    let path = format!("/api/carts/{}", cart["id"].as_str().expect("an id"));
    let mug = json!({"sku": "MUG", "quantity": 1});
    assert_eq!(shop.get(&path).ask().await.0, StatusCode::NOT_FOUND);
    assert_eq!(
        shop.get(&path).by("cus_2", &[]).ask().await.0,
        StatusCode::NOT_FOUND
    );
    assert_eq!(
        shop.get(&path).by("usr_1", &["carts:read"]).ask().await.0,
        StatusCode::OK
    );
    let lines = format!("{path}/lines");
    assert_eq!(
        shop.post(&lines).send(mug.clone()).await.0,
        StatusCode::NOT_FOUND
    );
    let reader = shop
        .post(&lines)
        .by("usr_1", &["carts:read"])
        .send(mug.clone())
        .await;
    assert_eq!(reader.0, StatusCode::NOT_FOUND);
    assert_eq!(
        shop.post(&lines).by("cus_1", &[]).send(mug).await.0,
        StatusCode::OK
    );
    let pay = format!("{path}/checkout");
    assert_eq!(
        shop.post(&pay).send(checkout()).await.0,
        StatusCode::NOT_FOUND
    );
    let (status, done) = shop.post(&pay).by("cus_1", &[]).send(checkout()).await;
    assert_eq!(status, StatusCode::CREATED);
    let order = format!(
        "/api/carts/checkouts/{}",
        done["order"]["id"].as_str().expect("an id")
    );
    assert_eq!(
        shop.get(&order).by("cus_1", &[]).ask().await.0,
        StatusCode::OK
    );
    assert_eq!(
        shop.get(&order).by("cus_2", &[]).ask().await.0,
        StatusCode::NOT_FOUND
    );
    shop.close().await;
}

#[tokio::test]
async fn bad_input_is_told_which_field_and_changes_nothing() {
    let shop = Shop::open().await;
    shop.on_sale(&[("MUG", 1_250)]).await;
    let path = format!("/api/carts/{}", shop.cart().await);
    let lines = format!("{path}/lines");
    let mug = |quantity: Value| json!({"sku": "MUG", "quantity": quantity});
    let bad = [
        (mug(json!(0)), "quantity"),
        (mug(json!(-3)), "quantity"),
        (mug(json!(100_001)), "quantity"),
        (mug(json!("two")), "quantity"),
        (json!({"sku": "MUG"}), "quantity"),
        (json!({"quantity": 1}), "sku"),
        (json!({"sku": "", "quantity": 1}), "sku"),
        (json!({"sku": "CUP", "quantity": 1}), "sku"),
        (json!({"lines": []}), "lines"),
        (
            json!({"lines": [mug(json!(1)), {"sku": "CUP", "quantity": 1}]}),
            "lines[1].sku",
        ),
        (
            json!({"lines": [mug(json!(1)), mug(json!(1.5))]}),
            "lines[1].quantity",
        ),
        (json!({"lines": [mug(json!(1))], "sku": "MUG"}), "lines"),
        (json!({"lines": vec![mug(json!(1)); 2_001]}), "lines"),
        (json!({"sku": "MUG", "quantity": 1, "price": 1}), "price"),
    ];
    for (body, field) in bad {
        let (status, problem) = shop.post(&lines).send(body).await;
        assert!(status.is_client_error(), "{field}: {status}");
        assert_eq!(problem["field"], field, "{problem}");
    }
    let (status, problem) = shop.post(&lines).raw("{\"sku\": ".into()).await;
    assert_eq!(
        (status, &problem["code"]),
        (StatusCode::BAD_REQUEST, &json!("malformed-json"))
    );
    let (status, problem) = shop
        .post("/api/carts")
        .send(json!({"currency": "gbp"}))
        .await;
    assert_eq!(
        (status, &problem["field"]),
        (StatusCode::BAD_REQUEST, &json!("currency"))
    );
    let (status, _) = shop.get("/api/carts/ord_1").ask().await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    let (status, _) = shop.get("/api/carts/crt_0").ask().await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    let (status, empty) = shop
        .post(&format!("{path}/checkout"))
        .send(checkout())
        .await;
    assert_eq!(
        (status, &empty["code"]),
        (StatusCode::UNPROCESSABLE_ENTITY, &json!("empty-cart"))
    );
    let (_, view) = shop.get(&path).ask().await;
    assert_eq!(view["lines"], json!([]));

    let (_, euros) = shop
        .post("/api/carts")
        .send(json!({"currency": "EUR"}))
        .await;
    let lines = format!("/api/carts/{}/lines", euros["id"].as_str().expect("an id"));
    let (status, problem) = shop.post(&lines).send(mug(json!(1))).await;
    assert_eq!(
        (status, &problem["code"]),
        (StatusCode::UNPROCESSABLE_ENTITY, &json!("no-price"))
    );
    assert_eq!(problem["currency"], "EUR");
    shop.close().await;
}

#[tokio::test]
async fn the_longest_order_there_is_goes_through_in_three_requests() {
    let shop = Shop::open().await;
    let skus: Vec<String> = (0..1_114).map(|i| format!("SKU-{i:04}")).collect();
    let offers: Vec<(&str, i64)> = skus.iter().map(|sku| (sku.as_str(), 250)).collect();
    shop.on_sale(&offers).await;
    let path = format!("/api/carts/{}", shop.cart().await);
    let lines: Vec<Value> = skus
        .iter()
        .map(|sku| json!({"sku": sku, "quantity": 2}))
        .collect();
    let (status, view) = shop
        .post(&format!("{path}/lines"))
        .send(json!({"lines": lines}))
        .await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(view["lines"].as_array().map(Vec::len), Some(1_114));
    let (status, done) = shop
        .post(&format!("{path}/checkout"))
        .send(checkout())
        .await;
    assert_eq!(status, StatusCode::CREATED);
    assert_eq!(done["order"]["totals"]["total"]["amount"], 1_114 * 500);
    shop.close().await;
}
