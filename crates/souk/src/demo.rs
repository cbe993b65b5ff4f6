//! The demo catalogue on an empty shop, put there as a merchant would: through the API.

use std::time::{Duration, Instant};

use axum::{
    http::{StatusCode, header},
    response::{IntoResponse as _, Response},
};
use contracts::catalog::{BulkAnswer, BulkRequest};
use importers::demo::DemoProduct;
use kernel::App;
use serde_json::{Value, json};

use crate::{
    client::{Client, ClientError},
    failure::{Context as _, Result},
};

/// How long a service may take to be there.
const PATIENCE: Duration = Duration::from_secs(20);
/// Between two attempts.
const PAUSE: Duration = Duration::from_millis(200);

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
    let look = async || anyone.get("/api/catalog/products?limit=1").await;
    let there: Value = patiently(look)
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
    let bulk = async || client.post("/api/catalog/products/bulk", &body, &[]).await;
    let _: BulkAnswer = patiently(bulk)
        .await
        .context("the demo catalogue cannot be made")?;
    let body = json!({"adjustments": stock});
    // The key makes a start that was broken off between the two calls harmless.
    let headers = [("idempotency-key", "demo-opening-stock")];
    let book = async || {
        client
            .post("/api/inventory/adjustments", &body, &headers)
            .await
    };
    let _: Value = patiently(book)
        .await
        .context("the demo stock cannot be booked")?;
    Ok(())
}

/// Tries again while the service is not there yet.
async fn patiently<T>(
    call: impl AsyncFn() -> std::result::Result<T, ClientError>,
) -> std::result::Result<T, ClientError> {
    let since = Instant::now();
    loop {
        match call().await {
            Err(error) if error.passing() && since.elapsed() < PATIENCE => {
                tokio::time::sleep(PAUSE).await;
            }
            answer => return answer,
        }
    }
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
