//! The real programs: PostgreSQL and NATS must be installed
//! (Debian: `apt-get install postgresql nats-server`).
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout
)]

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use scratch::{Nats, NatsOptions, Postgres, PostgresOptions};

fn fast() -> PostgresOptions {
    PostgresOptions {
        fsync: false,
        ..Default::default()
    }
}

fn eventually(what: &str, mut good: impl FnMut() -> bool) {
    let since = Instant::now();
    while !good() {
        assert!(since.elapsed() < Duration::from_secs(30), "{what}");
        std::thread::yield_now();
    }
}

#[test]
fn a_killed_postgres_comes_back_on_its_port_with_what_was_committed() {
    let folder = tempfile::tempdir().unwrap();
    let mut postgres = Postgres::start(&folder.path().join("pg"), fast()).unwrap();
    postgres.create_database("souk_orders").unwrap();
    postgres.create_database("souk_orders").unwrap();
    let sql = "CREATE TABLE kept (n int); INSERT INTO kept VALUES (7)";
    postgres.sql("souk_orders", sql).unwrap();
    let url = postgres.url("souk_orders");
    assert!(url.starts_with("postgres://postgres@127.0.0.1:"), "{url}");

    postgres.kill().unwrap();
    assert!(postgres.sql("souk_orders", "SELECT 1").is_err());
    postgres.start_again().unwrap();

    assert_eq!(postgres.url("souk_orders"), url);
    let kept = postgres.sql("souk_orders", "SELECT n FROM kept").unwrap();
    assert_eq!(kept, "7");
    postgres.stop().unwrap();
    assert!(!folder.path().join("pg/data/postmaster.pid").exists());

    // The folder is taken up by a later start.
    let again = Postgres::start(&folder.path().join("pg"), fast()).unwrap();
    assert_eq!(again.sql("souk_orders", "SELECT n FROM kept").unwrap(), "7");
}

#[test]
fn a_password_is_asked_for_and_seen_nowhere() {
    let folder = tempfile::tempdir().unwrap();
    let options = PostgresOptions {
        password: Some("s3cretword".into()),
        ..fast()
    };
    let postgres = Postgres::start(&folder.path().join("pg"), options).unwrap();
    assert_eq!(postgres.sql("postgres", "SELECT 1").unwrap(), "1");
    assert!(postgres.url("x").contains("s3cretword"));
    let line = std::fs::read(format!("/proc/{}/cmdline", postgres.pid().unwrap()));
    assert!(!String::from_utf8_lossy(&line.unwrap_or_default()).contains("s3cretword"));
    let log = std::fs::read_to_string(postgres.log()).unwrap();
    assert!(!log.contains("s3cretword"));
    let rules = std::fs::read_to_string(folder.path().join("pg/data/pg_hba.conf")).unwrap();
    let rules = rules.lines().filter(|line| !line.starts_with('#'));
    assert!(rules.filter(|rule| rule.contains("trust")).count() == 0);
}

#[test]
fn a_synchronous_standby_has_every_commit_and_takes_over() {
    let folder = tempfile::tempdir().unwrap();
    let mut primary = Postgres::start(&folder.path().join("one"), fast()).unwrap();
    primary
        .sql("postgres", "CREATE TABLE kept (n int)")
        .unwrap();
    let standby = Postgres::standby_of(&primary, &folder.path().join("two"), true).unwrap();
    primary
        .sql("postgres", "INSERT INTO kept VALUES (1)")
        .unwrap();
    let refused = standby.sql("postgres", "INSERT INTO kept VALUES (2)");
    assert!(refused.unwrap_err().to_string().contains("read-only"));

    primary.kill().unwrap();
    standby.promote().unwrap();

    assert_eq!(standby.sql("postgres", "SELECT n FROM kept").unwrap(), "1");
    standby
        .sql("postgres", "INSERT INTO kept VALUES (2)")
        .unwrap();
}

/// What a NATS server answers to a ping, after a login.
fn ping(nats: &Nats, login: &str) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", nats.port())).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(5)))
        .unwrap();
    write!(stream, "CONNECT {{\"verbose\":false{login}}}\r\nPING\r\n").unwrap();
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    while !line.contains("PONG") && !line.contains("-ERR") {
        line.clear();
        if reader.read_line(&mut line).unwrap() == 0 {
            break;
        }
    }
    line
}

#[test]
fn a_killed_nats_comes_back_on_its_port() {
    let folder = tempfile::tempdir().unwrap();
    let mut nats = Nats::start(&folder.path().join("nats"), NatsOptions::default()).unwrap();
    let url = nats.url();
    assert!(ping(&nats, "").contains("PONG"));
    nats.kill().unwrap();
    assert!(TcpStream::connect(("127.0.0.1", nats.port())).is_err());
    nats.start_again().unwrap();
    assert_eq!(nats.url(), url);
    assert!(ping(&nats, "").contains("PONG"));
    nats.stop().unwrap();
    assert!(TcpStream::connect(("127.0.0.1", nats.port())).is_err());
}

#[test]
fn a_nats_with_a_login_wants_it() {
    let folder = tempfile::tempdir().unwrap();
    let options = NatsOptions {
        login: Some(("souk".into(), "w0rd".into())),
        ..Default::default()
    };
    let nats = Nats::start(&folder.path().join("nats"), options).unwrap();
    assert!(ping(&nats, "").contains("-ERR"));
    assert!(ping(&nats, ",\"user\":\"souk\",\"pass\":\"w0rd\"").contains("PONG"));
}

#[test]
fn many_servers_start_at_once_and_do_not_meet() {
    let folder = tempfile::tempdir().unwrap();
    let start =
        |name: &str| Nats::start(&folder.path().join(name), NatsOptions::default()).unwrap();
    let servers: Vec<Nats> = std::thread::scope(|scope| {
        let threads: Vec<_> = ["a", "b", "c", "d"]
            .map(|n| scope.spawn(move || start(n)))
            .into();
        threads.into_iter().map(|t| t.join().unwrap()).collect()
    });
    let mut ports: Vec<u16> = servers.iter().map(Nats::port).collect();
    ports.sort_unstable();
    ports.dedup();
    assert_eq!(ports.len(), 4);
}

/// Set for the process that is killed by the test below.
const VICTIM: &str = "SCRATCH_TEST_VICTIM";

/// Not a test by itself: what the next one runs in a process of its own, to kill it.
#[test]
fn victim() {
    let Some(folder) = std::env::var_os(VICTIM) else {
        return;
    };
    let folder = std::path::PathBuf::from(folder);
    let postgres = Postgres::start(&folder.join("pg"), fast()).unwrap();
    let nats = Nats::start(&folder.join("nats"), NatsOptions::default()).unwrap();
    println!(
        "\nservers {} {}",
        postgres.pid().unwrap(),
        nats.pid().unwrap()
    );
    // Until the test kills us, or ends itself.
    let _ = std::io::stdin().read_to_end(&mut Vec::new());
}

#[test]
fn servers_end_with_the_process_that_started_them_even_if_it_is_killed() {
    let folder = tempfile::tempdir().unwrap();
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["victim", "--exact", "--nocapture"])
        .env(VICTIM, folder.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let pids: Vec<u32> = lines
        .map_while(Result::ok)
        .find_map(|line| {
            let pids = line.strip_prefix("servers ")?;
            Some(pids.split(' ').map(|pid| pid.parse().unwrap()).collect())
        })
        .expect("the servers did not start");
    let lives = |pid: &u32| {
        let mut command = Command::new("sh");
        command.args(["-c", "kill -0 \"$1\"", "sh", &pid.to_string()]);
        command.stderr(Stdio::null()).status().unwrap().success()
    };
    assert!(pids.iter().all(lives));

    child.kill().unwrap();
    child.wait().unwrap();

    eventually("the servers are still there", || !pids.iter().any(lives));
}
