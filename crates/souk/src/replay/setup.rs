//! Puts the file's catalogue and opening stock into the shop.

use std::{collections::HashMap, time::Duration};

use contracts::catalog::{
    BulkRequest, BulkStatus, ProductInput, ProductOption, ProductStatus, VariantInput, slug,
};
use kernel::{Currency, Money};
use serde_json::{Value, json};

use super::{
    drive::insist,
    plan::{Item, Plan},
};
use crate::{
    client::Client,
    failure::{Context as _, Failure, Result},
};

/// Products per call.
const BULK: usize = 250;
/// Stock lines per call.
const LINES: usize = 2_000;

/// Creates the products and books the opening stock; doing it again changes nothing.
pub async fn prepare(staff: &Client, plan: &Plan, run: &str) -> Result<()> {
    let products = products(plan);
    for chunk in products.chunks(BULK) {
        let body = BulkRequest {
            products: chunk.to_vec(),
            mode: Default::default(),
        };
        let answer: contracts::catalog::BulkAnswer =
            insist(|| staff.post("/api/catalog/products/bulk", &body, &[]))
                .await
                .context("products cannot be created")?;
        if let Some(bad) = answer
            .results
            .iter()
            .find(|r| r.status == BulkStatus::Rejected)
        {
            let problem = serde_json::to_string(&bad.problem)?;
            return Err(Failure::new(format!(
                "product {} was refused: {problem}",
                chunk[bad.row].handle
            )));
        }
    }
    for (n, chunk) in plan.skus.chunks(LINES).enumerate() {
        let lines: Vec<Value> = chunk
            .iter()
            .map(|sku| json!({"sku": sku.sku, "delta": sku.sold, "reason": "opening", "reference": run}))
            .collect();
        let (body, key) = (json!({"adjustments": lines}), format!("{run}:opening:{n}"));
        let headers = [("idempotency-key", key.as_str())];
        let _: Value = insist(|| staff.post("/api/inventory/adjustments", &body, &headers))
            .await
            .context("opening stock cannot be booked")?;
    }
    wait_for_cart(staff, plan).await
}

/// The cart prices from its own copy of the catalogue; waits until the last product is in it.
async fn wait_for_cart(staff: &Client, plan: &Plan) -> Result<()> {
    let shopper = staff.anonymous();
    let Some(last) = plan.items.last().and_then(|item| item.skus.last()) else {
        return Ok(());
    };
    let body = json!({"sku": plan.skus[*last].sku, "quantity": 1});
    let new_cart = json!({"currency": "GBP"});
    for _ in 0..600 {
        let cart: Value = insist(|| shopper.post("/api/carts", &new_cart, &[])).await?;
        let path = format!(
            "/api/carts/{}/lines",
            cart["id"].as_str().unwrap_or_default()
        );
        let added: std::result::Result<Value, _> = insist(|| shopper.post(&path, &body, &[])).await;
        if added.is_ok() {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    Err(Failure::new(
        "the cart has not heard of the products after a minute; see `souk doctor`",
    ))
}

fn products(plan: &Plan) -> Vec<ProductInput> {
    // Codes that differ by case only would share a handle: later ones get a number.
    let mut taken: HashMap<String, usize> = HashMap::new();
    plan.items
        .iter()
        .map(|item| {
            let base = slug(&item.code);
            let seen = taken.entry(base.clone()).or_insert(0);
            *seen += 1;
            let handle = if *seen == 1 {
                base
            } else {
                format!("{base}-case-{seen}")
            };
            product(plan, item, handle)
        })
        .collect()
}

fn product(plan: &Plan, item: &Item, handle: String) -> ProductInput {
    let title = if item.description.is_empty() {
        item.code.clone()
    } else {
        item.description.clone()
    };
    let price = |sku: usize| Money::new(plan.skus[sku].price, Currency::GBP);
    let several = item.skus.len() > 1;
    let variants = item.skus.iter().map(|sku| {
        let mut variant = VariantInput::new(plan.skus[*sku].sku.clone(), price(*sku));
        if several {
            variant
                .options
                .insert("Price".into(), price(*sku).to_string());
        }
        variant
    });
    let values = item
        .skus
        .iter()
        .map(|sku| price(*sku).to_string())
        .collect();
    ProductInput {
        handle,
        title,
        status: Some(ProductStatus::Published),
        categories: vec!["online-retail".into()],
        options: if several {
            vec![ProductOption {
                name: "Price".into(),
                values,
            }]
        } else {
            Vec::new()
        },
        variants: variants.collect(),
        ..ProductInput::default()
    }
}
