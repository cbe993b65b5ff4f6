//! Holding the head of the log: what is read under it stays true until the commit.

use kernel::{StreamId, sql};
use store::{HeldHead, LoadStream, StoreError};

use super::*;

fn wanted(name: &str) -> Vec<LoadStream> {
    vec![LoadStream {
        stream: StreamId::from_name(name),
        shape: None,
    }]
}

async fn held(store: &dyn Store) -> Box<dyn HeldHead> {
    store.hold().await.expect("held")
}

pub async fn a_held_head_keeps_others_out_until_it_commits(place: &impl Place) {
    // Two instances of a service, each with its own connection to the same database.
    let (one, other) = (with_notes(place).await, with_notes(place).await);
    let first = events([event("a-1", 1, "1")]);
    one.commit(first).await.expect("committed");
    let mut head = held(&*one).await;
    let others: Vec<_> = [("b-1", one.clone()), ("c-1", other.clone())]
        .map(|(stream, store)| {
            tokio::spawn(async move { store.commit(events([event(stream, 1, "x")])).await })
        })
        .into();
    let seen = head.load(wanted("a-1")).await.expect("loaded");
    assert_eq!(seen[0].events.len(), 1);
    let writes = head.query(vec![note(1, "x")]).await;
    assert!(matches!(writes, Err(StoreError::Data(_))), "{writes:?}");
    let positions = || sql!("SELECT count(*) FROM events");
    // They had time to come, and did not.
    for _ in 0..200 {
        let rows = head.query(vec![positions()]).await.expect("a row");
        assert_eq!(rows[0][0].get::<i64>(0), 1);
    }
    let decided = Batch {
        statements: vec![note(2, "decided")],
        ..events([event("a-1", 2, "2")])
    };
    let written = head.commit(decided).await.expect("committed").events;
    assert_eq!((written[0].position, written[0].prev), (2, 1));
    for waited in others {
        waited.await.expect("no panic").expect("committed after it");
    }
    assert_eq!(log(&*other).await.len(), 4);
    let read = log(&*one).await;
    assert!(read.iter().zip(1..).all(|(e, n)| e.position == n));
    assert_eq!(read[1].stream.as_str(), "a-1");
    assert_eq!(count(&*other).await, 1);
}

pub async fn a_held_head_that_is_dropped_writes_nothing(place: &impl Place) {
    let store = with_notes(place).await;
    for _ in 0..3 {
        let mut head = held(&*store).await;
        head.load(wanted("a-1")).await.expect("loaded");
        drop(head);
    }
    drop(held(&*store).await);
    let next = events([event("a-1", 1, "1")]);
    let next = store.commit(next).await.expect("committed").events;
    assert_eq!(next[0].position, 1);
    // Nor does it when its holder was never heard of again.
    let unheard = store.hold();
    drop(unheard);
    assert_eq!(head(&*store).await, 1);
}

pub async fn a_held_head_asserts_versions_like_any_commit(place: &impl Place) {
    let store = with_notes(place).await;
    store
        .commit(events([event("a-1", 1, "1")]))
        .await
        .expect("committed");
    for (stream, version) in [("a-1", 1), ("a-1", 3), ("b-1", 2)] {
        let batch = Batch {
            statements: vec![note(1, "x")],
            ..events([event(stream, version, "x")])
        };
        let refused = held(&*store).await.commit(batch).await;
        assert_eq!(refused.expect_err("refused"), StoreError::Conflict);
    }
    let nothing: Option<&str> = None;
    let bad = statements([sql!("INSERT INTO notes (id, text) VALUES (2, $1)", nothing)]);
    let refused = held(&*store).await.commit(bad).await.expect_err("refused");
    assert!(matches!(refused, StoreError::Data(_)), "{refused:?}");
    assert_eq!((count(&*store).await, head(&*store).await), (0, 1));
    let good = events([event("a-1", 2, "2")]);
    held(&*store).await.commit(good).await.expect("committed");
    assert_eq!(head(&*store).await, 2);
}
