#![allow(clippy::unwrap_used)]

use super::*;

const ORDERS: &str = "souk_orders";

fn sql(databases: &mut Databases, sql: &str) -> scratch::Result<String> {
    databases.primary().unwrap().sql(ORDERS, sql)
}

#[test]
fn a_database_survives_restarts_full_disks_and_the_loss_of_its_primary() {
    let folder = tempfile::tempdir().unwrap();
    let mut databases = Databases::start(folder.path()).unwrap();
    sql(&mut databases, "CREATE TABLE t (n BIGINT, text TEXT)").unwrap();
    sql(&mut databases, "INSERT INTO t VALUES (1, '')").unwrap();

    databases.restart(Duration::ZERO).unwrap();
    sql(&mut databases, "INSERT INTO t VALUES (2, '')").unwrap();

    // Only root can mount; elsewhere this part of the storm is left out, and says so.
    if databases.fill_disk("orders").unwrap() {
        let much = "INSERT INTO t SELECT n, repeat('x', 1000) FROM generate_series(3, 1000) n";
        let full = sql(&mut databases, much).unwrap_err().to_string();
        assert!(full.contains("No space left on device"), "{full}");
        databases
            .primary()
            .unwrap()
            .sql("souk_cart", "CREATE TABLE goes_on (n BIGINT)")
            .unwrap();
        databases.free_disks();
        sql(&mut databases, "INSERT INTO t VALUES (3, '')").unwrap();
    }

    let before = databases.ports();
    assert!(databases.lose_primary(Duration::ZERO).unwrap());
    assert_eq!(databases.ports(), [None, before[1]]);
    sql(&mut databases, "INSERT INTO t VALUES (4, '')").unwrap();
    databases.repair().unwrap();
    assert!(databases.lose_primary(Duration::ZERO).unwrap());
    let kept = sql(&mut databases, "SELECT max(n) FROM t").unwrap();
    assert_eq!(kept, "4");
}
