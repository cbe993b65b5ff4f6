//! What is read, and how values travel.

use kernel::{StreamId, Timestamp, Value, sql};
use store::{Batch, LoadStream, StoreError, system};

use super::*;

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

pub async fn sums_and_minima_are_numbers(place: &impl Place) {
    let store = with_notes(place).await;
    let question = || {
        sql!(
            "SELECT sum(id), min(id), count(*), max(text), $1, sum(id) * $1 FROM notes",
            3
        )
    };
    let empty = store
        .query(vec![question()])
        .await
        .expect("a row")
        .remove(0);
    assert_eq!(empty[0].get::<Option<i64>>(0), None);
    let notes = [note(1 << 40, "a"), note(2, "b"), note(-1, "c")];
    store.commit(statements(notes)).await.expect("committed");
    let found = store
        .query(vec![question()])
        .await
        .expect("a row")
        .remove(0);
    let sum = (1i64 << 40) + 1;
    assert_eq!(
        found[0].0,
        [
            Value::Int(sum),
            Value::Int(-1),
            Value::Int(3),
            Value::from("c"),
            Value::Int(3),
            Value::Int(sum * 3)
        ]
    );
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
