//! An order's way to the buyer, over the public API of a real shop: quoted, paid, packed, labelled by
//! the sandbox carrier, delivered; the money taken with the goods, and everybody told.
#![allow(missing_docs, clippy::unwrap_used)]

mod support;

use serde_json::{Value, json};
use support::{Api, Buying, Order, Shop, eventually, order_status, raw};

/// Standard delivery to Great Britain for 4.00; money is taken with the goods.
async fn ships_to_britain(staff: &Api) {
    let zone = json!({"name": "GB", "places": [{"country": "GB"}]});
    let zone = staff.post("/api/shipping/zones", zone).await.ok();
    let rate = json!({"profile_id": "spf_general", "currency": "GBP",
        "price": {"kind": "flat", "amount": 400}});
    let option = json!({"label": "Standard", "zone_id": zone["id"], "rates": [rate]});
    staff.post("/api/shipping/options", option).await.ok();
    let sender = json!({"name": "Souk", "line1": "1 Market Street", "city": "London",
        "postcode": "E1 6AN", "country": "GB"});
    let web = json!({"name": "Web shop", "capture": "on_shipment"});
    for (path, body) in [
        ("/api/shipping/sender", sender),
        ("/api/pricing/channels/web", web),
    ] {
        let answer = raw(staff, reqwest::Method::PUT, path, body.to_string()).await;
        assert!(answer.status < 300, "{path}: {}", answer.text);
    }
}

/// Two mugs, shipped; the order, as soon as it is confirmed.
async fn bought(shop: &Shop) -> (Order, Value) {
    let guest = shop.guest();
    let cart = guest.new_cart().await;
    let path = format!("/api/carts/{cart}");
    let buying = Buying::one("MUG", 2, "tok_visa");
    guest
        .post(&format!("{path}/lines"), buying.lines())
        .await
        .ok();
    let mut checkout = buying.checkout();
    let ask = json!({"cart_id": cart, "currency": "GBP",
        "items": [{"sku": "MUG", "quantity": 2}],
        "destination": {"country": "GB", "postcode": "ab12cd"}});
    let token = eventually("an offer", async || {
        let answer = guest.post("/api/shipping/quotes", ask.clone()).await;
        match answer.body["offers"][0]["token"].as_str() {
            Some(token) => Ok(token.to_owned()),
            None => Err(answer.text),
        }
    })
    .await;
    eventually("the cart wants shipping", async || {
        let cart = guest.get(&path).await;
        match cart.text.contains("shipping-not-chosen") {
            true => Ok(()),
            false => Err(cart.text),
        }
    })
    .await;
    checkout["shipping_quote"] = json!(token);
    let answer = eventually("the cart knows who signed", async || {
        let answer = guest
            .post(&format!("{path}/checkout"), checkout.clone())
            .await;
        match answer.status {
            201 => Ok(answer.body),
            _ => Err(answer.text),
        }
    })
    .await;
    let order = Order::of(&answer);
    let view = shop.settled(&order).await;
    (order, view)
}

/// The fulfilment of an order, once shipping has made it.
async fn fulfilment(staff: &Api, order: &Order) -> String {
    eventually("the fulfilment", async || {
        let all = staff.all("/api/shipping/fulfilments").await;
        let mine = all.iter().find(|one| one["order_id"] == order.id.as_str());
        match mine.and_then(|one| one["id"].as_str()) {
            Some(id) => Ok(id.to_owned()),
            None => Err(format!("{all:?}")),
        }
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_order_goes_from_confirmed_to_delivered_and_everybody_hears_of_it() {
    let shop = Shop::start();
    let staff = shop.staff();
    shop.product("MUG", 1_000, 10).await;
    ships_to_britain(&staff).await;
    let (order, view) = bought(&shop).await;
    assert_eq!(order_status(&view), "confirmed", "{view}");
    assert_eq!(view["totals"]["total"]["amount"], 2_400);
    assert_eq!(
        view["captured"]["amount"], 0,
        "nothing is taken before it is sent"
    );

    let id = fulfilment(&staff, &order).await;
    let path = format!("/api/shipping/fulfilments/{id}");
    let pack = json!({"packages": [{"weight_grams": 800}]});
    staff.post(&format!("{path}/pack"), pack).await.ok();
    staff.post(&format!("{path}/labels"), json!({})).await.ok();
    let number = eventually("the label", async || {
        let shown = staff.get(&path).await;
        let number = &shown.body["labels"][0]["tracking"]["number"];
        match number.as_str() {
            Some(number) => Ok(number.to_owned()),
            None => Err(shown.text),
        }
    })
    .await;
    staff.post(&format!("{path}/ship"), json!({})).await.ok();
    let sent = shop
        .order_when(&order, "is paid with the goods", |view| {
            view["fulfilment"] == "shipped" && view["captured"]["amount"] == 2_400
        })
        .await;
    assert_eq!(sent["shipments"][0]["tracking"]["number"], number.as_str());
    eventually("the goods are off the books", async || {
        let stock = shop.stock("MUG").await;
        let gone = stock["on_hand"] == 8 && stock["reserved"] == 0 && stock["available"] == 8;
        match gone {
            true => Ok(()),
            false => Err(stock.to_string()),
        }
    })
    .await;
    let cancel = format!("/api/orders/{}/cancel", order.id);
    staff.post(&cancel, json!({})).await.refused(409);

    let news = json!({"event_id": "1", "number": number, "status": "delivered"});
    staff.post(&format!("{path}/tracking"), news).await.ok();
    shop.order_when(&order, "is delivered", |view| {
        view["fulfilment"] == "delivered"
    })
    .await;
    let told = format!("/api/notifications/messages?order={}", order.id);
    eventually("the buyer is told", async || {
        let page = staff.get(&told).await.ok();
        let messages = page["items"].as_array().unwrap().clone();
        let sent = |kind: &str| {
            messages
                .iter()
                .filter(|m| m["kind"] == kind && m["status"] == "sent")
                .count()
        };
        match ["order_confirmed", "order_shipped", "order_delivered"].map(sent) == [1, 1, 1] {
            true => Ok(()),
            false => Err(format!("{messages:?}")),
        }
    })
    .await;
}
