//! The rows of the provider's database and the statements on them. No rules here.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::behaviour::{Behaviour, Delivery};
use crate::payment::{DeclineCode, Payment, Status};

const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS payments (
  n INTEGER PRIMARY KEY, reference TEXT NOT NULL, amount INTEGER NOT NULL, currency TEXT NOT NULL,
  status INTEGER NOT NULL, captured INTEGER NOT NULL, refunded INTEGER NOT NULL,
  capture_at_once INTEGER NOT NULL, decline_code INTEGER NOT NULL, behaviour INTEGER NOT NULL,
  brand TEXT NOT NULL, last4 TEXT NOT NULL, created INTEGER NOT NULL) STRICT;
CREATE INDEX IF NOT EXISTS payments_by_reference ON payments (reference);
CREATE TABLE IF NOT EXISTS operations (
  n INTEGER PRIMARY KEY, payment INTEGER NOT NULL, kind TEXT NOT NULL, amount INTEGER NOT NULL,
  key TEXT UNIQUE, fingerprint BLOB, status INTEGER NOT NULL, answer TEXT NOT NULL) STRICT;
CREATE INDEX IF NOT EXISTS operations_by_payment ON operations (payment);
CREATE TABLE IF NOT EXISTS failed_attempts (key TEXT PRIMARY KEY, fingerprint BLOB NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS webhooks (
  n INTEGER PRIMARY KEY, payment INTEGER NOT NULL, delivery INTEGER NOT NULL,
  attempts INTEGER NOT NULL, due INTEGER NOT NULL, body TEXT NOT NULL) STRICT;
";

/// A stored payment.
#[derive(Clone, Debug)]
pub struct PaymentRow {
    pub n: u64,
    pub reference: String,
    pub currency: String,
    pub behaviour: Behaviour,
    pub brand: String,
    pub last4: String,
    /// Unix microseconds.
    pub created: i64,
    pub state: Payment,
}

/// A stored operation: what was answered to an idempotency key.
pub struct OperationRow {
    pub n: u64,
    pub payment: u64,
    pub kind: &'static str,
    pub amount: u64,
    pub key: Option<String>,
    pub fingerprint: [u8; 32],
    pub status: u16,
    pub answer: String,
}

/// An operation as audits see it.
pub struct OperationSummary {
    pub n: u64,
    pub kind: String,
    pub amount: u64,
}

/// The saved answer of an idempotency key.
pub struct SavedAnswer {
    pub fingerprint: Vec<u8>,
    pub status: u16,
    pub answer: String,
}

/// A webhook that still has to arrive.
#[derive(Clone, Debug)]
pub struct WebhookRow {
    pub n: u64,
    pub payment: u64,
    pub delivery: Delivery,
    pub attempts: u32,
    /// Unix microseconds; not before.
    pub due: i64,
    pub body: String,
}

/// The sums of one currency and one status.
pub struct StatusTotals {
    pub currency: String,
    pub status: Status,
    pub count: u64,
    pub amount: u64,
    pub captured: u64,
    pub refunded: u64,
}

/// The database. One thread owns it.
pub struct Store {
    db: Connection,
}

impl Store {
    /// Opens the file, or a database in memory. Fails when another process has the file.
    pub fn open(file: Option<&Path>) -> rusqlite::Result<Self> {
        let db = match file {
            Some(file) => Connection::open(file)?,
            None => Connection::open_in_memory()?,
        };
        db.set_prepared_statement_cache_capacity(64);
        // Enough for a predecessor that is just closing; a living one keeps its lock for good.
        db.busy_timeout(Duration::from_millis(500))?;
        // Exclusive: nobody else may write here, and no shared memory is needed for the WAL.
        db.pragma_update(None, "locking_mode", "EXCLUSIVE")?;
        db.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
        // A commit is in the hands of the system when it returns: it survives the death of this
        // process. Only a failure of the whole machine may take the last moments with it.
        db.pragma_update(None, "synchronous", "NORMAL")?;
        db.pragma_update(None, "wal_autocheckpoint", 4_000)?;
        db.pragma_update(None, "cache_size", -8_192)?;
        db.execute_batch(&format!("BEGIN IMMEDIATE; {SCHEMA} COMMIT;"))?;
        Ok(Self { db })
    }

    pub fn begin(&self) -> rusqlite::Result<()> {
        self.run("BEGIN", []).map(drop)
    }

    pub fn commit(&self) -> rusqlite::Result<()> {
        self.run("COMMIT", []).map(drop)
    }

    pub fn rollback(&self) -> rusqlite::Result<()> {
        if self.db.is_autocommit() {
            Ok(())
        } else {
            self.run("ROLLBACK", []).map(drop)
        }
    }

    fn run(&self, sql: &str, values: impl rusqlite::Params) -> rusqlite::Result<usize> {
        self.db.prepare_cached(sql)?.execute(values)
    }

    fn rows<T>(
        &self,
        sql: &str,
        values: impl rusqlite::Params,
        read: fn(&Row<'_>) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<Vec<T>> {
        self.db
            .prepare_cached(sql)?
            .query_map(values, read)?
            .collect()
    }

    /// A small named value, made by `make` when it is not there yet.
    pub fn meta(&self, name: &str, make: impl FnOnce() -> Vec<u8>) -> rusqlite::Result<Vec<u8>> {
        let mut read = self.db.prepare("SELECT value FROM meta WHERE name = ?1")?;
        if let Some(value) = read.query_row([name], |row| row.get(0)).optional()? {
            return Ok(value);
        }
        let value = make();
        self.run(
            "INSERT INTO meta (name, value) VALUES (?1, ?2)",
            params![name, value],
        )?;
        Ok(value)
    }

    /// The highest number of a payment and of an operation; 0 when there is none.
    pub fn last_numbers(&self) -> rusqlite::Result<(u64, u64)> {
        let sql = "SELECT coalesce((SELECT max(n) FROM payments), 0), coalesce((SELECT max(n) FROM operations), 0)";
        self.db
            .query_row(sql, [], |row| Ok((unsigned(row, 0)?, unsigned(row, 1)?)))
    }

    pub fn insert_payment(&self, row: &PaymentRow) -> rusqlite::Result<()> {
        let state = &row.state;
        self.run(
            "INSERT INTO payments (n, reference, amount, currency, status, captured, refunded, capture_at_once,
             decline_code, behaviour, brand, last4, created)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
            params![
                int(row.n), row.reference, int(state.amount), row.currency, status_code(state.status), int(state.captured),
                int(state.refunded), state.capture_at_once, decline_number(state.decline_code), row.behaviour.code(),
                row.brand, row.last4, row.created
            ],
        )
        .map(drop)
    }

    /// Stores what may change of a payment.
    pub fn update_payment(&self, n: u64, state: &Payment) -> rusqlite::Result<()> {
        self.run(
            "UPDATE payments SET status = ?2, captured = ?3, refunded = ?4, decline_code = ?5 WHERE n = ?1",
            params![int(n), status_code(state.status), int(state.captured), int(state.refunded), decline_number(state.decline_code)],
        )
        .map(drop)
    }

    pub fn payment(&self, n: u64) -> rusqlite::Result<Option<PaymentRow>> {
        let mut query = self
            .db
            .prepare_cached("SELECT * FROM payments WHERE n = ?1")?;
        query.query_row([int(n)], read_payment).optional()
    }

    pub fn payments_by_reference(
        &self,
        reference: &str,
        after: u64,
        limit: u32,
    ) -> rusqlite::Result<Vec<PaymentRow>> {
        let sql = "SELECT * FROM payments WHERE reference = ?1 AND n > ?2 ORDER BY n LIMIT ?3";
        self.rows(sql, params![reference, int(after), limit], read_payment)
    }

    pub fn payments(&self, after: u64, limit: u32) -> rusqlite::Result<Vec<PaymentRow>> {
        let sql = "SELECT * FROM payments WHERE n > ?1 ORDER BY n LIMIT ?2";
        self.rows(sql, params![int(after), limit], read_payment)
    }

    pub fn totals(&self) -> rusqlite::Result<Vec<StatusTotals>> {
        let sql = "SELECT currency, status, count(*), sum(amount), sum(captured), sum(refunded)
                   FROM payments GROUP BY currency, status ORDER BY currency, status";
        self.rows(sql, [], |row| {
            Ok(StatusTotals {
                currency: row.get(0)?,
                status: read_status(row.get(1)?)?,
                count: unsigned(row, 2)?,
                amount: unsigned(row, 3)?,
                captured: unsigned(row, 4)?,
                refunded: unsigned(row, 5)?,
            })
        })
    }

    pub fn insert_operation(&self, row: &OperationRow) -> rusqlite::Result<()> {
        self.run(
            "INSERT INTO operations (n, payment, kind, amount, key, fingerprint, status, answer)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            params![
                int(row.n),
                int(row.payment),
                row.kind,
                int(row.amount),
                row.key,
                row.fingerprint,
                row.status,
                row.answer
            ],
        )
        .map(drop)
    }

    pub fn saved_answer(&self, key: &str) -> rusqlite::Result<Option<SavedAnswer>> {
        let sql = "SELECT fingerprint, status, answer FROM operations WHERE key = ?1";
        let mut query = self.db.prepare_cached(sql)?;
        query
            .query_row([key], |row| {
                Ok(SavedAnswer {
                    fingerprint: row.get(0)?,
                    status: row.get(1)?,
                    answer: row.get(2)?,
                })
            })
            .optional()
    }

    pub fn operations(&self, payment: u64) -> rusqlite::Result<Vec<OperationSummary>> {
        let sql = "SELECT n, kind, amount FROM operations WHERE payment = ?1 ORDER BY n";
        self.rows(sql, [int(payment)], |row| {
            Ok(OperationSummary {
                n: unsigned(row, 0)?,
                kind: row.get(1)?,
                amount: unsigned(row, 2)?,
            })
        })
    }

    /// The fingerprint of an attempt that was answered with a deliberate failure.
    pub fn failed_attempt(&self, key: &str) -> rusqlite::Result<Option<Vec<u8>>> {
        let mut query = self
            .db
            .prepare_cached("SELECT fingerprint FROM failed_attempts WHERE key = ?1")?;
        query.query_row([key], |row| row.get(0)).optional()
    }

    pub fn insert_failed_attempt(&self, key: &str, fingerprint: &[u8; 32]) -> rusqlite::Result<()> {
        self.run(
            "INSERT INTO failed_attempts (key, fingerprint) VALUES (?1, ?2)",
            params![key, fingerprint],
        )
        .map(drop)
    }

    pub fn insert_webhook(&self, row: &WebhookRow) -> rusqlite::Result<()> {
        self.run(
            "INSERT INTO webhooks (n, payment, delivery, attempts, due, body) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            params![int(row.n), int(row.payment), row.delivery.code(), row.attempts, row.due, row.body],
        )
        .map(drop)
    }

    pub fn webhooks_after(&self, after: u64, limit: u32) -> rusqlite::Result<Vec<WebhookRow>> {
        self.rows(
            "SELECT * FROM webhooks WHERE n > ?1 ORDER BY n LIMIT ?2",
            params![int(after), limit],
            read_webhook,
        )
    }

    pub fn webhook(&self, n: u64) -> rusqlite::Result<Option<WebhookRow>> {
        self.db
            .prepare_cached("SELECT * FROM webhooks WHERE n = ?1")?
            .query_row([int(n)], read_webhook)
            .optional()
    }

    pub fn delete_webhook(&self, n: u64) -> rusqlite::Result<()> {
        self.run("DELETE FROM webhooks WHERE n = ?1", [int(n)])
            .map(drop)
    }

    pub fn postpone_webhook(&self, n: u64, attempts: u32, due: i64) -> rusqlite::Result<()> {
        self.run(
            "UPDATE webhooks SET attempts = ?2, due = ?3 WHERE n = ?1",
            params![int(n), attempts, due],
        )
        .map(drop)
    }

    /// Makes the held webhooks of a payment due at `now`; answers their numbers.
    pub fn release_held(&self, payment: u64, before: u64, now: i64) -> rusqlite::Result<Vec<u64>> {
        let sql = "UPDATE webhooks SET due = ?3 WHERE n < ?2 AND payment = ?1 AND delivery = ?4 AND due > ?3 RETURNING n";
        self.rows(
            sql,
            params![int(payment), int(before), now, Delivery::Held.code()],
            |row| unsigned(row, 0),
        )
    }
}

/// Numbers and amounts are unsigned here and far below 2^63, which is all SQLite can hold.
fn unsigned(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    let value: i64 = row.get(column)?;
    u64::try_from(value).map_err(|_| rusqlite::Error::IntegralValueOutOfRange(column, value))
}

/// The reverse of [`unsigned`].
fn int(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

fn read_payment(row: &Row<'_>) -> rusqlite::Result<PaymentRow> {
    Ok(PaymentRow {
        n: unsigned(row, 0)?,
        reference: row.get(1)?,
        currency: row.get(3)?,
        behaviour: Behaviour::from_code(row.get(9)?).ok_or(rusqlite::Error::InvalidQuery)?,
        brand: row.get(10)?,
        last4: row.get(11)?,
        created: row.get(12)?,
        state: Payment {
            amount: unsigned(row, 2)?,
            captured: unsigned(row, 5)?,
            refunded: unsigned(row, 6)?,
            status: read_status(row.get(4)?)?,
            capture_at_once: row.get(7)?,
            decline_code: read_decline(row.get(8)?)?,
        },
    })
}

fn read_webhook(row: &Row<'_>) -> rusqlite::Result<WebhookRow> {
    Ok(WebhookRow {
        n: unsigned(row, 0)?,
        payment: unsigned(row, 1)?,
        delivery: Delivery::from_code(row.get(2)?).ok_or(rusqlite::Error::InvalidQuery)?,
        attempts: row.get(3)?,
        due: row.get(4)?,
        body: row.get(5)?,
    })
}

fn status_code(status: Status) -> u8 {
    match status {
        Status::RequiresAction => 0,
        Status::Authorised => 1,
        Status::Captured => 2,
        Status::Declined => 3,
        Status::Voided => 4,
    }
}

fn read_status(code: u8) -> rusqlite::Result<Status> {
    [
        Status::RequiresAction,
        Status::Authorised,
        Status::Captured,
        Status::Declined,
        Status::Voided,
    ]
    .into_iter()
    .find(|status| status_code(*status) == code)
    .ok_or(rusqlite::Error::InvalidQuery)
}

fn decline_number(code: Option<DeclineCode>) -> u8 {
    match code {
        None => 0,
        Some(DeclineCode::CardDeclined) => 1,
        Some(DeclineCode::InsufficientFunds) => 2,
        Some(DeclineCode::AuthenticationFailed) => 3,
    }
}

fn read_decline(code: u8) -> rusqlite::Result<Option<DeclineCode>> {
    let codes = [
        DeclineCode::CardDeclined,
        DeclineCode::InsufficientFunds,
        DeclineCode::AuthenticationFailed,
    ];
    [None]
        .into_iter()
        .chain(codes.map(Some))
        .find(|known| decline_number(*known) == code)
        .ok_or(rusqlite::Error::InvalidQuery)
}
