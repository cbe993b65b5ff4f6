//! Running statements that are data: binding by number, values in and out, errors by kind.

use std::collections::HashMap;

use kernel::{Row, Rows, Statement, Value};
use rusqlite::{
    Connection, ErrorCode,
    types::{ToSqlOutput, ValueRef},
};

use crate::{StoreError, dialect};

/// Translated statement texts, so that each is rewritten once.
#[derive(Default)]
pub(super) struct Texts(HashMap<&'static str, String, foldhash::fast::RandomState>);

impl Texts {
    pub fn of(&mut self, sql: &'static str) -> &str {
        self.0
            .entry(sql)
            .or_insert_with(|| dialect::placeholders(sql))
    }
}

struct Bound<'a>(&'a Value);

impl rusqlite::ToSql for Bound<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self.0 {
            Value::Null => ValueRef::Null,
            Value::Int(v) => ValueRef::Integer(*v),
            Value::Text(v) => ValueRef::Text(v.as_bytes()),
            Value::Bytes(v) => ValueRef::Blob(v),
        }))
    }
}

/// Runs a statement that answers no rows.
pub(super) fn execute(
    connection: &Connection,
    texts: &mut Texts,
    statement: &Statement,
) -> Result<usize, StoreError> {
    let mut prepared = connection
        .prepare_cached(texts.of(statement.sql))
        .map_err(error)?;
    check(statement)?;
    prepared
        .execute(rusqlite::params_from_iter(statement.args.iter().map(Bound)))
        .map_err(error)
}

/// Text with a NUL fits no PostgreSQL column, so it fits none here either.
fn check(statement: &Statement) -> Result<(), StoreError> {
    let holds_nul =
        |value: &Value| matches!(value, Value::Text(text) if text.as_bytes().contains(&0));
    match statement.args.iter().any(holds_nul) {
        true => Err(StoreError::Data(
            "text must not hold a NUL character".into(),
        )),
        false => Ok(()),
    }
}

/// Runs a query.
pub(super) fn query(
    connection: &Connection,
    texts: &mut Texts,
    statement: &Statement,
) -> Result<Rows, StoreError> {
    let mut prepared = connection
        .prepare_cached(texts.of(statement.sql))
        .map_err(error)?;
    if !prepared.readonly() {
        return Err(StoreError::Data("a query must not write".into()));
    }
    check(statement)?;
    let mut rows = prepared
        .query(rusqlite::params_from_iter(statement.args.iter().map(Bound)))
        .map_err(error)?;
    let mut found = Rows::new();
    while let Some(row) = rows.next().map_err(error)? {
        // Asked of the row: the statement may have been prepared before its table was replaced.
        let values = (0..row.as_ref().column_count())
            .map(|i| row.get_ref(i).map(value))
            .collect::<Result<Vec<_>, _>>()
            .map_err(error)?;
        found.push(Row(values));
    }
    Ok(found)
}

fn value(found: ValueRef<'_>) -> Value {
    match found {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(v) => Value::Int(v),
        // Portable statements answer no floating point; a sum that does is rounded.
        ValueRef::Real(v) => Value::Int(v as i64),
        ValueRef::Text(v) => Value::Text(String::from_utf8_lossy(v).into_owned()),
        ValueRef::Blob(v) => Value::Bytes(v.to_vec()),
    }
}

/// Sorts SQLite's errors: whose fault is it?
pub(super) fn error(error: rusqlite::Error) -> StoreError {
    let code = error.sqlite_error_code();
    let text = error.to_string();
    match code {
        Some(ErrorCode::ConstraintViolation) if text.contains("events.stream") => {
            StoreError::Conflict
        }
        // Another instance has just answered the same request: deciding again finds its answer.
        Some(ErrorCode::ConstraintViolation) if text.contains("idempotency.scope") => {
            StoreError::Conflict
        }
        Some(ErrorCode::ConstraintViolation) if text.contains("positions.position") => {
            StoreError::Condition("the position or its epoch is not ours".into())
        }
        Some(
            ErrorCode::DiskFull
            | ErrorCode::SystemIoFailure
            | ErrorCode::CannotOpen
            | ErrorCode::ReadOnly
            | ErrorCode::DatabaseBusy
            | ErrorCode::DatabaseLocked
            | ErrorCode::DatabaseCorrupt
            | ErrorCode::FileLockingProtocolFailed
            | ErrorCode::NotADatabase
            | ErrorCode::PermissionDenied
            | ErrorCode::OutOfMemory,
        ) => StoreError::Unavailable(text),
        // The text of other errors may quote a statement, never a bound value.
        _ => StoreError::Data(text),
    }
}
