//! Read models of levels, policies and reservations: events → statements.

use contracts::inventory::{
    BackorderPolicy, ReservationEvent, StockAdjusted, StockEvent, StockTransferred,
};
use kernel::{DecodeError, Projection, Recorded, Statement, sql};

/// Units per SKU and location: one row written per event of a stock stream.
pub fn levels() -> Projection {
    Projection::own(
        "levels",
        1,
        &["inventory_levels"],
        "CREATE TABLE inventory_levels (
            sku TEXT NOT NULL,
            location TEXT NOT NULL,
            on_hand BIGINT NOT NULL DEFAULT 0,
            reserved BIGINT NOT NULL DEFAULT 0,
            PRIMARY KEY (sku, location)
        )",
        |recorded, out| {
            if let Some(event) = recorded.decode::<StockEvent>()? {
                level(&event, out);
            }
            Ok(())
        },
    )
}

fn level(event: &StockEvent, out: &mut Vec<Statement>) {
    match event {
        StockEvent::Adjusted(StockAdjusted {
            sku,
            location,
            on_hand,
            ..
        }) => out.push(sql!(
            "INSERT INTO inventory_levels (sku, location, on_hand) VALUES ($1, $2, $3)
             ON CONFLICT (sku, location) DO UPDATE SET on_hand = excluded.on_hand",
            sku,
            location,
            *on_hand
        )),
        StockEvent::Transferred(StockTransferred {
            sku,
            from,
            to,
            quantity,
            ..
        }) => {
            for (location, delta) in [(from, -quantity), (to, *quantity)] {
                out.push(sql!(
                    "INSERT INTO inventory_levels (sku, location, on_hand) VALUES ($1, $2, $3)
                     ON CONFLICT (sku, location) DO UPDATE
                     SET on_hand = inventory_levels.on_hand + excluded.on_hand",
                    sku,
                    location,
                    delta
                ));
            }
        }
        StockEvent::Reserved(e) => out.extend(e.taken.iter().map(|part| {
            // The row may be new: a backorder of what never was in stock.
            sql!(
                "INSERT INTO inventory_levels (sku, location, reserved) VALUES ($1, $2, $3)
                 ON CONFLICT (sku, location) DO UPDATE
                 SET reserved = inventory_levels.reserved + excluded.reserved",
                &e.sku,
                &part.location,
                part.quantity
            )
        })),
        StockEvent::Released(e) => out.extend(e.returned.iter().map(|part| {
            sql!(
                "UPDATE inventory_levels SET reserved = reserved - $3 WHERE sku = $1 AND location = $2",
                &e.sku,
                &part.location,
                part.quantity
            )
        })),
        StockEvent::Dispatched(e) => out.push(sql!(
            "INSERT INTO inventory_levels (sku, location, on_hand, reserved) VALUES ($1, $2, $3, 0)
             ON CONFLICT (sku, location) DO UPDATE SET on_hand = excluded.on_hand,
                 reserved = inventory_levels.reserved - $4",
            &e.sku,
            &e.location,
            e.on_hand,
            e.promised
        )),
        StockEvent::PolicySet(_) => {}
    }
}

/// Backorder policies; a SKU without a row has `deny`.
pub fn policies() -> Projection {
    Projection::own(
        "policies",
        1,
        &["inventory_policies"],
        "CREATE TABLE inventory_policies (
            sku TEXT NOT NULL PRIMARY KEY,
            backorder TEXT NOT NULL,
            up_to BIGINT NOT NULL
        )",
        |recorded, out| {
            if let Some(event) = recorded.decode::<StockEvent>()?
                && let StockEvent::PolicySet(set) = event.as_ref()
            {
                let (name, up_to) = policy_columns(set.backorder);
                out.push(sql!(
                    "INSERT INTO inventory_policies (sku, backorder, up_to) VALUES ($1, $2, $3)
                     ON CONFLICT (sku) DO UPDATE SET backorder = excluded.backorder, up_to = excluded.up_to",
                    &set.sku,
                    name,
                    up_to
                ));
            }
            Ok(())
        },
    )
}

fn policy_columns(policy: BackorderPolicy) -> (&'static str, i64) {
    match policy {
        BackorderPolicy::Deny => ("deny", 0),
        BackorderPolicy::Allow => ("allow", 0),
        BackorderPolicy::UpTo(units) => ("up_to", units),
    }
}

/// The policy in the columns `backorder` and `up_to`.
pub fn policy_of(name: &str, up_to: i64) -> BackorderPolicy {
    match name {
        "allow" => BackorderPolicy::Allow,
        "up_to" => BackorderPolicy::UpTo(up_to),
        _ => BackorderPolicy::Deny,
    }
}

/// Reservations and where they stand. What they hold is read from their streams; the partial index
/// lists those that wait, so that a forgotten one is found among millions that ended well.
pub fn reservations() -> Projection {
    Projection::own(
        "reservations",
        1,
        &["inventory_reservations"],
        "CREATE TABLE inventory_reservations (
            id TEXT NOT NULL PRIMARY KEY,
            status TEXT NOT NULL,
            made_at BIGINT NOT NULL,
            expires_at BIGINT
        );
        CREATE INDEX inventory_reservations_waiting ON inventory_reservations (id) WHERE status = 'made'",
        reservation,
    )
}

fn reservation(recorded: &Recorded, out: &mut Vec<Statement>) -> Result<(), DecodeError> {
    let Some(event) = recorded.decode::<ReservationEvent>()? else {
        return Ok(());
    };
    let (id, status, expires_at) = match event.as_ref() {
        ReservationEvent::Made(e) => (&e.reservation, "made", e.expires_at),
        ReservationEvent::Refused(e) => (&e.reservation, "refused", None),
        ReservationEvent::Allocated(e) => (&e.reservation, "allocated", None),
        ReservationEvent::Released(e) => (&e.reservation, "released", None),
        ReservationEvent::Dispatched(e) if e.complete => (&e.reservation, "dispatched", None),
        ReservationEvent::Dispatched(_) => return Ok(()),
    };
    out.push(sql!(
        "INSERT INTO inventory_reservations (id, status, made_at, expires_at) VALUES ($1, $2, $3, $4)
         ON CONFLICT (id) DO UPDATE SET status = excluded.status",
        id,
        status,
        recorded.at,
        expires_at
    ));
    Ok(())
}
