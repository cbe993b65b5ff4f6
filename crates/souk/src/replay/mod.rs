//! `souk replay`: real order history through the public API, and a reconciliation to the penny.

mod countries;
mod drive;
mod file;
mod journal;
mod plan;
mod reconcile;
mod setup;

use std::{path::PathBuf, sync::Arc, time::Instant};

use indicatif::{ProgressBar, ProgressStyle};

use crate::{
    cli::Replay,
    client::Client,
    failure::{Context as _, Failure, Result},
    target::Reached,
};
use drive::Driver;
pub use drive::insist;
use journal::Journal;
use plan::Plan;
use reconcile::{Pair, Report};

/// Runs the command.
pub async fn run(replay: Replay) -> Result<()> {
    let started = Instant::now();
    let (plan, run) = file::read(&replay.file, replay.rows)?;
    println!(
        "{} invoices, {} refunds, {} SKUs; {} rows no shop could accept ({:.1} s)",
        plan.sales.len(),
        plan.refunds.len(),
        plan.skus.len(),
        plan.rejected.len(),
        started.elapsed().as_secs_f64()
    );
    let reached = Reached::shop(&replay.shop).await?;
    let outcome = tokio::select! {
        outcome = against(&replay, plan, run, &reached.client) => outcome,
        _ = tokio::signal::ctrl_c() => Err(Failure::new("interrupted; run the same command again to go on")),
    };
    reached.close().await;
    let report = outcome?;
    print(&report, started);
    if let Some(path) = &replay.report {
        let text = serde_json::to_string_pretty(&report)?;
        std::fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))?;
    }
    match report.reconciled {
        true => Ok(()),
        false => Err(Failure::new(format!(
            "{} differences",
            report.differences.len()
        ))),
    }
}

async fn against(replay: &Replay, plan: Plan, run: String, client: &Client) -> Result<Report> {
    let path = replay
        .journal
        .clone()
        .unwrap_or_else(|| match &replay.shop.data {
            Some(data) => data.join("replay.journal"),
            None => PathBuf::from(format!("souk-replay-{run}.journal")),
        });
    let (journal, done) = Journal::open(&path, &run)?;
    if !done.prepared {
        let preparing = Instant::now();
        setup::prepare(client, &plan, &run).await?;
        journal.prepared();
        println!(
            "catalogue and opening stock are in place ({:.1} s)",
            preparing.elapsed().as_secs_f64()
        );
    }
    let plan = Arc::new(plan);
    let bar = ProgressBar::new(0).with_style(style());
    let driver = Arc::new(Driver::new(
        client.clone(),
        plan.clone(),
        journal,
        run,
        done,
        bar.clone(),
    ));
    let driving = Instant::now();
    let driven = driver.drive(replay.parallel).await;
    let seconds = driving.elapsed().as_secs_f64();
    bar.finish_and_clear();
    println!("driven in {seconds:.1} s; reconciling");
    let mut report = reconcile::reconcile(client, &plan, &driven).await?;
    report.seconds = seconds;
    Ok(report)
}

fn style() -> ProgressStyle {
    let template = "{bar:40} {pos}/{len} invoices  {per_sec}  {eta} left";
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

fn print(report: &Report, started: Instant) {
    println!("\n{:<28} {:>16} {:>16}", "", "file", "services");
    for (name, Pair { file, services }) in &report.totals {
        let mark = if file == services { "" } else { "  <- differs" };
        println!("{name:<28} {file:>16} {services:>16}{mark}");
    }
    println!("\nrejected rows:");
    for (reason, count) in &report.rejected_by_reason {
        println!("  {count:>7}  {reason}");
    }
    let units = report.unmatched_cancellations.len();
    println!("cancelled rows that match nothing the customer bought: {units}");
    println!(
        "invoices without an acceptable row: {}",
        report.rejected_invoices.len()
    );
    if let (Some(first), Some(last)) = (
        report.steps_per_second_by_tenth.first(),
        report.steps_per_second_by_tenth.last(),
    ) {
        println!("steps per second: first tenth {first:.0}, last tenth {last:.0}");
    }
    for difference in report.differences.iter().take(20) {
        println!("DIFFERENCE {difference}");
    }
    let verdict = if report.reconciled {
        "Reconciled to the penny and the unit."
    } else {
        "NOT reconciled."
    };
    println!(
        "\n{verdict} ({:.1} s in all)",
        started.elapsed().as_secs_f64()
    );
}
