//! The read side: typed look-ups over the service's own tables.

use std::collections::HashMap;

use contracts::{
    catalog::ProductId,
    wishlists::{
        WishlistId,
        api::{OnSale, WishlistSummary},
    },
};
use kernel::{App, AppError, Money, Personal, Row, sql, with_keys};

use crate::copies::on_sale;

/// What is known of a SKU.
pub struct Offer {
    /// The product it belongs (or belonged) to.
    pub product: Option<ProductId>,
    /// The product's name, with the variant's.
    pub title: String,
    /// The product's handle.
    pub handle: String,
    /// One price per currency.
    pub prices: Vec<Money>,
    /// Whether it can be bought.
    pub on_sale: OnSale,
}

/// What is known of `skus`, in one trip.
pub async fn offers<'a>(
    app: &App,
    skus: impl Iterator<Item = &'a str>,
) -> Result<HashMap<String, Offer>, AppError> {
    let skus: Vec<&str> = skus.collect();
    let statements = skus.iter().map(|sku| {
        sql!(
            "SELECT product_id, title, handle, prices, standing FROM offers
             WHERE sku = $1 ORDER BY standing DESC, product_id DESC LIMIT 1",
            *sku
        )
    });
    let answers = app.query_all(statements.collect()).await?;
    let found = skus.iter().zip(answers).filter_map(|(sku, rows)| {
        let row = rows.first()?;
        Some(((*sku).to_owned(), offer(row)))
    });
    Ok(found.collect())
}

fn offer(row: &Row) -> Offer {
    Offer {
        product: row.get::<String>(0).parse().ok(),
        title: row.get(1),
        handle: row.get(2),
        prices: serde_json::from_str(&row.get::<String>(3)).unwrap_or_default(),
        on_sale: on_sale(row.get(4)),
    }
}

/// A customer's lists, in the order they were made.
pub async fn lists(
    app: &App,
    customer: &str,
    after: &str,
    limit: i64,
) -> Result<Vec<WishlistSummary>, AppError> {
    let statement = sql!(
        "SELECT id, name, items, token_hash, updated_at FROM wishlists
         WHERE customer_id = $1 AND id > $2 ORDER BY id LIMIT $3",
        customer,
        after,
        limit
    );
    let rows = app.query(statement).await?;
    let read = |row: &Row| {
        Some(WishlistSummary {
            id: row.get::<String>(0).parse().ok()?,
            name: opened(app, row.get(1)),
            items: row.get(2),
            shared: row.get::<Option<String>>(3).is_some(),
            updated_at: row.get(4),
        })
    };
    Ok(rows.iter().filter_map(read).collect())
}

/// The list behind a link.
pub async fn shared(app: &App, token_hash: &str) -> Result<Option<WishlistId>, AppError> {
    let statement = sql!("SELECT id FROM wishlists WHERE token_hash = $1", token_hash);
    let rows = app.query(statement).await?;
    Ok(rows
        .first()
        .and_then(|row| row.get::<String>(0).parse().ok()))
}

/// What a sealed column says; `None` when it is empty or its person was erased.
fn opened(app: &App, sealed: Option<String>) -> Option<String> {
    let sealed = sealed?;
    let opened = with_keys(app.keys(), || {
        serde_json::from_str::<Personal<String>>(&sealed)
    });
    opened.ok()?.get().cloned()
}
