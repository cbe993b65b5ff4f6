//! The service as its callers see it, with its read models in a real database.

use axum::http::{Method, StatusCode};
use contracts::orders::OrderEvent;
use kernel::{Event, Recorded, StreamId, Timestamp, sql};
use serde_json::{Value, json};

use super::{
    engine::Shop,
    orders::{cancelled, confirmed, placed},
};
use crate::subscriptions::on_order;

async fn hear(shop: &Shop, event: OrderEvent) {
    let recorded = Recorded {
        topic: "orders".into(),
        position: 1,
        prev: 0,
        partition: 0,
        stream: StreamId::from_name("order-ord_1"),
        version: 1,
        kind: event.wire_name().into(),
        data: "".into(),
        at: Timestamp(0),
        meta: Default::default(),
        typed: std::sync::OnceLock::new(),
    };
    let event: std::sync::Arc<dyn std::any::Any + Send + Sync> = std::sync::Arc::new(event);
    let _ = recorded.typed.set(event);
    shop.react(on_order(&recorded).unwrap()).await;
}

async fn opening(shop: &Shop, stock: &[(&str, i64)]) {
    let lines: Vec<Value> = stock
        .iter()
        .map(|(sku, units)| json!({"sku": sku, "delta": units, "reason": "opening"}))
        .collect();
    let (status, body) = shop
        .staff(
            Method::POST,
            "/api/inventory/adjustments",
            json!({"adjustments": lines}),
        )
        .await;
    assert_eq!(status, StatusCode::OK, "{body}");
}

/// Follows a list to its end.
async fn all(shop: &Shop, path: &str) -> Vec<Value> {
    let mut items = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = shop.get(&format!("{path}&limit=2&cursor={cursor}")).await;
        items.extend(page["items"].as_array().unwrap().iter().cloned());
        match page["next_cursor"].as_str() {
            Some(next) => cursor = next.to_owned(),
            None => return items,
        }
    }
}

fn column(items: &[Value], name: &str) -> Vec<Value> {
    items.iter().map(|item| item[name].clone()).collect()
}

#[tokio::test]
async fn an_order_goes_through_the_books() {
    let shop = Shop::open().await;
    opening(&shop, &[("A", 10), ("B", 5)]).await;
    hear(&shop, placed("ord_1", &[("A", 4), ("B", 1), ("A", 2)])).await;
    let a = shop.get("/api/inventory/levels/A").await;
    assert_eq!(
        (
            &a["on_hand"],
            &a["reserved"],
            &a["allocated"],
            &a["available"]
        ),
        (&json!(10), &json!(6), &json!(0), &json!(4))
    );
    assert_eq!(all(&shop, "/api/inventory/reservations?").await.len(), 1);
    assert!(
        all(&shop, "/api/inventory/movements?kind=sold")
            .await
            .is_empty()
    );

    hear(&shop, confirmed("ord_1")).await;
    assert!(all(&shop, "/api/inventory/reservations?").await.is_empty());
    let sold = all(&shop, "/api/inventory/movements?kind=sold").await;
    assert_eq!(column(&sold, "delta"), [json!(-1), json!(-6)]);
    assert_eq!(column(&sold, "reference"), [json!("ord_1"), json!("ord_1")]);
    let status = shop.get("/api/inventory/reservations/ord_1").await;
    assert_eq!(status["status"], "allocated");

    hear(&shop, placed("ord_2", &[("A", 1)])).await;
    hear(&shop, confirmed("ord_2")).await;
    hear(&shop, cancelled("ord_2")).await;
    hear(&shop, placed("ord_3", &[("A", 99)])).await;
    let books = all(&shop, "/api/inventory/summary?").await;
    assert_eq!(
        books,
        [
            json!({"sku": "A", "opening": 10, "received": 0, "adjusted": 0, "returned": 0, "sold": 6,
                "on_hand": 10, "allocated": 6, "reserved": 6, "available": 4}),
            json!({"sku": "B", "opening": 5, "received": 0, "adjusted": 0, "returned": 0, "sold": 1,
                "on_hand": 5, "allocated": 1, "reserved": 1, "available": 4}),
        ]
    );
    let ledger = all(&shop, "/api/inventory/movements?sku=A").await;
    assert_eq!(
        column(&ledger, "kind"),
        [
            json!("sale_cancelled"),
            json!("sold"),
            json!("sold"),
            json!("opening")
        ]
    );
    assert_eq!(
        column(&ledger, "delta")
            .iter()
            .map(|d| d.as_i64().unwrap())
            .sum::<i64>(),
        4
    );
    let of_kind = all(&shop, "/api/inventory/movements?sku=A&kind=sold").await;
    assert_eq!(column(&of_kind, "delta"), [json!(-1), json!(-6)]);
    let everything = all(&shop, "/api/inventory/movements?").await;
    assert_eq!(
        column(&everything, "id"),
        [6, 5, 4, 3, 2, 1].map(|id| json!(id))
    );
    let cancelled = all(&shop, "/api/inventory/movements?kind=sale_cancelled").await;
    assert_eq!(column(&cancelled, "delta"), [json!(1)]);
}

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
async fn goods_are_received_moved_and_sold_from_several_locations() {
    let shop = Shop::open().await;
    let body = json!({"name": "North", "country": "GB", "priority": 5});
    let (status, north) = shop
        .staff(Method::POST, "/api/inventory/locations", body)
        .await;
    assert_eq!(status, StatusCode::CREATED);
    let north = north["id"].as_str().unwrap().to_owned();
    let receive = json!({"reference": "DN-1", "lines": [{"sku": "A", "quantity": 8}]});
    shop.staff(Method::POST, "/api/inventory/receipts", receive)
        .await;
    let transfer = json!({"from": "loc_main", "to": north, "lines": [{"sku": "A", "quantity": 3}]});
    let (status, moved) = shop
        .staff(Method::POST, "/api/inventory/transfers", transfer)
        .await;
    assert_eq!(
        (status, &moved["items"][0]["on_hand"]),
        (StatusCode::OK, &json!(3))
    );

    hear(&shop, placed("ord_1", &[("A", 4)])).await;
    let levels = all(&shop, "/api/inventory/levels?").await;
    assert_eq!(column(&levels, "available"), [json!(0), json!(4)]);
    hear(&shop, confirmed("ord_1")).await;
    let ledger = all(&shop, "/api/inventory/movements?sku=A").await;
    assert_eq!(
        column(&ledger, "kind"),
        ["sold", "sold", "transfer_in", "transfer_out", "received"].map(|kind| json!(kind))
    );
    assert_eq!(
        column(&ledger, "delta"),
        [-1, -3, 3, -3, 8].map(|delta| json!(delta))
    );

    let path = format!("/api/inventory/locations/{north}");
    let (status, problem) = shop.staff(Method::DELETE, &path, json!({})).await;
    assert_eq!(
        (status, &problem["code"]),
        (StatusCode::CONFLICT, &json!("location-not-empty"))
    );
    let (status, _) = shop
        .staff(
            Method::PUT,
            "/api/inventory/strategy",
            json!({"strategy": "fewest_parcels"}),
        )
        .await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(
        shop.get("/api/inventory/strategy").await["strategy"],
        "fewest_parcels"
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

#[tokio::test]
async fn the_ledger_and_the_waiting_are_read_without_a_scan() {
    let shop = Shop::open().await;
    let plans = [
        (
            sql!(
                "EXPLAIN QUERY PLAN SELECT id FROM inventory_reservations WHERE status = 'made' AND id > $1 ORDER BY id",
                ""
            ),
            "inventory_reservations_waiting",
        ),
        (
            sql!(
                "EXPLAIN QUERY PLAN SELECT sku FROM inventory_movements WHERE kind <> 'sold' AND kind = $2 AND id < $1 ORDER BY id DESC",
                1i64,
                "count"
            ),
            "inventory_movements_physical",
        ),
        (
            sql!(
                "EXPLAIN QUERY PLAN SELECT sku FROM inventory_movements WHERE id < $1 ORDER BY id DESC",
                1i64
            ),
            "INTEGER PRIMARY KEY",
        ),
    ];
    for (statement, index) in plans {
        let rows = shop.app().query(statement).await.unwrap();
        let plan: Vec<String> = rows.iter().map(|row| row.get(3)).collect();
        assert!(plan.len() == 1 && plan[0].contains(index), "{plan:?}");
    }
}

#[tokio::test]
async fn read_models_built_again_from_the_log_are_the_same() {
    let shop = Shop::open().await;
    opening(&shop, &[("A", 10), ("B", 20)]).await;
    for number in 1..6 {
        let id = format!("ord_{number}");
        hear(&shop, placed(&id, &[("A", 1), ("B", 3)])).await;
        if number < 4 {
            hear(&shop, confirmed(&id)).await;
        }
    }
    hear(&shop, cancelled("ord_2")).await;
    let read = async || {
        let mut all_of = Vec::new();
        for path in [
            "levels?",
            "movements?",
            "movements?sku=B",
            "summary?",
            "reservations?",
        ] {
            all_of.push(all(&shop, &format!("/api/inventory/{path}")).await);
        }
        all_of
    };
    let before = read().await;
    assert_eq!(
        before.iter().map(Vec::len).collect::<Vec<_>>(),
        [2, 10, 5, 2, 2]
    );
    shop.rebuild().await;
    assert_eq!(read().await, before);
    // The chain goes on where it was.
    hear(&shop, placed("ord_9", &[("A", 1)])).await;
    hear(&shop, confirmed("ord_9")).await;
    assert_eq!(all(&shop, "/api/inventory/movements?sku=A").await.len(), 6);
}

/// Whoever comes first gets it, and nobody gets what is not there.
#[tokio::test]
async fn parallel_buyers_take_exactly_what_there_is() {
    let shop = Shop::open().await;
    opening(&shop, &[("HOT", 100)]).await;
    let buyers = (0..300).map(|number| {
        let id = format!("ord_{number}");
        let shop = &shop;
        async move { shop.publish(&id, placed(&id, &[("HOT", 1)])).await }
    });
    futures_util::future::join_all(buyers).await;
    let mut answers = Vec::new();
    while answers.len() < 300 {
        answers.push(shop.hear().await);
    }
    let made: Vec<&String> = answers.iter().filter(|a| a.starts_with("made")).collect();
    assert_eq!(made.len(), 100);
    let hot = shop.get("/api/inventory/levels/HOT").await;
    assert_eq!(
        (&hot["reserved"], &hot["available"]),
        (&json!(100), &json!(0))
    );

    for answer in &made {
        let id = answer.trim_start_matches("made ");
        shop.publish(id, confirmed(id)).await;
    }
    for _ in &made {
        assert!(shop.hear().await.starts_with("allocated"));
    }
    let books = &shop.get("/api/inventory/summary").await["items"][0];
    assert_eq!(
        (&books["sold"], &books["on_hand"], &books["available"]),
        (&json!(100), &json!(100), &json!(0))
    );
    assert_eq!(shop.dead_letters().await, 0);
}
