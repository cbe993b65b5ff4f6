//! The history over HTTP, served and read.

use std::{collections::HashMap, sync::Arc, time::Duration};

use eventlog::{
    History, LogError,
    feed::{self, HttpHistory, Secret},
};
use http_body_util::{BodyExt, Empty};
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use kernel::{EventMeta, Recorded, StreamId, Timestamp};
use store::{
    Batch, Store,
    sqlite::{Config, SqliteStore},
};

const WORD: &str = "0123456789abcdef-secret";

fn secret() -> Secret {
    Secret::new(WORD).expect("long enough")
}

fn event(n: i64, data: String) -> Recorded {
    Recorded {
        topic: "orders".into(),
        position: 0,
        prev: 0,
        partition: 0,
        stream: StreamId::from_name(&format!("order-{n} 🦀\"")),
        version: 1,
        kind: "orders.order.placed.v1".into(),
        data: data.into(),
        at: Timestamp(1_700_000_000_000_001 + n),
        meta: EventMeta {
            correlation: "cor".into(),
            ..EventMeta::default()
        },
        typed: Default::default(),
    }
}

/// A producer with events, and the address at which its log is served.
async fn served(folder: &tempfile::TempDir, events: Vec<Recorded>) -> String {
    let config = Config {
        path: folder.path().join("orders.db"),
        topic: "orders",
        readers: 1,
    };
    let store = SqliteStore::open(config, "first & only").expect("opens");
    let batch = Batch {
        events,
        ..Batch::default()
    };
    store.commit(batch).await.expect("committed");
    let store: Arc<dyn Store> = Arc::new(store);
    let router = feed::router(HashMap::from([("orders".to_owned(), store)]), secret());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await;
    let listener = listener.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move { axum::serve(listener, router).await });
    format!("http://{address}")
}

fn history(instances: Vec<String>) -> HttpHistory {
    HttpHistory::new(Arc::new(move |_| instances.clone()), secret())
}

#[tokio::test]
async fn a_log_is_read_in_pieces_as_it_is() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = |n: i64| format!("{{\"n\": {n}, \"text\": \"é\\n{}\"}}", "x".repeat(100));
    let events = (1..=2_500).map(|n| event(n, data(n))).collect();
    let base = served(&folder, events).await;
    let history = history(vec![base]);
    let head = history.head("orders").await.expect("a head");
    assert_eq!(
        (head.position, head.incarnation.as_str()),
        (2_500, "first & only")
    );
    let mut read = Vec::new();
    loop {
        let after = read.last().map_or(0, |event: &Recorded| event.position);
        let page = history
            .read("orders", &head.incarnation, after, 700, 50_000)
            .await;
        let page = page.expect("a page");
        assert!(page.len() <= 700);
        if page.is_empty() {
            break;
        }
        read.extend(page);
    }
    assert_eq!(read.len(), 2_500);
    for (n, found) in (1..).zip(&read) {
        let want = event(n, data(n));
        assert_eq!((found.position, found.version, found.at), (n, 1, want.at));
        assert_eq!((&found.stream, &found.data), (&want.stream, &want.data));
        assert_eq!((&found.kind, &found.meta), (&want.kind, &want.meta));
        assert_eq!(found.partition, kernel::partition_of(want.stream.as_str()));
    }
}

#[tokio::test]
async fn any_instance_will_do() {
    let folder = tempfile::tempdir().expect("a folder");
    let base = served(&folder, vec![event(1, "{}".into())]).await;
    // One is gone, and one is no address.
    let gone = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let closed = format!("http://{}", gone.local_addr().expect("an address"));
    drop(gone);
    let history = history(vec![closed, "nonsense".into(), base]);
    for _ in 0..3 {
        assert_eq!(history.head("orders").await.expect("a head").position, 1);
    }
}

#[tokio::test]
async fn who_is_away_or_somebody_else_is_said() {
    let folder = tempfile::tempdir().expect("a folder");
    let base = served(&folder, vec![event(1, "{}".into())]).await;
    let nobody = history(Vec::new()).head("orders").await;
    assert!(
        matches!(nobody, Err(LogError::Unavailable(_))),
        "{nobody:?}"
    );
    let other = history(vec![base.clone()]);
    let unknown = other.head("payments").await;
    assert!(matches!(&unknown, Err(LogError::Unavailable(said)) if said.contains("404")));
    let restored = other.read("orders", "another", 0, 10, 1_000).await;
    let named = LogError::Restored {
        topic: "orders".into(),
        head: 1,
    };
    assert_eq!(restored.expect_err("another log"), named);
    let wrong = Secret::new("quite-another-secret").expect("long enough");
    let intruder = HttpHistory::new(Arc::new(move |_| vec![base.clone()]), wrong);
    let refused = intruder
        .head("orders")
        .await
        .expect_err("refused")
        .to_string();
    assert!(
        refused.contains("401") && !refused.contains("secret"),
        "{refused}"
    );
}

#[tokio::test]
async fn bad_questions_get_problems() {
    let folder = tempfile::tempdir().expect("a folder");
    let base = served(&folder, vec![event(1, "{}".into())]).await;
    let client = Client::builder(TokioExecutor::new()).build_http::<Empty<bytes::Bytes>>();
    let bearer = format!("Bearer {WORD}");
    for (path, authorization, status) in [
        ("/log/orders", bearer.as_str(), 200),
        (
            "/log/orders?after=9&limit=99999999&max_bytes=0",
            &bearer,
            200,
        ),
        ("/log/orders?after=x", &bearer, 400),
        ("/log/orders?after=-1", &bearer, 400),
        ("/log/orders?limit=-1", &bearer, 400),
        ("/log/orders?after=99999999999999999999", &bearer, 400),
        ("/log/orders?incarnation=x", &bearer, 409),
        ("/log/none", &bearer, 404),
        ("/log/orders", "", 401),
        ("/log/orders", "Bearer ", 401),
        ("/log/orders", "Bearer 0123456789abcdef-secre", 401),
        ("/log/orders", "Basic 0123456789abcdef-secret", 401),
        ("/log/orders/head", "", 401),
    ] {
        let request = http::Request::get(format!("{base}{path}"))
            .header("authorization", authorization)
            .body(Empty::new())
            .expect("a request");
        let asked = tokio::time::timeout(Duration::from_secs(20), client.request(request));
        let response = asked.await.expect("in time").expect("an answer");
        assert_eq!(response.status().as_u16(), status, "{path}");
        let kind = response.headers()["content-type"]
            .to_str()
            .expect("text")
            .to_owned();
        let body = response
            .into_body()
            .collect()
            .await
            .expect("a body")
            .to_bytes();
        let json: serde_json::Value = serde_json::from_slice(&body).expect("JSON");
        if status == 200 {
            assert_eq!(kind, "application/cloudevents-batch+json");
        } else {
            assert_eq!(
                (kind.as_str(), &json["status"]),
                ("application/problem+json", &status.into())
            );
        }
    }
}

#[test]
fn a_secret_is_long_and_not_shown() {
    assert!(Secret::new("short").is_none());
    assert!(Secret::new("with spaces in between it").is_none());
    let secret = Secret::new(" 0123456789abcdef\n").expect("trimmed");
    assert!(!format!("{secret:?}").contains("0123"));
}
