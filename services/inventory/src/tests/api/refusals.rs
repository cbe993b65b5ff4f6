//! Who may do what, and input that is refused.

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use super::super::{engine::Shop, orders::placed};

use super::*;

#[tokio::test]
async fn the_public_sees_only_what_can_be_bought() {
    let shop = Shop::open().await;
    opening(&shop, &[("A", 7), ("MANY", 5_000)]).await;
    let ask = async |sku: &str| {
        let path = format!("/api/inventory/levels/{sku}");
        shop.call(Method::GET, &path, None, None, None).await
    };
    assert_eq!(ask("A").await.1, json!({"sku": "A", "available": 7}));
    assert_eq!(
        ask("MANY").await.1,
        json!({"sku": "MANY", "available": 100})
    );
    assert_eq!(ask("GHOST").await.0, StatusCode::NOT_FOUND);
    assert_eq!(ask("%00").await.0, StatusCode::NOT_FOUND);
    let policy = json!({"backorder": {"up_to": 3}});
    let (status, _) = shop
        .staff(Method::PUT, "/api/inventory/policies/A", policy)
        .await;
    assert_eq!(status, StatusCode::OK);
    hear(&shop, placed("ord_1", &[("A", 9)])).await;
    assert_eq!(ask("A").await.1, json!({"sku": "A", "available": 1}));
    let staff = shop.get("/api/inventory/levels/A").await;
    assert_eq!(
        (&staff["available"], &staff["backorder"]),
        (&json!(-2), &json!({"up_to": 3}))
    );
    shop.staff(
        Method::PUT,
        "/api/inventory/policies/A",
        json!({"backorder": "allow"}),
    )
    .await;
    assert_eq!(ask("A").await.1, json!({"sku": "A", "available": 100}));
}

#[tokio::test]
async fn only_staff_with_the_permission_may_change_or_read_all() {
    let shop = Shop::open().await;
    let routes = crate::service().routes.table();
    for (method, path, access) in routes {
        if access == web::Access::Public {
            continue;
        }
        let path = path.replace("{sku}", "A").replace("{id}", "hld_1");
        let (status, _) = shop.call(method.clone(), &path, None, None, None).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED, "{method} {path}");
        let (status, _) = shop
            .call(method.clone(), &path, None, Some("orders:write"), None)
            .await;
        assert_eq!(status, StatusCode::FORBIDDEN, "{method} {path}");
        if method != Method::GET {
            let (status, _) = shop
                .call(method.clone(), &path, None, Some("inventory:read"), None)
                .await;
            assert_eq!(status, StatusCode::FORBIDDEN, "{method} {path}");
        }
    }
}

#[tokio::test]
async fn bad_input_names_the_field() {
    let shop = Shop::open().await;
    let long = "x".repeat(101);
    let adjust = |line: Value| ("/api/inventory/adjustments", json!({"adjustments": [line]}));
    let hold = |lines: Value, seconds: i64| {
        (
            "/api/inventory/holds",
            json!({"lines": lines, "expires_in_seconds": seconds}),
        )
    };
    let cases = [
        (
            ("/api/inventory/adjustments", json!({"adjustments": []})),
            "adjustments",
        ),
        (
            adjust(json!({"sku": "", "delta": 1, "reason": "count"})),
            "adjustments[0].sku",
        ),
        (
            adjust(json!({"sku": long, "delta": 1, "reason": "count"})),
            "adjustments[0].sku",
        ),
        (
            adjust(json!({"sku": "A\u{0}", "delta": 1, "reason": "count"})),
            "adjustments[0].sku",
        ),
        (
            adjust(json!({"sku": "A", "reason": "count"})),
            "adjustments[0].delta",
        ),
        (
            adjust(json!({"sku": "A", "delta": 1, "set_on_hand": 1, "reason": "count"})),
            "adjustments[0].delta",
        ),
        (
            adjust(json!({"sku": "A", "delta": 10_000_001, "reason": "count"})),
            "adjustments[0].delta",
        ),
        (
            adjust(json!({"sku": "A", "set_on_hand": -1, "reason": "count"})),
            "adjustments[0].set_on_hand",
        ),
        (
            adjust(json!({"sku": "A", "delta": 1, "reason": "magic"})),
            "adjustments[0].reason",
        ),
        (
            adjust(json!({"sku": "A", "delta": 1, "reason": "count", "note": "x".repeat(501)})),
            "adjustments[0].note",
        ),
        (
            adjust(json!({"sku": "A", "delta": 1, "reason": "count", "colour": 1})),
            "adjustments[0].colour",
        ),
        (
            (
                "/api/inventory/receipts",
                json!({"lines": [{"sku": "A", "quantity": 0}]}),
            ),
            "lines[0].quantity",
        ),
        (
            (
                "/api/inventory/transfers",
                json!({"from": "loc_a", "to": "loc_a", "lines": [{"sku": "A", "quantity": 1}]}),
            ),
            "to",
        ),
        (
            (
                "/api/inventory/policies",
                json!({"policies": [{"sku": "A", "backorder": {"up_to": -1}}]}),
            ),
            "policies[0].backorder.up_to",
        ),
        (hold(json!([]), 60), "lines"),
        (
            hold(json!([{"sku": "A", "quantity": 1}]), 0),
            "expires_in_seconds",
        ),
        (
            hold(json!([{"sku": "A", "quantity": -1}]), 60),
            "lines[0].quantity",
        ),
        (
            (
                "/api/inventory/locations",
                json!({"name": "", "country": "GB"}),
            ),
            "name",
        ),
        (
            (
                "/api/inventory/locations",
                json!({"name": "N", "country": "gb"}),
            ),
            "country",
        ),
    ];
    for ((path, body), field) in cases {
        let (status, problem) = shop.staff(Method::POST, path, body).await;
        assert_eq!(
            (status, problem["field"].as_str()),
            (StatusCode::BAD_REQUEST, Some(field)),
            "{path}: {problem}"
        );
    }
    assert_eq!(
        shop.get("/api/inventory/levels").await,
        json!({"items": []})
    );
}

#[tokio::test]
async fn bad_cursors_and_kinds_are_refused() {
    let shop = Shop::open().await;
    for path in [
        "/api/inventory/movements?kind=magic",
        "/api/inventory/movements?cursor=!!",
        "/api/inventory/movements?cursor=Zm9v",
        "/api/inventory/levels?cursor=Zm9v",
        "/api/inventory/summary?limit=0",
    ] {
        let (status, _) = shop
            .call(Method::GET, path, None, Some("inventory:read"), None)
            .await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{path}");
    }
    let (status, _) = shop
        .call(
            Method::GET,
            "/api/inventory/reservations/whatever",
            None,
            Some("inventory:read"),
            None,
        )
        .await;
    assert_eq!(status, StatusCode::NOT_FOUND);
}
