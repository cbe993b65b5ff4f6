//! The read model: what lists show.

use contracts::reviews::ReviewEvent;
use kernel::{DecodeError, Projection, Recorded, Statement, sql};

/// Raise the version whenever the schema or a statement changes.
pub fn projection() -> Projection {
    Projection::own("reviews", 1, &["reviews_list"], SCHEMA, apply)
}

const SCHEMA: &str = "CREATE TABLE reviews_list (id TEXT NOT NULL PRIMARY KEY, name TEXT NOT NULL)";

const INSERT: &str = "INSERT INTO reviews_list (id, name) VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET name = excluded.name";

fn apply(event: &Recorded, out: &mut Vec<Statement>) -> Result<(), DecodeError> {
    let event = event.decode::<ReviewEvent>()?;
    match event.as_deref() {
        Some(ReviewEvent::Created(created)) => {
            out.push(sql!(INSERT, &created.id, &created.name));
        }
        None => {}
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::OnceLock;

    use contracts::reviews::ReviewCreated;
    use kernel::{Event as _, EventMeta, StreamId, Timestamp, Value};

    use super::*;

    #[test]
    fn a_new_review_is_one_row() {
        let created = ReviewEvent::from(ReviewCreated {
            id: "rev_1".parse().expect("an id"),
            name: "First".into(),
        });
        let recorded = Recorded {
            topic: "reviews".into(),
            position: 1,
            prev: 0,
            partition: 0,
            stream: StreamId::new("review", "rev_1"),
            version: 1,
            kind: created.wire_name().into(),
            data: created.encode().expect("encoded").into(),
            at: Timestamp(0),
            meta: EventMeta::default(),
            typed: OnceLock::new(),
        };
        let mut statements = Vec::new();
        apply(&recorded, &mut statements).expect("applied");
        let row = ["rev_1", "First"].map(|text| Value::Text(text.into()));
        assert_eq!(statements, [Statement::new(INSERT, row)]);
    }
}
