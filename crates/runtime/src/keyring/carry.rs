//! Carries a key ring from a SQLite file to a PostgreSQL database.

use std::path::Path;

use kernel::{KeyRingError, Statement, sql};
use rusqlite::{Connection, OpenFlags};
use store::postgres::Database;

use super::keeper::{SCHEMA, error};

/// Keys written in one transaction.
const CHUNK: usize = 500;

/// What is in a ring.
struct Ring {
    blind: Vec<u8>,
    keys: Vec<(String, Vec<u8>)>,
    erased: Vec<String>,
}

/// Copies everything from the file at `from` to the database at `url`, which must be empty or hold
/// an earlier copy of the same ring. Running it again copies what is new. Answers how many keys
/// there are.
pub async fn carry(from: &Path, url: &str) -> Result<usize, KeyRingError> {
    let from = from.to_owned();
    let read = tokio::task::spawn_blocking(move || read(&from)).await;
    let ring = read.map_err(|e| KeyRingError(e.to_string()))?;
    let ring = ring.map_err(|e| KeyRingError(e.to_string()))?;
    let mut database = Database::open(url, "souk keyring", SCHEMA)
        .await
        .map_err(error)?;
    let look = sql!("SELECT value FROM secrets WHERE name = 'blind'");
    let found = database.transact(&[look]).await.map_err(error)?;
    let other = |row: &kernel::Row| row.get::<Vec<u8>>(0) != ring.blind;
    if found
        .first()
        .and_then(|rows| rows.first())
        .is_some_and(other)
    {
        return Err(KeyRingError(
            "the new database already holds another shop's keys; use an empty one".into(),
        ));
    }
    let mut statements = vec![sql!(
        "INSERT INTO secrets (name, value) VALUES ('blind', $1) ON CONFLICT (name) DO NOTHING",
        ring.blind
    )];
    let count = ring.keys.len();
    statements.extend(ring.keys.into_iter().map(key));
    statements.extend(ring.erased.into_iter().map(erasure));
    for chunk in statements.chunks(CHUNK) {
        database.transact(chunk).await.map_err(error)?;
    }
    Ok(count)
}

fn key((person, key): (String, Vec<u8>)) -> Statement {
    sql!(
        "INSERT INTO keys (person, key) VALUES ($1, $2) ON CONFLICT (person) DO UPDATE SET key = excluded.key",
        person,
        key
    )
}

fn erasure(person: String) -> Statement {
    sql!(
        "INSERT INTO erased (person, number) VALUES ($1, 0) ON CONFLICT (person) DO NOTHING",
        person
    )
}

fn read(from: &Path) -> rusqlite::Result<Ring> {
    let connection = Connection::open_with_flags(from, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    let blind = "SELECT value FROM secrets WHERE name = 'blind'";
    let mut keys = connection.prepare("SELECT person, key FROM keys")?;
    let mut erased = connection.prepare("SELECT person FROM erased")?;
    Ok(Ring {
        blind: connection.query_row(blind, [], |row| row.get(0))?,
        keys: keys
            .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
            .collect::<rusqlite::Result<_>>()?,
        erased: erased
            .query_map([], |row| row.get(0))?
            .collect::<rusqlite::Result<_>>()?,
    })
}
