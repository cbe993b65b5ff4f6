//! What several instances over one database rest on: conditions that fail when they do not hold,
//! and write nothing when they do.

use kernel::{Timer, Timestamp};
use store::{StoreError, sharing, system};

use super::*;

async fn refused(store: &dyn Store, statement: Statement) {
    let batch = statements([note(99, "never"), statement]);
    let answer = store.commit(batch).await.map(drop);
    assert!(
        matches!(answer, Err(StoreError::Condition(_))),
        "{answer:?}"
    );
    assert_eq!(count(store).await, 0);
}

async fn holds(store: &dyn Store, all: impl IntoIterator<Item = Statement>) {
    let done = store.commit(statements(all)).await;
    done.unwrap_or_else(|error| panic!("{error}"));
}

async fn rows_of_positions(store: &dyn Store) -> i64 {
    number(store, sql!("SELECT count(*) FROM positions")).await
}

pub async fn a_lease_is_taken_once_and_from_whom_it_was_seen_with(place: &impl Place) {
    let store = &*with_notes(place).await;
    let lease = |name: &str| sharing::create_lease(name);
    holds(store, [lease("timers"), lease("timers"), lease("relay")]).await;
    refused(store, sharing::assert_lease("timers", "a#1")).await;
    holds(store, sharing::take_lease("timers", "a#1", "", 0)).await;
    holds(store, [sharing::assert_lease("timers", "a#1")]).await;
    // Somebody who saw it free comes too late, and so does who saw an older epoch.
    refused(
        store,
        sharing::take_lease("timers", "b#1", "", 0)[0].clone(),
    )
    .await;
    refused(
        store,
        sharing::take_lease("timers", "b#1", "a#1", 0)[0].clone(),
    )
    .await;
    holds(store, sharing::take_lease("timers", "b#1", "a#1", 1)).await;
    refused(store, sharing::assert_lease("timers", "a#1")).await;
    // Giving back what is another's by now does nothing.
    holds(
        store,
        [
            sharing::release_lease("timers", "a#1"),
            sharing::renew_lease("timers", "b#1"),
        ],
    )
    .await;
    let found = store.query(vec![sharing::leases()]).await.expect("leases");
    let mut found: Vec<(String, String, i64)> = found[0]
        .iter()
        .map(|row| (row.get(0), row.get(1), row.get(2)))
        .collect();
    found.sort();
    let expected = [("relay", "", 0), ("timers", "b#1", 3)];
    assert_eq!(
        found,
        expected.map(|(n, h, e)| (n.to_owned(), h.to_owned(), e))
    );
    assert_eq!(rows_of_positions(store).await, 0);
}

pub async fn positions_move_under_their_leases_only(place: &impl Place) {
    let store = &*with_notes(place).await;
    for partition in 0..8 {
        let name = format!("partition:{partition}");
        holds(
            store,
            [
                system::create_position("s", "t", partition, 0),
                sharing::create_lease(&name),
            ],
        )
        .await;
        let holder = if partition < 4 { "a#1" } else { "b#1" };
        holds(store, sharing::take_lease(&name, holder, "", 0)).await;
    }
    let moved = |mask, token, from, to| sharing::move_partitions("s", "t", mask, token, from, to);
    holds(store, [moved(0b1111, "a#1", 0, 10)]).await;
    // Not where it thinks; not its own; one of them not its own; held by who had the slot before.
    refused(store, moved(0b1111, "a#1", 0, 20)).await;
    refused(store, moved(0b1111, "b#1", 10, 20)).await;
    refused(store, moved(0b11111, "a#1", 10, 20)).await;
    refused(store, moved(0b10_0000, "a#1", 0, 20)).await;
    refused(store, moved(0b1111, "a#2", 10, 20)).await;
    holds(
        store,
        [
            moved(0b1111_0000, "b#1", 0, 5),
            moved(0b0011, "a#1", 10, 12),
        ],
    )
    .await;
    let found = store
        .query(vec![sharing::all_positions("s")])
        .await
        .expect("positions");
    let mut found: Vec<(i64, i64)> = found[0]
        .iter()
        .map(|row| (row.get(1), row.get(2)))
        .collect();
    found.sort_unstable();
    assert_eq!(
        found,
        (0..8).zip([12, 12, 10, 10, 5, 5, 5, 5]).collect::<Vec<_>>()
    );
    assert_eq!(number(store, sharing::furthest("t")).await, 12);
    // An exclusive subscription's under its one lease, and a sole owner's under none.
    holds(store, [sharing::create_lease("subscription:s")]).await;
    holds(store, sharing::take_lease("subscription:s", "c#1", "", 0)).await;
    let lease = |token| ("subscription:s", token);
    refused(
        store,
        sharing::move_exclusive("s", "t", 0b11, lease("a#1"), 12, 13),
    )
    .await;
    refused(
        store,
        sharing::move_exclusive("s", "t", 0xff, lease("c#1"), 12, 13),
    )
    .await;
    holds(
        store,
        [sharing::move_exclusive(
            "s",
            "t",
            0b11,
            lease("c#1"),
            12,
            13,
        )],
    )
    .await;
    refused(store, sharing::move_alone("s", "t", 0b11, 12, 14)).await;
    holds(store, [sharing::move_alone("s", "t", 0b11, 13, 14)]).await;
    assert_eq!(number(store, sharing::furthest("t")).await, 14);
}

pub async fn other_conditions_fail_when_they_do_not_hold(place: &impl Place) {
    let store = &*with_notes(place).await;
    let timer = |due| Timer {
        key: "k".into(),
        due: Timestamp(due),
        kind: "kind".into(),
        data: "{}".into(),
    };
    holds(
        store,
        [
            sharing::create_lease("timers"),
            system::set_timer(&timer(7)),
        ],
    )
    .await;
    refused(store, sharing::assert_timer(&timer(7), "a#1")).await;
    holds(store, sharing::take_lease("timers", "a#1", "", 0)).await;
    holds(store, [sharing::assert_timer(&timer(7), "a#1")]).await;
    refused(store, sharing::assert_timer(&timer(8), "a#1")).await;
    holds(store, [system::delete_timer("k")]).await;
    refused(store, sharing::assert_timer(&timer(7), "a#1")).await;

    refused(store, sharing::assert_letter("s", "t", 3)).await;
    let park = system::park("s", "t", 3, "a-1", "kind", "why", Timestamp(1));
    holds(store, [park, sharing::assert_letter("s", "t", 3)]).await;
    let letters = store
        .query(vec![sharing::letters("s")])
        .await
        .expect("letters");
    assert_eq!(
        (letters[0][0].get::<String>(0), letters[0][0].get::<i64>(1)),
        ("t".into(), 3)
    );

    refused(store, sharing::assert_projection("p", 1)).await;
    holds(
        store,
        [
            system::projection_live("p", 1),
            sharing::assert_projection("p", 1),
        ],
    )
    .await;
    refused(store, sharing::assert_projection("p", 2)).await;

    holds(store, [sharing::assert_head(0)]).await;
    store
        .commit(events([event("a-1", 1, "1"), event("a-1", 2, "2")]))
        .await
        .expect("committed");
    refused(store, sharing::assert_head(1)).await;
    holds(store, [sharing::assert_head(2)]).await;

    for partition in 0..8 {
        holds(store, [system::create_position("s", "t", partition, 5)]).await;
    }
    holds(store, [sharing::assert_applied("s", 40, 1)]).await;
    refused(store, sharing::assert_applied("s", 41, 1)).await;
    refused(store, sharing::assert_applied("s", 40, 0)).await;
    holds(store, [sharing::assert_applied("nobody", 0, 0)]).await;
    assert_eq!(rows_of_positions(store).await, 8);

    let newer = store
        .query(vec![sharing::newer_events("a-1", 1)])
        .await
        .expect("events");
    assert_eq!((newer[0].len(), newer[0][0].get::<i64>(0)), (1, 2));
    holds(
        store,
        [
            sharing::see_incarnation("t", "one"),
            sharing::see_incarnation("t", "two"),
        ],
    )
    .await;
    let seen = store
        .query(vec![sharing::seen_incarnation("t")])
        .await
        .expect("a row");
    assert_eq!(seen[0][0].get::<String>(0), "two");
}

pub async fn instances_come_beat_and_go(place: &impl Place) {
    let store = &*with_notes(place).await;
    holds(
        store,
        [
            sharing::arrive("1", "a"),
            sharing::arrive("1", "a"),
            sharing::arrive("2", "b"),
        ],
    )
    .await;
    holds(
        store,
        [
            sharing::beat("1"),
            sharing::beat("1"),
            sharing::beat("nobody"),
        ],
    )
    .await;
    let there = || async {
        let found = store.query(vec![sharing::instances()]).await.expect("rows");
        let mut found: Vec<(String, i64)> = found[0].iter().map(|r| (r.get(0), r.get(2))).collect();
        found.sort();
        found
    };
    assert_eq!(there().await, [("1".to_owned(), 2), ("2".to_owned(), 0)]);
    // Only who gave no sign of life since is buried.
    holds(store, [sharing::bury("1", 1), sharing::bury("2", 0)]).await;
    assert_eq!(there().await, [("1".to_owned(), 2)]);
    holds(
        store,
        [sharing::arrive("3", "a"), sharing::supersede("3", "a")],
    )
    .await;
    assert_eq!(there().await, [("3".to_owned(), 0)]);
    holds(store, [sharing::depart("3")]).await;
    assert!(there().await.is_empty());
}

/// Deciding again finds the other's answer.
pub async fn a_request_answered_elsewhere_is_a_conflict(place: &impl Place) {
    let store = &*with_notes(place).await;
    let answered = || system::remember_answer("scope", "body", vec![1], Timestamp(9));
    holds(store, [answered()]).await;
    let again = store.commit(statements([answered()])).await.map(drop);
    assert_eq!(again, Err(StoreError::Conflict));
}
