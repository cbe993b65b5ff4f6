//! The read model: a row per list, to find a customer's lists and the list behind a link. A list's
//! name is kept as the event has it, sealed. Whole lists are read from their streams.

use contracts::wishlists::{WishlistEvent, WishlistId};
use kernel::{DecodeError, Projection, Recorded, Statement, Timestamp, sql};
use serde::Deserialize;
use serde_json::value::RawValue;

/// Raise the version whenever the schema or a statement changes.
pub fn projection() -> Projection {
    Projection::own("wishlists", 1, &["wishlists"], SCHEMA, apply)
}

const SCHEMA: &str = "CREATE TABLE wishlists (
    id TEXT PRIMARY KEY NOT NULL,
    customer_id TEXT,
    name TEXT,
    items BIGINT NOT NULL,
    token_hash TEXT,
    updated_at BIGINT NOT NULL
);
CREATE INDEX wishlists_customer ON wishlists (customer_id, id) WHERE customer_id IS NOT NULL;
CREATE INDEX wishlists_token ON wishlists (token_hash) WHERE token_hash IS NOT NULL";

/// The name in an event, as it stands there.
fn name(event: &Recorded) -> Result<Option<String>, DecodeError> {
    #[derive(Deserialize)]
    struct Named<'a> {
        #[serde(borrow)]
        name: Option<&'a RawValue>,
    }
    let named: Named<'_> = serde_json::from_str(&event.data).map_err(|_| DecodeError {
        kind: event.kind.to_string(),
        reason: "its name cannot be found".into(),
    })?;
    Ok(named.name.map(|name| name.get().to_owned()))
}

fn apply(event: &Recorded, out: &mut Vec<Statement>) -> Result<(), DecodeError> {
    let Some(known) = event.decode::<WishlistEvent>()? else {
        return Ok(());
    };
    out.extend(match &*known {
        WishlistEvent::Created(made) => Some(sql!(
            "INSERT INTO wishlists (id, customer_id, name, items, updated_at)
             VALUES ($1, $2, $3, 0, $4)",
            &made.id,
            made.owner.as_ref().map(|owner| owner.customer_id.as_str()),
            name(event)?,
            made.at,
        )),
        WishlistEvent::Renamed(e) => Some(sql!(
            "UPDATE wishlists SET name = $2, updated_at = $3 WHERE id = $1",
            &e.id,
            name(event)?,
            e.at
        )),
        WishlistEvent::Shared(e) => Some(shared(&e.id, Some(&e.token_hash), e.at)),
        WishlistEvent::Unshared(e) => Some(shared(&e.id, None, e.at)),
        WishlistEvent::Deleted(e) => Some(sql!("DELETE FROM wishlists WHERE id = $1", &e.id)),
        WishlistEvent::ItemAdded(e) => Some(counted(&e.wishlist_id, 1, e.at)),
        WishlistEvent::ItemChanged(e) => Some(counted(&e.wishlist_id, 0, e.at)),
        WishlistEvent::ItemRemoved(e) => Some(counted(&e.wishlist_id, -1, e.at)),
        WishlistEvent::ItemBought(_) => None,
    });
    Ok(())
}

fn shared(id: &WishlistId, token_hash: Option<&str>, at: Timestamp) -> Statement {
    sql!(
        "UPDATE wishlists SET token_hash = $2, updated_at = $3 WHERE id = $1",
        id,
        token_hash,
        at
    )
}

fn counted(id: &WishlistId, more: i64, at: Timestamp) -> Statement {
    sql!(
        "UPDATE wishlists SET items = items + $2, updated_at = $3 WHERE id = $1",
        id,
        more,
        at
    )
}
