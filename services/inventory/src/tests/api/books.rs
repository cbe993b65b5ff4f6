//! What orders do to the books, and the books built again.

use axum::http::{Method, StatusCode};
use kernel::sql;
use serde_json::json;

use super::super::{
    engine::Shop,
    orders::{cancelled, confirmed, placed},
};

use super::*;

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
            json!({"sku": "A", "opening": 10, "received": 0, "adjusted": 0, "returned": 0, "sold": 6, "dispatched": 0,
                "on_hand": 10, "allocated": 6, "reserved": 6, "available": 4}),
            json!({"sku": "B", "opening": 5, "received": 0, "adjusted": 0, "returned": 0, "sold": 1, "dispatched": 0,
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
