//! The commands that look after a running shop: events, dead letters, projections.

use std::time::Duration;

use serde_json::{Value, json};

use crate::{
    cli::{DeadLetters, Events, Projections, Target},
    client::Client,
    failure::{Context as _, Failure, Result},
    ops_http::{EventPage, EventView, ProjectionView, Redriven},
};

fn client(to: &Target) -> Result<Client> {
    if to.key.is_none() {
        return Err(Failure::new(
            "an API key with ops:read and ops:write is needed: --key souk_… or SOUK_API_KEY",
        ));
    }
    Client::new(&to.url, to.key.clone()).context("no client")
}

/// `souk events`
pub async fn events(command: Events, to: Target) -> Result<()> {
    let client = client(&to)?;
    match command {
        Events::Show { id } => show(&client, &id).await,
        Events::Tail {
            topic,
            after,
            count,
        } => {
            let topics = match topic {
                Some(topic) => vec![topic],
                None => client
                    .get("/api/ops/topics")
                    .await
                    .context("cannot list the services")?,
            };
            tail(&client, topics, after, count).await
        }
    }
}

async fn page(client: &Client, topic: &str, after: Option<i64>, limit: usize) -> Result<EventPage> {
    let after = after
        .map(|after| format!("&after={after}"))
        .unwrap_or_default();
    let path = format!("/api/ops/events/{topic}?limit={limit}{after}");
    client
        .get(&path)
        .await
        .with_context(|| format!("cannot read the events of {topic}"))
}

async fn show(client: &Client, id: &str) -> Result<()> {
    let wrong = || Failure::new("an event's id is topic:position, such as orders:17");
    let (topic, position) = id.split_once(':').ok_or_else(wrong)?;
    let position: i64 = position.parse().map_err(|_| wrong())?;
    let page = page(client, topic, Some(position - 1), 1).await?;
    let event = page
        .items
        .first()
        .filter(|event| event.position == position);
    let event = event.ok_or_else(|| {
        Failure::new(format!(
            "there is no event {id} (the newest is {topic}:{})",
            page.head
        ))
    })?;
    println!("{}", serde_json::to_string_pretty(event)?);
    Ok(())
}

async fn tail(
    client: &Client,
    topics: Vec<String>,
    after: Option<i64>,
    count: Option<usize>,
) -> Result<()> {
    let mut left = count.unwrap_or(usize::MAX);
    let mut places = Vec::new();
    for topic in topics {
        let position = match after {
            Some(after) => after,
            None => page(client, &topic, None, 1).await?.head,
        };
        places.push((topic, position));
    }
    loop {
        let mut quiet = true;
        for (topic, position) in &mut places {
            for event in page(client, topic, Some(*position), 200).await?.items {
                quiet = false;
                *position = event.position;
                print(&event);
                left -= 1;
                if left == 0 {
                    return Ok(());
                }
            }
        }
        if quiet {
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }
}

fn print(event: &EventView) {
    let at = jiff::Timestamp::from_microsecond(event.at).unwrap_or_default();
    println!(
        "{at:.3}  {:<22} {:<42} {} v{}",
        event.id, event.kind, event.stream, event.version
    );
}

/// `souk dead-letters`
pub async fn dead_letters(command: DeadLetters, to: Target) -> Result<()> {
    let client = client(&to)?;
    match command {
        DeadLetters::List => {
            let letters: Vec<Value> = client
                .get("/api/ops/dead-letters")
                .await
                .context("cannot list")?;
            if letters.is_empty() {
                println!("No dead letters.");
            }
            for letter in letters {
                let text = |name: &str| letter[name].as_str().unwrap_or_default().to_owned();
                println!(
                    "{} {}  {}:{}  {}  {}\n    {}",
                    text("service"),
                    text("subscription"),
                    text("topic"),
                    letter["position"],
                    text("kind"),
                    text("stream"),
                    text("reason")
                );
            }
            Ok(())
        }
        DeadLetters::Redrive {
            service,
            subscription,
        } => {
            let body = json!({"service": service, "subscription": subscription});
            let done: Redriven = client
                .post("/api/ops/dead-letters/redrive", &body, &[])
                .await
                .context("cannot redrive")?;
            println!("{} handled.", done.redriven);
            Ok(())
        }
    }
}

/// `souk projections`
pub async fn projections(command: Projections, to: Target) -> Result<()> {
    let client = client(&to)?;
    let all: Vec<ProjectionView> = client
        .get("/api/ops/projections")
        .await
        .context("cannot list the projections")?;
    match command {
        Projections::List => {
            for one in all {
                println!("{}/{}", one.service, one.projection);
            }
        }
        Projections::Rebuild {
            service,
            projection,
        } => {
            let chosen: Vec<_> = all
                .iter()
                .filter(|one| {
                    one.service == service
                        && projection
                            .as_ref()
                            .is_none_or(|name| *name == one.projection)
                })
                .collect();
            if chosen.is_empty() {
                return Err(Failure::new(
                    "there is no such projection; `souk projections list` shows them",
                ));
            }
            for one in chosen {
                let started = std::time::Instant::now();
                let path = format!(
                    "/api/ops/projections/{}/{}/rebuild",
                    one.service, one.projection
                );
                let _: Value = client
                    .post(&path, &json!({}), &[])
                    .await
                    .context("cannot rebuild")?;
                println!(
                    "{}/{} rebuilt in {:.1} s",
                    one.service,
                    one.projection,
                    started.elapsed().as_secs_f64()
                );
            }
        }
    }
    Ok(())
}
