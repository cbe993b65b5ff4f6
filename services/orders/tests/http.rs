//! The API of orders on a real store, with the other services' events played to it.

mod support;

use axum::http::StatusCode;
use serde_json::{Value, json};
use support::{Shop, token};

fn whats(events: &[(String, Value)]) -> Vec<&str> {
    let what = |(name, data): &'_ (String, Value)| match name.as_str() {
        "update" => data["entry"]["what"].as_str().map(str::to_owned),
        name => Some(name.to_owned()),
    };
    let known = ["placed", "stock_reserved", "confirmed", "cancelled", "end"];
    let named = events.iter().filter_map(what);
    named
        .filter_map(|what| known.into_iter().find(|known| *known == what))
        .collect()
}

#[tokio::test]
async fn an_order_goes_from_the_cart_to_confirmed_and_tells_its_story() {
    let shop = Shop::open().await;
    let order = shop.confirmed(1, None, 500).await;
    let path = format!("/api/orders/{order}");
    let (status, view) = shop.get(&path).bearer(&token(1)).ask().await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(view["number"], "S-0000000001");
    assert_eq!(view["email"], "ann@example.org");
    assert_eq!(view["payment_id"], format!("pay_{:032x}", 1));
    assert_eq!(view["lines"][0]["sku"], "MUG");
    let timeline = view["timeline"].as_array().expect("a timeline");
    let told: Vec<&str> = timeline
        .iter()
        .filter_map(|entry| entry["what"].as_str())
        .collect();
    assert_eq!(told, ["placed", "stock_reserved", "confirmed"]);
    assert_eq!(
        (&timeline[0]["who"], &timeline[2]["who"]),
        (&json!("guest"), &json!("system"))
    );
    shop.close().await;
}

#[tokio::test]
async fn who_prefers_to_wait_gets_the_outcome() {
    let shop = Shop::open().await;
    let order = shop.checked_out(1, None, 500).await;
    shop.reaches(&order, "placed").await;
    let path = format!("/api/orders/{order}");
    let secret = token(1);
    let waiting = shop.get(&path).bearer(&secret).prefer("wait=20").ask();
    let sold_out = shop.refused(&order);
    let ((status, view), ()) = tokio::join!(waiting, sold_out);
    assert_eq!(
        (status, &view["status"]),
        (StatusCode::OK, &json!("cancelled"))
    );
    assert_eq!(view["cancel_reason"], "sold_out");
    assert_eq!(view["shortages"][0]["available"], 1);
    shop.close().await;
}

#[tokio::test]
async fn changes_are_told_as_they_happen_beginning_with_the_present_state() {
    let shop = Shop::open().await;
    let order = shop.checked_out(1, None, 500).await;
    shop.reaches(&order, "placed").await;
    let path = format!("/api/orders/{order}/events?access_token={}", token(1));
    let acting = async {
        shop.reserved_when_placed(&order).await;
        let cancel = format!("/api/orders/{order}/cancel");
        let (status, _) = shop.post(&cancel).bearer(&token(1)).ask().await;
        assert_eq!(status, StatusCode::OK);
    };
    let (events, ()) = tokio::join!(shop.follow(&path), acting);
    assert_eq!(
        whats(&events),
        ["placed", "stock_reserved", "cancelled", "end"]
    );
    assert_eq!(events[2].1["cancel_reason"], "customer");
    let all = json!(events).to_string();
    assert!(!all.contains("ann@") && !all.contains("tok_1"));
    // Whoever comes late is told the end.
    assert_eq!(whats(&shop.follow(&path).await), ["cancelled", "end"]);
    shop.close().await;
}

#[tokio::test]
async fn following_begins_before_the_order_is_known_here() {
    let shop = Shop::open().await;
    let path = format!(
        "/api/orders/ord_{:032x}/events?access_token={}",
        1,
        token(1)
    );
    let acting = async {
        let order = shop.checked_out(1, None, 500).await;
        shop.reaches(&order, "placed").await;
        shop.refused(&order).await;
    };
    let (events, ()) = tokio::join!(shop.follow(&path), acting);
    assert_eq!(whats(&events).last(), Some(&"end"));
    assert!(whats(&events).contains(&"cancelled"));
    shop.close().await;
}

#[tokio::test]
async fn an_order_is_its_buyer_s_and_staff_s() {
    let shop = Shop::open().await;
    let order = shop.checked_out(1, Some("cus_1"), 500).await;
    shop.reaches(&order, "placed").await;
    let path = format!("/api/orders/{order}");
    let cancel = format!("{path}/cancel");
    assert_eq!(shop.get(&path).ask().await.0, StatusCode::UNAUTHORIZED);
    for stranger in ["gst_2", "gst_"] {
        assert_eq!(
            shop.get(&path).bearer(stranger).ask().await.0,
            StatusCode::NOT_FOUND
        );
        let refused = shop.post(&cancel).bearer(stranger).ask().await;
        assert_eq!(refused.0, StatusCode::NOT_FOUND);
    }
    assert_eq!(
        shop.get(&path).by("cus_2", &[]).ask().await.0,
        StatusCode::NOT_FOUND
    );
    assert_eq!(
        shop.get(&path).by("cus_1", &[]).ask().await.0,
        StatusCode::OK
    );
    let reader = shop.post(&cancel).by("usr_1", &["orders:read"]).ask().await;
    assert_eq!(reader.0, StatusCode::FORBIDDEN);
    let (status, view) = shop
        .post(&cancel)
        .by("usr_1", &["orders:write"])
        .ask()
        .await;
    assert_eq!(
        (status, &view["cancel_reason"]),
        (StatusCode::OK, &json!("staff"))
    );
    let last = view["timeline"]
        .as_array()
        .and_then(|t| t.last())
        .expect("an entry");
    assert_eq!(last["who"], "staff:usr_1");
    // Again: the same answer, no second event.
    let (status, again) = shop.post(&cancel).by("cus_1", &[]).ask().await;
    assert_eq!((status, again), (StatusCode::OK, view));
    shop.close().await;
}

#[tokio::test]
async fn lists_page_through_all_orders_and_hold_whole_ones_when_asked() {
    let shop = Shop::open().await;
    for n in 1..=5 {
        let customer = (n % 2 == 1).then_some("cus_1");
        let order = shop.checked_out(n, customer, 100 * i64::from(n)).await;
        shop.reaches(&order, "placed").await;
    }
    let first = format!("ord_{:032x}", 1).parse().expect("an id");
    shop.refused(&first).await;
    shop.reaches(&first, "cancelled").await;

    let list = async |who: &str, path: &str| {
        let permissions: &[&str] = if who.starts_with("usr_") {
            &["orders:read"]
        } else {
            &[]
        };
        let (status, list) = shop.get(path).by(who, permissions).ask().await;
        assert_eq!(status, StatusCode::OK, "{list}");
        list
    };
    let numbers = |list: &Value| -> Vec<String> {
        let items = list["items"].as_array().expect("items");
        items
            .iter()
            .map(|item| item["number"].as_str().expect("text")[11..].to_owned())
            .collect()
    };
    let page = list("usr_1", "/api/orders?limit=2").await;
    assert_eq!(numbers(&page), ["5", "4"]);
    let cursor = page["next_cursor"].as_str().expect("more");
    let page = list("usr_1", &format!("/api/orders?limit=2&cursor={cursor}")).await;
    assert_eq!(numbers(&page), ["3", "2"]);
    let cursor = page["next_cursor"].as_str().expect("more");
    let page = list("usr_1", &format!("/api/orders?limit=2&cursor={cursor}")).await;
    assert_eq!(
        (numbers(&page), page.get("next_cursor")),
        (vec!["1".to_owned()], None)
    );
    assert!(page["items"][0].get("order").is_none());

    assert_eq!(
        numbers(&list("usr_1", "/api/orders?status=cancelled").await),
        ["1"]
    );
    assert_eq!(
        numbers(&list("usr_1", "/api/orders?customer=cus_1").await),
        ["5", "3", "1"]
    );
    assert_eq!(
        numbers(&list("cus_1", "/api/orders/mine?status=placed").await),
        ["5", "3"]
    );
    assert_eq!(
        numbers(&list("cus_2", "/api/orders/mine").await),
        Vec::<String>::new()
    );
    let whole = list("usr_1", "/api/orders?include=lines&limit=200").await;
    let sum: i64 = whole["items"]
        .as_array()
        .expect("items")
        .iter()
        .map(|item| {
            item["order"]["lines"][0]["total"]["amount"]
                .as_i64()
                .expect("an amount")
        })
        .sum();
    assert_eq!(sum, 1_500);

    let staff = |path: &str| shop.get(path).by("usr_1", &["orders:read"]).ask();
    let (status, view) = staff("/api/orders/by-number/s-0000000004").await;
    assert_eq!(
        (status, &view["totals"]["total"]["amount"]),
        (StatusCode::OK, &json!(400))
    );
    assert_eq!(
        staff("/api/orders/by-number/S-X").await.0,
        StatusCode::NOT_FOUND
    );
    for (query, field) in [
        ("status=lost", "status"),
        ("customer=usr_1", "customer"),
        ("include=x", "include"),
        ("limit=0", "limit"),
        ("cursor=%21", "cursor"),
    ] {
        let (status, problem) = staff(&format!("/api/orders?{query}")).await;
        assert_eq!(
            (status, &problem["field"]),
            (StatusCode::BAD_REQUEST, &json!(field))
        );
    }
    assert_eq!(
        shop.get("/api/orders").by("cus_1", &[]).ask().await.0,
        StatusCode::FORBIDDEN
    );
    assert_eq!(
        shop.get("/api/orders").bearer(&token(1)).ask().await.0,
        StatusCode::FORBIDDEN
    );
    assert_eq!(
        shop.get("/api/orders/mine").bearer(&token(1)).ask().await.0,
        StatusCode::FORBIDDEN
    );
    shop.close().await;
}
