//! Read models: a narrow row per message without personal data, and the names of what is sold.

use contracts::{
    catalog::{Product, ProductEvent, ProductStatus, Variant},
    notifications::{MessageEvent, MessageStatus},
};
use kernel::{DecodeError, Projection, Recorded, Statement, sql};

/// One row per message.
pub fn messages() -> Projection {
    const SCHEMA: &str = "CREATE TABLE messages (
        id TEXT PRIMARY KEY NOT NULL,
        kind TEXT NOT NULL,
        channel TEXT NOT NULL,
        status TEXT NOT NULL,
        order_id TEXT,
        customer_id TEXT,
        attempts BIGINT NOT NULL,
        reason TEXT,
        retry_at BIGINT,
        queued_at BIGINT NOT NULL,
        updated_at BIGINT NOT NULL
    );
    CREATE INDEX messages_newest ON messages (queued_at, id);
    CREATE INDEX messages_status ON messages (status, queued_at, id);
    CREATE INDEX messages_order ON messages (order_id) WHERE order_id IS NOT NULL";
    Projection::own("messages", 1, &["messages"], SCHEMA, apply_messages)
}

fn apply_messages(event: &Recorded, out: &mut Vec<Statement>) -> Result<(), DecodeError> {
    let Some(message) = event.decode::<MessageEvent>()? else {
        return Ok(());
    };
    out.push(match &*message {
        MessageEvent::Queued(e) => sql!(
            "INSERT INTO messages
               (id, kind, channel, status, order_id, customer_id, attempts, queued_at, updated_at)
             VALUES ($1, $2, $3, $4, $5, $6, 0, $7, $8)",
            &e.message_id,
            e.kind.as_str(),
            e.channel.as_str(),
            MessageStatus::Queued.as_str(),
            e.order_id.as_ref().map(|id| id.as_str()),
            e.customer_id.as_ref().map(|id| id.as_str()),
            e.at,
            e.at,
        ),
        MessageEvent::Due(e) => sql!(
            "UPDATE messages SET status = $2, retry_at = NULL, updated_at = $3 WHERE id = $1",
            &e.message_id,
            MessageStatus::Queued.as_str(),
            e.at,
        ),
        MessageEvent::Sent(e) => sql!(
            "UPDATE messages SET status = $2, attempts = $3, reason = NULL, updated_at = $4
             WHERE id = $1",
            &e.message_id,
            MessageStatus::Sent.as_str(),
            e.attempt,
            e.at,
        ),
        MessageEvent::Failed(e) => sql!(
            "UPDATE messages SET status = $2, attempts = $3, reason = $4, retry_at = $5,
               updated_at = $6 WHERE id = $1",
            &e.message_id,
            match e.retry_at {
                Some(_) => MessageStatus::Retrying.as_str(),
                None => MessageStatus::Failed.as_str(),
            },
            e.attempt,
            &e.reason,
            e.retry_at,
            e.at,
        ),
        MessageEvent::Suppressed(e) => sql!(
            "UPDATE messages SET status = $2, attempts = attempts + 1, reason = $3,
               updated_at = $4 WHERE id = $1",
            &e.message_id,
            MessageStatus::Suppressed.as_str(),
            &e.reason,
            e.at,
        ),
        MessageEvent::Bounced(e) => sql!(
            "UPDATE messages SET status = $2, reason = $3, updated_at = $4 WHERE id = $1",
            &e.message_id,
            MessageStatus::Bounced.as_str(),
            e.code.clone().unwrap_or_else(|| "bounced".into()),
            e.at,
        ),
    });
    Ok(())
}

/// What SKUs are called, from the catalogue. A SKU may move from one product to another, and the
/// two products' events come in any order; so a row belongs to SKU *and* product.
pub fn products() -> Projection {
    const SCHEMA: &str = "CREATE TABLE products (
        sku TEXT NOT NULL,
        product_id TEXT NOT NULL,
        title TEXT NOT NULL,
        handle TEXT NOT NULL,
        published BIGINT NOT NULL,
        PRIMARY KEY (sku, product_id)
    )";
    Projection::own("products", 1, &["products"], SCHEMA, apply_products).of_topics(&["catalog"])
}

fn apply_products(event: &Recorded, out: &mut Vec<Statement>) -> Result<(), DecodeError> {
    let Some(event) = event.decode::<ProductEvent>()? else {
        return Ok(());
    };
    let (product, skus) = match &*event {
        ProductEvent::Created(e) => (&e.product.id, &[][..]),
        ProductEvent::Updated(e) => (&e.product.id, e.removed_skus.as_slice()),
        ProductEvent::Deleted(e) => (&e.product_id, e.skus.as_slice()),
    };
    out.extend(skus.iter().map(|sku| {
        sql!(
            "DELETE FROM products WHERE sku = $1 AND product_id = $2",
            sku,
            product
        )
    }));
    match &*event {
        ProductEvent::Created(e) => out.extend(upserts(&e.product)),
        ProductEvent::Updated(e) => out.extend(upserts(&e.product)),
        ProductEvent::Deleted(_) => {}
    }
    Ok(())
}

fn upserts(product: &Product) -> impl Iterator<Item = Statement> {
    product.variants.iter().map(|variant| {
        sql!(
            "INSERT INTO products (sku, product_id, title, handle, published)
             VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT (sku, product_id) DO UPDATE SET title = excluded.title,
               handle = excluded.handle, published = excluded.published",
            &variant.sku,
            &product.id,
            title(product, variant),
            &product.handle,
            product.status == ProductStatus::Published,
        )
    })
}

fn title(product: &Product, variant: &Variant) -> String {
    match variant.title.as_str() {
        "" => product.title.clone(),
        variant => format!("{} – {variant}", product.title),
    }
}
