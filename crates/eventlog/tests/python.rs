//! The example in docs/examples/python against the NATS adapter: a program in another language
//! hears Souk's events and is heard.

use std::{
    fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{Arc, mpsc},
    time::Duration,
};

use eventlog::{
    Broker,
    nats::{Config, NatsBroker},
};
use kernel::{EventMeta, Recorded, StreamId, Timestamp, partition_of};

const PATIENCE: Duration = Duration::from_secs(60);

fn example() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/examples/python");
    root.canonicalize().expect("the example")
}

/// A Python with the example's packages, installed the first time.
fn python() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("python-example");
    let (python, stamp) = (folder.join("bin/python"), folder.join("installed"));
    let wanted = fs::read_to_string(example().join("requirements.txt")).expect("a list");
    if fs::read_to_string(&stamp).is_ok_and(|found| found == wanted) {
        return python;
    }
    let run = |command: &mut Command| {
        let output = command.output().unwrap_or_else(|e| {
            panic!(
                "cannot run {command:?} ({e}): install Python 3 with venv (Debian: python3-venv)"
            )
        });
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{command:?} failed: {said}");
    };
    run(Command::new("python3")
        .args(["-m", "venv", "--clear"])
        .arg(&folder));
    run(Command::new(&python)
        .args([
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "-r",
        ])
        .arg(example().join("requirements.txt")));
    fs::write(stamp, wanted).expect("written");
    python
}

/// The example, running; killed when dropped.
struct Program {
    child: Child,
    lines: mpsc::Receiver<String>,
}

impl Program {
    fn start(python: &Path, events: &str, words: &[&str]) -> Self {
        let mut child = Command::new(python)
            .arg(example().join("souk_events.py"))
            .args(words)
            .env("SOUK_EVENTS", events)
            .stdout(Stdio::piped())
            .spawn()
            .expect("it starts");
        let output = child.stdout.take().expect("its output");
        let (say, lines) = mpsc::channel();
        std::thread::spawn(move || {
            BufReader::new(output)
                .lines()
                .map_while(Result::ok)
                .try_for_each(|line| say.send(line))
        });
        Self { child, lines }
    }

    fn line(&self) -> String {
        self.lines.recv_timeout(PATIENCE).expect("a line in time")
    }

    fn json(&self) -> serde_json::Value {
        let line = self.line();
        serde_json::from_str(&line).unwrap_or_else(|_| panic!("not JSON: {line}"))
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn golden(kind: &str) -> String {
    let file = format!("../../services/orders/golden/{kind}.json");
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    fs::read_to_string(path).expect("a golden file")
}

fn event(position: i64, kind: &str) -> Arc<Recorded> {
    let stream = format!("order-ord_{position} ü");
    Arc::new(Recorded {
        topic: "orders".into(),
        position,
        prev: 0,
        partition: partition_of(&stream),
        stream: StreamId::from_name(&stream),
        version: 1,
        kind: kind.into(),
        data: golden(kind).into(),
        at: Timestamp(1_700_000_000_000_000),
        meta: EventMeta {
            correlation: "cor_1".into(),
            ..EventMeta::default()
        },
        typed: Default::default(),
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn python_hears_and_is_heard() {
    let folder = tempfile::tempdir().expect("a folder");
    let options = scratch::NatsOptions {
        login: Some(("souk".into(), "secret".into())),
        ..Default::default()
    };
    let server = scratch::Nats::start(folder.path(), options).expect("nats-server starts");
    let broker = NatsBroker::connect(Config::parse(&server.url()).expect("a URL")).await;
    let broker = broker.expect("settings");
    let mut inbound = broker.inbound("inventory").await.expect("a receiver");
    let python = tokio::task::spawn_blocking(python).await.expect("a Python");

    let listener = Program::start(&python, &server.url(), &["listen", "--count", "2"]);
    let (placed, confirmed) = ("orders.order.placed.v1", "orders.order.confirmed.v1");
    let events = [
        event(1, placed),
        event(2, confirmed),
        event(3, placed),
        event(4, confirmed),
    ];
    let mut refused = None;
    let publish = async {
        while let Err(error) = broker.publish("orders", "first", &events).await {
            refused = Some(error);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let published = tokio::time::timeout(PATIENCE, publish).await;
    published.unwrap_or_else(|_| panic!("not published: {refused:?}"));
    assert_eq!(listener.line(), "listening");
    let mut heard: Vec<_> = (0..2).map(|_| listener.json()).collect();
    heard.sort_by_key(|line| line["position"].as_i64());
    let data: serde_json::Value = serde_json::from_str(&golden(confirmed)).expect("JSON");
    for (line, position) in heard.iter().zip([2, 4]) {
        assert_eq!(line["position"], position);
        assert_eq!(line["id"], format!("orders:{position}"));
        assert_eq!(line["stream"], format!("order-ord_{position} ü"));
        assert_eq!((&line["type"], &line["data"]), (&confirmed.into(), &data));
    }

    // What is sent before inventory was ever there would be refused.
    let taken = async {
        let options = async_nats::ConnectOptions::new();
        let options = options.user_and_password("souk".into(), "secret".into());
        let plain = options.connect(server.url()).await.expect("connected");
        let jetstream = async_nats::jetstream::new(plain);
        while jetstream.get_stream("souk_inbound").await.is_err() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, taken)
        .await
        .expect("inventory listens");
    let teller = Program::start(
        &python,
        &server.url(),
        &["count", "85123A", "42", "--id", "c-1"],
    );
    assert_eq!(teller.json()["id"], "c-1");
    let told = tokio::time::timeout(PATIENCE, inbound.recv()).await;
    let told = told.expect("in time").expect("an event");
    assert_eq!(
        (told.source.as_str(), told.id.as_str()),
        ("/examples/python", "c-1")
    );
    assert_eq!(told.kind, "inventory.stock.counted.v1");
    let said: serde_json::Value = serde_json::from_str(&told.data).expect("JSON");
    let counted = serde_json::json!({"sku": "85123A", "counted": 42, "location": "loc_main"});
    assert_eq!(said, counted);
    told.done.send(true).expect("somebody waits");
}
