//! `souk move-data`: carries a shop from one engine to another, whole: every event at its position,
//! then what its consumers remember, and the keys of personal data. Read models are not carried; the
//! new place builds them from the events.
//!
//! The shop may run while its history is copied. For the last step it must stand still.

mod check;
mod copy;
mod memory;

use std::{path::PathBuf, sync::Arc, time::Duration};

use indicatif::{ProgressBar, ProgressStyle};
use store::{Store, sqlite};

use crate::{
    cli::MoveData,
    failure::{Context as _, Failure, Result},
    run::engines,
    services, shop,
};

/// One service's database in both places.
struct Pair {
    service: &'static str,
    from: sqlite::SqliteStore,
    to: Arc<dyn Store>,
}

/// Runs the command.
pub async fn run(args: MoveData) -> Result<()> {
    let folder = source(&args.from)?;
    let pairs = open(&args, &folder).await?;
    println!("Copying the history; the shop may go on meanwhile.");
    for pair in &pairs {
        let progress = bar(pair).await?;
        copy::events(pair, &progress).await?;
        progress.finish();
    }
    let _lock = standing_still(&folder).await?;
    for pair in &pairs {
        copy::events(pair, &ProgressBar::hidden()).await?;
        memory::copy(pair).await?;
    }
    let carried = runtime::carry_keys(&folder.join("keyring.db"), &args.engines.keyring).await;
    let keys = carried.context("the key ring")?;
    println!(
        "{keys} keys of personal data are carried over. Checking what was copied, event by event."
    );
    for pair in &pairs {
        let events = check::events(pair).await?;
        let rows = memory::check(pair).await?;
        println!(
            "  {:<10} {events:>9} events and {rows} rows of memory: the same",
            pair.service
        );
    }
    println!(
        "\nDone. Start the shop on the new place (read models are built at the first start); keep {} until it runs.",
        folder.display()
    );
    Ok(())
}

/// The folder in `sqlite:DIR`.
fn source(from: &str) -> Result<PathBuf> {
    let folder = from.strip_prefix("sqlite:").map(PathBuf::from);
    let folder =
        folder.ok_or_else(|| Failure::new(format!("--from must be sqlite:DIR, not {from}")))?;
    match folder.join("orders.db").exists() {
        true => Ok(folder),
        false => Err(Failure::new(format!(
            "{} is no data directory of a shop",
            folder.display()
        ))),
    }
}

async fn open(args: &MoveData, folder: &std::path::Path) -> Result<Vec<Pair>> {
    let stores = engines::stores(&args.engines.database)?;
    let mut pairs = Vec::new();
    for service in services::names()? {
        let config = sqlite::Config {
            path: folder.join(format!("{service}.db")),
            topic: service,
            readers: 1,
        };
        let from = sqlite::SqliteStore::open_to_read(config).with_context(|| service.to_owned())?;
        let head = from.head().await.with_context(|| service.to_owned())?;
        let to = stores.open(service, head.incarnation.clone()).await;
        let to = to.with_context(|| format!("the new database of {service}"))?;
        let there = to.head().await.with_context(|| service.to_owned())?;
        if there.incarnation != head.incarnation {
            return Err(Failure::new(format!(
                "the new database of {service} already holds another shop's history; use empty databases"
            )));
        }
        pairs.push(Pair { service, from, to });
    }
    Ok(pairs)
}

async fn bar(pair: &Pair) -> Result<ProgressBar> {
    let head = pair.from.head().await.context(pair.service)?.position;
    let bar = ProgressBar::new(head.unsigned_abs());
    let style =
        ProgressStyle::with_template("  {prefix:<10} {bar:30} {human_pos} of {human_len} events");
    bar.set_style(style.context("the progress bar")?);
    bar.set_prefix(pair.service);
    Ok(bar)
}

/// Waits until no shop runs on the folder, and holds it so.
async fn standing_still(folder: &std::path::Path) -> Result<std::fs::File> {
    let mut told = false;
    loop {
        match shop::lock(folder) {
            Ok(lock) => return Ok(lock),
            Err(_) if !told => {
                told = true;
                println!(
                    "The history is copied. Stop the shop now (Ctrl-C where it runs); the rest follows by itself."
                );
            }
            Err(_) => tokio::time::sleep(Duration::from_millis(200)).await,
        }
    }
}
