//! What a service remembers beside its events: where its consumers are, timers, answers to
//! repeated requests, dead letters.

use kernel::{Row, Statement};
use store::{Batch, Store, StoreError};

use super::Pair;
use crate::failure::{Context as _, Failure, Result};

/// Rows copied in one commit.
const CHUNK: i64 = 500;

/// A table of the system, how it is read in pieces, and how a row is written.
struct Table {
    name: &'static str,
    count: &'static str,
    clear: &'static str,
    read: &'static str,
    write: &'static str,
}

macro_rules! table {
    ($name:literal, $columns:literal, $values:literal, $order:literal) => {
        table!($name, $columns, $values, $order, "")
    };
    ($name:literal, $columns:literal, $values:literal, $order:literal, $only:literal) => {
        Table {
            name: $name,
            count: concat!("SELECT count(*) FROM ", $name, $only),
            clear: concat!("DELETE FROM ", $name),
            read: concat!(
                "SELECT ",
                $columns,
                " FROM ",
                $name,
                $only,
                " ORDER BY ",
                $order,
                " LIMIT $1 OFFSET $2"
            ),
            write: concat!(
                "INSERT INTO ",
                $name,
                " (",
                $columns,
                ") VALUES (",
                $values,
                ")"
            ),
        }
    };
}

// What feeds a read model reads from the beginning, since the new place builds read models anew.
const TABLES: &[Table] = &[
    table!(
        "positions",
        "subscription, topic, partition, epoch, position",
        "$1, $2, $3, $4, $5",
        "subscription, topic, partition",
        " WHERE subscription NOT LIKE 'projection:%'"
    ),
    table!("topics_seen", "topic, incarnation", "$1, $2", "topic"),
    table!("timers", "key, due, kind, data", "$1, $2, $3, $4", "key"),
    table!(
        "idempotency",
        "scope, body, response, expires",
        "$1, $2, $3, $4",
        "scope"
    ),
    table!(
        "dead_letters",
        "subscription, topic, position, stream, type, reason, parked_at",
        "$1, $2, $3, $4, $5, $6, $7",
        "subscription, topic, position",
        " WHERE subscription NOT LIKE 'projection:%'"
    ),
];

/// Copies it all; what a broken-off attempt left is replaced.
pub async fn copy(pair: &Pair) -> Result<()> {
    for table in TABLES {
        let mut batch = Batch::default();
        batch.statements.push(Statement::new(table.clear, []));
        let mut offset = 0;
        loop {
            let rows = page(&pair.from, table, offset)
                .await
                .context(pair.service)?;
            let read = rows.len() as i64;
            let writes = rows
                .into_iter()
                .map(|row| Statement::new(table.write, row.0));
            batch.statements.extend(writes);
            let written = pair.to.commit(std::mem::take(&mut batch)).await;
            written.with_context(|| format!("{} of {}", table.name, pair.service))?;
            if read < CHUNK {
                break;
            }
            offset += read;
        }
    }
    Ok(())
}

/// Compares it all, row by row; answers how many there are.
pub async fn check(pair: &Pair) -> Result<i64> {
    let mut all = 0;
    for table in TABLES {
        let old = count(&pair.from, table).await.context(pair.service)?;
        let new = count(pair.to.as_ref(), table).await.context(pair.service)?;
        if old != new {
            return Err(Failure::new(format!(
                "{} of {}: {old} rows in the old place, {new} in the new one",
                table.name, pair.service
            )));
        }
        all += old;
    }
    Ok(all)
}

async fn page(
    store: &dyn Store,
    table: &Table,
    offset: i64,
) -> std::result::Result<Vec<Row>, StoreError> {
    let statement = Statement::new(table.read, [CHUNK.into(), offset.into()]);
    let found = store.query(vec![statement]).await?;
    Ok(found.into_iter().next().unwrap_or_default())
}

async fn count(store: &dyn Store, table: &Table) -> std::result::Result<i64, StoreError> {
    let found = store.query(vec![Statement::new(table.count, [])]).await?;
    Ok(found
        .first()
        .and_then(|rows| rows.first())
        .map_or(0, |row| row.get(0)))
}
