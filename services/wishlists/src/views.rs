//! The read model: what lists show.

use contracts::wishlists::WishlistEvent;
use kernel::{DecodeError, Projection, Recorded, Statement, sql};

/// Raise the version whenever the schema or a statement changes.
pub fn projection() -> Projection {
    Projection::own("wishlists", 1, &["wishlists_list"], SCHEMA, apply)
}

const SCHEMA: &str =
    "CREATE TABLE wishlists_list (id TEXT NOT NULL PRIMARY KEY, name TEXT NOT NULL)";

const INSERT: &str = "INSERT INTO wishlists_list (id, name) VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET name = excluded.name";

fn apply(event: &Recorded, out: &mut Vec<Statement>) -> Result<(), DecodeError> {
    let event = event.decode::<WishlistEvent>()?;
    match event.as_deref() {
        Some(WishlistEvent::Created(created)) => {
            out.push(sql!(INSERT, &created.id, &created.name));
        }
        None => {}
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::OnceLock;

    use contracts::wishlists::WishlistCreated;
    use kernel::{Event as _, EventMeta, StreamId, Timestamp, Value};

    use super::*;

    #[test]
    fn a_new_wishlist_is_one_row() {
        let created = WishlistEvent::from(WishlistCreated {
            id: "wis_1".parse().expect("an id"),
            name: "First".into(),
        });
        let recorded = Recorded {
            topic: "wishlists".into(),
            position: 1,
            prev: 0,
            partition: 0,
            stream: StreamId::new("wishlist", "wis_1"),
            version: 1,
            kind: created.wire_name().into(),
            data: created.encode().expect("encoded").into(),
            at: Timestamp(0),
            meta: EventMeta::default(),
            typed: OnceLock::new(),
        };
        let mut statements = Vec::new();
        apply(&recorded, &mut statements).expect("applied");
        let row = ["wis_1", "First"].map(|text| Value::Text(text.into()));
        assert_eq!(statements, [Statement::new(INSERT, row)]);
    }
}
