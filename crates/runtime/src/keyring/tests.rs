//! What both key rings must hold to, and what is the shared one's own.

use std::{sync::Arc, time::Duration};

use kernel::{KeyRing as _, PersonId};
use scratch::{Postgres, PostgresOptions};
use tokio::time::timeout;

use super::{PostgresKeyRing, SqliteKeyRing};
use crate::{KeyVault, RandomIds, plan::records_owner};

const LONG: Duration = Duration::from_secs(60);

fn person(name: &str) -> PersonId {
    format!("per_{name}").parse().expect("an id")
}

/// A server, and the folder it is in.
struct Server {
    postgres: Postgres,
    folder: tempfile::TempDir,
}

impl Server {
    async fn start() -> Self {
        let start = || {
            let folder = tempfile::tempdir().expect("a folder");
            let options = PostgresOptions {
                fsync: false,
                ..PostgresOptions::default()
            };
            let postgres = Postgres::start(&folder.path().join("postgres"), options);
            Self {
                postgres: postgres.expect("PostgreSQL starts"),
                folder,
            }
        };
        tokio::task::spawn_blocking(start).await.expect("a server")
    }

    async fn shared(&self) -> Arc<PostgresKeyRing> {
        let url = self.postgres.url("souk_keyring");
        let ring = PostgresKeyRing::open(&url, Arc::new(RandomIds)).await;
        Arc::new(ring.expect("opens"))
    }

    fn alone(&self) -> Arc<SqliteKeyRing> {
        let path = self.folder.path().join("keyring.db");
        Arc::new(SqliteKeyRing::open(&path, Arc::new(RandomIds)).expect("opens"))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_sealed_is_opened_by_the_same_person_until_they_are_erased() {
    let server = Server::start().await;
    for shared in [false, true] {
        let open = async || -> Arc<dyn KeyVault> {
            match shared {
                true => server.shared().await as Arc<dyn KeyVault>,
                false => server.alone(),
            }
        };
        let ring = open().await;
        let (ann, bob) = (person("a"), person("b"));
        let sealed = ring.seal(&ann, b"ann@example.org").expect("seals");
        let hash = ring.blind("email", "ann@example.org");
        assert!(ring.has_pending());
        ring.clone().persist().await.expect("durable");
        assert!(!ring.has_pending());
        drop(ring);

        let ring = open().await;
        let opened = ring.open(&ann, &sealed).expect("opens");
        assert_eq!(opened.as_deref(), Some(&b"ann@example.org"[..]));
        assert_eq!(ring.blind("email", "ann@example.org"), hash);
        ring.seal(&bob, b"x").expect("seals");
        assert!(ring.open(&bob, &sealed).is_err(), "another person's key");
        let before = ring.erasures();
        ring.clone().erase(ann.clone()).await.expect("erases");
        assert!(ring.erasures() > before);
        assert_eq!(ring.open(&ann, &sealed).expect("answers"), None);
        assert!(ring.seal(&ann, b"again").is_err(), "a new key");
        ring.clone().erase(ann.clone()).await.expect("again");
        ring.clone()
            .prefetch(vec![ann.clone(), bob])
            .await
            .expect("fetched");
        drop(ring);
        assert_eq!(open().await.open(&ann, &sealed).expect("answers"), None);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_processes_that_make_a_key_at_once_end_with_one() {
    let server = Server::start().await;
    let (one, other) = (server.shared().await, server.shared().await);
    let ann = person("a");
    let (first, second) = (one.seal(&ann, b"1"), other.seal(&ann, b"2"));
    one.clone().persist().await.expect("durable");
    let before = other.lapses();
    other.clone().persist().await.expect_err("void");
    assert_eq!(other.lapses().replaced, before.replaced + 1);
    assert!(!other.has_pending());
    assert!(one.open(&ann, &second.expect("sealed")).is_err());
    let again = other.seal(&ann, b"3").expect("sealed");
    assert!(!other.has_pending(), "it made another key");
    for ring in [&one, &other] {
        let opened = ring
            .open(&ann, first.as_ref().expect("sealed"))
            .expect("opens");
        assert_eq!(opened.as_deref(), Some(&b"1"[..]));
        assert_eq!(
            ring.open(&ann, &again).expect("opens").as_deref(),
            Some(&b"3"[..])
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_erasure_is_seen_by_other_processes() {
    let server = Server::start().await;
    let (one, other) = (server.shared().await, server.shared().await);
    let (ann, bob) = (person("a"), person("b"));
    let sealed = one.seal(&ann, b"1").expect("seals");
    one.clone().persist().await.expect("durable");
    assert!(other.open(&ann, &sealed).expect("opens").is_some());
    // A key that is being made elsewhere is void as well.
    other.seal(&bob, b"2").expect("seals");
    let seen = other.erasures();
    one.clone().erase(ann.clone()).await.expect("erases");
    one.clone().erase(bob.clone()).await.expect("erases");
    let gone = async {
        while other.erasures() < seen + 2 {
            tokio::task::yield_now().await;
        }
    };
    timeout(Duration::from_secs(5), gone)
        .await
        .expect("within two seconds or so");
    assert_eq!(other.open(&ann, &sealed).expect("answers"), None);
    other.clone().persist().await.expect_err("erased");
    assert!(other.seal(&bob, b"3").is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn records_of_requests_have_a_key_from_the_start() {
    let server = Server::start().await;
    let (one, other) = (server.shared().await, server.shared().await);
    let sealed = one.seal(&records_owner(), b"1").expect("seals");
    assert!(!one.has_pending());
    let opened = other.open(&records_owner(), &sealed).expect("opens");
    assert_eq!(opened.as_deref(), Some(&b"1"[..]));
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_are_fetched_in_one_trip_and_then_need_no_server() {
    let mut server = Server::start().await;
    let one = server.shared().await;
    let persons: Vec<PersonId> = (0..500).map(|n| person(&n.to_string())).collect();
    let sealed: Vec<_> = persons
        .iter()
        .map(|p| one.seal(p, b"x").expect("seals"))
        .collect();
    one.clone().persist().await.expect("durable");
    let other = server.shared().await;
    other
        .clone()
        .prefetch(persons.clone())
        .await
        .expect("fetched");
    server = tokio::task::spawn_blocking(move || {
        server.postgres.kill().expect("killed");
        server
    })
    .await
    .expect("no panic");
    for (person, sealed) in persons.iter().zip(&sealed) {
        assert!(other.open(person, sealed).expect("opens").is_some());
    }
    let before = other.lapses();
    let new = person("new");
    other
        .clone()
        .prefetch(vec![new.clone()])
        .await
        .expect_err("away");
    assert_eq!(other.lapses().unreachable, before.unreachable + 1);
    // Somebody waits for the server, and it comes.
    let waiting = other.clone();
    let opening = tokio::task::spawn_blocking(move || waiting.seal(&new, b"y"));
    let _server = tokio::task::spawn_blocking(move || {
        server.postgres.start_again().expect("starts");
        server
    })
    .await
    .expect("no panic");
    timeout(LONG, opening)
        .await
        .expect("in time")
        .expect("no panic")
        .expect("seals");
    timeout(LONG, other.persist())
        .await
        .expect("in time")
        .expect("durable");
}
