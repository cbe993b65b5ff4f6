//! Whole purchases against the real binary: carts, checkouts and orders, and who may see them.
#![allow(missing_docs, clippy::unwrap_used)]

mod support;

use serde_json::{Value, json};
use support::{Buying, Shop, no_dead_letters, order_status, provider_says, two_of_ten};

#[tokio::test]
async fn a_purchase_is_confirmed_and_everything_adds_up() {
    let (shop, order, view) = two_of_ten("tok_visa").await;
    assert_eq!(order_status(&view), "confirmed");
    assert_eq!(
        view["totals"]["total"],
        json!({"amount": 1_500, "currency": "GBP"})
    );
    assert_eq!(view["email"], "buyer@example.com");
    assert!(
        view["number"]
            .as_str()
            .is_some_and(|number| !number.is_empty()),
        "{view}"
    );
    assert_eq!(view["lines"][0]["quantity"], 2);
    assert_eq!(order.view["id"], view["id"]);
    shop.stock_settles("MUG", 8).await;
    provider_says(&shop, "authorised", 0, 0).await;
    no_dead_letters(&shop).await;
    let mut shop = shop;
    assert!(shop.terminate(), "{}", shop.log());
    shop.open();
    let again = shop
        .with(&order.token)
        .get(&format!("/api/orders/{}", order.id))
        .await
        .ok();
    assert_eq!(again, view, "a restart changes nothing");
}

#[tokio::test]
async fn sold_out_is_cancelled_and_never_charged() {
    let shop = Shop::start();
    shop.product("MUG", 750, 10).await;
    let (_, view) = shop.bought(&Buying::one("MUG", 11, "tok_visa")).await;
    assert_eq!(
        (order_status(&view), &view["cancel_reason"]),
        ("cancelled", &json!("sold_out")),
        "{view}"
    );
    assert_eq!(view["shortages"][0]["sku"], "MUG", "{view}");
    shop.stock_settles("MUG", 10).await;
    assert_eq!(shop.provider_payments().await, Vec::<Value>::new());
}

#[tokio::test]
async fn all_or_nothing_over_several_skus_and_lines_of_one_sku_are_summed() {
    let shop = Shop::start();
    shop.product("MUG", 750, 10).await;
    shop.product("PEN", 120, 3).await;
    // Six and six are more than ten: the same SKU twice must not be looked at line by line.
    let lines = vec![("MUG".into(), 6), ("MUG".into(), 6), ("PEN".into(), 1)];
    let (_, view) = shop
        .bought(&Buying {
            lines,
            token: "tok_visa",
        })
        .await;
    assert_eq!(
        (order_status(&view), &view["cancel_reason"]),
        ("cancelled", &json!("sold_out")),
        "{view}"
    );
    shop.stock_settles("MUG", 10).await;
    shop.stock_settles("PEN", 3).await;
    let lines = vec![("MUG".into(), 4), ("MUG".into(), 3), ("PEN".into(), 3)];
    let (_, view) = shop
        .bought(&Buying {
            lines,
            token: "tok_visa",
        })
        .await;
    assert_eq!(order_status(&view), "confirmed", "{view}");
    assert_eq!(view["totals"]["total"]["amount"], 7 * 750 + 3 * 120);
    shop.stock_settles("MUG", 3).await;
    shop.stock_settles("PEN", 0).await;
}

#[tokio::test]
async fn checking_out_twice_is_one_order_and_keys_mean_what_they_say() {
    let shop = Shop::start();
    shop.product("MUG", 750, 10).await;
    let (guest, buying) = (shop.guest(), Buying::one("MUG", 2, "tok_visa"));
    let cart = guest.new_cart().await;
    let (lines, checkout) = (
        format!("/api/carts/{cart}/lines"),
        format!("/api/carts/{cart}/checkout"),
    );
    // A refused command leaves its key free for the corrected one.
    guest
        .post_once(&lines, json!({"sku": "MUG", "quantity": 0}), "lines")
        .await
        .refused(400);
    guest
        .post_once(&lines, json!({"sku": "NOPE", "quantity": 1}), "lines")
        .await
        .refused(422);
    let added = guest.post_once(&lines, buying.lines(), "lines").await.ok();
    assert_eq!(
        guest.post_once(&lines, buying.lines(), "lines").await.ok()["lines"],
        added["lines"],
        "added once"
    );
    guest
        .post_once(&lines, json!({"sku": "MUG", "quantity": 3}), "lines")
        .await
        .refused(409);

    let first = guest
        .post_once(&checkout, buying.checkout(), "checkout")
        .await;
    assert_eq!(first.status, 201, "{}", first.text);
    let repeated = guest
        .post_once(&checkout, buying.checkout(), "checkout")
        .await;
    assert_eq!(
        repeated.status, 201,
        "a repeat gets what it would have got: {}",
        repeated.text
    );
    assert_eq!(repeated.body["order"]["id"], first.body["order"]["id"]);
    assert_eq!(repeated.body["access_token"], first.body["access_token"]);
    let second = guest
        .post_once(&checkout, buying.checkout(), "another")
        .await;
    assert_eq!(
        (second.status, &second.body["order"]["id"]),
        (200, &first.body["order"]["id"]),
        "{}",
        second.text
    );
    let mut other = buying.checkout();
    other["email"] = "else@example.com".into();
    guest
        .post_once(&checkout, other, "checkout")
        .await
        .refused(409);
    guest
        .post(&lines, json!({"sku": "MUG", "quantity": 1}))
        .await
        .refused(409);

    let order = support::Order::of(&first.body);
    assert_eq!(order_status(&shop.settled(&order).await), "confirmed");
    shop.stock_settles("MUG", 8).await;
    assert_eq!(shop.provider_payments().await.len(), 1);
}

#[tokio::test]
async fn twenty_checkouts_of_one_cart_at_the_same_moment_are_one_order() {
    let shop = Shop::start();
    shop.product("MUG", 750, 10).await;
    let (guest, buying) = (shop.guest(), Buying::one("MUG", 2, "tok_visa"));
    let cart = guest.new_cart().await;
    guest
        .post(&format!("/api/carts/{cart}/lines"), buying.lines())
        .await
        .ok();
    let path = format!("/api/carts/{cart}/checkout");
    let tries = (0..20).map(|_| guest.post(&path, buying.checkout()));
    let answers = futures_util::future::join_all(tries).await;
    let created = answers.iter().filter(|answer| answer.status == 201).count();
    assert_eq!(
        (
            created,
            answers.iter().filter(|answer| answer.status == 200).count()
        ),
        (1, 19)
    );
    let order = support::Order::of(&answers[0].body);
    assert!(
        answers
            .iter()
            .all(|answer| answer.body["order"]["id"] == order.id.as_str())
    );
    assert_eq!(order_status(&shop.settled(&order).await), "confirmed");
    shop.stock_settles("MUG", 8).await;
    assert_eq!(shop.provider_payments().await.len(), 1);
}

#[tokio::test]
async fn an_order_is_there_at_once_and_only_for_its_buyer() {
    let shop = Shop::start();
    shop.product("MUG", 750, 1_000).await;
    let buying = Buying::one("MUG", 1, "tok_visa");
    for _ in 0..20 {
        let order = shop.buy(&buying).await;
        let answer = shop
            .with(&order.token)
            .get(&format!("/api/orders/{}", order.id))
            .await;
        assert_eq!(answer.status, 200, "{}", answer.text);
    }
    let (mine, theirs) = (shop.buy(&buying).await, shop.buy(&buying).await);
    let path = format!("/api/orders/{}", mine.id);
    shop.with(&theirs.token).get(&path).await.refused(404);
    let nobody = shop.guest().get(&path).await;
    assert!(matches!(nobody.status, 401 | 404), "{}", nobody.text);
    let refused = shop
        .with(&theirs.token)
        .post(&format!("{path}/cancel"), json!({}))
        .await;
    refused.refused(404);
    let events = shop
        .with(&theirs.token)
        .get(&format!("{path}/events"))
        .await;
    assert_eq!(events.status, 404, "{}", events.text);
    let view = shop.settled(&mine).await;
    let payment = format!("/api/payments/{}", view["payment_id"].as_str().unwrap());
    shop.with(&mine.token).get(&payment).await.ok();
    shop.with(&theirs.token).get(&payment).await.refused(404);
}

#[tokio::test]
async fn waiting_and_following_show_the_changes() {
    let shop = Shop::start();
    shop.product("MUG", 750, 10).await;
    let order = shop.buy(&Buying::one("MUG", 1, "tok_visa")).await;
    let buyer = shop.with(&order.token);
    let path = format!("/api/orders/{}", order.id);
    let waiting = buyer
        .request(reqwest::Method::GET, &path)
        .header("prefer", "wait=5");
    let answer = buyer.try_send(waiting).await.unwrap();
    assert_eq!(answer.headers["preference-applied"], "wait=5");
    assert_eq!(order_status(&answer.body), "confirmed", "{}", answer.text);

    // The same at the checkout itself: one request from cart to confirmation.
    let (guest, buying) = (shop.guest(), Buying::one("MUG", 1, "tok_visa"));
    let cart = guest.new_cart().await;
    guest
        .post(&format!("/api/carts/{cart}/lines"), buying.lines())
        .await
        .ok();
    let checkout = format!("/api/carts/{cart}/checkout");
    let answer = guest
        .try_post(&checkout, &buying.checkout(), &[("prefer", "wait=10")])
        .await
        .unwrap();
    assert_eq!(
        (answer.status, order_status(&answer.body["order"])),
        (201, "confirmed"),
        "{}",
        answer.text
    );
    assert!(answer.body["access_token"].is_string());

    let order = shop.buy(&Buying::one("MUG", 1, "tok_declined")).await;
    let buyer = shop.with(&order.token);
    // The stream ends by itself after the last change, so that it can be read whole.
    let request = buyer.request(
        reqwest::Method::GET,
        &format!("/api/orders/{}/events", order.id),
    );
    let mut response = request.send().await.unwrap();
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    let mut text = String::new();
    while !text.contains("event: end") {
        let chunk = tokio::time::timeout(support::PATIENCE, response.chunk())
            .await
            .expect("the stream is silent")
            .unwrap();
        text += std::str::from_utf8(&chunk.expect("the stream ended without `end`")).unwrap();
    }
    assert!(text.contains("event: update"), "{text}");
    let mut updates = text.lines().filter_map(|line| line.strip_prefix("data: "));
    let last = updates.rfind(|data| *data != "{}");
    let last: Value = serde_json::from_str(last.unwrap()).unwrap();
    assert_eq!(
        (order_status(&last), &last["cancel_reason"]),
        ("cancelled", &json!("payment_declined")),
        "{text}"
    );
}

#[tokio::test]
async fn of_three_hundred_buyers_for_sixty_units_sixty_get_one() {
    let shop = Shop::start();
    shop.product("HOT", 9_900, 60).await;
    let buying = Buying::one("HOT", 1, "tok_visa");
    let ends = futures_util::future::join_all((0..300).map(|_| shop.bought(&buying))).await;
    let confirmed = ends
        .iter()
        .filter(|(_, view)| order_status(view) == "confirmed")
        .count();
    let sold_out = ends
        .iter()
        .filter(|(_, view)| view["cancel_reason"] == "sold_out")
        .count();
    assert_eq!((confirmed, sold_out), (60, 240));
    let stock = shop.stock_settles("HOT", 0).await;
    assert_eq!(stock["sold"], 60, "{stock}");
    let payments = shop.provider_payments().await;
    assert_eq!(
        payments
            .iter()
            .filter(|payment| payment["status"] == "authorised")
            .count(),
        60
    );
    assert_eq!(payments.len(), 60, "who got nothing was never charged");
    no_dead_letters(&shop).await;
}
