//! From nothing to an open shop.

use std::{
    collections::HashMap,
    path::Path,
    time::{Duration, Instant},
};

use super::{
    crew::Crew,
    doors::Doors,
    papers::Papers,
    plan::{GATEWAY, Kind, MOST, SANDBOX},
};
use crate::{
    cli::Up,
    demo,
    failure::{Failure, Result},
    services,
};

/// How long the gateway waits for the services before it opens.
const GATHER: Duration = Duration::from_secs(30);

/// Refuses what cannot work before anything is started.
pub fn check(up: &Up, folder: &Path) -> Result<()> {
    let names = kinds()?;
    let asked = &up.processes;
    let rules = asked.autoscale.iter().map(|rule| &rule.service);
    let counts = asked.scale.iter().map(|(service, _)| service);
    for service in rules.chain(counts) {
        if !names.contains(&service.as_str()) {
            let names = names.join(", ");
            return Err(Failure::new(format!(
                "there is no service `{service}`; there are {names}"
            )));
        }
    }
    if let Some((service, count)) = asked.scale.iter().find(|(_, n)| !(1..=MOST).contains(n)) {
        return Err(Failure::new(format!(
            "{service}: at least 1 and at most {MOST} processes, not {count}"
        )));
    }
    if folder.join("orders.db").exists() && !folder.join("peers.toml").exists() {
        println!(
            "{} holds a shop that ran in one process, on SQLite. This one keeps its own data in \
             PostgreSQL and does not see it; `souk move-data` carries a shop over.",
            folder.display()
        );
    }
    Ok(())
}

/// What there can be several of.
fn kinds() -> Result<Vec<&'static str>> {
    let mut names = services::names()?;
    names.push(GATEWAY);
    Ok(names)
}

/// Starts everybody, fills an empty catalogue and says how to get in.
pub async fn open(up: &Up, crew: &Crew, doors: Doors, started: Instant) -> Result<()> {
    let folder = &crew.ground().folder;
    let (url, provider_url) = (doors.url()?, doors.provider_url()?);
    let counts = counts(up);
    let count = |name: &str| counts.get(name).copied().unwrap_or(1);
    // Its keys must be there before payments asks for them.
    crew.add(Kind::sandbox(doors.provider, &folder.provider(), &url), 1);
    crew.ready(SANDBOX).await?;
    let names = services::names()?;
    println!("Starting {} services and the gateway…", names.len());
    let papers = Papers::of(up, folder)?;
    for name in names {
        let mut kind = Kind::service(name);
        if name == "identity" {
            kind.at_first = papers.asked_for();
        }
        crew.add(kind, count(name));
    }
    let services = wait(crew, services::names()?, started);
    // Its first customer shall find everybody; but one who does not come must not keep it closed.
    let services = tokio::time::timeout(GATHER, services)
        .await
        .unwrap_or(vec![false]);
    crew.add(Kind::gateway(doors.gateway), count(GATEWAY));
    let gateway = wait(crew, vec![GATEWAY], started).await;
    if !services.contains(&true) && gateway.contains(&false) {
        return Err(Failure::new("no process could be started"));
    }
    let failing = [services, gateway].concat().contains(&false);
    if papers.demo {
        match fill(&url, &papers).await {
            Ok(()) => papers.demo_is_there()?,
            // The shop is open all the same, and the next start tries again.
            Err(failure) => println!("  The demo catalogue is missing: {failure}"),
        }
    }
    crew.opened();
    println!(
        "\nSouk is open after {:.2} s{}.\n",
        started.elapsed().as_secs_f64(),
        if failing { ", but not all of it" } else { "" }
    );
    println!("  Shop          {url}/");
    println!("  API docs      {url}/docs");
    println!("  OpenAPI       {url}/openapi.json");
    println!("  Test cards    {provider_url}/   (sandbox payment provider)");
    println!("  Data          {}", folder.data.display());
    println!("  Logs          {}", folder.logs.display());
    if let Some(admin) = papers.admin()? {
        println!(
            "\nFirst start: an account for you, with a one-time password that is shown only now."
        );
        println!("  {}  /  {}", admin.email, admin.password);
        println!(
            "Set your own with POST {url}/api/identity/password; it cannot do anything else before."
        );
    }
    papers.burn();
    println!("\nTry:  curl {url}/api/catalog/products?limit=3");
    println!("      souk ps, souk scale orders=3, souk restart   (in another terminal)");
    println!("Stop with Ctrl-C or `souk down`.\n");
    Ok(())
}

/// Waits for some kinds of processes; for each, whether all of it are ready.
async fn wait(crew: &Crew, names: Vec<&'static str>, started: Instant) -> Vec<bool> {
    let waits = names.into_iter().map(|name| async move {
        match crew.ready(name).await {
            Ok(_) => {
                let seconds = started.elapsed().as_secs_f64();
                println!("  {name} is ready after {seconds:.1} s");
                true
            }
            Err(failure) => {
                println!("  {failure}");
                false
            }
        }
    });
    futures_util::future::join_all(waits).await
}

async fn fill(url: &str, papers: &Papers) -> Result<()> {
    if demo::is_empty(url).await? {
        demo::fill_as(url, &papers.key()?).await?;
    }
    Ok(())
}

/// How many processes of each kind to start with.
fn counts(up: &Up) -> HashMap<String, usize> {
    let least = up.processes.autoscale.iter();
    let least = least.map(|rule| (rule.service.clone(), rule.range.least));
    let mut counts: HashMap<String, usize> = least.collect();
    counts.extend(up.processes.scale.iter().cloned());
    counts
}
