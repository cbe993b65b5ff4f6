//! The read side: typed functions over the read models.

use contracts::inventory::{
    BackorderPolicy, Level, LocationId, Movement, StockSummary, StockView, WaitingReservation,
};
use kernel::{App, AppError, Row, Rows, Statement, sql};

use crate::views::policy_of;

/// The stock of one SKU, with everything staff may see; `None` if it never was in stock here.
pub async fn stock(app: &App, sku: &str) -> Result<Option<StockView>, AppError> {
    let statements = vec![
        sql!(
            "SELECT sku, location, on_hand, reserved FROM inventory_levels WHERE sku = $1 ORDER BY location",
            sku
        ),
        sql!(
            "SELECT backorder, up_to FROM inventory_policies WHERE sku = $1",
            sku
        ),
        sql!(
            "SELECT sold - dispatched FROM inventory_totals WHERE sku = $1",
            sku
        ),
    ];
    let answers = app.query_all(statements).await?;
    let rows = |index: usize| answers.get(index).map_or(&[][..], Vec::as_slice);
    let locations = rows(0).iter().map(level).collect::<Result<Vec<_>, _>>()?;
    let policy = rows(1)
        .first()
        .map(|r| policy_of(&r.get::<String>(0), r.get(1)));
    if locations.is_empty() && policy.is_none() {
        return Ok(None);
    }
    let on_hand = locations.iter().map(|l| l.on_hand).sum();
    let reserved = locations.iter().map(|l| l.reserved).sum();
    Ok(Some(StockView {
        sku: sku.to_owned(),
        available: on_hand - reserved,
        on_hand: Some(on_hand),
        reserved: Some(reserved),
        allocated: Some(rows(2).first().map_or(0, |row| row.get(0))),
        backorder: Some(policy.unwrap_or(BackorderPolicy::Deny)),
        locations,
    }))
}

/// Levels by SKU and location, behind (`sku`, `location`).
pub async fn levels(app: &App, after: (&str, &str), limit: i64) -> Result<Vec<Level>, AppError> {
    let statement = sql!(
        "SELECT sku, location, on_hand, reserved FROM inventory_levels
         WHERE (sku, location) > ($1, $2) ORDER BY sku, location LIMIT $3",
        after.0,
        after.1,
        limit
    );
    app.query(statement).await?.iter().map(level).collect()
}

fn level(row: &Row) -> Result<Level, AppError> {
    let (on_hand, reserved): (i64, i64) = (row.get(2), row.get(3));
    Ok(Level {
        sku: row.get(0),
        location: location(row, 1)?,
        on_hand,
        reserved,
        available: on_hand - reserved,
    })
}

fn location(row: &Row, column: usize) -> Result<LocationId, AppError> {
    row.get::<String>(column)
        .parse()
        .map_err(|e: String| AppError::Internal(format!("a stored location id: {e}")))
}

/// Whether a location has units or promises.
pub async fn holds_anything(app: &App, location: &LocationId) -> Result<bool, AppError> {
    let statement = sql!(
        "SELECT 1 FROM inventory_levels WHERE location = $1 AND (on_hand <> 0 OR reserved <> 0) LIMIT 1",
        location
    );
    Ok(!app.query(statement).await?.is_empty())
}

/// The books of each SKU behind `after`, by SKU.
pub async fn summary(app: &App, after: &str, limit: i64) -> Result<Vec<StockSummary>, AppError> {
    let statement = sql!(
        "SELECT l.sku, CAST(SUM(l.on_hand) AS BIGINT), CAST(SUM(l.reserved) AS BIGINT),
             MIN(t.opening), MIN(t.received), MIN(t.adjusted), MIN(t.returned), MIN(t.sold),
             MIN(t.dispatched)
         FROM inventory_levels l LEFT JOIN inventory_totals t ON t.sku = l.sku
         WHERE l.sku > $1 GROUP BY l.sku ORDER BY l.sku LIMIT $2",
        after,
        limit
    );
    let rows = app.query(statement).await?;
    Ok(rows
        .iter()
        .map(|row| {
            let (on_hand, reserved): (i64, i64) = (row.get(1), row.get(2));
            StockSummary {
                sku: row.get(0),
                opening: row.get(3),
                received: row.get(4),
                adjusted: row.get(5),
                returned: row.get(6),
                sold: row.get(7),
                dispatched: row.get(8),
                on_hand,
                allocated: row.get::<i64>(7) - row.get::<i64>(8),
                reserved,
                available: on_hand - reserved,
            }
        })
        .collect())
}

/// Reservations neither allocated nor released, by id (so by age), behind `after`.
pub async fn waiting(
    app: &App,
    after: &str,
    limit: i64,
) -> Result<Vec<WaitingReservation>, AppError> {
    let statement = sql!(
        "SELECT id, made_at, expires_at FROM inventory_reservations
         WHERE status = 'made' AND id > $1 ORDER BY id LIMIT $2",
        after,
        limit
    );
    let rows = app.query(statement).await?;
    Ok(rows
        .iter()
        .map(|row| WaitingReservation {
            id: row.get(0),
            made_at: row.get(1),
            expires_at: row.get(2),
        })
        .collect())
}

/// A row of the ledger and the number of the row before it in the list it was read from.
pub struct Entry {
    /// The row.
    pub movement: Movement,
    /// Where a list goes on after it.
    pub next: i64,
}

/// The ledger of one SKU, newest first, beginning with row `from` (its newest unless given).
pub async fn movements_of(
    app: &App,
    sku: &str,
    kind: Option<&str>,
    from: Option<i64>,
    limit: i64,
) -> Result<Vec<Entry>, AppError> {
    let first = match from {
        Some(id) => Some(id),
        None => {
            let last = sql!(
                "SELECT last_movement FROM inventory_totals WHERE sku = $1",
                sku
            );
            app.query(last).await?.first().and_then(|row| row.get(0))
        }
    };
    let Some(first) = first else {
        return Ok(Vec::new());
    };
    // A chain has one next row for each row, so rows come out in its order and LIMIT ends the walk.
    let statement = sql!(
        "WITH RECURSIVE chain (id, sku, location, kind, delta, on_hand, reference, note, at, prev) AS (
             SELECT id, sku, location, kind, delta, on_hand, reference, note, at, prev
             FROM inventory_movements WHERE id = $1 AND sku = $2
             UNION ALL
             SELECT m.id, m.sku, m.location, m.kind, m.delta, m.on_hand, m.reference, m.note, m.at, m.prev
             FROM chain c JOIN inventory_movements m ON m.id = c.prev)
         SELECT id, sku, location, kind, delta, on_hand, reference, note, at, prev FROM chain
         WHERE $3 = '' OR kind = $3 LIMIT $4",
        first,
        sku,
        kind.unwrap_or_default(),
        limit
    );
    entries(app.query(statement).await?)
}

/// The whole ledger, newest first, from row `below` down.
pub async fn movements(
    app: &App,
    kind: Option<&str>,
    below: i64,
    limit: i64,
) -> Result<Vec<Entry>, AppError> {
    let statement: Statement = match kind {
        None => sql!(
            "SELECT id, sku, location, kind, delta, on_hand, reference, note, at, id
             FROM inventory_movements WHERE id < $1 ORDER BY id DESC LIMIT $2",
            below,
            limit
        ),
        Some("sold") => sql!(
            "SELECT id, sku, location, kind, delta, on_hand, reference, note, at, id
             FROM inventory_movements WHERE kind = 'sold' AND id < $1 ORDER BY id DESC LIMIT $2",
            below,
            limit
        ),
        // Sales are most of the ledger and not in this index.
        Some(kind) => sql!(
            "SELECT id, sku, location, kind, delta, on_hand, reference, note, at, id
             FROM inventory_movements WHERE kind <> 'sold' AND kind = $3 AND id < $1
             ORDER BY id DESC LIMIT $2",
            below,
            limit,
            kind
        ),
    };
    entries(app.query(statement).await?)
}

fn entries(rows: Rows) -> Result<Vec<Entry>, AppError> {
    rows.iter()
        .map(|row| {
            let movement = Movement {
                id: row.get(0),
                sku: row.get(1),
                location: location(row, 2)?,
                kind: row.get(3),
                delta: row.get(4),
                on_hand: row.get(5),
                reference: row.get(6),
                note: row.get(7),
                at: row.get(8),
            };
            Ok(Entry {
                movement,
                next: row.get(9),
            })
        })
        .collect()
}
