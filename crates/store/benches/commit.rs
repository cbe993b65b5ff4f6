//! How fast a store commits: commands per second by batch size, each command one event of about
//! 400 bytes and two statements on a read model. Run with `cargo bench -p store`; PostgreSQL is a
//! server of its own with `fsync` on. `cargo bench -p store -- postgres 100` measures one of them.

use std::{
    io::Write as _,
    sync::{Arc, OnceLock},
    time::{Duration, Instant},
};

use kernel::{EventMeta, Recorded, StreamId, Timestamp, sql};
use store::{Batch, Store, postgres, postgres::PostgresStore, sqlite, sqlite::SqliteStore};

// As in the binary.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// How long each measurement lasts.
const SPAN: Duration = Duration::from_secs(3);
/// Streams that are written in turn.
const STREAMS: i64 = 10_000;

const TABLES: &[&str] = &[
    "CREATE TABLE orders (id BIGINT PRIMARY KEY, body TEXT NOT NULL); \
     CREATE TABLE totals (id BIGINT PRIMARY KEY, n BIGINT NOT NULL)",
];

#[tokio::main]
async fn main() {
    let asked: Vec<String> = std::env::args().skip(1).collect();
    let wanted = |name: &str, all: &[&str]| {
        let mut asked = asked
            .iter()
            .filter(|asked| all.contains(&asked.as_str()))
            .peekable();
        asked.peek().is_none() || asked.any(|asked| asked == name)
    };
    let folder = tempfile::tempdir().expect("a folder");
    let mut server = None;
    for adapter in ["sqlite", "postgres"] {
        if !wanted(adapter, &["sqlite", "postgres"]) {
            continue;
        }
        for size in ["1", "10", "100", "500"] {
            if !wanted(size, &["1", "10", "100", "500"]) {
                continue;
            }
            let store: Arc<dyn Store> = match adapter {
                "sqlite" => Arc::new(embedded(folder.path(), size)),
                _ => {
                    let server = server.get_or_insert_with(|| start(folder.path()));
                    Arc::new(shared(server, size).await)
                }
            };
            measure(adapter, &*store, size.parse().expect("a number")).await;
            store.close().await;
        }
    }
}

fn embedded(folder: &std::path::Path, size: &str) -> SqliteStore {
    let config = sqlite::Config {
        path: folder.join(format!("{size}.db")),
        topic: "bench",
        readers: 1,
    };
    SqliteStore::open(config, "first").expect("opens")
}

fn start(folder: &std::path::Path) -> scratch::Postgres {
    let options = scratch::PostgresOptions::default();
    scratch::Postgres::start(&folder.join("postgres"), options).expect("PostgreSQL starts")
}

async fn shared(server: &scratch::Postgres, size: &str) -> PostgresStore {
    let config = postgres::Config {
        url: server.url(&format!("bench_{size}")),
        topic: "bench",
        readers: 1,
    };
    PostgresStore::open(config, "first").await.expect("opens")
}

async fn measure(adapter: &str, store: &dyn Store, size: i64) {
    store.migrate("bench", TABLES).await.expect("migrated");
    let body: Arc<str> = format!("{{\"note\":\"{}\"}}", "x".repeat(380)).into();
    let (begin, mut waits, mut next) = (Instant::now(), Vec::new(), 0);
    while begin.elapsed() < SPAN {
        let batch = batch(&body, next, size);
        let sent = Instant::now();
        store.commit(batch).await.expect("committed");
        waits.push(sent.elapsed());
        next += size;
    }
    let seconds = begin.elapsed().as_secs_f64();
    waits.sort();
    let at = |part: usize| waits[waits.len() * part / 100].as_secs_f64() * 1e3;
    let _ = writeln!(
        std::io::stdout().lock(),
        "{adapter:8} batch {size:3}: {:8.0} commands/s, {:6.0} commits/s, a commit waits {:6.2} ms (p50), {:6.2} ms (p99)",
        next as f64 / seconds,
        waits.len() as f64 / seconds,
        at(50),
        at(99),
    );
}

fn batch(body: &Arc<str>, first: i64, size: i64) -> Batch {
    let mut batch = Batch::default();
    for n in first..first + size {
        let (id, version) = (n % STREAMS, n / STREAMS + 1);
        batch.events.push(Recorded {
            topic: "".into(),
            position: 0,
            prev: 0,
            partition: 0,
            stream: StreamId::from_name(&format!("order-{id:08}")),
            version,
            kind: "bench.order.noted.v1".into(),
            data: body.clone(),
            at: Timestamp(n),
            meta: EventMeta::default(),
            typed: OnceLock::new(),
        });
        batch.statements.push(sql!(
            "INSERT INTO orders (id, body) VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET body = excluded.body",
            id,
            body
        ));
        batch.statements.push(sql!(
            "INSERT INTO totals (id, n) VALUES ($1, 1) ON CONFLICT (id) DO UPDATE SET n = totals.n + 1",
            id % 100
        ));
    }
    batch
}
