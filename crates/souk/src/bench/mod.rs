//! `souk bench`: starts a shop of its own as a child process on a fresh directory, puts load on it
//! from this process, and prints what it measured. The figures are for comparison in one run on one
//! machine: the load generator shares the cores with the shop.

mod child;
mod cluster;
mod connection;
mod load;
mod shoppers;

use std::{path::PathBuf, time::Duration};

use clap::Args;
use serde_json::{Value, json};

use crate::{
    client::Client,
    failure::{Context as _, Result},
};
use child::Child;
use load::{Figures, checkouts, hot_item, paced, products};

/// What to measure.
#[derive(Args)]
pub struct Bench {
    /// Seconds for each measurement.
    #[arg(long, default_value_t = 30)]
    pub seconds: u64,
    /// Connections.
    #[arg(long, default_value_t = 64)]
    pub clients: usize,
    /// Only these: checkout, paced, products, hot-item, start.
    pub only: Vec<String>,
    /// Measure a shop of many processes on PostgreSQL and NATS of its own instead: checkout,
    /// hot-item, disturb.
    #[arg(long)]
    pub processes: bool,
    /// With how many instances of every service checkouts are measured, one after the other.
    #[arg(
        long,
        value_delimiter = ',',
        default_value = "1,2,4",
        requires = "processes"
    )]
    pub instances: Vec<usize>,
    /// Where the shop keeps its data meanwhile; a temporary directory unless given.
    #[arg(long)]
    pub data: Option<PathBuf>,
    /// Write the figures here as JSON.
    #[arg(long)]
    pub report: Option<PathBuf>,
}

/// Runs the command.
pub async fn run(bench: Bench) -> Result<()> {
    let wants = |name: &str| bench.only.is_empty() || bench.only.iter().any(|only| only == name);
    let scratch = tempfile::tempdir().context("no temporary directory")?;
    let data = bench
        .data
        .clone()
        .unwrap_or_else(|| scratch.path().to_owned());
    let mut rows: Vec<(String, String)> = Vec::new();
    let mut show = |name: &str, text: String| {
        println!("{name:<58} {text}");
        rows.push((name.to_owned(), text));
    };
    if bench.processes {
        cluster::run(&bench, &data, &mut show).await?;
        return report(&bench, rows);
    }
    let child = Child::start(&data, true).await?;
    show(
        "start to ready, empty directory (with demo catalogue)",
        format!("{:.2} s", child.ready_after.as_secs_f64()),
    );
    show(
        "resident memory, idle with demo",
        format!("{} MB", child.resident_mb()),
    );
    let (client, address) = (child.client()?, child.address());
    stock(&client, "BENCH-1", 1_000_000_000).await?;
    let during = Duration::from_secs(bench.seconds);
    if wants("products") {
        let figures = products(
            &address,
            "/api/catalog/products/bench-1",
            bench.clients,
            during,
        )
        .await?;
        show("product by handle through the gateway", rate(&figures));
    }
    if wants("checkout") {
        let before = child.cpu();
        let figures = checkouts(&address, "BENCH-1", bench.clients, during).await?;
        let cpu = (child.cpu() - before).as_secs_f64() * 1_000.0 / figures.done.max(1) as f64;
        show("checkouts placed and confirmed", rate(&figures));
        show(
            "CPU of the shop per confirmed order",
            format!("{cpu:.2} ms"),
        );
    }
    if wants("paced") {
        let figures = paced(&address, "BENCH-1", 100, during).await?;
        show(
            "time to the durable placed answer at 100 orders/s",
            figures.latency(),
        );
    }
    if wants("hot-item") {
        stock(&client, "HOT-1", 1_000).await?;
        let (figures, confirmed, sold_out) =
            hot_item(&address, "HOT-1", 5_000, bench.clients * 4).await?;
        let text = format!(
            "{confirmed} confirmed, {sold_out} sold out, {}",
            rate(&figures)
        );
        show("hot item: 5,000 buyers, 1,000 units", text);
    }
    child.stop().await?;
    if wants("start") {
        let again = Child::start(&data, true).await?;
        show(
            "start to ready, after all this",
            format!("{:.2} s", again.ready_after.as_secs_f64()),
        );
        show(
            "resident memory, after the start",
            format!("{} MB", again.resident_mb()),
        );
        again.stop().await?;
    }
    report(&bench, rows)
}

fn report(bench: &Bench, rows: Vec<(String, String)>) -> Result<()> {
    if let Some(path) = &bench.report {
        let report: serde_json::Map<String, Value> = rows
            .into_iter()
            .map(|(name, text)| (name, json!(text)))
            .collect();
        std::fs::write(path, serde_json::to_string_pretty(&report)?)
            .context("the report cannot be written")?;
    }
    Ok(())
}

fn rate(figures: &Figures) -> String {
    let others = figures.others.iter();
    let others: Vec<String> = others
        .map(|(what, count)| format!("{count} {what}"))
        .collect();
    let why = match others.is_empty() {
        true => String::new(),
        false => format!(": {}", others.join(", ")),
    };
    format!(
        "{:.0} /s  ({}; {} failed{why})",
        figures.per_second(),
        figures.latency(),
        figures.failed
    )
}

/// A product with stock.
async fn stock(client: &Client, sku: &str, units: i64) -> Result<()> {
    let product = json!({
        "handle": sku.to_lowercase(), "title": format!("Bench {sku}"), "status": "published",
        "variants": [{"sku": sku, "prices": [{"amount": 1999, "currency": "GBP"}]}],
    });
    let body = json!({"products": [product]});
    let _: Value = client
        .post("/api/catalog/products/bulk", &body, &[])
        .await
        .context("no product")?;
    // The largest single adjustment is bounded.
    let mut left = units;
    while left > 0 {
        let step = left.min(10_000_000);
        let body = json!({"adjustments": [{"sku": sku, "delta": step, "reason": "opening"}]});
        let _: Value = client
            .post("/api/inventory/adjustments", &body, &[])
            .await
            .context("no stock")?;
        left -= step;
    }
    let shopper = client.anonymous();
    for _ in 0..600 {
        let cart: Value = shopper
            .post("/api/carts", &json!({"currency": "GBP"}), &[])
            .await
            .context("no cart")?;
        let path = format!(
            "/api/carts/{}/lines",
            cart["id"].as_str().unwrap_or_default()
        );
        let body = json!({"sku": sku, "quantity": 1});
        if shopper.post::<Value>(&path, &body, &[]).await.is_ok() {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Ok(())
}
