//! The API, on the real runtime and store.

mod coupons;
mod prices;
mod purchases;
mod rights;
mod taxes;

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use super::engine::Shop;

/// A promotion of ten per cent, with more or other fields; answers its id.
async fn promotion(shop: &Shop, more: Value) -> String {
    let mut body = json!({"name": "sale", "label": "Sale",
        "benefit": {"type": "percent_off", "ppm": 100_000}});
    let fields = more.as_object().expect("an object").clone();
    body.as_object_mut().expect("an object").extend(fields);
    let made = shop
        .done(Method::POST, "/api/pricing/promotions", body)
        .await;
    made["id"].as_str().expect("an id").to_owned()
}

/// A refusal: status, code, field.
fn refusal(answer: &(StatusCode, Value)) -> (u16, &str, &str) {
    let text = |name: &str| answer.1[name].as_str().unwrap_or_default();
    (answer.0.as_u16(), text("code"), text("field"))
}
