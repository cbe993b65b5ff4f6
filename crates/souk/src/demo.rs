//! The demo catalogue on an empty shop, put there as a merchant would: through the API.

use axum::{
    http::{StatusCode, header},
    response::{IntoResponse as _, Response},
};
use contracts::catalog::{BulkAnswer, BulkRequest};
use importers::demo::DemoProduct;
use kernel::App;
use serde_json::{Value, json};

use crate::{
    client::Client,
    failure::{Context as _, Result},
};

/// Fills the catalogue if it is empty.
pub async fn fill(url: &str, identity: &App) -> Result<()> {
    if !is_empty(url).await? {
        return Ok(());
    }
    let key = identity::bootstrap_api_key(
        identity,
        "demo catalogue",
        &["catalog:write", "inventory:write"],
    )
    .await;
    fill_as(url, &key.context("no API key can be made")?).await
}

/// Whether the catalogue has no product yet.
pub async fn is_empty(url: &str) -> Result<bool> {
    let anyone = Client::new(url, None).context("no client")?;
    let there: Value = anyone
        .get("/api/catalog/products?limit=1")
        .await
        .context("the catalogue cannot be read")?;
    Ok(there["items"].as_array().is_some_and(Vec::is_empty))
}

/// Fills the catalogue, with an API key that may write it and the stock.
pub async fn fill_as(url: &str, key: &str) -> Result<()> {
    let client = Client::new(url, Some(key.to_owned())).context("no client")?;
    let products: Vec<DemoProduct> = importers::demo::products();
    let stock: Vec<Value> = products
        .iter()
        .flat_map(|product| &product.stock)
        .map(|level| json!({"sku": level.sku, "delta": level.quantity, "reason": "opening", "reference": "demo"}))
        .collect();
    let body = BulkRequest {
        products: products.into_iter().map(|product| product.input).collect(),
        mode: Default::default(),
    };
    let _: BulkAnswer = client
        .post("/api/catalog/products/bulk", &body, &[])
        .await
        .context("the demo catalogue cannot be made")?;
    let body = json!({"adjustments": stock});
    // The key makes a start that was broken off between the two calls harmless.
    let headers = [("idempotency-key", "demo-opening-stock")];
    let _: Value = client
        .post("/api/inventory/adjustments", &body, &headers)
        .await
        .context("the demo stock cannot be booked")?;
    Ok(())
}

/// The pictures of the demo's products.
pub fn pictures() -> axum::Router {
    axum::Router::new().route("/media/demo/{file}", axum::routing::get(picture))
}

async fn picture(axum::extract::Path(file): axum::extract::Path<String>) -> Response {
    let drawn = file.strip_suffix(".svg").and_then(importers::demo::picture);
    match drawn {
        Some(svg) => {
            let headers = [
                (header::CONTENT_TYPE, "image/svg+xml"),
                (header::CACHE_CONTROL, "public, max-age=86400"),
            ];
            (headers, svg).into_response()
        }
        None => StatusCode::NOT_FOUND.into_response(),
    }
}
