//! What wishlists needs to know of the catalogue: what a SKU is called, what it costs, and whether
//! it is on sale.

use contracts::{
    catalog::{Product, ProductEvent, ProductStatus, Variant},
    wishlists::api::OnSale,
};
use kernel::{DecodeError, Projection, Recorded, Statement, sql};

/// SKUs, from the catalogue. One may move from one product to another, and the two products' events
/// come in any order; so a row belongs to SKU *and* product, and the events commute. What is gone
/// keeps its row, so that a list can still say what it was.
pub fn offers() -> Projection {
    const SCHEMA: &str = "CREATE TABLE offers (
        sku TEXT NOT NULL,
        product_id TEXT NOT NULL,
        title TEXT NOT NULL,
        handle TEXT NOT NULL,
        prices TEXT NOT NULL,
        standing BIGINT NOT NULL,
        PRIMARY KEY (sku, product_id)
    )";
    Projection::own("offers", 1, &["offers"], SCHEMA, apply).of_topics(&["catalog"])
}

/// How a row says whether it is on sale: of two rows of a SKU the higher one counts.
pub fn standing(on_sale: OnSale) -> i64 {
    match on_sale {
        OnSale::Yes => 2,
        OnSale::NotNow => 1,
        OnSale::Gone => 0,
    }
}

/// Reads a [`standing`].
pub fn on_sale(standing: i64) -> OnSale {
    match standing {
        2 => OnSale::Yes,
        1 => OnSale::NotNow,
        _ => OnSale::Gone,
    }
}

fn apply(event: &Recorded, out: &mut Vec<Statement>) -> Result<(), DecodeError> {
    let Some(event) = event.decode::<ProductEvent>()? else {
        return Ok(());
    };
    let gone = |sku: &String, product: &contracts::catalog::ProductId| {
        sql!(
            "UPDATE offers SET standing = $3, prices = '[]' WHERE sku = $1 AND product_id = $2",
            sku,
            product,
            standing(OnSale::Gone)
        )
    };
    match &*event {
        ProductEvent::Created(created) => out.extend(upserts(&created.product)),
        ProductEvent::Updated(updated) => {
            let product = &updated.product;
            let removed = updated.removed_skus.iter();
            out.extend(removed.map(|sku| gone(sku, &product.id)));
            out.extend(upserts(product));
        }
        ProductEvent::Deleted(deleted) => {
            let skus = deleted.skus.iter();
            out.extend(skus.map(|sku| gone(sku, &deleted.product_id)));
        }
    }
    Ok(())
}

fn upserts(product: &Product) -> impl Iterator<Item = Statement> {
    let on_sale = match product.status {
        ProductStatus::Published => OnSale::Yes,
        ProductStatus::Draft => OnSale::NotNow,
    };
    product.variants.iter().map(move |variant| {
        let prices = serde_json::to_string(&variant.prices).unwrap_or_else(|_| "[]".into());
        sql!(
            "INSERT INTO offers (sku, product_id, title, handle, prices, standing)
             VALUES ($1, $2, $3, $4, $5, $6)
             ON CONFLICT (sku, product_id) DO UPDATE SET title = excluded.title,
               handle = excluded.handle, prices = excluded.prices, standing = excluded.standing",
            &variant.sku,
            &product.id,
            title(product, variant),
            &product.handle,
            prices,
            standing(on_sale),
        )
    })
}

fn title(product: &Product, variant: &Variant) -> String {
    match variant.title.as_str() {
        "" => product.title.clone(),
        variant => format!("{} – {variant}", product.title),
    }
}
