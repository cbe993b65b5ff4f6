//! The supervisor by itself: its processes are a stand-in that honours the same command line, and
//! PostgreSQL and NATS are never asked.
#![cfg(unix)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr
)]

mod support;

use std::{
    os::{fd::AsFd as _, unix::fs::PermissionsExt as _},
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use axum::{Router, routing::get};
use support::{
    Api, eventually, said, souk_in,
    supervised::{Supervised, all_gone, lives, signal},
};

/// Set for a stand-in: its command line.
const STAND_IN: &str = "SOUK_TEST_STAND_IN";

/// Not a test by itself: the stand-in for a service, in a process of its own.
#[test]
fn stand_in() {
    let Ok(args) = std::env::var(STAND_IN) else {
        return;
    };
    let args: Vec<&str> = args.split(' ').collect();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(act(&args));
    std::process::exit(0);
}

fn option<'a>(args: &[&'a str], name: &str) -> &'a str {
    let at = args.iter().position(|arg| *arg == name).unwrap();
    args[at + 1]
}

/// Listens, is ready after a moment, serves, and ends in order.
async fn act(args: &[&str]) {
    let slot = std::env::var("SOUK_SLOT").unwrap();
    let peers = std::env::var("SOUK_PEERS").unwrap();
    let folder = Path::new(&peers).parent().unwrap().to_owned();
    let service = match args {
        ["sandbox", ..] => {
            assert!(std::env::var("SOUK_DATABASE").is_err(), "the outside world");
            "sandbox".to_owned()
        }
        ["run", service, ..] => {
            let database = std::env::var("SOUK_DATABASE").unwrap();
            assert!(database.contains("{service}"));
            (*service).to_owned()
        }
        other => panic!("{other:?}"),
    };
    if folder.join(format!("{service}.broken")).exists() {
        eprintln!("cannot start: broken on purpose");
        std::process::exit(3);
    }
    let listener = match option(args, "--listen") {
        "stdin" => {
            let socket = std::io::stdin().as_fd().try_clone_to_owned().unwrap();
            let listener = std::net::TcpListener::from(socket);
            listener.set_nonblocking(true).unwrap();
            tokio::net::TcpListener::from_std(listener).unwrap()
        }
        address => tokio::net::TcpListener::bind(address).await.unwrap(),
    };
    let address = listener.local_addr().unwrap().to_string();
    std::fs::write(option(args, "--address-file"), address).unwrap();
    let ready = Arc::new(AtomicBool::new(false));
    let asked = ready.clone();
    let readyz = async move || match asked.load(Ordering::Relaxed) {
        true => (http::StatusCode::OK, "ready"),
        false => (http::StatusCode::SERVICE_UNAVAILABLE, "not yet"),
    };
    let burden = folder.join(format!("{service}.burden"));
    let metrics = async move || {
        let waiting = std::fs::read_to_string(&burden).unwrap_or_else(|_| "0".into());
        format!("souk_batch_queue{{service=\"x\"}} {}\n", waiting.trim())
    };
    let name = slot.clone();
    let router = Router::new()
        .route("/", get(async move || name))
        .route("/readyz", get(readyz))
        .route("/metrics", get(metrics));
    ready.store(true, Ordering::Relaxed);
    println!("{service} is ready");
    eprintln!("2026-01-01T00:00:00Z  INFO stand_in: {slot} is up");
    let mut terminate =
        tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()).unwrap();
    let mut parent = tokio::time::interval(Duration::from_millis(200));
    let supervisor: u32 = std::env::var("SOUK_SUPERVISOR").unwrap().parse().unwrap();
    let stop = async move {
        loop {
            tokio::select! {
                _ = terminate.recv() => return,
                _ = parent.tick() => if std::os::unix::process::parent_id() != supervisor { return },
            }
        }
    };
    // Whoever was let in is served: first nobody else is, then connections are closed.
    let (closed, closing) = tokio::sync::watch::channel(false);
    let served = tokio::spawn(async move {
        let stop = async move {
            stop.await;
            closed.send_replace(true);
            tokio::time::sleep(Duration::from_millis(300)).await;
        };
        let door = Door { listener, closing };
        axum::serve(door, router).with_graceful_shutdown(stop).await
    });
    served.await.unwrap().unwrap();
}

/// Lets nobody in any more when told so.
struct Door {
    listener: tokio::net::TcpListener,
    closing: tokio::sync::watch::Receiver<bool>,
}

impl axum::serve::Listener for Door {
    type Io = tokio::net::TcpStream;
    type Addr = std::net::SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        let mut closing = self.closing.clone();
        tokio::select! {
            biased;
            () = async { drop(closing.wait_for(|closing| *closing).await) } => std::future::pending().await,
            accepted = axum::serve::Listener::accept(&mut self.listener) => accepted,
        }
    }

    fn local_addr(&self) -> std::io::Result<Self::Addr> {
        self.listener.local_addr()
    }
}

/// A supervisor of stand-ins, which asks no database and no broker.
fn start(args: &[&str]) -> Supervised {
    let nowhere = [
        "--database",
        "postgres://nobody:s3cret@127.0.0.1:1/{service}",
        "--events",
        "nats://127.0.0.1:1",
    ];
    let args: Vec<&str> = nowhere.into_iter().chain(args.iter().copied()).collect();
    start_with_servers(&args)
}

/// The same with PostgreSQL and NATS of its own.
fn start_with_servers(args: &[&str]) -> Supervised {
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("stand-in");
    let ourselves = std::env::current_exe().unwrap();
    let script = format!(
        "#!/bin/sh\n{STAND_IN}=\"$*\"; export {STAND_IN}\nexec {} stand_in --exact --nocapture -q\n",
        ourselves.display()
    );
    std::fs::write(&program, script).unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    let program = program.to_str().unwrap().to_owned();
    let common = ["--program", &program, "--no-demo"];
    let args: Vec<&str> = common.into_iter().chain(args.iter().copied()).collect();
    let mut supervised = Supervised::spawn(folder, &args);
    supervised.until("Stop with");
    supervised
}

fn peers(shop: &Supervised, service: &str) -> Vec<String> {
    let text = std::fs::read_to_string(shop.data().join("peers.toml")).unwrap();
    let table: toml::Table = text.parse().unwrap();
    let urls = table["services"][service]["urls"].as_array().unwrap();
    urls.iter()
        .map(|url| url.as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn a_service_is_scaled_up_and_down_and_everything_ends_in_order() {
    let mut shop = start(&["--scale", "cart=2"]);
    assert_eq!(shop.slots("cart"), ["cart-1", "cart-2"]);
    assert_eq!(peers(&shop, "cart").len(), 2);

    shop.ok(&["scale", "orders=3"]);
    assert_eq!(shop.slots("orders"), ["orders-1", "orders-2", "orders-3"]);
    let mut addresses: Vec<String> = shop
        .processes()
        .iter()
        .filter(|row| row["service"] == "orders")
        .map(|row| row["address"].as_str().unwrap().to_owned())
        .collect();
    let mut listed = peers(&shop, "orders");
    addresses.sort();
    listed.sort();
    assert_eq!(listed, addresses);

    shop.ok(&["scale", "orders=1"]);
    assert_eq!(shop.slots("orders"), ["orders-1"]);
    assert_eq!(peers(&shop, "orders").len(), 1);

    let pid = shop.process("orders-1").unwrap()["pid"].to_string();
    assert_eq!(shop.ok(&["ps", "orders", "--pids"]).trim(), pid);
    let table = shop.ok(&["ps"]);
    assert!(
        table.contains("orders-1") && table.contains("ready"),
        "{table}"
    );
    let pids = shop.pids();
    shop.ok(&["down"]);
    assert!(shop.ended());
    assert!(pids.iter().all(|pid| !lives(*pid)), "{pids:?}");
    assert!(!said(&shop.souk(&["ps"])).is_empty() && !shop.souk(&["ps"]).status.success());
}

#[tokio::test]
async fn a_killed_process_comes_back_in_its_slot() {
    let shop = start(&[]);
    let before = shop.process("orders-1").unwrap();
    let pid = before["pid"].as_u64().unwrap();
    signal("KILL", pid);
    let after = shop.replaced("orders-1", pid).await;
    assert_eq!(after["restarts"], 1);
    assert_eq!(peers(&shop, "orders"), [after["address"].as_str().unwrap()]);
    // The others were left alone.
    let restarts: u64 = shop
        .processes()
        .iter()
        .map(|row| row["restarts"].as_u64().unwrap())
        .sum();
    assert_eq!(restarts, 1);
}

#[tokio::test]
async fn what_cannot_start_is_shown_as_failing_and_the_rest_goes_on() {
    let shop = start(&[]);
    let broken = shop.data().join("payments.broken");
    std::fs::write(&broken, "").unwrap();
    let pid = shop.kill("payments-1");
    eventually("failing", async || {
        match shop.process("payments-1").unwrap() {
            row if row["state"] == "failing" => Ok(()),
            row => Err(row.to_string()),
        }
    })
    .await;
    assert!(shop.ok(&["ps"]).contains("ended with exit status: 3"));
    assert_eq!(shop.process("orders-1").unwrap()["state"], "ready");
    assert!(peers(&shop, "payments").is_empty());
    let log = std::fs::read_to_string(shop.data().join("logs/payments-1.log")).unwrap();
    assert!(log.contains("broken on purpose"));
    assert!(shop.console().contains("broken on purpose"));
    assert!(
        !shop.console().contains("orders-1 is up"),
        "only warnings are shown"
    );

    // A new one does not start either: the old state is kept, and the command says so.
    let refused = shop.souk(&["scale", "payments=2"]);
    assert!(!refused.status.success());
    assert_eq!(shop.slots("payments"), ["payments-1"]);

    std::fs::remove_file(broken).unwrap();
    shop.replaced("payments-1", pid).await;
}

#[tokio::test]
async fn everything_is_replaced_without_a_failed_request() {
    let shop = start(&["--scale", "orders=2", "--scale", "gateway=2"]);
    let before = shop.pids();
    let stop = Arc::new(AtomicBool::new(false));
    let served = Arc::new(AtomicU64::new(0));
    let (url, done, count) = (shop.url.clone(), stop.clone(), served.clone());
    let load = tokio::spawn(async move {
        while !done.load(Ordering::Relaxed) {
            // A connection each, as strangers come.
            let answer = Api::new(&url, None).get("/").await;
            assert_eq!(answer.status, 200, "{}", answer.text);
            count.fetch_add(1, Ordering::Relaxed);
        }
    });
    let steering = shop.steering();
    let restarted = tokio::task::spawn_blocking(move || steering.souk(&["restart"])).await;
    let restarted = restarted.unwrap();
    stop.store(true, Ordering::Relaxed);
    load.await.expect("a request failed");
    assert!(restarted.status.success(), "{}", said(&restarted));
    assert!(served.load(Ordering::Relaxed) > 20);
    let supervisor = *before.last().unwrap();
    assert!(
        shop.pids()
            .iter()
            .all(|pid| *pid == supervisor || !before.contains(pid))
    );
    assert_eq!(shop.slots("orders").len(), 2);
    assert_eq!(peers(&shop, "orders").len(), 2);
}

#[tokio::test]
async fn a_service_that_falls_behind_gets_more_processes() {
    let mut shop = start(&["--autoscale", "orders=1..2"]);
    std::fs::write(shop.data().join("orders.burden"), "100000").unwrap();
    let line = shop.until("autoscale: orders 1 → 2");
    assert!(line.contains("100000 commands waiting"), "{line}");
    shop.until("autoscale: orders-2 is ready");
    assert_eq!(shop.slots("orders"), ["orders-1", "orders-2"]);
}

#[tokio::test]
async fn processes_end_with_their_supervisor_even_if_it_is_killed() {
    let mut shop = start(&[]);
    let pids = shop.pids();
    shop.signal("KILL");
    assert!(!shop.ended());
    all_gone(&pids).await;
}

#[tokio::test]
async fn postgres_and_nats_are_started_and_looked_after() {
    let mut shop = start_with_servers(&[]);
    for server in ["postgres", "nats"] {
        let before = shop.process(server).unwrap();
        let pid = before["pid"].as_u64().unwrap();
        signal("KILL", pid);
        let after = shop.replaced(server, pid).await;
        assert_eq!(after["address"], before["address"]);
        assert_eq!(after["restarts"], 1);
    }
    assert_eq!(shop.process("orders-1").unwrap()["restarts"], 0);
    let pids = shop.pids();
    shop.signal("INT");
    assert!(shop.ended(), "{}", shop.console());
    assert!(pids.iter().all(|pid| !lives(*pid)));
    let last = shop.until("orders-1 has ended");
    assert!(!last.is_empty());
}

#[tokio::test]
async fn nobody_else_sees_secrets_or_steers() {
    let shop = start(&[]);
    for pid in shop.pids() {
        let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap();
        // The supervisor itself was given it on its command line by this test.
        let line = String::from_utf8_lossy(&line).into_owned();
        assert!(
            !line.contains("s3cret") || line.contains("--processes"),
            "{line}"
        );
    }
    let mode = |file: &str| {
        let metadata = std::fs::metadata(shop.data().join(file)).unwrap();
        metadata.permissions().mode() & 0o777
    };
    assert_eq!(mode("souk.sock"), 0o600);
    assert_eq!(mode("cluster-secret"), 0o600);
    assert_eq!(mode("secrets.json"), 0o600);
    assert_eq!(mode("logs"), 0o700);
    // A second one on the same data is refused.
    let second = shop.souk(&["up", "--processes", "--listen", "127.0.0.1:0"]);
    assert!(said(&second).contains("in use"), "{}", said(&second));
}

#[test]
fn nonsense_is_refused_before_anything_starts() {
    let folder = tempfile::tempdir().unwrap();
    for (args, word) in [
        (
            &["up", "--processes", "--autoscale", "nothing=1..2"][..],
            "no service `nothing`",
        ),
        (&["up", "--processes", "--scale", "orders=0"], "at least 1"),
        (
            &["up", "--processes", "--autoscale", "orders=3"],
            "orders=1..4",
        ),
        (
            &[
                "up",
                "--processes",
                "--database",
                "postgres://localhost/souk",
            ],
            "{service}",
        ),
        (&["scale", "orders"], "orders=3"),
        (&["down"], "souk up --processes"),
    ] {
        let output = souk_in(folder.path(), &[], args);
        assert!(!output.status.success());
        assert!(said(&output).contains(word), "{args:?}: {}", said(&output));
    }
}
