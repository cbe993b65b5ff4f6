//! What is PostgreSQL's own: several processes on one database, lost answers, servers that go away.

use std::{collections::HashSet, sync::Arc, time::Duration};

use kernel::{
    freshness::{self, Freshness},
    sql,
};
use store::{Batch, Store, StoreError, postgres::Config, postgres::PostgresStore};
use tokio::{sync::oneshot, time::timeout};

use crate::{
    Place,
    postgres::{Database, Server, open_at},
    proxy::{Mishap, Proxy},
    suite::{count, event, events, head, log, note, number, statements, with_notes},
};

const LONG: Duration = Duration::from_secs(60);

/// A store whose line can be cut, with a counter and one event in its log; and another one.
async fn cut_off() -> (Database, Proxy, PostgresStore) {
    let database = Database::new().await;
    let port = database.server.with(|postgres| postgres.port());
    let proxy = Proxy::start(port).await;
    let store = open_at(&proxy.url(&database.url)).await.expect("opens");
    let counter = &["CREATE TABLE counter (n BIGINT NOT NULL)"];
    store.migrate("test", counter).await.expect("migrated");
    let first = Batch {
        statements: vec![sql!("INSERT INTO counter (n) VALUES (0)")],
        ..events([event("a-1", 1, "1")])
    };
    store.commit(first).await.expect("committed");
    store.commit(raise()).await.expect("committed");
    (database, proxy, store)
}

/// Would count twice if it were written twice.
fn raise() -> Batch {
    statements([sql!("UPDATE counter SET n = n + 1")])
}

async fn counted(store: &dyn Store) -> i64 {
    number(store, sql!("SELECT n FROM counter")).await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_was_lost_is_found_out() {
    let (_database, proxy, store) = cut_off().await;
    proxy.arm(Mishap::AnswerLost);
    let batch = Batch {
        statements: raise().statements,
        ..events([
            event("a-1", 2, "2"),
            event("b-1", 1, "1"),
            event("a-1", 3, "3"),
        ])
    };
    let written = timeout(LONG, store.commit(batch)).await.expect("in time");
    let written = written.expect("committed").events;
    let found = log(&store).await;
    assert_eq!(found.len(), 4);
    for (answered, found) in written.iter().zip(&found[1..]) {
        assert_eq!(
            (
                answered.position,
                answered.prev,
                answered.partition,
                answered.version
            ),
            (found.position, found.prev, found.partition, found.version)
        );
        assert_eq!(*answered.topic, *found.topic);
    }
    assert_eq!(counted(&store).await, 2);
    proxy.arm(Mishap::AnswerLost);
    store.commit(raise()).await.expect("committed");
    assert_eq!(counted(&store).await, 3, "without events");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_did_not_reach_the_server_whole_is_sent_again() {
    let (_database, proxy, store) = cut_off().await;
    proxy.arm(Mishap::EndLost);
    let batch = Batch {
        statements: raise().statements,
        ..events([event("a-1", 2, "2")])
    };
    let written = timeout(LONG, store.commit(batch)).await.expect("in time");
    assert_eq!(written.expect("committed").events[0].position, 2);
    assert_eq!((counted(&store).await, head(&store).await), (2, 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_reaches_the_server_after_it_was_sent_again_is_not_written_twice() {
    let (_database, proxy, store) = cut_off().await;
    let (now, wait) = oneshot::channel();
    let (done, late) = oneshot::channel();
    proxy.arm(Mishap::Delayed(wait, done));
    let written = timeout(LONG, store.commit(raise())).await.expect("in time");
    written.expect("committed");
    assert_eq!(counted(&store).await, 2);
    now.send(()).expect("told");
    timeout(LONG, late)
        .await
        .expect("in time")
        .expect("answered");
    assert_eq!(counted(&store).await, 2);
    store.commit(raise()).await.expect("committed");
    assert_eq!(counted(&store).await, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_answer_to_a_held_commit_is_found_out_and_a_lost_question_is_a_conflict() {
    let (_database, proxy, store) = cut_off().await;
    proxy.arm(Mishap::AnswerLost);
    let head = store.hold().await.expect("held");
    let answer = timeout(LONG, head.commit(raise())).await.expect("in time");
    answer.expect("committed");
    assert_eq!(counted(&store).await, 2);
    proxy.arm(Mishap::EndLost);
    let head = store.hold().await.expect("held");
    let answer = timeout(LONG, head.commit(raise())).await.expect("in time");
    assert_eq!(answer.expect_err("refused"), StoreError::Conflict);
    assert_eq!(counted(&store).await, 2);
    store.commit(raise()).await.expect("committed");
    assert_eq!(counted(&store).await, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_holder_that_does_nothing_loses_the_head() {
    let database = Database::new().await;
    let (one, other) = (with_notes(&database).await, with_notes(&database).await);
    let held = one.hold().await.expect("held");
    let waited = timeout(LONG, other.commit(statements([note(1, "other")]))).await;
    waited.expect("in time").expect("committed");
    let late = held.commit(statements([note(2, "late")])).await;
    assert_eq!(late.expect_err("refused"), StoreError::Conflict);
    assert_eq!(count(&*other).await, 1);
    one.commit(statements([note(3, "next")]))
        .await
        .expect("committed");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_of_two_that_read_the_same_version_wins() {
    let database = Database::new().await;
    let stores = [database.open().await, database.open().await];
    for version in 1..=30 {
        let commits = stores.clone().map(|store| {
            tokio::spawn(async move { store.commit(events([event("a-1", version, "x")])).await })
        });
        let mut won = 0;
        for commit in commits {
            match commit.await.expect("no panic") {
                Ok(_) => won += 1,
                Err(error) => assert_eq!(error, StoreError::Conflict),
            }
        }
        assert_eq!(won, 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn several_processes_may_make_the_database_at_once() {
    for _ in 0..3 {
        let database = Database::new().await;
        let opening = [(); 4].map(|()| {
            let url = database.url.clone();
            tokio::spawn(async move {
                let store = open_at(&url).await?;
                store.migrate("test", crate::suite::NOTES).await?;
                store.commit(Batch::default()).await?;
                Ok::<_, StoreError>(store.head().await?.incarnation)
            })
        });
        for opened in opening {
            let incarnation = opened.await.expect("no panic").expect("opens");
            assert_eq!(incarnation, "first");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_tails_three_writers_misses_nothing() {
    let database = Database::new().await;
    let reader = database.open().await;
    let mut writers = Vec::new();
    for n in 0..3 {
        let store = database.open().await;
        writers.push(tokio::spawn(async move {
            for version in 1..=100 {
                let batch = (0..3).map(|s| event(&format!("w-{n}-{s}"), version, "{}"));
                store.commit(events(batch)).await.expect("committed");
            }
        }));
    }
    let mut after = 0;
    while after < 900 {
        let read = timeout(LONG, reader.read_log(after, 50, usize::MAX)).await;
        for found in read.expect("in time").expect("read") {
            assert_eq!(found.position, after + 1, "the reader missed one");
            after = found.position;
        }
    }
    for writer in writers {
        writer.await.expect("a writer");
    }
    let heads = sql!(
        "SELECT count(*) FROM log_partitions p WHERE head <> (SELECT max(position) FROM events e WHERE e.partition = p.partition)"
    );
    assert_eq!(number(&*reader, heads).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_away_is_unavailable_and_then_everything_goes_on() {
    let server = Arc::new(blocking(Server::start).await);
    let database = Database::on(server.clone());
    let store = with_notes(&database).await;
    store
        .commit(statements([note(1, "x")]))
        .await
        .expect("committed");
    assert_eq!(count(&*store).await, 1);
    kill(&server).await;
    let held = timeout(LONG, store.hold()).await.expect("in time");
    assert!(matches!(held.map(|_| ()), Err(StoreError::Unavailable(_))));
    let (refused, unread) = tokio::join!(
        store.commit(statements([note(2, "x")])),
        store.query(vec![sql!("SELECT 1")])
    );
    assert!(
        matches!(refused, Err(StoreError::Unavailable(_))),
        "{refused:?}"
    );
    assert!(
        matches!(unread, Err(StoreError::Unavailable(_))),
        "{unread:?}"
    );
    start_again(&server).await;
    let commit = timeout(LONG, store.commit(statements([note(2, "x")]))).await;
    commit.expect("in time").expect("committed");
    assert_eq!(count(&*store).await, 2);
    // Killed in the middle of something: whatever is answered is true.
    for round in 3..6 {
        let writing = store.clone();
        let commit =
            tokio::spawn(async move { writing.commit(statements([note(round, "x")])).await });
        kill(&server).await;
        start_again(&server).await;
        let answer = timeout(LONG, commit)
            .await
            .expect("in time")
            .expect("no panic");
        let one = number(
            &*store,
            sql!("SELECT count(*) FROM notes WHERE id = $1", round),
        )
        .await;
        assert_eq!(one == 1, answer.is_ok(), "{answer:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_standby_that_takes_over_is_found_and_has_everything() {
    let primary = Arc::new(blocking(Server::start).await);
    let folder = tempfile::tempdir().expect("a folder");
    let (of, path) = (primary.clone(), folder.path().join("standby"));
    let standby = blocking(move || of.with(|of| scratch::Postgres::standby_of(of, &path, true)));
    let standby = Arc::new(standby.await.expect("a standby"));
    let ports = [primary.with(|p| p.port()), standby.port()];
    // The standby first: that it takes no writes must not be the end.
    let url = format!(
        "postgres://postgres@127.0.0.1:{},127.0.0.1:{}/test",
        ports[1], ports[0]
    );
    let store = Arc::new(open_at(&url).await.expect("opens"));
    store
        .commit(events([event("a-0", 1, "{}")]))
        .await
        .expect("committed");
    let writing = store.clone();
    let (reached, mut progress) = tokio::sync::watch::channel(0);
    let writer = tokio::spawn(async move {
        let mut acknowledged = HashSet::new();
        let mut after_failover = 0;
        for n in 1.. {
            let stream = format!("w-{n}");
            match writing.commit(events([event(&stream, 1, "{}")])).await {
                Ok(_) => drop(acknowledged.insert(stream)),
                Err(StoreError::Unavailable(_)) => {}
                Err(error) => panic!("{error}"),
            }
            reached.send_replace(acknowledged.len());
            after_failover += usize::from(reached.receiver_count() == 1);
            if after_failover > 50 {
                break;
            }
        }
        acknowledged
    });
    progress.wait_for(|n| *n > 50).await.expect("it writes");
    let failed_over = progress.clone();
    kill(&primary).await;
    let promoted = standby.clone();
    blocking(move || promoted.promote().expect("promoted")).await;
    let alone = "ALTER SYSTEM RESET synchronous_standby_names";
    let free = standby.clone();
    blocking(move || {
        free.sql("postgres", alone).expect("set");
        free.sql("postgres", "SELECT pg_reload_conf()")
            .expect("read");
    })
    .await;
    drop(failed_over);
    let acknowledged = timeout(LONG, writer)
        .await
        .expect("in time")
        .expect("no panic");
    let found: HashSet<String> = log(&*store)
        .await
        .iter()
        .map(|event| event.stream.as_str().to_owned())
        .collect();
    let lost: Vec<_> = acknowledged.difference(&found).collect();
    assert!(lost.is_empty(), "acknowledged and lost: {lost:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_that_may_not_make_the_database_is_told_so() {
    let database = Database::new().await;
    let server = database.server.clone();
    blocking(move || {
        server.with(|postgres| postgres.sql("postgres", "CREATE ROLE nobody_special LOGIN"))
    })
    .await
    .expect("a role");
    let url = database.url.replace("postgres@", "nobody_special@");
    let config = Config {
        url,
        topic: "test",
        readers: 1,
    };
    let refused = PostgresStore::open(config, "first").await.map(|_| ());
    let Err(StoreError::Unavailable(text)) = refused else {
        panic!("{refused:?}");
    };
    assert!(text.contains("cannot be made"), "{text}");
}

async fn kill(server: &Arc<Server>) {
    let server = server.clone();
    blocking(move || server.with(|postgres| postgres.kill().expect("killed"))).await;
}

async fn start_again(server: &Arc<Server>) {
    let server = server.clone();
    blocking(move || server.with(|postgres| postgres.start_again().expect("starts"))).await;
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    tokio::task::spawn_blocking(work).await.expect("no panic")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_that_is_behind_is_asked_only_by_those_who_know_no_better() {
    let primary = Arc::new(blocking(Server::start).await);
    let folder = tempfile::tempdir().expect("a folder");
    let (of, path) = (primary.clone(), folder.path().join("standby"));
    let standby = blocking(move || of.with(|of| scratch::Postgres::standby_of(of, &path, false)));
    let standby = Arc::new(standby.await.expect("a standby"));
    let url = format!(
        "{}?replicas=127.0.0.1:{}",
        primary.url("test"),
        standby.port()
    );
    let store = Arc::new(open_at(&url).await.expect("opens"));
    store
        .migrate("test", crate::suite::NOTES)
        .await
        .expect("migrated");
    let write = |n| Batch {
        statements: vec![note(n, "x")],
        ..events([event("a-1", n, "{}")])
    };
    store.commit(write(1)).await.expect("committed");
    let asked = standby.clone();
    let replayed = move || {
        asked
            .sql("test", "SELECT count(*) FROM notes")
            .unwrap_or_default()
    };
    let caught_up = async {
        while blocking(replayed.clone()).await != "1" {
            tokio::task::yield_now().await;
        }
    };
    timeout(LONG, caught_up).await.expect("it follows");
    let pause = standby.clone();
    blocking(move || {
        pause
            .sql("test", "SELECT pg_wal_replay_pause()")
            .expect("paused")
    })
    .await;

    // Another process: it has written nothing, so only what its callers know counts.
    let other = open_at(&url).await.expect("opens");
    store.commit(write(2)).await.expect("committed");
    let counted = async |store: &dyn Store, token: &str| {
        let fresh = Arc::new(Freshness::from_token(token));
        let found = freshness::with(fresh.clone(), count(store)).await;
        (found, fresh.to_string())
    };
    assert_eq!(
        counted(&other, "").await,
        (1, "test:1".into()),
        "the copy is not asked"
    );
    assert_eq!(counted(&other, "test:1").await, (1, "test:1".into()));
    assert_eq!(counted(&other, "test:2").await, (2, "test:2".into()));
    assert_eq!(
        counted(&*store, "").await,
        (2, "test:2".into()),
        "its own writing"
    );
    assert_eq!(count(&other).await, 2, "who says nothing gets the truth");

    let silent = Arc::new(Freshness::default());
    let found = freshness::with(silent.clone(), count(&other)).await;
    assert_eq!((found, silent.to_string()), (2, "test:2".into()));

    let resume = standby.clone();
    blocking(move || {
        resume
            .sql("test", "SELECT pg_wal_replay_resume()")
            .expect("goes on")
    })
    .await;
    let caught_up = async {
        while counted(&other, "").await.0 != 2 {
            tokio::task::yield_now().await;
        }
    };
    timeout(LONG, caught_up).await.expect("it follows");
    // Without the copy, everything is answered all the same.
    drop(standby);
    assert_eq!(counted(&other, "").await.0, 2);
}
