//! Read models: each must be what a rebuild from the events makes of it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use tokio_postgres::Client;

use crate::{
    api::Api,
    book::{Violation, text},
    error::{Doing as _, Error, Result},
    facts::{self, connect},
    random::Random,
    schedule::SERVICES,
    world::World,
};

/// The tables that are no read models.
const OTHERS: &str =
    "'log_head','log_partitions','events','snapshots','positions','topics_seen','timers',
 'idempotency','dead_letters','projections','rebuilds','instances','leases','writers'";

/// Rows, as text and sorted, by table.
type Contents = BTreeMap<String, BTreeSet<String>>;

/// How many rows of a difference are told.
const TOLD: usize = 3;
/// How often a rebuild is compared until nothing happens meanwhile.
const TRIES: usize = 8;

/// What the read models say.
async fn contents(client: &Client) -> Result<Contents> {
    let names = format!(
        "SELECT table_name::text FROM information_schema.tables
         WHERE table_schema = 'public' AND table_name NOT IN ({OTHERS})"
    );
    let rows = client.query(&names, &[]).await.doing(|| names.clone())?;
    let mut contents = BTreeMap::new();
    for row in rows {
        let table: String = row.get(0);
        // Every table has a primary key: no two rows are the same.
        let sql = format!("SELECT t::text FROM public.\"{table}\" t");
        let rows = client.query(&sql, &[]).await.doing(|| sql.clone())?;
        contents.insert(table, rows.iter().map(|row| row.get(0)).collect());
    }
    Ok(contents)
}

/// What one has and the other has not.
fn difference(was: &BTreeSet<String>, is: &BTreeSet<String>) -> String {
    let some = |of: &BTreeSet<String>, other: &BTreeSet<String>| {
        let only: Vec<String> = of.difference(other).take(TOLD).cloned().collect();
        only.join(" ")
    };
    format!(
        "{} rows and {} after a rebuild; before only: {}; after only: {}",
        was.len(),
        is.len(),
        some(was, is),
        some(is, was)
    )
}

/// Rebuilds so many projections, drawn from all, and compares the tables before and after.
pub async fn broken(
    world: &World,
    staff: &Api,
    random: &mut Random,
    count: usize,
) -> Result<Vec<Violation>> {
    let listed = staff
        .get("/api/ops/projections")
        .await
        .map_err(Error::Other)?;
    let mut all: Vec<Value> = listed.body.as_array().cloned().unwrap_or_default();
    if all.is_empty() {
        return Err(Error::other(format!("no read models: {}", listed.body)));
    }
    while all.len() > count {
        let at = random.below(all.len() as u64);
        all.swap_remove(usize::try_from(at).unwrap_or(0));
    }
    let mut found = Vec::new();
    for service in SERVICES {
        let names = all.iter().filter(|p| text(p, "service") == service);
        let names: Vec<&str> = names.map(|p| text(p, "projection")).collect();
        if !names.is_empty() {
            found.extend(rebuilt(world, staff, service, &names).await?);
        }
    }
    Ok(found)
}

/// Rebuilds projections of one service. What happens meanwhile (a payment of which nobody knows
/// what became of it is asked about for a long time) is no difference: then it is done again.
async fn rebuilt(
    world: &World,
    staff: &Api,
    service: &'static str,
    names: &[&str],
) -> Result<Vec<Violation>> {
    let client = connect(world, service).await?;
    for _ in 0..TRIES {
        let heads = facts::heads(world).await?;
        let before = contents(&client).await?;
        for name in names {
            let path = format!("/api/ops/projections/{service}/{name}/rebuild");
            let answer = staff
                .post(&path, &Value::Null)
                .await
                .map_err(Error::Other)?;
            if !answer.good() {
                let detail = format!("{service} {name}: {} {}", answer.status, answer.body);
                return Ok(vec![Violation::new("a read model can be rebuilt", detail)]);
            }
        }
        let after = contents(&client).await?;
        if facts::heads(world).await? == heads {
            return Ok(compared(service, &before, &after));
        }
    }
    let detail = format!("{service}: it never stood still for long enough");
    Ok(vec![Violation::new("everything comes to its end", detail)])
}

fn compared(service: &str, before: &Contents, after: &Contents) -> Vec<Violation> {
    let mut found = Vec::new();
    for (table, was) in before {
        let is = after.get(table).cloned().unwrap_or_default();
        if is != *was {
            let detail = format!("{service}: {table}: {}", difference(was, &is));
            found.push(Violation::new(
                "a read model is what its events make of it",
                detail,
            ));
        }
    }
    found
}
