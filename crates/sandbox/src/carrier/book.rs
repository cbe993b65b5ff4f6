//! The carrier's database: labels, what happened to parcels, webhooks to be sent. No addresses.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, Row, params};
use serde_json::{Value, json};

use super::number::tracking_number;

const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS shipments (
  n INTEGER PRIMARY KEY, reference TEXT NOT NULL UNIQUE, fingerprint BLOB NOT NULL,
  number TEXT NOT NULL, status TEXT NOT NULL, weight_grams INTEGER NOT NULL,
  behaviour TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS events (
  n INTEGER PRIMARY KEY, shipment INTEGER NOT NULL, status TEXT NOT NULL, place TEXT NOT NULL,
  happened_at INTEGER NOT NULL) STRICT;
CREATE INDEX IF NOT EXISTS events_by_shipment ON events (shipment);
CREATE TABLE IF NOT EXISTS attempts (reference TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS webhooks (
  n INTEGER PRIMARY KEY, attempts INTEGER NOT NULL, due INTEGER NOT NULL, copies INTEGER NOT NULL,
  body TEXT NOT NULL) STRICT;
";

/// A label.
#[derive(Clone, Debug)]
pub struct Shipment {
    pub n: i64,
    pub reference: String,
    pub number: String,
    pub status: String,
    pub weight_grams: i64,
    pub behaviour: String,
    /// What happened, oldest first, as JSON.
    pub events: Vec<Value>,
}

impl Shipment {
    /// Its id.
    pub fn id(&self) -> String {
        format!("shp_{:010}", self.n)
    }
}

/// The number in an id.
pub fn parse_id(id: &str) -> Option<i64> {
    id.strip_prefix("shp_")?.parse().ok()
}

/// What came of a request for a label.
pub enum Made {
    /// It is new.
    New(Shipment),
    /// It was made before, by the same request.
    Known(Shipment),
    /// The reference belongs to another request.
    Other,
}

/// A webhook that still has to arrive.
#[derive(Clone, Debug)]
pub struct Webhook {
    pub n: i64,
    pub attempts: u32,
    pub copies: u32,
    pub body: String,
}

/// The database.
pub struct Book(Connection);

impl Book {
    /// Opens the file, or a database in memory. Fails when another process has the file.
    pub fn open(file: Option<&Path>) -> rusqlite::Result<Self> {
        let db = match file {
            Some(file) => Connection::open(file)?,
            None => Connection::open_in_memory()?,
        };
        db.busy_timeout(Duration::from_millis(500))?;
        db.pragma_update(None, "locking_mode", "EXCLUSIVE")?;
        db.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
        db.pragma_update(None, "synchronous", "NORMAL")?;
        db.execute_batch(&format!("BEGIN IMMEDIATE; {SCHEMA} COMMIT;"))?;
        Ok(Self(db))
    }

    /// Whether a reference is heard of for the first time; from now on it is not.
    pub fn first_attempt(&self, reference: &str) -> rusqlite::Result<bool> {
        let sql = "INSERT INTO attempts (reference) VALUES (?1) ON CONFLICT DO NOTHING";
        Ok(self.0.execute(sql, [reference])? > 0)
    }

    /// Makes a label, once for each reference.
    pub fn make(
        &mut self,
        reference: &str,
        weight_grams: i64,
        origin: &str,
        behaviour: &str,
        fingerprint: &[u8; 32],
    ) -> rusqlite::Result<Made> {
        let sql = "SELECT fingerprint FROM shipments WHERE reference = ?1";
        let known: Option<Vec<u8>> = self
            .0
            .query_row(sql, [reference], |row| row.get(0))
            .optional()?;
        if let Some(known) = known {
            let found = self.by_reference(reference)?.pop();
            return Ok(match found.filter(|_| known == fingerprint) {
                Some(shipment) => Made::Known(shipment),
                None => Made::Other,
            });
        }
        let last: i64 =
            self.0
                .query_row("SELECT coalesce(max(n), 0) FROM shipments", [], |row| {
                    row.get(0)
                })?;
        let n = last + 1;
        let number = tracking_number(n.unsigned_abs(), origin);
        self.0.execute(
            "INSERT INTO shipments (n, reference, fingerprint, number, status, weight_grams, behaviour)
             VALUES (?1, ?2, ?3, ?4, 'created', ?5, ?6)",
            params![n, reference, fingerprint, number, weight_grams, behaviour],
        )?;
        Ok(match self.shipment(n)? {
            Some(shipment) => Made::New(shipment),
            None => Made::Other,
        })
    }

    /// A label with what happened to its parcel.
    pub fn shipment(&self, n: i64) -> rusqlite::Result<Option<Shipment>> {
        let found = self
            .0
            .query_row("SELECT * FROM shipments WHERE n = ?1", [n], read)
            .optional()?;
        found.map(|found| self.with_events(found)).transpose()
    }

    /// The label of a reference, if there is one.
    pub fn by_reference(&self, reference: &str) -> rusqlite::Result<Vec<Shipment>> {
        let sql = "SELECT * FROM shipments WHERE reference = ?1";
        let found = self.0.query_row(sql, [reference], read).optional()?;
        let found = found.map(|found| self.with_events(found)).transpose()?;
        Ok(found.into_iter().collect())
    }

    fn with_events(&self, mut shipment: Shipment) -> rusqlite::Result<Shipment> {
        let sql = "SELECT n, status, place, happened_at FROM events WHERE shipment = ?1 ORDER BY n";
        let mut query = self.0.prepare_cached(sql)?;
        let events = query.query_map([shipment.n], |row| {
            Ok(json!({
                "id": format!("evt_{:010}", row.get::<_, i64>(0)?),
                "status": row.get::<_, String>(1)?,
                "place": row.get::<_, String>(2)?,
                "happened_at": row.get::<_, i64>(3)?,
            }))
        })?;
        shipment.events = events.collect::<rusqlite::Result<_>>()?;
        Ok(shipment)
    }

    /// Takes a label back.
    pub fn void(&self, n: i64) -> rusqlite::Result<Shipment> {
        let sql = "UPDATE shipments SET status = 'voided' WHERE n = ?1";
        self.0.execute(sql, [n])?;
        self.shipment(n)?
            .ok_or(rusqlite::Error::QueryReturnedNoRows)
    }

    /// Lets something happen to a parcel, and notes the webhook about it.
    pub fn happen(
        &mut self,
        n: i64,
        status: &str,
        place: &str,
        now: i64,
        sends: bool,
    ) -> rusqlite::Result<Shipment> {
        let Some(shipment) = self.shipment(n)? else {
            return Err(rusqlite::Error::QueryReturnedNoRows);
        };
        let all = self.0.transaction()?;
        all.execute(
            "UPDATE shipments SET status = ?2 WHERE n = ?1",
            params![n, status],
        )?;
        all.execute(
            "INSERT INTO events (shipment, status, place, happened_at) VALUES (?1, ?2, ?3, ?4)",
            params![n, status, place, now],
        )?;
        let body = json!({
            "id": format!("evt_{:010}", all.last_insert_rowid()),
            "shipment_id": shipment.id(),
            "reference": shipment.reference,
            "tracking_number": shipment.number,
            "status": status,
            "place": place,
            "happened_at": now,
        });
        if sends {
            let copies = match shipment.behaviour.as_str() {
                "sandbox:webhook-storm" => 5,
                _ => 1,
            };
            all.execute(
                "INSERT INTO webhooks (attempts, due, copies, body) VALUES (0, ?1, ?2, ?3)",
                params![now, copies, body.to_string()],
            )?;
        }
        all.commit()?;
        self.shipment(n)?
            .ok_or(rusqlite::Error::QueryReturnedNoRows)
    }

    /// Webhooks that are due, and when the next one is.
    pub fn due(&self, now: i64) -> rusqlite::Result<(Vec<Webhook>, Option<i64>)> {
        let sql =
            "SELECT n, attempts, copies, body FROM webhooks WHERE due <= ?1 ORDER BY n LIMIT 64";
        let mut query = self.0.prepare_cached(sql)?;
        let due = query.query_map([now], |row| {
            Ok(Webhook {
                n: row.get(0)?,
                attempts: row.get(1)?,
                copies: row.get(2)?,
                body: row.get(3)?,
            })
        })?;
        let due = due.collect::<rusqlite::Result<Vec<_>>>()?;
        let next = "SELECT min(due) FROM webhooks WHERE due > ?1";
        let next = self.0.query_row(next, [now], |row| row.get(0))?;
        Ok((due, next))
    }

    /// A webhook arrived, or is given up.
    pub fn done(&self, n: i64) -> rusqlite::Result<()> {
        let sql = "DELETE FROM webhooks WHERE n = ?1";
        self.0.execute(sql, [n]).map(drop)
    }

    /// A webhook is to be sent again.
    pub fn postpone(&self, n: i64, attempts: u32, due: i64) -> rusqlite::Result<()> {
        let sql = "UPDATE webhooks SET attempts = ?2, due = ?3 WHERE n = ?1";
        self.0.execute(sql, params![n, attempts, due]).map(drop)
    }
}

fn read(row: &Row<'_>) -> rusqlite::Result<Shipment> {
    Ok(Shipment {
        n: row.get("n")?,
        reference: row.get("reference")?,
        number: row.get("number")?,
        status: row.get("status")?,
        weight_grams: row.get("weight_grams")?,
        behaviour: row.get("behaviour")?,
        events: Vec::new(),
    })
}
