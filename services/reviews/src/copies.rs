//! What reviews needs to know of others: which products there are and their SKUs, and who bought
//! which SKU.

use contracts::{
    catalog::{Product, ProductEvent},
    orders::OrderEvent,
};
use kernel::{DecodeError, Projection, Recorded, Statement, sql};

/// Products, from the catalogue. A SKU may move from one product to another, and the two products'
/// events come in any order; so a row belongs to SKU *and* product, and the events commute.
pub fn products() -> Projection {
    const SCHEMA: &str = "CREATE TABLE products (
        id TEXT PRIMARY KEY NOT NULL,
        deleted BIGINT NOT NULL
    );
    CREATE TABLE product_skus (
        product_id TEXT NOT NULL,
        sku TEXT NOT NULL,
        present BIGINT NOT NULL,
        PRIMARY KEY (product_id, sku)
    );
    CREATE INDEX product_skus_sku ON product_skus (sku)";
    const TABLES: &[&str] = &["products", "product_skus"];
    Projection::own("products", 1, TABLES, SCHEMA, apply_products).of_topics(&["catalog"])
}

fn apply_products(event: &Recorded, out: &mut Vec<Statement>) -> Result<(), DecodeError> {
    let Some(event) = event.decode::<ProductEvent>()? else {
        return Ok(());
    };
    let sku = |product: &str, sku: &str, present: bool| {
        sql!(
            "INSERT INTO product_skus (product_id, sku, present) VALUES ($1, $2, $3)
             ON CONFLICT (product_id, sku) DO UPDATE SET present = excluded.present",
            product,
            sku,
            present
        )
    };
    let product = |id: &str, deleted: bool| {
        sql!(
            "INSERT INTO products (id, deleted) VALUES ($1, $2)
             ON CONFLICT (id) DO UPDATE SET deleted = excluded.deleted",
            id,
            deleted
        )
    };
    let mut known = |it: &Product, removed: &[String]| {
        let id = it.id.as_str();
        out.push(product(id, false));
        // Whoever bought a variant that is gone did buy the product.
        out.extend(removed.iter().map(|gone| sku(id, gone, false)));
        out.extend(it.variants.iter().map(|v| sku(id, &v.sku, true)));
    };
    match &*event {
        ProductEvent::Created(created) => known(&created.product, &[]),
        ProductEvent::Updated(updated) => known(&updated.product, &updated.removed_skus),
        ProductEvent::Deleted(gone) => {
            let id = gone.product_id.as_str();
            out.push(product(id, true));
            out.extend(gone.skus.iter().map(|gone| sku(id, gone, false)));
        }
    }
    Ok(())
}

/// What signed-in customers bought, from orders: placed, and counted once confirmed.
pub fn purchases() -> Projection {
    const SCHEMA: &str = "CREATE TABLE purchases (
        order_id TEXT NOT NULL,
        sku TEXT NOT NULL,
        customer_id TEXT NOT NULL,
        confirmed BIGINT NOT NULL,
        PRIMARY KEY (order_id, sku)
    );
    CREATE INDEX purchases_customer ON purchases (customer_id, sku)";
    Projection::own("purchases", 1, &["purchases"], SCHEMA, apply_purchases).of_topics(&["orders"])
}

fn apply_purchases(event: &Recorded, out: &mut Vec<Statement>) -> Result<(), DecodeError> {
    let Some(event) = event.decode::<OrderEvent>()? else {
        return Ok(());
    };
    match &*event {
        OrderEvent::Placed(placed) => {
            let Some(customer) = &placed.customer_id else {
                return Ok(());
            };
            out.extend(placed.lines.iter().map(|line| {
                sql!(
                    "INSERT INTO purchases (order_id, sku, customer_id, confirmed)
                     VALUES ($1, $2, $3, 0) ON CONFLICT (order_id, sku) DO NOTHING",
                    &placed.order_id,
                    &line.sku,
                    customer
                )
            }));
        }
        OrderEvent::Confirmed(confirmed) => out.push(sql!(
            "UPDATE purchases SET confirmed = 1 WHERE order_id = $1",
            &confirmed.order_id
        )),
        OrderEvent::Cancelled(cancelled) => out.push(sql!(
            "DELETE FROM purchases WHERE order_id = $1",
            &cancelled.order_id
        )),
        _ => {}
    }
    Ok(())
}
