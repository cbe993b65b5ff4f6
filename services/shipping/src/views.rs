//! The one read model of its own events: a narrow row per fulfilment, for lists. It holds no
//! personal data; whole fulfilments are read from their streams.

use contracts::shipping::{FulfilmentEvent, FulfilmentId, FulfilmentStatus};
use kernel::{DecodeError, Projection, Recorded, Statement, sql};

/// One row per fulfilment.
pub fn fulfilments() -> Projection {
    const SCHEMA: &str = "CREATE TABLE fulfilments (
        id TEXT PRIMARY KEY NOT NULL,
        order_id TEXT NOT NULL,
        number TEXT NOT NULL,
        status TEXT NOT NULL,
        location TEXT NOT NULL,
        units BIGINT NOT NULL,
        collect BIGINT NOT NULL,
        trouble BIGINT NOT NULL,
        created_at BIGINT NOT NULL,
        updated_at BIGINT NOT NULL
    );
    CREATE INDEX fulfilments_status ON fulfilments (status, id);
    CREATE TABLE label_troubles (
        fulfilment_id TEXT NOT NULL,
        label BIGINT NOT NULL,
        PRIMARY KEY (fulfilment_id, label)
    )";
    const TABLES: &[&str] = &["fulfilments", "label_troubles"];
    Projection::own("fulfilments", 1, TABLES, SCHEMA, apply)
}

fn apply(event: &Recorded, out: &mut Vec<Statement>) -> Result<(), DecodeError> {
    let Some(decoded) = event.decode::<FulfilmentEvent>()? else {
        return Ok(());
    };
    let moved = |id: &FulfilmentId, status: FulfilmentStatus| {
        sql!(
            "UPDATE fulfilments SET status = $2, updated_at = $3 WHERE id = $1",
            id,
            status.as_str(),
            event.at
        )
    };
    match &*decoded {
        FulfilmentEvent::Created(e) => out.push(sql!(
            "INSERT INTO fulfilments (id, order_id, number, status, location, units, collect,
               trouble, created_at, updated_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, 0, $8, $8)",
            &e.fulfilment_id,
            &e.order_id,
            &e.number,
            FulfilmentStatus::Open.as_str(),
            &e.location,
            e.lines.iter().map(|line| line.quantity).sum::<i64>(),
            e.collect,
            event.at,
        )),
        FulfilmentEvent::Split(e) => out.push(sql!(
            "UPDATE fulfilments SET units = units - $2 WHERE id = $1",
            &e.fulfilment_id,
            e.moved.iter().map(|line| line.quantity).sum::<i64>(),
        )),
        FulfilmentEvent::Packed(e) => out.push(moved(&e.fulfilment_id, FulfilmentStatus::Packed)),
        FulfilmentEvent::Ready(e) => out.push(moved(&e.fulfilment_id, FulfilmentStatus::Ready)),
        FulfilmentEvent::Shipped(e) => out.push(moved(&e.fulfilment_id, FulfilmentStatus::Shipped)),
        FulfilmentEvent::Delivered(e) => {
            out.push(moved(&e.fulfilment_id, FulfilmentStatus::Delivered));
        }
        FulfilmentEvent::Lost(e) => out.push(moved(&e.fulfilment_id, FulfilmentStatus::Lost)),
        FulfilmentEvent::Returned(e) => {
            out.push(moved(&e.fulfilment_id, FulfilmentStatus::Returned));
        }
        FulfilmentEvent::Cancelled(e) => {
            out.push(moved(&e.fulfilment_id, FulfilmentStatus::Cancelled));
        }
        other => troubles(other, out),
    }
    Ok(())
}

/// A label in trouble: the carrier is silent, or said no. Over when it says something better, or
/// when another label is asked for.
fn troubles(event: &FulfilmentEvent, out: &mut Vec<Statement>) {
    let mut begin = |id: &FulfilmentId, label: i64| {
        out.push(sql!(
            "INSERT INTO label_troubles (fulfilment_id, label) VALUES ($1, $2)
             ON CONFLICT (fulfilment_id, label) DO NOTHING",
            id,
            label
        ));
        out.push(sql!("UPDATE fulfilments SET trouble = 1 WHERE id = $1", id));
    };
    match event {
        FulfilmentEvent::LabelUnknown(e) => return begin(&e.fulfilment_id, e.label),
        FulfilmentEvent::LabelFailed(e) => return begin(&e.fulfilment_id, e.label),
        FulfilmentEvent::LabelVoidFailed(e) => return begin(&e.fulfilment_id, e.label),
        _ => {}
    }
    let (id, over) = match event {
        FulfilmentEvent::LabelBought(e) => (&e.fulfilment_id, Some(e.label)),
        FulfilmentEvent::LabelVoided(e) => (&e.fulfilment_id, Some(e.label)),
        // A new attempt: whatever was before it is dealt with.
        FulfilmentEvent::LabelRequested(e) => (&e.fulfilment_id, None),
        _ => return,
    };
    out.push(match over {
        Some(label) => sql!(
            "DELETE FROM label_troubles WHERE fulfilment_id = $1 AND label = $2",
            id,
            label
        ),
        None => sql!("DELETE FROM label_troubles WHERE fulfilment_id = $1", id),
    });
    out.push(sql!(
        "UPDATE fulfilments SET trouble =
           (SELECT CASE WHEN COUNT(*) > 0 THEN 1 ELSE 0 END
            FROM label_troubles WHERE fulfilment_id = $1)
         WHERE id = $1",
        id
    ));
}
