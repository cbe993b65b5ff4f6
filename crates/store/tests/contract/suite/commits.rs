//! What a commit writes, and what it must not.

use kernel::{PARTITIONS, StreamId, partition_of, sql};
use store::{Batch, Statement, StoreError, system};

use super::*;

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
