//! The promises of [`Store`], one function each.

use std::sync::{Arc, OnceLock};

use kernel::{EventMeta, PARTITIONS, Recorded, StreamId, Timestamp, Value, partition_of, sql};
use store::{Batch, LoadStream, Statement, Store, StoreError, system};

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

fn events(all: impl IntoIterator<Item = Recorded>) -> Batch {
    Batch {
        events: all.into_iter().collect(),
        ..Batch::default()
    }
}

fn statements(all: impl IntoIterator<Item = Statement>) -> Batch {
    Batch {
        statements: all.into_iter().collect(),
        ..Batch::default()
    }
}

const NOTES: &[&str] =
    &["CREATE TABLE notes (id BIGINT PRIMARY KEY, text TEXT NOT NULL, raw BYTEA)"];

async fn with_notes(place: &impl Place) -> Arc<dyn Store> {
    let store = place.open().await;
    store.migrate("test", NOTES).await.expect("migrated");
    store
}

fn note(id: i64, text: &str) -> Statement {
    sql!("INSERT INTO notes (id, text) VALUES ($1, $2)", id, text)
}

async fn count(store: &dyn Store) -> i64 {
    number(store, sql!("SELECT count(*) FROM notes")).await
}

async fn number(store: &dyn Store, statement: Statement) -> i64 {
    let rows = store.query(vec![statement]).await.expect("a row");
    rows[0][0].get(0)
}

async fn log(store: &dyn Store) -> Vec<Recorded> {
    store
        .read_log(0, 10_000, usize::MAX)
        .await
        .expect("the log")
}

async fn head(store: &dyn Store) -> i64 {
    store.head().await.expect("the head").position
}

pub async fn positions_have_no_gaps_and_follow_the_order_of_commits(place: &impl Place) {
    let store = with_notes(place).await;
    let first = store
        .commit(events([event("a-1", 1, "1"), event("b-1", 1, "2")]))
        .await;
    let first = first.expect("committed").events;
    assert_eq!((first[0].position, first[1].position), (1, 2));
    // Neither a refused batch nor one without events takes a position.
    let refused = store
        .commit(events([event("c-1", 1, "x"), event("a-1", 1, "x")]))
        .await;
    assert_eq!(refused.expect_err("refused"), StoreError::Conflict);
    store
        .commit(statements([note(1, "x")]))
        .await
        .expect("committed");
    let next = store
        .commit(events([event("a-1", 2, "3")]))
        .await
        .expect("committed")
        .events;
    assert_eq!(next[0].position, 3);
    let positions: Vec<i64> = log(&*store).await.iter().map(|e| e.position).collect();
    assert_eq!(positions, [1, 2, 3]);
    assert_eq!(head(&*store).await, 3);
}

pub async fn each_partition_is_a_chain(place: &impl Place) {
    let store = place.open().await;
    for round in 1..=3 {
        let batch = (0..20).map(|n| event(&format!("s-{n}"), round, "{}"));
        let _ = store.commit(events([event("s-0", 9, "gap")])).await;
        store.commit(events(batch)).await.expect("committed");
    }
    let mut last = vec![0; usize::from(PARTITIONS)];
    for found in log(&*store).await {
        assert_eq!(found.partition, partition_of(found.stream.as_str()));
        let before = &mut last[usize::from(found.partition)];
        assert_eq!(found.prev, *before, "the chain broke at {}", found.position);
        *before = found.position;
    }
    assert!(
        last.iter().filter(|head| **head > 0).count() > 1,
        "all in one partition"
    );
}

pub async fn a_version_that_exists_is_a_conflict_and_writes_nothing(place: &impl Place) {
    let store = with_notes(place).await;
    store
        .commit(events([event("a-1", 1, "1")]))
        .await
        .expect("committed");
    let batch = Batch {
        statements: vec![note(1, "x")],
        ..events([event("b-1", 1, "x"), event("a-1", 1, "again")])
    };
    assert_eq!(
        store.commit(batch).await.expect_err("refused"),
        StoreError::Conflict
    );
    assert_eq!((count(&*store).await, log(&*store).await.len()), (0, 1));
}

pub async fn a_gap_below_a_version_is_a_conflict(place: &impl Place) {
    let store = place.open().await;
    let gap = store.commit(events([event("a-1", 2, "x")])).await;
    assert_eq!(gap.expect_err("refused"), StoreError::Conflict);
    store
        .commit(events([event("a-1", 1, "1"), event("a-1", 2, "2")]))
        .await
        .expect("committed");
    let gap = store.commit(events([event("a-1", 4, "x")])).await;
    assert_eq!(gap.expect_err("refused"), StoreError::Conflict);
    store
        .commit(events([event("a-1", 3, "3")]))
        .await
        .expect("committed");
}

pub async fn what_was_only_read_is_asserted_too(place: &impl Place) {
    let store = with_notes(place).await;
    store
        .commit(events([event("a-1", 1, "1")]))
        .await
        .expect("committed");
    let read_at = |version| Batch {
        asserted: vec![
            (StreamId::from_name("a-1"), version),
            (StreamId::from_name("b-1"), 0),
        ],
        ..statements([note(version, "x")])
    };
    assert_eq!(
        store.commit(read_at(0)).await.expect_err("refused"),
        StoreError::Conflict
    );
    assert_eq!(
        store.commit(read_at(2)).await.expect_err("refused"),
        StoreError::Conflict
    );
    assert_eq!(count(&*store).await, 0);
    store.commit(read_at(1)).await.expect("committed");
    assert_eq!(count(&*store).await, 1);
}

pub async fn a_statement_that_fails_undoes_everything(place: &impl Place) {
    let store = with_notes(place).await;
    let nothing: Option<&str> = None;
    let bad = sql!("INSERT INTO notes (id, text) VALUES (2, $1)", nothing);
    let broken: [Statement; 4] = [
        bad,
        sql!("INSERT INTO no_such_table (id) VALUES (1)"),
        sql!("INSERT INTO notes (id, text) VALUES ($1, $2)", 3),
        sql!(
            "INSERT INTO notes (id, text) VALUES ($1, $2)",
            "not a number",
            "x"
        ),
    ];
    for (n, bad) in broken.into_iter().enumerate() {
        let n = n as i64;
        let batch = Batch {
            statements: vec![note(1, "x"), bad, note(4, "y")],
            ..events([event("a-1", n + 1, "x"), event("b-1", n + 1, "x")])
        };
        let refused = store.commit(batch).await.expect_err("refused");
        assert!(matches!(refused, StoreError::Data(_)), "{refused:?}");
        assert_eq!((count(&*store).await, head(&*store).await), (0, n * 2));
        // The next commit is as if nothing had happened: positions, chains and versions.
        let next = events([event("a-1", n + 1, "ok"), event("b-1", n + 1, "ok")]);
        let next = store.commit(next).await.expect("committed").events;
        assert_eq!(next[0].position, n * 2 + 1);
        assert_eq!(
            next[0].prev,
            log(&*store)
                .await
                .iter()
                .rev()
                .skip(2)
                .find(|e| e.partition == next[0].partition)
                .map_or(0, |e| e.position)
        );
    }
}

pub async fn a_position_moves_only_from_where_it_is_and_in_its_epoch(place: &impl Place) {
    let store = with_notes(place).await;
    let create = (0..PARTITIONS).map(|p| system::create_position("sub", "t", p, 5));
    store.commit(statements(create)).await.expect("committed");
    let moved = |epoch, from, to| {
        statements([
            note(1, "effect"),
            system::move_positions("sub", "t", epoch, from, to),
        ])
    };
    for (epoch, from) in [(0, 4), (1, 5), (0, 6)] {
        let refused = store
            .commit(moved(epoch, from, 9))
            .await
            .expect_err("refused");
        assert!(matches!(refused, StoreError::Condition(_)), "{refused:?}");
    }
    assert_eq!(count(&*store).await, 0);
    store.commit(moved(0, 5, 9)).await.expect("committed");
    let rows = store
        .query(vec![system::positions("sub", "t")])
        .await
        .expect("rows");
    assert_eq!(rows[0].len(), usize::from(PARTITIONS));
    assert!(rows[0].iter().all(|row| row.get::<i64>(2) == 9));
    // Creating it again does not move it back.
    store
        .commit(statements([system::create_position("sub", "t", 0, 0)]))
        .await
        .expect("committed");
    assert_eq!(
        number(&*store, sql!("SELECT min(position) FROM positions")).await,
        9
    );
}

pub async fn a_query_cannot_write(place: &impl Place) {
    let store = with_notes(place).await;
    for write in [
        note(1, "x"),
        sql!("DELETE FROM notes"),
        sql!("DROP TABLE notes"),
    ] {
        let refused = store.query(vec![write]).await.expect_err("refused");
        assert!(matches!(refused, StoreError::Data(_)), "{refused:?}");
    }
    assert_eq!(count(&*store).await, 0);
}

pub async fn placeholders_are_bound_by_number(place: &impl Place) {
    let store = with_notes(place).await;
    let backwards = sql!("INSERT INTO notes (text, id) VALUES ($2, $1)", 7, "seven");
    store
        .commit(statements([backwards]))
        .await
        .expect("committed");
    let question = sql!(
        "SELECT text, $2, id FROM notes WHERE text = $3 AND id = $1",
        7,
        "two",
        "seven"
    );
    let rows = store.query(vec![question]).await.expect("rows");
    assert_eq!(
        rows[0][0].0,
        [Value::from("seven"), Value::from("two"), Value::Int(7)]
    );
}

pub async fn a_query_sees_one_moment(place: &impl Place) {
    let store = with_notes(place).await;
    let writing = async {
        for n in 0..200 {
            store
                .commit(statements([note(n, "x")]))
                .await
                .expect("committed");
        }
    };
    let reading = async {
        let question = || sql!("SELECT count(*) FROM notes");
        loop {
            let rows = store
                .query(vec![question(), question()])
                .await
                .expect("rows");
            let (first, second): (i64, i64) = (rows[0][0].get(0), rows[1][0].get(0));
            assert_eq!(first, second, "a query saw two moments");
            if first == 200 {
                return;
            }
        }
    };
    tokio::join!(writing, reading);
}

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

pub async fn streams_are_loaded_with_and_without_snapshots(place: &impl Place) {
    let store = place.open().await;
    let batch = Batch {
        statements: vec![system::save_snapshot("a-1", 2, 7, "{\"x\":1}".into())],
        ..events((1..=3).map(|n| event("a-1", n, &n.to_string())))
    };
    store.commit(batch).await.expect("committed");
    let load = |shape| {
        let streams = ["a-1", "b-1"].map(|name| LoadStream {
            stream: StreamId::from_name(name),
            shape,
        });
        store.load(streams.to_vec())
    };
    let whole = load(None).await.expect("loaded");
    assert_eq!(whole.len(), 2);
    assert_eq!(whole[0].stream.as_str(), "a-1");
    assert!(whole[0].snapshot.is_none());
    let data: Vec<&str> = whole[0]
        .events
        .iter()
        .map(|(_, data)| data.as_str())
        .collect();
    assert_eq!(data, ["1", "2", "3"]);
    assert!(whole[1].events.is_empty());
    let short = load(Some(7)).await.expect("loaded").remove(0);
    assert_eq!(short.snapshot, Some((2, "{\"x\":1}".into())));
    assert_eq!(
        short.events,
        [("test.thing.done.v1".to_owned(), "3".to_owned())]
    );
    let stale = load(Some(8)).await.expect("loaded").remove(0);
    assert!(
        stale.snapshot.is_none(),
        "a snapshot of another shape was used"
    );
    assert_eq!(stale.events.len(), 3);
}

pub async fn the_log_is_read_in_pieces(place: &impl Place) {
    let store = place.open().await;
    let data = "x".repeat(100);
    store
        .commit(events((1..=10).map(|n| event("a-1", n, &data))))
        .await
        .expect("committed");
    let read = |after, limit, bytes| store.read_log(after, limit, bytes);
    let by_count = read(2, 3, usize::MAX).await.expect("read");
    assert_eq!(
        by_count.iter().map(|e| e.position).collect::<Vec<_>>(),
        [3, 4, 5]
    );
    assert_eq!(
        read(0, 10, 250).await.expect("read").len(),
        3,
        "about so many bytes"
    );
    assert_eq!(
        read(0, 10, 0).await.expect("read").len(),
        1,
        "but at least one event"
    );
    assert!(read(10, 10, 1000).await.expect("read").is_empty());
    let found = &by_count[0];
    let expected = event("a-1", 3, &data);
    assert_eq!(
        (&found.kind, &found.data, &found.meta),
        (&expected.kind, &expected.data, &expected.meta)
    );
    assert_eq!((found.version, found.at), (3, Timestamp(5)));
    assert_eq!(&*found.topic, "test");
}

pub async fn everything_is_there_after_reopening(place: &impl Place) {
    let store = with_notes(place).await;
    let batch = Batch {
        statements: vec![note(1, "kept")],
        ..events([event("a-1", 1, "{}")])
    };
    store.commit(batch).await.expect("committed");
    let before = store.head().await.expect("the head");
    drop(store);
    let store = with_notes(place).await;
    assert_eq!(
        store.head().await.expect("the head"),
        before,
        "the incarnation changed"
    );
    assert_eq!(count(&*store).await, 1);
    let next = store
        .commit(events([event("a-1", 2, "{}")]))
        .await
        .expect("committed")
        .events;
    assert_eq!(
        (next[0].position, next[0].prev),
        (2, 1),
        "the chain forgot its head"
    );
    store.close().await;
    let store = place.open().await;
    assert_eq!(log(&*store).await.len(), 2);
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

pub async fn text_with_a_nul_is_refused(place: &impl Place) {
    let store = with_notes(place).await;
    let refused = store
        .commit(statements([note(1, "a\0b")]))
        .await
        .expect_err("refused");
    assert!(matches!(refused, StoreError::Data(_)), "{refused:?}");
    let question = sql!("SELECT count(*) FROM notes WHERE text = $1", "a\0b");
    assert!(matches!(
        store.query(vec![question]).await,
        Err(StoreError::Data(_))
    ));
    // A reason that holds one is parked all the same: parking must not fail.
    let park = system::park("s", "t", 1, "a-1", "k", "a\0b", Timestamp(0));
    store.commit(statements([park])).await.expect("committed");
}

pub async fn huge_and_odd_values_come_back_as_they_were(place: &impl Place) {
    let store = with_notes(place).await;
    let text = "ÅΩ😀'\";--$1 \u{1}\u{7f}".repeat(200_000);
    let raw: Vec<u8> = (0..=255u8).cycle().take(3_000_000).collect();
    for (id, value) in [(i64::MIN, text.as_str()), (i64::MAX, ""), (0, "$1 'x'")] {
        let raw = raw.clone();
        let insert = sql!(
            "INSERT INTO notes (id, text, raw) VALUES ($1, $2, $3)",
            id,
            value,
            raw
        );
        store.commit(statements([insert])).await.expect("committed");
    }
    let rows = store
        .query(vec![sql!("SELECT id, text, raw FROM notes ORDER BY id")])
        .await;
    let rows = rows.expect("rows").remove(0);
    assert_eq!((rows[0].get(0), rows[2].get(0)), (i64::MIN, i64::MAX));
    assert!(rows[0].get::<String>(1) == text && rows[2].get::<String>(1).is_empty());
    assert!(rows.iter().all(|row| row.get::<Vec<u8>>(2) == raw));
    let data = format!("\"{}\"", "y".repeat(5_000_000));
    store
        .commit(events([event("a-1", 1, &data)]))
        .await
        .expect("committed");
    assert!(*log(&*store).await[0].data == *data);
}

pub async fn a_closed_store_is_unavailable(place: &impl Place) {
    let store = with_notes(place).await;
    // What was handed over before is still written.
    let last = store.commit(statements([note(1, "last")]));
    let (written, ()) = tokio::join!(last, store.close());
    written.expect("committed");
    let late = store
        .commit(statements([note(2, "late")]))
        .await
        .expect_err("refused");
    assert!(matches!(late, StoreError::Unavailable(_)), "{late:?}");
    assert!(matches!(
        store.head().await,
        Err(StoreError::Unavailable(_))
    ));
    let store = place.open().await;
    assert_eq!(count(&*store).await, 1);
}

pub async fn scrubbing_keeps_what_is_there(place: &impl Place) {
    let store = with_notes(place).await;
    store
        .commit(statements([note(1, "x")]))
        .await
        .expect("committed");
    store.scrub().await.expect("scrubbed");
    assert_eq!(count(&*store).await, 1);
}

pub async fn writers_meet_in_one_order(place: &impl Place) {
    let store = place.open().await;
    let writers = (0..8).map(|n| {
        let store = store.clone();
        tokio::spawn(async move {
            for version in 1..=25 {
                let batch = events([event(&format!("w-{n}"), version, "{}")]);
                store.commit(batch).await.expect("committed");
            }
        })
    });
    for writer in writers.collect::<Vec<_>>() {
        writer.await.expect("a writer");
    }
    let found = log(&*store).await;
    assert!(
        found.iter().zip(1..).all(|(e, n)| e.position == n),
        "positions have gaps"
    );
    let mut versions = std::collections::HashMap::new();
    for event in &found {
        let last = versions.entry(event.stream.clone()).or_insert(0);
        assert_eq!(event.version, *last + 1);
        *last = event.version;
    }
    assert_eq!(found.len(), 200);
}
