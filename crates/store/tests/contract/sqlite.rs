//! The SQLite adapter under the suite, and what is its own: a full disk, a file it may not write,
//! one that is no database, and what stays on disk.

use std::sync::Arc;

use kernel::{BoxFuture, sql};
use store::{
    Batch, Statement, Store, StoreError,
    sqlite::{Config, SqliteStore},
};

use crate::{Place, suite::event};

/// A folder with one SQLite file.
pub struct Folder(tempfile::TempDir);

impl Default for Folder {
    fn default() -> Self {
        Self(tempfile::tempdir().expect("a folder"))
    }
}

impl Folder {
    fn path(&self) -> std::path::PathBuf {
        self.0.path().join("test.db")
    }

    fn try_open(&self) -> Result<SqliteStore, StoreError> {
        let config = Config {
            path: self.path(),
            topic: "test",
            readers: 2,
        };
        SqliteStore::open(config, "first")
    }
}

impl Place for Folder {
    fn open(&self) -> BoxFuture<'_, Arc<dyn Store>> {
        Box::pin(async { Arc::new(self.try_open().expect("opens")) as Arc<dyn Store> })
    }
}

fn write(statement: Statement) -> Batch {
    Batch {
        statements: vec![statement],
        ..Batch::default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_is_unavailable_until_there_is_room() {
    let folder = Folder::default();
    let store = folder.open().await;
    let table = &["CREATE TABLE notes (id BIGINT PRIMARY KEY, text TEXT NOT NULL)"];
    store.migrate("test", table).await.expect("migrated");
    store
        .commit(write(sql!("INSERT INTO notes VALUES (1, 'kept')")))
        .await
        .expect("committed");
    let pages = store
        .query(vec![sql!("PRAGMA page_count")])
        .await
        .expect("a number");
    let full = format!("PRAGMA max_page_count = {}", pages[0][0].get::<i64>(0) + 2);
    store
        .define(full, Batch::default())
        .await
        .expect("the disk is small now");
    let big = "x".repeat(100_000);
    let batch = || Batch {
        events: vec![event("a-1", 1, "{}")],
        ..write(sql!("INSERT INTO notes VALUES (2, $1)", big.as_str()))
    };
    let refused = store.commit(batch()).await.expect_err("refused");
    assert!(matches!(refused, StoreError::Unavailable(_)), "{refused:?}");
    assert_eq!(store.head().await.expect("the head").position, 0);
    // What fits is still taken, and what did not is taken once there is room.
    store
        .commit(write(sql!("INSERT INTO notes VALUES (3, 'small')")))
        .await
        .expect("committed");
    store
        .define("PRAGMA max_page_count = 1000000".into(), Batch::default())
        .await
        .expect("room");
    let taken = store.commit(batch()).await.expect("committed").events;
    assert_eq!((taken[0].position, taken[0].prev), (1, 0));
    let count = store
        .query(vec![sql!("SELECT count(*) FROM notes")])
        .await
        .expect("a number");
    assert_eq!(count[0][0].get::<i64>(0), 3);
}

#[test]
fn a_file_that_is_no_database_or_a_missing_folder_is_unavailable() {
    let folder = Folder::default();
    std::fs::write(
        folder.path(),
        "this is not a database, but it is long enough to be read",
    )
    .expect("written");
    let refused = folder.try_open().map(drop).expect_err("refused");
    assert!(matches!(refused, StoreError::Unavailable(_)), "{refused:?}");
    let nowhere = Config {
        path: folder.path().join("missing").join("test.db"),
        topic: "test",
        readers: 1,
    };
    let refused = SqliteStore::open(nowhere, "first")
        .map(drop)
        .expect_err("refused");
    assert!(matches!(refused, StoreError::Unavailable(_)), "{refused:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn another_process_that_holds_the_file_is_waited_for_and_then_reported() {
    let folder = Folder::default();
    let store = folder.open().await;
    let other = rusqlite::Connection::open(folder.path()).expect("opens");
    other.execute_batch("BEGIN IMMEDIATE").expect("held");
    let batch = || Batch {
        events: vec![event("a-1", 1, "{}")],
        ..Batch::default()
    };
    let refused = store.commit(batch()).await.expect_err("refused");
    assert!(matches!(refused, StoreError::Unavailable(_)), "{refused:?}");
    other.execute_batch("ROLLBACK").expect("free again");
    store.commit(batch()).await.expect("committed");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_deleted_is_in_no_file_after_scrubbing() {
    let folder = Folder::default();
    let store = folder.open().await;
    let table = &["CREATE TABLE notes (id BIGINT PRIMARY KEY, text TEXT NOT NULL)"];
    store.migrate("test", table).await.expect("migrated");
    let secret = "a sentence that must not stay";
    store
        .commit(write(sql!("INSERT INTO notes VALUES (1, $1)", secret)))
        .await
        .expect("committed");
    let on_disk = || {
        let files = std::fs::read_dir(folder.0.path()).expect("a folder");
        let mut found =
            files.map(|file| std::fs::read(file.expect("a file").path()).expect("bytes"));
        found.any(|bytes| bytes.windows(secret.len()).any(|w| w == secret.as_bytes()))
    };
    assert!(on_disk());
    store
        .commit(write(sql!("DELETE FROM notes")))
        .await
        .expect("committed");
    store.scrub().await.expect("scrubbed");
    assert!(!on_disk());
}
