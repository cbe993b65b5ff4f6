//! From nothing to an open shop.

use std::{collections::HashMap, path::Path, sync::Arc, time::Instant};

use super::{
    crew::Crew,
    plan::{Kind, MOST},
};
use crate::{
    cli::Up,
    failure::{Context as _, Failure, Result},
    services,
};

/// Refuses what cannot work before anything is started.
pub fn check(up: &Up, folder: &Path) -> Result<()> {
    let names = kinds();
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
fn kinds() -> Vec<&'static str> {
    let mut names = services::names();
    names.push("gateway");
    names
}

/// Starts everybody and says how to get in.
pub async fn open(up: &Up, crew: &Arc<Crew>, started: Instant) -> Result<()> {
    let gateway = std::net::TcpListener::bind(up.listen);
    let gateway = gateway.with_context(|| {
        format!(
            "cannot listen on {} (--listen chooses another address)",
            up.listen
        )
    })?;
    let url = format!("http://{}", gateway.local_addr().context("no address")?);
    let counts = counts(up);
    let count = |name: &str| counts.get(name).copied().unwrap_or(1);
    println!("Starting {} services…", services::names().len());
    for name in services::names() {
        crew.add(Kind::service(name), count(name));
    }
    // Last, so that it is the first to end.
    crew.add(Kind::gateway(gateway), count("gateway"));

    let mut well = 0;
    for name in kinds() {
        match crew.ready(name).await {
            Ok(_) => {
                well += 1;
                println!(
                    "  {name} is ready after {:.1} s",
                    started.elapsed().as_secs_f64()
                );
            }
            Err(failure) => println!("  {failure}"),
        }
    }
    if well == 0 {
        return Err(Failure::new("no process could be started"));
    }
    println!(
        "\nSouk is open after {:.2} s.\n",
        started.elapsed().as_secs_f64()
    );
    println!("  Shop          {url}/");
    println!("  Data          {}", crew.ground().folder.data.display());
    println!("Stop with Ctrl-C or `souk down`.\n");
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
