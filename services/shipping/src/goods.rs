//! The service's own copy of the catalogue (weights, sizes, prices, categories) and of stock
//! locations' names.

use std::collections::BTreeMap;

use contracts::{
    catalog::{Product, ProductEvent, ProductId},
    inventory::{LocationId, LocationsEvent},
};
use kernel::{
    App, AppError, Currency, DecodeError, Money, Projection, Recorded, Row, Statement, sql,
};

use crate::rates::Item;

/// What is known of SKUs. A SKU may move from one product to another, and the two products' events
/// come in any order; so a row belongs to SKU *and* product, and the events commute.
pub fn goods() -> Projection {
    const SCHEMA: &str = "CREATE TABLE goods (
        sku TEXT NOT NULL,
        product_id TEXT NOT NULL,
        shipped BIGINT NOT NULL,
        grams BIGINT,
        size_mm TEXT,
        prices TEXT NOT NULL,
        categories TEXT NOT NULL,
        PRIMARY KEY (sku, product_id)
    )";
    Projection::own("goods", 1, &["goods"], SCHEMA, apply_goods).of_topics(&["catalog"])
}

fn apply_goods(event: &Recorded, out: &mut Vec<Statement>) -> Result<(), DecodeError> {
    let remove = |sku: &String, product: &ProductId| {
        sql!(
            "DELETE FROM goods WHERE sku = $1 AND product_id = $2",
            sku,
            product
        )
    };
    let Some(event) = event.decode::<ProductEvent>()? else {
        return Ok(());
    };
    match &*event {
        ProductEvent::Created(created) => out.extend(upserts(&created.product)),
        ProductEvent::Updated(updated) => {
            let product = &updated.product;
            let removed = updated.removed_skus.iter();
            out.extend(removed.map(|sku| remove(sku, &product.id)));
            out.extend(upserts(product));
        }
        ProductEvent::Deleted(gone) => {
            out.extend(gone.skus.iter().map(|sku| remove(sku, &gone.product_id)));
        }
    }
    Ok(())
}

fn upserts(product: &Product) -> impl Iterator<Item = Statement> {
    let json = |value: serde_json::Value| value.to_string();
    product.variants.iter().map(move |variant| {
        sql!(
            "INSERT INTO goods (sku, product_id, shipped, grams, size_mm, prices, categories)
             VALUES ($1, $2, $3, $4, $5, $6, $7)
             ON CONFLICT (sku, product_id) DO UPDATE SET shipped = excluded.shipped,
               grams = excluded.grams, size_mm = excluded.size_mm, prices = excluded.prices,
               categories = excluded.categories",
            &variant.sku,
            &product.id,
            variant.requires_shipping,
            variant.weight_grams,
            variant.size_mm.map(|size| json(size.to_vec().into())),
            json(serde_json::json!(variant.prices)),
            json(product.categories.clone().into()),
        )
    })
}

/// Names of stock locations.
pub fn locations() -> Projection {
    const SCHEMA: &str =
        "CREATE TABLE locations (id TEXT PRIMARY KEY NOT NULL, name TEXT NOT NULL)";
    Projection::own("locations", 1, &["locations"], SCHEMA, apply_locations)
        .of_topics(&["inventory"])
}

fn apply_locations(event: &Recorded, out: &mut Vec<Statement>) -> Result<(), DecodeError> {
    let Some(event) = event.decode::<LocationsEvent>()? else {
        return Ok(());
    };
    match &*event {
        LocationsEvent::Saved(saved) => out.push(sql!(
            "INSERT INTO locations (id, name) VALUES ($1, $2)
             ON CONFLICT (id) DO UPDATE SET name = excluded.name",
            &saved.location.id,
            &saved.location.name,
        )),
        LocationsEvent::Removed(removed) => {
            out.push(sql!("DELETE FROM locations WHERE id = $1", &removed.id));
        }
        LocationsEvent::StrategyChosen(_) => {}
    }
    Ok(())
}

/// A location's name; `None` if there is no such location.
pub async fn location_name(app: &App, id: &LocationId) -> Result<Option<String>, AppError> {
    let rows = app
        .query(sql!("SELECT name FROM locations WHERE id = $1", id))
        .await?;
    let built_in = (*id == LocationId::main()).then(|| "Main".to_owned());
    Ok(rows.first().map(|row| row.get(0)).or(built_in))
}

/// What the catalogue says of a SKU.
#[derive(Clone, Debug, PartialEq)]
pub enum Good {
    /// It is not sent (a gift card, a download).
    NotShipped,
    /// It is.
    Shipped(Item),
}

/// What is known of these SKUs and quantities, in one trip: in their order, `None` for a SKU that
/// is not in the catalogue.
pub async fn look_up(
    app: &App,
    items: &BTreeMap<&str, i64>,
    currency: Currency,
) -> Result<Vec<Option<Good>>, AppError> {
    let statements = items.keys().map(|sku| {
        // A SKU on its way from one product to another may have two rows: the younger counts.
        sql!(
            "SELECT product_id, shipped, grams, size_mm, prices, categories FROM goods
             WHERE sku = $1 ORDER BY product_id DESC LIMIT 1",
            *sku
        )
    });
    let answers = app.query_all(statements.collect()).await?;
    let found = items.iter().zip(answers);
    Ok(found
        .map(|((sku, quantity), rows)| good(sku, *quantity, rows.first()?, currency))
        .collect())
}

fn good(sku: &str, quantity: i64, row: &Row, currency: Currency) -> Option<Good> {
    if !row.get::<bool>(1) {
        return Some(Good::NotShipped);
    }
    let json = |column| serde_json::from_str(&row.get::<String>(column)).unwrap_or_default();
    let prices: Vec<Money> = serde_json::from_str(&row.get::<String>(4)).unwrap_or_default();
    let price = prices.iter().find(|price| price.currency == currency);
    let size = row.get::<Option<String>>(3);
    Some(Good::Shipped(Item {
        sku: sku.to_owned(),
        product_id: row.get::<String>(0).parse().ok()?,
        categories: json(5),
        quantity,
        price: price
            .map(|price| price.amount)
            .filter(|amount| *amount >= 0),
        grams: row.get::<Option<i64>>(2),
        size_mm: size.and_then(|text| serde_json::from_str(&text).ok()),
    }))
}
