//! How tables come, change and are replaced.

use kernel::sql;
use store::{Batch, StoreError, system};

use super::*;

pub async fn migrations_go_forward_and_never_change(place: &impl Place) {
    const TWO: &[&str] = &[
        NOTES[0],
        "CREATE TABLE more (id BIGINT PRIMARY KEY);\n-- why; indeed\nCREATE INDEX more_x ON more (id);",
    ];
    const CHANGED: &[&str] = &["CREATE TABLE notes (id BIGINT PRIMARY KEY)", TWO[1]];
    let store = with_notes(place).await;
    store
        .commit(statements([note(1, "kept")]))
        .await
        .expect("committed");
    store.migrate("test", TWO).await.expect("migrated");
    store.migrate("test", TWO).await.expect("nothing to do");
    store
        .commit(statements([sql!("INSERT INTO more (id) VALUES (1)")]))
        .await
        .expect("committed");
    assert_eq!(count(&*store).await, 1);
    let refused = store.migrate("test", CHANGED).await.expect_err("refused");
    assert!(
        matches!(&refused, StoreError::Data(text) if text.contains("migration 1")),
        "{refused:?}"
    );
    // Another owner's scripts are numbered on their own.
    store
        .migrate("other", &["CREATE TABLE third (id BIGINT PRIMARY KEY)"])
        .await
        .expect("migrated");
}

pub async fn a_migration_that_fails_leaves_nothing(place: &impl Place) {
    let store = place.open().await;
    let bad = &[
        "CREATE TABLE notes (id BIGINT PRIMARY KEY, text TEXT NOT NULL); CREATE TABLE notes (id BIGINT PRIMARY KEY);",
    ];
    assert!(store.migrate("test", bad).await.is_err());
    store
        .migrate("test", NOTES)
        .await
        .expect("the half of it is gone");
    assert_eq!(count(&*store).await, 0);
}

pub async fn tables_are_swapped_in_one_step(place: &impl Place) {
    let store = with_notes(place).await;
    store
        .commit(statements([note(1, "old")]))
        .await
        .expect("committed");
    let question = || sql!("SELECT * FROM notes");
    assert_eq!(
        store.query(vec![question()]).await.expect("rows")[0][0]
            .0
            .len(),
        3
    );
    let make =
        "CREATE TABLE notes__1 (id BIGINT PRIMARY KEY, text TEXT NOT NULL, raw BYTEA, more BIGINT)";
    store
        .define(make.into(), Batch::default())
        .await
        .expect("defined");
    let fill = sql!("INSERT INTO notes__1 (id, text, more) VALUES (2, 'new', 3)");
    store.commit(statements([fill])).await.expect("committed");
    let swap = "DROP TABLE notes; ALTER TABLE notes__1 RENAME TO notes;";
    let marked = statements([system::projection_live("notes", 2)]);
    let (swapped, ()) = tokio::join!(store.define(swap.into(), marked), async {
        // Somebody reads all the time: the table is never missing.
        for _ in 0..200 {
            let rows = store.query(vec![question()]).await.expect("a table");
            assert_eq!(rows[0].len(), 1);
        }
    });
    swapped.expect("swapped");
    let rows = store.query(vec![question()]).await.expect("rows").remove(0);
    assert_eq!(
        (rows[0].0.len(), rows[0].get::<String>(1)),
        (4, "new".into())
    );
    assert_eq!(
        number(&*store, system::projection_version("notes")).await,
        2
    );
    store
        .commit(statements([note(9, "x")]))
        .await
        .expect("statements find the new table");
}

pub async fn a_table_swap_that_fails_changes_nothing(place: &impl Place) {
    let store = with_notes(place).await;
    store
        .commit(statements([note(1, "old")]))
        .await
        .expect("committed");
    let swap = "DROP TABLE notes; ALTER TABLE no_such_table RENAME TO notes;";
    assert!(store.define(swap.into(), Batch::default()).await.is_err());
    assert_eq!(count(&*store).await, 1);
    let nothing: Option<i64> = None;
    let bad = statements([sql!("INSERT INTO notes (id, text) VALUES (5, $1)", nothing)]);
    assert!(
        store
            .define("CREATE TABLE half (id BIGINT PRIMARY KEY)".into(), bad)
            .await
            .is_err()
    );
    assert!(store.query(vec![sql!("SELECT * FROM half")]).await.is_err());
}
