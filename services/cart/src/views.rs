//! Projections: the cart's own copy of what the catalogue and inventory say, and the one look-up
//! table of its own events.

use contracts::{
    cart::{CartEvent, CartItem},
    catalog::{Product, ProductEvent, ProductStatus, Variant},
    inventory::{BackorderPolicy, StockEvent},
};
use kernel::{DecodeError, Projection, Recorded, Statement, sql};

/// Prices, from the catalogue. A SKU may move from one product to another, and the two products'
/// events come in any order; so a row belongs to SKU *and* product, and the events commute.
pub fn offers() -> Projection {
    const SCHEMA: &str = "CREATE TABLE offers (
        sku TEXT NOT NULL,
        product_id TEXT NOT NULL,
        variant_id TEXT NOT NULL,
        title TEXT NOT NULL,
        handle TEXT NOT NULL,
        prices TEXT NOT NULL,
        published BIGINT NOT NULL,
        compare_at TEXT NOT NULL,
        item TEXT NOT NULL,
        PRIMARY KEY (sku, product_id)
    )";
    Projection::own("offers", 2, &["offers"], SCHEMA, apply_offers).of_topics(&["catalog"])
}

fn apply_offers(event: &Recorded, out: &mut Vec<Statement>) -> Result<(), DecodeError> {
    let remove = |sku: &String, product: &contracts::catalog::ProductId| {
        sql!(
            "DELETE FROM offers WHERE sku = $1 AND product_id = $2",
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
            out.extend(
                updated
                    .removed_skus
                    .iter()
                    .map(|sku| remove(sku, &product.id)),
            );
            out.extend(upserts(product));
        }
        ProductEvent::Deleted(gone) => {
            out.extend(gone.skus.iter().map(|sku| remove(sku, &gone.product_id)));
        }
    }
    Ok(())
}

fn upserts(product: &Product) -> impl Iterator<Item = Statement> {
    product.variants.iter().map(move |variant| {
        let prices = |prices| serde_json::to_string(prices).unwrap_or_else(|_| "[]".into());
        sql!(
            "INSERT INTO offers (sku, product_id, variant_id, title, handle, prices, published,
               compare_at, item)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
             ON CONFLICT (sku, product_id) DO UPDATE SET variant_id = excluded.variant_id,
               title = excluded.title, handle = excluded.handle, prices = excluded.prices,
               published = excluded.published, compare_at = excluded.compare_at,
               item = excluded.item",
            &variant.sku,
            &product.id,
            &variant.id,
            title(product, variant),
            &product.handle,
            prices(&variant.prices),
            product.status == ProductStatus::Published,
            prices(&variant.compare_at),
            item(product, variant),
        )
    })
}

/// What promotions and taxes go by, as JSON.
fn item(product: &Product, variant: &Variant) -> String {
    let item = CartItem {
        product_id: product.id.as_str().to_owned(),
        categories: product.categories.clone(),
        tax_class: product.tax_class.clone(),
        requires_shipping: variant.requires_shipping,
    };
    serde_json::to_string(&item).unwrap_or_else(|_| "{}".into())
}

fn title(product: &Product, variant: &Variant) -> String {
    match variant.title.as_str() {
        "" => product.title.clone(),
        variant => format!("{} – {variant}", product.title),
    }
}

/// Availability, from inventory. All events of a SKU come in order, so the last one is right.
pub fn availability() -> Projection {
    const SCHEMA: &str = "CREATE TABLE availability (
        sku TEXT PRIMARY KEY NOT NULL,
        available BIGINT NOT NULL,
        backorder BIGINT
    )";
    Projection::own(
        "availability",
        1,
        &["availability"],
        SCHEMA,
        apply_availability,
    )
    .of_topics(&["inventory"])
}

fn apply_availability(event: &Recorded, out: &mut Vec<Statement>) -> Result<(), DecodeError> {
    let Some(event) = event.decode::<StockEvent>()? else {
        return Ok(());
    };
    let (sku, available) = match &*event {
        StockEvent::PolicySet(set) => {
            // How many may be owed; NULL is any number.
            let backorder = match set.backorder {
                BackorderPolicy::Deny => Some(0),
                BackorderPolicy::UpTo(units) => Some(units),
                BackorderPolicy::Allow => None,
            };
            out.push(sql!(
                "INSERT INTO availability (sku, available, backorder) VALUES ($1, $2, $3)
                 ON CONFLICT (sku) DO UPDATE SET available = excluded.available,
                   backorder = excluded.backorder",
                &set.sku,
                set.available,
                backorder,
            ));
            return Ok(());
        }
        StockEvent::Adjusted(change) => (&change.sku, change.available),
        StockEvent::Transferred(change) => (&change.sku, change.available),
        StockEvent::Reserved(change) => (&change.sku, change.available),
        StockEvent::Released(change) => (&change.sku, change.available),
        StockEvent::Dispatched(change) => (&change.sku, change.available),
    };
    out.push(sql!(
        "INSERT INTO availability (sku, available, backorder) VALUES ($1, $2, 0)
         ON CONFLICT (sku) DO UPDATE SET available = excluded.available",
        sku,
        available,
    ));
    Ok(())
}

/// Order → the cart it came from, for answers about orders that `orders` does not know yet; and who
/// has ever ordered.
pub fn checkouts() -> Projection {
    const SCHEMA: &str =
        "CREATE TABLE checkouts (order_id TEXT PRIMARY KEY NOT NULL, cart_id TEXT NOT NULL);
         CREATE TABLE buyers (buyer_key TEXT PRIMARY KEY NOT NULL)";
    Projection::own(
        "checkouts",
        2,
        &["checkouts", "buyers"],
        SCHEMA,
        apply_checkouts,
    )
}

fn apply_checkouts(event: &Recorded, out: &mut Vec<Statement>) -> Result<(), DecodeError> {
    // Looked at by name first: the other events of a cart need not be decoded for this.
    if &*event.kind == "cart.cart.checked_out.v1"
        && let Some(event) = event.decode::<CartEvent>()?
        && let CartEvent::CheckedOut(checkout) = &*event
    {
        out.push(sql!(
            "INSERT INTO checkouts (order_id, cart_id) VALUES ($1, $2)
             ON CONFLICT (order_id) DO NOTHING",
            &checkout.order_id,
            &checkout.cart_id,
        ));
        if !checkout.buyer_key.is_empty() {
            out.push(sql!(
                "INSERT INTO buyers (buyer_key) VALUES ($1) ON CONFLICT (buyer_key) DO NOTHING",
                &checkout.buyer_key,
            ));
        }
    }
    Ok(())
}
