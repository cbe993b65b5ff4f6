//! The movements ledger and the books per SKU, written together.
//!
//! A sale writes two rows per line here, hundreds of thousands in a busy hour, so the ledger has
//! one B-tree in the order of time and no index by SKU: each row names the row before it of the
//! same SKU, and the books name the last one. One writer at a time makes the numbers gapless.

use contracts::inventory::{
    LocationId, MovementReason, ReservationEvent, ReservedLine, StockAdjusted, StockDispatched,
    StockEvent, StockTransferred,
};
use kernel::{DecodeError, Projection, Recorded, Statement, Timestamp, sql};

/// `inventory_movements`, append-only, and `inventory_totals`, one row per SKU.
pub fn ledger() -> Projection {
    Projection::own(
        "ledger",
        2,
        &["inventory_movements", "inventory_totals"],
        "CREATE TABLE inventory_movements (
            id BIGINT NOT NULL PRIMARY KEY,
            prev BIGINT,
            sku TEXT NOT NULL,
            location TEXT NOT NULL,
            kind TEXT NOT NULL,
            delta BIGINT NOT NULL,
            on_hand BIGINT,
            reference TEXT,
            note TEXT,
            at BIGINT NOT NULL
        );
        CREATE INDEX inventory_movements_physical ON inventory_movements (kind, id) WHERE kind <> 'sold';
        CREATE TABLE inventory_totals (
            sku TEXT NOT NULL PRIMARY KEY,
            opening BIGINT NOT NULL DEFAULT 0,
            received BIGINT NOT NULL DEFAULT 0,
            adjusted BIGINT NOT NULL DEFAULT 0,
            returned BIGINT NOT NULL DEFAULT 0,
            sold BIGINT NOT NULL DEFAULT 0,
            dispatched BIGINT NOT NULL DEFAULT 0,
            last_movement BIGINT
        )",
        apply,
    )
}

fn apply(recorded: &Recorded, out: &mut Vec<Statement>) -> Result<(), DecodeError> {
    if let Some(event) = recorded.decode::<StockEvent>()? {
        match event.as_ref() {
            StockEvent::Adjusted(e) => adjusted(e, recorded.at, out),
            StockEvent::Transferred(e) => transferred(e, recorded.at, out),
            StockEvent::Dispatched(e) => dispatched(e, recorded.at, out),
            // Promises move nothing.
            StockEvent::Reserved(_) | StockEvent::Released(_) | StockEvent::PolicySet(_) => {}
        }
    } else if let Some(event) = recorded.decode::<ReservationEvent>()? {
        match event.as_ref() {
            ReservationEvent::Allocated(e) => {
                sales(&e.lines, &e.reservation, Sale::Made, recorded.at, out);
            }
            ReservationEvent::Released(e) if e.allocated => {
                sales(&e.lines, &e.reservation, Sale::Cancelled, recorded.at, out);
            }
            _ => {}
        }
    }
    Ok(())
}

/// A movement on its way into the table; the statement gives it its number and chains it.
struct Entry<'a> {
    sku: &'a str,
    location: &'a LocationId,
    kind: &'static str,
    delta: i64,
    on_hand: Option<i64>,
    reference: Option<&'a str>,
    note: Option<&'a str>,
    at: Timestamp,
}

impl Entry<'_> {
    fn insert(&self) -> Statement {
        sql!(
            "INSERT INTO inventory_movements (id, prev, sku, location, kind, delta, on_hand, reference, note, at)
             VALUES ((SELECT COALESCE(MAX(id), 0) + 1 FROM inventory_movements),
                     (SELECT last_movement FROM inventory_totals WHERE sku = $1),
                     $1, $2, $3, $4, $5, $6, $7, $8)",
            self.sku,
            self.location,
            self.kind,
            self.delta,
            self.on_hand,
            self.reference,
            self.note,
            self.at
        )
    }
}

#[derive(Clone, Copy)]
enum Sale {
    Made,
    Cancelled,
}

fn sales(
    lines: &[ReservedLine],
    reservation: &str,
    sale: Sale,
    at: Timestamp,
    out: &mut Vec<Statement>,
) {
    let (kind, sign) = match sale {
        Sale::Made => ("sold", -1),
        Sale::Cancelled => ("sale_cancelled", 1),
    };
    for (line, part) in lines
        .iter()
        .flat_map(|line| line.taken.iter().map(move |part| (line, part)))
    {
        let delta = sign * part.quantity;
        let entry = Entry {
            sku: &line.sku,
            location: &part.location,
            kind,
            delta,
            on_hand: None,
            reference: Some(reservation),
            note: None,
            at,
        };
        out.push(entry.insert());
        out.push(sql!(
            "INSERT INTO inventory_totals (sku, sold, last_movement)
             VALUES ($1, $2, (SELECT MAX(id) FROM inventory_movements))
             ON CONFLICT (sku) DO UPDATE SET sold = inventory_totals.sold + excluded.sold,
                 last_movement = excluded.last_movement",
            &line.sku,
            -delta
        ));
    }
}

fn adjusted(e: &StockAdjusted, at: Timestamp, out: &mut Vec<Statement>) {
    let kind = match e.reason {
        MovementReason::Opening => "opening",
        MovementReason::Received => "received",
        MovementReason::Count => "count",
        MovementReason::Damaged => "damaged",
        MovementReason::Returned => "returned",
        MovementReason::Other => "other",
    };
    let entry = Entry {
        sku: &e.sku,
        location: &e.location,
        kind,
        delta: e.delta,
        on_hand: Some(e.on_hand),
        reference: e.reference.as_deref(),
        note: e.note.as_deref(),
        at,
    };
    out.push(entry.insert());
    let of = |reasons: &[MovementReason]| match reasons.contains(&e.reason) {
        true => e.delta,
        false => 0,
    };
    use MovementReason::{Count, Damaged, Opening, Other, Received, Returned};
    out.push(sql!(
        "INSERT INTO inventory_totals (sku, opening, received, adjusted, returned, last_movement)
         VALUES ($1, $2, $3, $4, $5, (SELECT MAX(id) FROM inventory_movements))
         ON CONFLICT (sku) DO UPDATE SET opening = inventory_totals.opening + excluded.opening,
             received = inventory_totals.received + excluded.received,
             adjusted = inventory_totals.adjusted + excluded.adjusted,
             returned = inventory_totals.returned + excluded.returned,
             last_movement = excluded.last_movement",
        &e.sku,
        of(&[Opening]),
        of(&[Received]),
        of(&[Count, Damaged, Other]),
        of(&[Returned])
    ));
}

fn dispatched(e: &StockDispatched, at: Timestamp, out: &mut Vec<Statement>) {
    let entry = Entry {
        sku: &e.sku,
        location: &e.location,
        kind: "dispatched",
        delta: -e.quantity,
        on_hand: Some(e.on_hand),
        reference: Some(e.order_id.as_str()),
        note: None,
        at,
    };
    out.push(entry.insert());
    out.push(sql!(
        "INSERT INTO inventory_totals (sku, dispatched, last_movement)
         VALUES ($1, $2, (SELECT MAX(id) FROM inventory_movements))
         ON CONFLICT (sku) DO UPDATE SET
             dispatched = inventory_totals.dispatched + excluded.dispatched,
             last_movement = excluded.last_movement",
        &e.sku,
        e.quantity
    ));
}

fn transferred(e: &StockTransferred, at: Timestamp, out: &mut Vec<Statement>) {
    for (location, kind, delta) in [
        (&e.from, "transfer_out", -e.quantity),
        (&e.to, "transfer_in", e.quantity),
    ] {
        let entry = Entry {
            sku: &e.sku,
            location,
            kind,
            delta,
            on_hand: None,
            reference: e.reference.as_deref(),
            note: None,
            at,
        };
        out.push(entry.insert());
        out.push(sql!(
            "INSERT INTO inventory_totals (sku, last_movement)
             VALUES ($1, (SELECT MAX(id) FROM inventory_movements))
             ON CONFLICT (sku) DO UPDATE SET last_movement = excluded.last_movement",
            &e.sku
        ));
    }
}
