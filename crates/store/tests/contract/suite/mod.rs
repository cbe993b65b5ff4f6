//! The promises of [`Store`], one function each.

mod commits;
mod heads;
mod queries;
mod schemas;
mod sharing;

pub use commits::*;
pub use heads::*;
pub use queries::*;
pub use schemas::*;
pub use sharing::*;

use std::sync::{Arc, OnceLock};

use kernel::{EventMeta, Recorded, StreamId, Timestamp, sql};
use store::{Batch, Statement, Store};

use crate::Place;

/// An event as the runtime hands it over.
pub fn event(stream: &str, version: i64, data: &str) -> Recorded {
    Recorded {
        topic: "".into(),
        position: 0,
        prev: 0,
        partition: 0,
        stream: StreamId::from_name(stream),
        version,
        kind: "test.thing.done.v1".into(),
        data: data.into(),
        at: Timestamp(5),
        meta: EventMeta {
            correlation: "c-1".into(),
            causation: Some("x:1".into()),
            ..EventMeta::default()
        },
        typed: OnceLock::new(),
    }
}

pub fn events(all: impl IntoIterator<Item = Recorded>) -> Batch {
    Batch {
        events: all.into_iter().collect(),
        ..Batch::default()
    }
}

pub fn statements(all: impl IntoIterator<Item = Statement>) -> Batch {
    Batch {
        statements: all.into_iter().collect(),
        ..Batch::default()
    }
}

pub const NOTES: &[&str] =
    &["CREATE TABLE notes (id BIGINT PRIMARY KEY, text TEXT NOT NULL, raw BYTEA)"];

pub async fn with_notes(place: &impl Place) -> Arc<dyn Store> {
    let store = place.open().await;
    store.migrate("test", NOTES).await.expect("migrated");
    store
}

pub fn note(id: i64, text: &str) -> Statement {
    sql!("INSERT INTO notes (id, text) VALUES ($1, $2)", id, text)
}

pub async fn count(store: &dyn Store) -> i64 {
    number(store, sql!("SELECT count(*) FROM notes")).await
}

pub async fn number(store: &dyn Store, statement: Statement) -> i64 {
    let rows = store.query(vec![statement]).await.expect("a row");
    rows[0][0].get(0)
}

pub async fn log(store: &dyn Store) -> Vec<Recorded> {
    store
        .read_log(0, 10_000, usize::MAX)
        .await
        .expect("the log")
}

pub async fn head(store: &dyn Store) -> i64 {
    store.head().await.expect("the head").position
}
