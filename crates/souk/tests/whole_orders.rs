//! What an order costs and claims, over the public API of a real shop: taxes and coupons, a coupon
//! that many want at once, and a gift card beside a card.
#![allow(missing_docs, clippy::unwrap_used)]

mod support;

use futures_util::future::join_all;
use serde_json::{Value, json};
use support::{Buying, Order, Shop, eventually, order_status};

/// A promotion that takes ten percent off, given by the code `TEN`, which so many orders may use.
async fn ten_percent(shop: &Shop, limit: i64) {
    let staff = shop.staff();
    let promotion = json!({
        "name": "ten", "label": "Ten percent off", "needs_coupon": true,
        "benefit": {"type": "percent_off", "ppm": 100_000},
    });
    let promotion = staff.post("/api/pricing/promotions", promotion).await.ok();
    let id = promotion["id"].as_str().unwrap();
    let coupon = json!({"code": "TEN", "limit": limit});
    let path = format!("/api/pricing/promotions/{id}/coupons");
    staff.post(&path, coupon).await.ok();
    eventually("the cart knows the code", async || {
        let ask = json!({"currency": "GBP", "lines": [{"sku": "MUG", "quantity": 1}],
            "coupons": ["ten"]});
        let price = shop.guest().post("/api/carts/price", ask).await;
        match price.body["coupons"][0]["applied"] == true {
            true => Ok(()),
            false => Err(price.text),
        }
    })
    .await;
}

/// 20 % VAT in the prices of Great Britain.
async fn british_vat(shop: &Shop) {
    let staff = shop.staff();
    let region = json!({"code": "uk", "name": "United Kingdom", "currency": "GBP",
        "countries": ["GB"], "prices_include_tax": true});
    staff.post("/api/pricing/regions", region).await.ok();
    let rate = json!({"name": "VAT", "rate_ppm": 200_000, "class": "standard", "country": "GB"});
    staff.post("/api/pricing/tax-rates", rate).await.ok();
    eventually("the cart knows the rate", async || {
        let ask = json!({"lines": [{"sku": "MUG", "quantity": 1}],
            "destination": {"country": "GB"}});
        let price = shop.guest().post("/api/carts/price", ask).await;
        match price.body["totals"]["tax"]["amount"].as_i64() {
            Some(1..) => Ok(()),
            _ => Err(price.text),
        }
    })
    .await;
}

/// Buys one mug with the code and further wishes for the checkout; the order, once it is settled.
async fn buy(shop: &Shop, code: Option<&str>, more: Value) -> (Order, Value) {
    let buying = Buying::one("MUG", 1, "tok_visa");
    let guest = shop.guest();
    let cart = guest.new_cart().await;
    let path = format!("/api/carts/{cart}");
    guest
        .post(&format!("{path}/lines"), buying.lines())
        .await
        .ok();
    if let Some(code) = code {
        let code = json!({ "code": code });
        guest.post(&format!("{path}/coupons"), code).await.ok();
    }
    let mut checkout = buying.checkout();
    for (key, value) in more.as_object().into_iter().flatten() {
        checkout[key] = value.clone();
    }
    let answer = guest.post(&format!("{path}/checkout"), checkout).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    let order = Order::of(&answer.body);
    let view = shop.settled(&order).await;
    (order, view)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_coupon_with_fifty_uses_is_used_fifty_times_by_two_hundred_buyers() {
    let shop = Shop::start();
    shop.product("MUG", 1_000, 1_000).await;
    british_vat(&shop).await;
    ten_percent(&shop, 50).await;
    let buyers = (0..200).map(|_| buy(&shop, Some("Ten"), json!({})));
    let orders = join_all(buyers).await.into_iter();
    let orders: Vec<Value> = orders.map(|(_, view)| view).collect();
    let confirmed: Vec<&Value> = orders
        .iter()
        .filter(|order| order_status(order) == "confirmed")
        .collect();
    assert_eq!(confirmed.len(), 50);
    for order in &confirmed {
        assert_eq!(order["totals"]["total"]["amount"], 900);
        assert_eq!(order["totals"]["tax"]["amount"], 150);
    }
    let refused = orders.iter().filter(|order| {
        order_status(order) == "cancelled" && order["cancel_reason"] == "promotion_used_up"
    });
    assert_eq!(refused.count(), 150);
    assert_eq!(
        shop.at_provider(900).await.len(),
        50,
        "nobody else was charged"
    );
    shop.stock_settles("MUG", 950).await;
    let coupon = shop.staff().get("/api/pricing/coupons/TEN").await.ok();
    assert_eq!(coupon["uses"], 50);
    // One that is given up is free again.
    let one = confirmed[0]["id"].as_str().unwrap();
    let cancel = format!("/api/orders/{one}/cancel");
    shop.staff().post(&cancel, json!({})).await.ok();
    eventually("the use is given back", async || {
        let coupon = shop.staff().get("/api/pricing/coupons/TEN").await.ok();
        match coupon["uses"] == 49 {
            true => Ok(()),
            false => Err(coupon.to_string()),
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gift_card_pays_first_and_comes_back_with_the_order() {
    let shop = Shop::start();
    shop.product("MUG", 1_000, 10).await;
    let staff = shop.staff();
    let issue = json!({"amount": {"amount": 600, "currency": "GBP"}});
    let issued = staff.post("/api/credit/gift-cards", issue).await.ok();
    let code = issued["cards"][0]["code"].as_str().unwrap().to_owned();
    let account = issued["cards"][0]["account_id"]
        .as_str()
        .unwrap()
        .to_owned();
    let balance = async || {
        let view = staff
            .get(&format!("/api/credit/accounts/{account}"))
            .await
            .ok();
        view["balance"]["amount"].as_i64().unwrap()
    };
    let settles = async |wanted: i64| {
        eventually("the balance", async || match balance().await {
            now if now == wanted => Ok(()),
            now => Err(now.to_string()),
        })
        .await;
    };
    eventually("the cart knows the card", async || {
        let guest = shop.guest();
        let cart = guest.new_cart().await;
        let mut body = Buying::one("MUG", 1, "tok_visa").checkout();
        body["gift_cards"] = json!([code]);
        let refused = guest
            .post(&format!("/api/carts/{cart}/checkout"), body)
            .await;
        match refused.body["code"] == "empty-cart" {
            true => Ok(()),
            false => Err(refused.text),
        }
    })
    .await;
    let with_card = json!({"gift_cards": [code.to_lowercase()]});
    let (order, view) = buy(&shop, None, with_card.clone()).await;
    assert_eq!(order_status(&view), "confirmed", "{view}");
    assert_eq!(view["credits"][0]["amount"]["amount"], 600);
    assert_eq!(shop.at_provider(400).await.len(), 1, "the rest is charged");
    settles(0).await;

    let refused = {
        let guest = shop.guest();
        let cart = guest.new_cart().await;
        let buying = Buying::one("MUG", 1, "tok_visa");
        let path = format!("/api/carts/{cart}");
        guest
            .post(&format!("{path}/lines"), buying.lines())
            .await
            .ok();
        let mut body = buying.checkout();
        body["gift_cards"] = with_card["gift_cards"].clone();
        eventually("the cart knows that it is empty", async || {
            let answer = guest.post(&format!("{path}/checkout"), body.clone()).await;
            match answer.status == 422 {
                true => Ok(answer),
                false => Err(answer.text),
            }
        })
        .await
    };
    assert_eq!(refused.body["field"], "gift_cards[0]");

    let cancel = format!("/api/orders/{}/cancel", order.id);
    staff.post(&cancel, json!({})).await.ok();
    settles(600).await;
    let summary = staff.get("/api/credit/ledger/summary").await.ok();
    assert!(summary.to_string().contains("GBP"), "{summary}");
}
