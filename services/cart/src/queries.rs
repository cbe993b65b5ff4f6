//! The read side: typed look-ups over the service's own tables.

use std::collections::HashSet;

use contracts::{cart::CartId, orders::OrderId};
use kernel::{App, AppError, Row, sql};

use crate::offer::{Offer, Offers, sellable};

/// The offers of `skus`, in one trip.
pub async fn offers<'a>(
    app: &App,
    skus: impl Iterator<Item = &'a str>,
) -> Result<Offers, AppError> {
    let mut seen = HashSet::new();
    let skus: Vec<&str> = skus.filter(|sku| seen.insert(*sku)).collect();
    let statements = skus.iter().map(|sku| {
        // A SKU on its way from one product to another may have two rows: the one on sale counts.
        sql!(
            "SELECT o.title, o.handle, o.prices, o.published, a.sku, a.available, a.backorder
             FROM offers o LEFT JOIN availability a ON a.sku = o.sku
             WHERE o.sku = $1 ORDER BY o.published DESC, o.product_id DESC LIMIT 1",
            *sku
        )
    });
    let answers = app.query_all(statements.collect()).await?;
    let mut offers = Offers::default();
    for (sku, rows) in skus.iter().zip(answers) {
        offers.insert((*sku).to_owned(), rows.first().map(read_offer));
    }
    Ok(offers)
}

fn read_offer(row: &Row) -> Offer {
    let stock_known = row.get::<Option<String>>(4).is_some();
    Offer {
        title: row.get(0),
        handle: row.get(1),
        prices: serde_json::from_str(&row.get::<String>(2)).unwrap_or_default(),
        published: row.get(3),
        sellable: stock_known
            .then(|| sellable(row.get(5), row.get(6)))
            .flatten(),
    }
}

/// The cart an order came from.
pub async fn cart_of(app: &App, order: &OrderId) -> Result<Option<CartId>, AppError> {
    let statement = sql!("SELECT cart_id FROM checkouts WHERE order_id = $1", order);
    let rows = app.query(statement).await?;
    Ok(rows
        .first()
        .and_then(|row| row.get::<String>(0).parse().ok()))
}
