//! The shape of the logs: positions without gaps, chains that hold, streams in order, consumers not
//! ahead of what there is, and nothing in the broker that is not in a store. And what a trigger in
//! each database saw while it happened: who moved which consumer's position.

use std::collections::HashMap;

use async_nats::jetstream;
use serde_json::Value;
use tokio_postgres::Client;

use crate::{
    book::{Violation, text},
    error::{Doing as _, Error, Result},
    facts::connect,
    schedule::SERVICES,
    world::World,
};

/// Written down in the database itself, in the transaction it is about. A position that moves back
/// was moved by somebody who did not look; a position moved by a process that does not hold the
/// lease was moved by one that slept too long. (Back to nothing is where a rebuild begins.)
const WITNESS: &str = "
CREATE SCHEMA IF NOT EXISTS chaos;
CREATE TABLE IF NOT EXISTS chaos.seen (n BIGSERIAL PRIMARY KEY, rule TEXT NOT NULL, detail TEXT NOT NULL);
CREATE OR REPLACE FUNCTION chaos.holder(wanted TEXT, part BIGINT) RETURNS TEXT STABLE LANGUAGE sql AS $$
  SELECT coalesce(
    (SELECT holder FROM public.leases WHERE name = 'subscription:' || wanted),
    (SELECT holder FROM public.leases WHERE name = 'partition:' || part))
$$;
CREATE OR REPLACE FUNCTION chaos.moved() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  who TEXT := current_setting('application_name');
BEGIN
  INSERT INTO chaos.seen (rule, detail)
  SELECT CASE WHEN later.position < earlier.position THEN 'a position moves only forward'
              ELSE 'only the holder of the lease moves a position' END,
         later.subscription || ' on ' || later.topic || ' partition ' || later.partition || ': ' || earlier.position
           || ' to ' || later.position || ' by ' || who || ', held by ' || coalesce(chaos.holder(later.subscription, later.partition), 'nobody')
  FROM before earlier JOIN after later USING (subscription, topic, partition)
  WHERE (later.position < earlier.position AND later.position > 0)
     OR (later.position > earlier.position AND who <> ''
         AND split_part(chaos.holder(later.subscription, later.partition), '#', 1) <> who);
  RETURN NULL;
END $$;
DROP TRIGGER IF EXISTS chaos_moved ON public.positions;
CREATE TRIGGER chaos_moved AFTER UPDATE ON public.positions
  REFERENCING OLD TABLE AS before NEW TABLE AS after FOR EACH STATEMENT EXECUTE FUNCTION chaos.moved();
";

/// Puts the witness into every database.
pub async fn install_witness(world: &World) -> Result<()> {
    for service in SERVICES {
        let client = connect(world, service).await?;
        let done = client.batch_execute(WITNESS).await;
        done.doing(|| format!("the witness of {service}"))?;
    }
    Ok(())
}

/// A rule, and the rows that break it, in words.
const SHAPE: &[(&str, &str)] = &[
    (
        "positions are without gaps",
        "SELECT 'from ' || min(position) || ' to ' || max(position) || ': ' || count(*) FROM events
         HAVING count(*) > 0 AND (count(*) <> max(position) OR min(position) <> 1)",
    ),
    (
        "the head is the last position",
        "SELECT 'head ' || h.position || ', last ' || e.last FROM log_head h, (SELECT coalesce(max(position), 0) AS last FROM events) e
         WHERE h.position <> e.last",
    ),
    (
        "each event names the one before it in its partition",
        "SELECT 'position ' || position || ' says ' || prev || ' and is after ' || want
           FROM (SELECT position, prev, lag(position, 1, 0::bigint) OVER (PARTITION BY partition ORDER BY position) AS want FROM events) e
          WHERE prev <> want",
    ),
    (
        "a partition's head is its last event",
        "SELECT 'partition ' || p.partition || ': head ' || p.head || ', last ' || coalesce(e.last, 0) FROM log_partitions p
           LEFT JOIN (SELECT partition, max(position) AS last FROM events GROUP BY partition) e USING (partition)
          WHERE p.head <> coalesce(e.last, 0)",
    ),
    (
        "a stream's versions are 1, 2, 3, in one partition",
        "SELECT stream || ': ' || count(*) || ' events up to version ' || max(version) FROM events GROUP BY stream
         HAVING count(*) <> max(version) OR min(version) <> 1 OR min(partition) <> max(partition)",
    ),
    (
        "a stream's versions are in order of position",
        "SELECT stream || ' version ' || version FROM
           (SELECT stream, version, lag(version, 1, 0::bigint) OVER (PARTITION BY stream ORDER BY position) AS before FROM events) e
          WHERE version <> before + 1",
    ),
];

/// Every rule that is broken.
pub async fn broken(world: &World) -> Result<Vec<Violation>> {
    let mut found = Vec::new();
    let mut clients = HashMap::new();
    for service in SERVICES {
        let client = connect(world, service).await?;
        for (rule, sql) in SHAPE {
            let sql = format!("{sql} LIMIT 3");
            for detail in texts(&client, &sql).await? {
                found.push(Violation::new(rule, format!("{service}: {detail}")));
            }
        }
        found.extend(witnessed(service, &client).await?);
        clients.insert(service, client);
    }
    for (service, client) in &clients {
        found.extend(ahead(service, client, &clients).await?);
    }
    Ok(found)
}

async fn texts(client: &Client, sql: &str) -> Result<Vec<String>> {
    let rows = client.query(sql, &[]).await.doing(|| sql.to_owned())?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

async fn witnessed(service: &str, client: &Client) -> Result<Vec<Violation>> {
    let rows = client.query(
        "SELECT rule, detail FROM chaos.seen ORDER BY n LIMIT 5",
        &[],
    );
    let rows = rows.await.doing(|| "the witness".into())?;
    Ok(rows
        .iter()
        .map(|row| {
            let detail = format!("{service}: {}", row.get::<_, String>(1));
            match row.get::<_, String>(0).contains("forward") {
                true => Violation::new("a position moves only forward", detail),
                false => Violation::new("only the holder of the lease moves a position", detail),
            }
        })
        .collect())
}

/// Consumers that are ahead of the log they read.
async fn ahead(
    service: &str,
    client: &Client,
    all: &HashMap<&str, Client>,
) -> Result<Vec<Violation>> {
    let sql =
        "SELECT subscription, topic, max(position) FROM positions GROUP BY subscription, topic";
    let rows = client.query(sql, &[]).await.doing(|| "positions".into())?;
    let mut found = Vec::new();
    for row in rows {
        let (subscription, topic, at): (String, String, i64) = (row.get(0), row.get(1), row.get(2));
        let Some(producer) = all.get(topic.as_str()) else {
            continue;
        };
        let head = producer
            .query_one("SELECT position FROM log_head", &[])
            .await;
        let head: i64 = head.doing(|| "a head".into())?.get(0);
        if at > head {
            let detail =
                format!("{service}: {subscription} is at {at} of {topic}, which ends at {head}");
            found.push(Violation::new("no consumer is ahead of its log", detail));
        }
    }
    Ok(found)
}

/// Compares what the broker has with the stores, behind what was compared before.
pub async fn broker_broken(
    world: &World,
    compared: &mut HashMap<&'static str, u64>,
) -> Result<Vec<Violation>> {
    let url = world.broker(|broker| Ok(broker.url())).await?;
    let client = async_nats::connect(&url).await.map_err(nats)?;
    let context = jetstream::new(client);
    let mut found = Vec::new();
    for service in SERVICES {
        let name = format!("souk_{service}");
        let mut stream = context.get_stream(name).await.map_err(nats)?;
        let state = stream.info().await.map_err(nats)?.state.clone();
        let seen = compared.entry(service).or_default();
        let stored = events(&connect(world, service).await?).await?;
        for sequence in state.first_sequence.max(*seen + 1)..=state.last_sequence {
            let message = stream.get_raw_message(sequence).await.map_err(nats)?;
            if let Some(detail) = foreign(&message.payload, &stored) {
                let detail = format!("{service}: message {sequence}: {detail}");
                found.push(Violation::new(
                    "the broker has nothing that no store has",
                    detail,
                ));
            }
        }
        *seen = state.last_sequence;
    }
    Ok(found)
}

fn nats(error: impl std::fmt::Display) -> Error {
    Error::other(format!("NATS: {error}"))
}

/// Type and payload of all events, by position.
async fn events(client: &Client) -> Result<HashMap<i64, (String, Value)>> {
    let rows = client.query("SELECT position, type, data FROM events", &[]);
    let rows = rows.await.doing(|| "events".into())?;
    Ok(rows
        .iter()
        .map(|row| {
            let data: String = row.get(2);
            let data = serde_json::from_str(&data).unwrap_or_default();
            (row.get(0), (row.get(1), data))
        })
        .collect())
}

/// What of a message (a CloudEvent in structured mode) no store has.
fn foreign(payload: &[u8], stored: &HashMap<i64, (String, Value)>) -> Option<String> {
    let event: Value = serde_json::from_slice(payload).unwrap_or_default();
    let id = text(&event, "id");
    let position = id.rsplit(':').next().and_then(|n| n.parse().ok());
    let own = position.and_then(|position: i64| stored.get(&position));
    match own {
        Some((kind, data)) if kind == text(&event, "type") && *data == event["data"] => None,
        Some((kind, data)) => Some(format!("{event}, and the store says {kind} {data}")),
        None => Some(format!("{event}, and the store has no such event")),
    }
}
