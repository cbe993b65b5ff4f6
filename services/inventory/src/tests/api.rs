//! The service as its callers see it, with its read models in a real database.

use axum::http::{Method, StatusCode};
use contracts::orders::OrderEvent;
use kernel::{Event, Recorded, StreamId, Timestamp};
use serde_json::{Value, json};

use super::engine::Shop;
use crate::subscriptions::on_order;

mod books;
mod changes;
mod refusals;

pub(super) async fn hear(shop: &Shop, event: OrderEvent) {
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

pub(super) async fn opening(shop: &Shop, stock: &[(&str, i64)]) {
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
pub(super) async fn all(shop: &Shop, path: &str) -> Vec<Value> {
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

pub(super) fn column(items: &[Value], name: &str) -> Vec<Value> {
    items.iter().map(|item| item[name].clone()).collect()
}
