//! Whose fault is it? PostgreSQL's errors, sorted by what can be done about them.
//!
//! Codes: <https://www.postgresql.org/docs/current/errcodes-appendix.html>.

use tokio_postgres::error::DbError;

use crate::StoreError;

/// Why something did not happen.
#[derive(Debug, Clone)]
pub(super) enum Failure {
    /// The connection is gone, or of no use any more: make another one.
    Lost(String),
    /// Two transactions were in each other's way: run it again.
    Again(String),
    /// A prepared statement does not suit its tables any more: prepare and run it again.
    Stale,
    /// An assertion of the adapter's own did not hold; which one, the statement that failed tells.
    Asserted,
    /// This server, or this session, takes no writes.
    ReadOnly,
    /// It was refused, and would be again.
    Refused(StoreError),
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Refused(error)
    }
}

/// Sorts an error. Texts that may quote a value are left out.
pub(super) fn sort(error: &tokio_postgres::Error) -> Failure {
    match error.as_db_error() {
        Some(said) => sort_said(said),
        // Everything that goes wrong before sending is checked before: what is left is the line.
        None => Failure::Lost(line_error(error)),
    }
}

/// What went wrong on the way to the server.
pub(super) fn line_error(error: &tokio_postgres::Error) -> String {
    if let Some(said) = error.as_db_error() {
        return said.message().to_owned();
    }
    match std::error::Error::source(error) {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}

fn sort_said(said: &DbError) -> Failure {
    let code = said.code().code();
    let text = match &code[..2] {
        // A data exception may quote the data.
        "22" => format!("a value does not suit its statement ({code})"),
        _ => format!("{} ({code})", said.message()),
    };
    match code {
        "40001" | "40P01" => Failure::Again(text),
        "26000" => Failure::Stale,
        "0A000" if said.message().contains("cached plan") => Failure::Stale,
        // The versions' check divides by zero: no other error is as cheap and as sure.
        "22012" => Failure::Asserted,
        "23505" if said.constraint() == Some("events_stream_version_key") => {
            StoreError::Conflict.into()
        }
        "23502" if column(said) == Some(("writers", "batch")) => Failure::Asserted,
        "23502" if column(said) == Some(("positions", "position")) => {
            StoreError::Condition("the position or its epoch is not ours".into()).into()
        }
        // Shut down, crashed, starting, its database dropped, idle in a transaction for too long.
        "57P01" | "57P02" | "57P03" | "57P04" | "57P05" | "25P03" => Failure::Lost(text),
        "25006" => Failure::ReadOnly,
        // A connection's own errors, and too many of them.
        _ if code.starts_with("08") || code == "53300" => Failure::Lost(text),
        // Locks and times, the disk, the memory, the machine, permissions.
        "55P03" | "57014" | "42501" | "3D000" => StoreError::Unavailable(text).into(),
        _ if ["28", "53", "58", "F0", "XX"].contains(&&code[..2]) => {
            StoreError::Unavailable(text).into()
        }
        _ => StoreError::Data(text).into(),
    }
}

fn column(said: &DbError) -> Option<(&str, &str)> {
    Some((said.table()?, said.column()?))
}
