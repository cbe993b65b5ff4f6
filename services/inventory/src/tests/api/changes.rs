//! Adjustments, locations, holds and policies.

use axum::http::{Method, StatusCode};
use serde_json::json;

use super::super::{engine::Shop, orders::placed};

use super::*;

#[tokio::test]
async fn an_adjustment_sent_twice_counts_once_and_a_stale_one_not_at_all() {
    let shop = Shop::open().await;
    let body = json!({"adjustments": [{"sku": "A", "delta": 5, "reason": "opening"}]});
    for _ in 0..2 {
        let (status, answer) = shop
            .call(
                Method::POST,
                "/api/inventory/adjustments",
                Some(body.clone()),
                Some("inventory:write"),
                Some("k1"),
            )
            .await;
        assert_eq!(status, StatusCode::OK);
        assert_eq!(answer["items"][0]["on_hand"], 5);
    }
    let stale = json!({"adjustments": [
        {"sku": "B", "delta": 1, "reason": "opening"},
        {"sku": "A", "set_on_hand": 9, "expected_on_hand": 4, "reason": "count"},
    ]});
    let (status, problem) = shop
        .staff(Method::POST, "/api/inventory/adjustments", stale)
        .await;
    assert_eq!(status, StatusCode::CONFLICT);
    assert_eq!(problem["code"], "stock-changed");
    assert_eq!(problem["field"], "adjustments[1].expected_on_hand");
    assert_eq!(problem["on_hand"], 5);
    let levels = shop.get("/api/inventory/levels").await;
    assert_eq!(
        levels["items"],
        json!([{"sku": "A", "location": "loc_main", "on_hand": 5, "reserved": 0, "available": 5}])
    );
}

#[tokio::test]
async fn an_empty_inactive_location_can_be_removed() {
    let shop = Shop::open().await;
    let (_, made) = shop
        .staff(
            Method::POST,
            "/api/inventory/locations",
            json!({"name": "Pop-up"}),
        )
        .await;
    let path = format!("/api/inventory/locations/{}", made["id"].as_str().unwrap());
    let (status, _) = shop.staff(Method::DELETE, &path, json!({})).await;
    assert_eq!(status, StatusCode::CONFLICT);
    let (status, _) = shop
        .staff(
            Method::PUT,
            &path,
            json!({"name": "Pop-up", "active": false}),
        )
        .await;
    assert_eq!(status, StatusCode::OK);
    let (status, _) = shop.staff(Method::DELETE, &path, json!({})).await;
    assert_eq!(status, StatusCode::NO_CONTENT);
    let locations = shop.get("/api/inventory/locations").await;
    assert_eq!(
        column(locations["items"].as_array().unwrap(), "id"),
        [json!("loc_main")]
    );
}

#[tokio::test]
async fn a_hold_keeps_units_back_until_it_expires_or_is_cancelled() {
    let shop = Shop::open().await;
    opening(&shop, &[("A", 5)]).await;
    let hold = json!({"lines": [{"sku": "A", "quantity": 2}, {"sku": "A", "quantity": 2}], "expires_in_seconds": 600});
    let (status, made) = shop
        .staff(Method::POST, "/api/inventory/holds", hold.clone())
        .await;
    assert_eq!(status, StatusCode::CREATED, "{made}");
    assert_eq!(made["expires_at"], 1_700_000_600_000_000i64);
    let (status, problem) = shop
        .staff(Method::POST, "/api/inventory/holds", hold.clone())
        .await;
    assert_eq!(status, StatusCode::CONFLICT);
    assert_eq!(
        problem["shortages"],
        json!([{"sku": "A", "wanted": 4, "available": 1}])
    );
    hear(&shop, placed("ord_1", &[("A", 2)])).await;
    let refused = shop.get("/api/inventory/reservations/ord_1").await;
    assert_eq!(refused["status"], "refused");

    let path = format!("/api/inventory/holds/{}", made["id"].as_str().unwrap());
    for _ in 0..2 {
        let (status, _) = shop.staff(Method::DELETE, &path, json!({})).await;
        assert_eq!(status, StatusCode::NO_CONTENT);
    }
    assert_eq!(shop.get(&path).await["status"], "released");
    let (status, second) = shop.staff(Method::POST, "/api/inventory/holds", hold).await;
    assert_eq!(status, StatusCode::CREATED);
    shop.pass(601);
    // A timer that is set wakes the clockwork.
    let other = json!({"lines": [{"sku": "A", "quantity": 1}], "expires_in_seconds": 86_400});
    let (status, other) = shop
        .staff(Method::POST, "/api/inventory/holds", other)
        .await;
    assert_eq!(status, StatusCode::CREATED);
    let expired = format!("released {}", second["id"].as_str().unwrap());
    while shop.hear().await != expired {}
    let path = format!("/api/inventory/holds/{}", other["id"].as_str().unwrap());
    shop.staff(Method::DELETE, &path, json!({})).await;
    let path = format!("/api/inventory/holds/{}", second["id"].as_str().unwrap());
    assert_eq!(shop.get(&path).await["status"], "released");
    assert_eq!(shop.get("/api/inventory/levels/A").await["available"], 5);
    let (status, _) = shop
        .staff(Method::DELETE, "/api/inventory/holds/hld_none", json!({}))
        .await;
    assert_eq!(status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn policies_are_set_in_bulk() {
    let shop = Shop::open().await;
    let body = json!({"policies": [{"sku": "A", "backorder": "allow"}, {"sku": "B", "backorder": {"up_to": 2}}]});
    let (status, _) = shop
        .staff(Method::POST, "/api/inventory/policies", body)
        .await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(
        shop.get("/api/inventory/levels/A").await["backorder"],
        "allow"
    );
    hear(&shop, placed("ord_1", &[("A", 1_000), ("B", 2)])).await;
    let made = shop.get("/api/inventory/reservations/ord_1").await;
    assert_eq!(made["status"], "made");
    assert_eq!(
        made["lines"][0]["taken"],
        json!([{"location": "loc_main", "quantity": 1_000}])
    );
}
