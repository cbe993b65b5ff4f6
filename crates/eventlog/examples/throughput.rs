//! What an event costs on its way through NATS: processor time of the process that publishes and
//! the one that reads (here one process: both together), and of the server.
//!
//! `cargo run --release -p eventlog --example throughput -- 200000`
#![allow(clippy::print_stdout)]

use std::{sync::Arc, time::Instant};

use eventlog::{
    Broker, History, Log, LogError, LogHead, OwnTopic, RemoteLog,
    nats::{Config, NatsBroker},
};
use kernel::{BoxFuture, EventMeta, Recorded, StreamId, Timestamp, partition_of};
use store::{Store, sqlite};

const TOPIC: &str = "orders";
/// Events handed over at once, as a batch of commands brings them.
const BATCH: i64 = 50;

/// Nothing is read from here: then nothing was lost.
struct NoHistory;

impl History for NoHistory {
    fn head<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Result<LogHead, LogError>> {
        let head = LogHead {
            position: 0,
            incarnation: "first".into(),
        };
        Box::pin(async move { Ok(head) })
    }

    fn read<'a>(
        &'a self,
        _: &'a str,
        _: &'a str,
        after: i64,
        _: usize,
        _: usize,
    ) -> BoxFuture<'a, Result<Vec<Recorded>, LogError>> {
        Box::pin(async move { Err(LogError::Unavailable(format!("asked behind {after}"))) })
    }
}

/// User and system time of a process so far, in microseconds (Linux: ticks of 10 ms).
fn cpu(pid: &str) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let fields = stat.rsplit_once(") ").map_or("", |(_, rest)| rest);
    let ticks = fields.split(' ').skip(11).take(2);
    ticks.filter_map(|t| t.parse::<f64>().ok()).sum::<f64>() * 10_000.0
}

fn event(position: i64, prev: &mut [i64; 8]) -> Arc<Recorded> {
    let stream = format!("order-ord_0190{position:016x}");
    let partition = partition_of(&stream);
    let prev = std::mem::replace(&mut prev[usize::from(partition)], position);
    Arc::new(Recorded {
        topic: TOPIC.into(),
        position,
        prev,
        partition,
        stream: StreamId::from_name(&stream),
        version: 1,
        kind: "orders.order.placed.v1".into(),
        data: format!("{{\"text\":\"{}\"}}", "x".repeat(600)).into(),
        at: Timestamp(1_700_000_000_000_000 + position),
        meta: EventMeta {
            correlation: "cor_019012345678abcdef".into(),
            causation: Some("carts:123456".into()),
            trace: Some("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".into()),
            actor: Some("customer:cus_019012345678".into()),
        },
        typed: Default::default(),
    })
}

#[tokio::main(worker_threads = 2)]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let count: i64 = std::env::args().nth(1).map_or(Ok(100_000), |n| n.parse())?;
    let storage = std::env::args().nth(2).unwrap_or("file".into());
    let folder = tempfile::tempdir()?;
    let server = scratch::Nats::start(&folder.path().join("nats"), Default::default())?;
    let pid = server.pid().unwrap_or_default().to_string();
    let connect = async || {
        let url = format!("{}?storage={storage}", server.url());
        let config = Config::parse(&url).map_err(|e| e.to_string())?;
        let broker = NatsBroker::connect(config)
            .await
            .map_err(|e| e.to_string())?;
        while !broker.is_connected() {
            tokio::task::yield_now().await;
        }
        Ok::<Arc<dyn Broker>, String>(Arc::new(broker))
    };
    let config = sqlite::Config {
        path: folder.path().join("orders.db"),
        topic: TOPIC,
        readers: 1,
    };
    let store: Arc<dyn Store> = Arc::new(sqlite::SqliteStore::open(config, "first")?);
    let own = OwnTopic {
        topic: TOPIC.into(),
        head: store.head().await?,
        store,
    };
    let writer = RemoteLog::start(connect().await?, Arc::new(NoHistory), vec![own], Vec::new());
    let reader = RemoteLog::start(
        connect().await?,
        Arc::new(NoHistory),
        Vec::new(),
        vec![TOPIC.into()],
    );
    reader.head(TOPIC).await?;
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    let mut prev = [0; 8];
    let events: Vec<_> = (1..=count).map(|n| event(n, &mut prev)).collect();
    let mut head = reader.watch(TOPIC)?;
    let (start, own_before, server_before) = (Instant::now(), cpu("self"), cpu(&pid));
    for batch in events.chunks(BATCH as usize) {
        writer.publish(TOPIC, batch);
        // Not faster than they arrive, or the reader would be lagging.
        let last = batch.last().map_or(0, |event| event.position);
        head.wait_for(|head| *head >= last - 20 * BATCH).await?;
    }
    head.wait_for(|head| *head >= count).await?;
    let seconds = start.elapsed().as_secs_f64();
    let each = |before: f64, now: f64| (now - before) / count as f64;
    println!(
        "{count} events in {seconds:.2} s ({:.0}/s), {storage}: {:.1} µs of ours, {:.1} µs of the server's per event",
        count as f64 / seconds,
        each(own_before, cpu("self")),
        each(server_before, cpu(&pid)),
    );
    Ok(())
}
