//! Orders at the edges: very long ones, ones that contend for the same stock, prices and products
//! that change under a cart, and a shop that closes while somebody is following an order.
#![allow(missing_docs, clippy::unwrap_used)]

mod support;

use serde_json::{Value, json};
use support::{Buying, Order, Shop, no_dead_letters, order_status};

#[tokio::test]
async fn an_order_of_more_than_a_thousand_lines_goes_through_whole() {
    const LINES: usize = 1_114;
    let shop = Shop::start();
    let skus: Vec<String> = (0..LINES).map(|n| format!("BEAD-{n}")).collect();
    let staff = shop.staff();
    // A few products with very many variants.
    for (part, skus) in skus.chunks(500).enumerate() {
        let values: Vec<&String> = skus.iter().collect();
        let variants: Vec<Value> = skus
            .iter()
            .map(|sku| json!({"sku": sku, "options": {"Kind": sku}, "prices": [{"amount": 3, "currency": "GBP"}]}))
            .collect();
        let product = json!({
            "title": format!("Beads {part}"), "status": "published",
            "options": [{"name": "Kind", "values": values}], "variants": variants,
        });
        staff.post("/api/catalog/products", product).await.ok();
    }
    let stock: Vec<Value> = skus
        .iter()
        .map(|sku| json!({"sku": sku, "delta": 5, "reason": "opening"}))
        .collect();
    staff
        .post("/api/inventory/adjustments", json!({"adjustments": stock}))
        .await
        .ok();
    // Known to the cart when the last product is.
    shop.product("LAST", 1, 1).await;
    let lines = skus.iter().map(|sku| (sku.clone(), 2)).collect();
    let (order, view) = shop
        .bought(&Buying {
            lines,
            token: "tok_visa",
        })
        .await;
    assert_eq!(
        order_status(&view),
        "confirmed",
        "{}",
        view["cancel_reason"]
    );
    assert_eq!(view["lines"].as_array().unwrap().len(), LINES);
    assert_eq!(view["totals"]["total"]["amount"], 3 * 2 * LINES as i64);
    shop.stock_settles("BEAD-0", 3).await;
    shop.stock_settles("BEAD-1113", 3).await;
    let books = staff.all("/api/inventory/summary").await;
    let sold: i64 = books.iter().map(|row| row["sold"].as_i64().unwrap()).sum();
    assert_eq!(sold, 2 * LINES as i64);
    shop.with(&order.token)
        .post(&format!("/api/orders/{}/cancel", order.id), json!({}))
        .await
        .ok();
    shop.stock_settles("BEAD-1113", 5).await;
    no_dead_letters(&shop).await;
}

#[tokio::test]
async fn orders_that_want_the_same_things_in_opposite_order_neither_block_nor_oversell() {
    let shop = Shop::start();
    for sku in ["A", "B", "C"] {
        shop.product(sku, 100, 20).await;
    }
    let orders: Vec<Buying> = (0..60)
        .map(|n| {
            let mut lines: Vec<(String, i64)> =
                ["A", "B", "C"].map(|sku| (sku.to_owned(), 1)).to_vec();
            lines.rotate_left(n % 3);
            if n % 2 == 0 {
                lines.reverse();
            }
            Buying {
                lines,
                token: "tok_visa",
            }
        })
        .collect();
    let ends =
        futures_util::future::join_all(orders.iter().map(|buying| shop.bought(buying))).await;
    let confirmed = ends
        .iter()
        .filter(|(_, view)| order_status(view) == "confirmed")
        .count();
    assert_eq!(confirmed, 20, "each takes one of all three or nothing");
    for sku in ["A", "B", "C"] {
        let row = shop.stock_settles(sku, 0).await;
        assert_eq!(row["sold"], 20, "{row}");
    }
    no_dead_letters(&shop).await;
}

#[tokio::test]
async fn nobody_pays_a_price_they_have_not_seen() {
    let shop = Shop::start();
    shop.product("MUG", 750, 10).await;
    let (guest, staff, buying) = (
        shop.guest(),
        shop.staff(),
        Buying::one("MUG", 1, "tok_visa"),
    );
    let cart = guest.new_cart().await;
    let path = format!("/api/carts/{cart}");
    guest
        .post(&format!("{path}/lines"), buying.lines())
        .await
        .ok();
    let dearer = json!({
        "title": "Product MUG", "handle": "mug", "status": "published",
        "variants": [{"sku": "MUG", "prices": [{"amount": 900, "currency": "GBP"}]}],
    });
    let changed = staff
        .request(reqwest::Method::PUT, "/api/catalog/products/mug")
        .json(&dearer);
    staff.try_send(changed).await.unwrap().ok();
    support::eventually("the cart hears of the price", async || {
        let view = guest.get(&path).await.ok();
        if view["problems"][0]["code"] == "price-changed" {
            Ok(())
        } else {
            Err(view.to_string())
        }
    })
    .await;
    let refused = guest
        .post(&format!("{path}/checkout"), buying.checkout())
        .await
        .refused(409);
    assert_eq!(refused["code"], "price-changed", "{refused}");
    guest.post(&format!("{path}/reprice"), json!({})).await.ok();
    let placed = guest
        .post(&format!("{path}/checkout"), buying.checkout())
        .await
        .ok();
    assert_eq!(placed["order"]["totals"]["total"]["amount"], 900);
    shop.settled(&Order::of(&placed)).await;

    let cart = guest.new_cart().await;
    let path = format!("/api/carts/{cart}");
    guest
        .post(&format!("{path}/lines"), buying.lines())
        .await
        .ok();
    staff
        .post("/api/catalog/products/mug/unpublish", json!({}))
        .await
        .ok();
    support::eventually("the cart hears that it is off sale", async || {
        let answer = guest
            .post(&format!("{path}/checkout"), json!({"email": "x"}))
            .await;
        let view = guest.get(&path).await.ok();
        assert_eq!(answer.status, 400);
        if view["problems"][0]["code"] == "unpublished" {
            Ok(())
        } else {
            Err(view.to_string())
        }
    })
    .await;
    let refused = guest
        .post(&format!("{path}/checkout"), buying.checkout())
        .await;
    assert!(matches!(refused.status, 409 | 422), "{}", refused.text);
    guest.get("/api/catalog/products/mug").await.refused(404);
    assert_eq!(shop.provider_payments().await.len(), 1);
}

#[tokio::test]
async fn what_may_be_backordered_is_sold_beyond_the_stock() {
    let shop = Shop::start();
    shop.product("MUG", 750, 1).await;
    let staff = shop.staff();
    let policy = staff
        .request(reqwest::Method::PUT, "/api/inventory/policies/MUG")
        .json(&json!({"backorder": {"up_to": 2}}));
    staff.try_send(policy).await.unwrap().ok();
    let (_, view) = shop.bought(&Buying::one("MUG", 3, "tok_visa")).await;
    assert_eq!(order_status(&view), "confirmed", "{view}");
    let (_, view) = shop.bought(&Buying::one("MUG", 1, "tok_visa")).await;
    assert_eq!(
        (order_status(&view), &view["cancel_reason"]),
        ("cancelled", &json!("sold_out"))
    );
    let row = shop.stock_settles("MUG", -2).await;
    assert_eq!(row["sold"], 3, "{row}");
}

#[tokio::test]
async fn closing_the_shop_does_not_wait_for_those_who_follow_an_order() {
    let mut shop = Shop::start();
    shop.product("MUG", 750, 10).await;
    let order = shop.buy(&Buying::one("MUG", 1, "tok_3ds")).await;
    shop.order_when(&order, "asks for the cardholder", |view| {
        order_status(view) == "payment_action_required"
    })
    .await;
    let path = format!("/api/orders/{}/events", order.id);
    let mut response = shop
        .with(&order.token)
        .request(reqwest::Method::GET, &path)
        .send()
        .await
        .unwrap();
    assert!(response.chunk().await.unwrap().is_some());
    let started = std::time::Instant::now();
    assert!(shop.terminate(), "{}", shop.log());
    let took = started.elapsed();
    assert!(took.as_secs() < 15, "closing took {took:?}");
    // The order goes on where it was.
    shop.open();
    let view = shop
        .with(&order.token)
        .get(&format!("/api/orders/{}", order.id))
        .await
        .ok();
    let url = view["payment_action_url"].as_str().unwrap();
    shop.guest().post(url, json!({"approve": true})).await.ok();
    assert_eq!(order_status(&shop.settled(&order).await), "confirmed");
}
