//! `deploy/postgres/10-souk.sh` on a real server: who owns what, and who is kept out.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::{
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use scratch::{Postgres, PostgresOptions};

const SUPERUSER: &str = "s3cret";

/// The search path, and after it where Debian keeps PostgreSQL's own programs.
fn search_path() -> OsString {
    let mut places: Vec<PathBuf> =
        std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()).collect();
    if let Ok(versions) = fs::read_dir("/usr/lib/postgresql") {
        places.extend(versions.map(|version| version.unwrap().path().join("bin")));
    }
    std::env::join_paths(places).unwrap()
}

fn psql(postgres: &Postgres, user: &str, password: &str, database: &str, sql: &str) -> Output {
    let mut psql = Command::new("psql");
    psql.env("PATH", search_path())
        .env("PGPASSWORD", password)
        .args(["-X", "-A", "-t", "-v", "ON_ERROR_STOP=1"])
        .args(["-h", "127.0.0.1", "-p", &postgres.port().to_string()])
        .args(["-U", user, "-d", database, "-c", sql]);
    psql.output().expect("psql: install postgresql-client")
}

fn set_up(postgres: &Postgres, orders: &str) {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/postgres/10-souk.sh");
    let mut run = Command::new("sh");
    run.arg(script)
        .env("PATH", search_path())
        .env("PGHOST", "127.0.0.1")
        .env("PGPORT", postgres.port().to_string())
        .env("PGPASSWORD", SUPERUSER)
        .env("SOUK_ORDERS_DB_PASSWORD", orders)
        .env("SOUK_CART_DB_PASSWORD", "cart")
        .env("SOUK_KEYRING_DB_PASSWORD", "keyring")
        .env("SOUK_MIGRATOR_DB_PASSWORD", "migrator");
    let run = run.output().unwrap();
    assert!(
        run.status.success(),
        "{}",
        String::from_utf8_lossy(&run.stderr)
    );
}

#[test]
fn a_service_owns_its_database_and_sees_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let options = PostgresOptions {
        fsync: false,
        password: Some(SUPERUSER.into()),
        ..Default::default()
    };
    let postgres = Postgres::start(&folder.path().join("pg"), options).unwrap();
    set_up(&postgres, "first");
    set_up(&postgres, "second");
    let orders =
        |database: &str, sql: &str| psql(&postgres, "souk_orders", "second", database, sql);

    // Its own: everything, also making tables.
    let made = orders("souk_orders", "CREATE TABLE mine (n int)");
    assert!(
        made.status.success(),
        "{}",
        String::from_utf8_lossy(&made.stderr)
    );
    // A password that was replaced is worth nothing.
    let old = psql(&postgres, "souk_orders", "first", "souk_orders", "SELECT 1");
    assert!(!old.status.success());
    // Others': not even to look.
    for other in ["souk_cart", "souk_keyring"] {
        let refused = orders(other, "SELECT 1");
        let said = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(!refused.status.success());
        assert!(said.contains("permission denied for database"), "{said}");
    }
    let refused = orders("souk_orders", "CREATE ROLE another");
    assert!(!refused.status.success());

    // What the migration makes belongs to the service.
    let migrator = |database: &str, sql: &str| {
        let done = psql(&postgres, "souk_migrator", "migrator", database, sql);
        assert!(
            done.status.success(),
            "{}",
            String::from_utf8_lossy(&done.stderr)
        );
        String::from_utf8_lossy(&done.stdout).trim().to_owned()
    };
    migrator("souk_orders", "CREATE TABLE made (n int)");
    migrator("souk_cart", "CREATE TABLE made (n int)");
    let owner = "SELECT tableowner FROM pg_tables WHERE tablename = 'made'";
    assert_eq!(migrator("souk_orders", owner), "souk_orders");
    assert_eq!(migrator("souk_cart", owner), "souk_cart");
    let dropped = orders("souk_orders", "DROP TABLE made");
    assert!(dropped.status.success());
}
