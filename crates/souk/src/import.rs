//! `souk import`: products and opening stock from another shop's export.

use std::{fs::File, io::BufReader};

use contracts::catalog::{BulkAnswer, BulkRequest, BulkStatus};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};

use importers::{ImportRow, RowIssue};

use crate::{
    cli::{Format, Import},
    client::Client,
    failure::{Context as _, Failure, Result},
    replay::insist,
    target::Reached,
};

/// Products per call.
const CHUNK: usize = 100;

#[derive(Default)]
struct Counts {
    created: usize,
    updated: usize,
    unchanged: usize,
    rejected: usize,
    variants: usize,
}

/// Runs the command.
pub async fn run(import: Import) -> Result<()> {
    let reached = Reached::shop(&import.shop).await?;
    let outcome = read(&import, &reached.client).await;
    reached.close().await;
    outcome
}

async fn read(import: &Import, client: &Client) -> Result<()> {
    let path = &import.file;
    let file = File::open(path).with_context(|| format!("cannot open {}", path.display()))?;
    let size = file.metadata().map_or(0, |m| m.len());
    let progress = ProgressBar::new(size).with_style(style());
    let input = BufReader::new(progress.wrap_read(file));
    let rows: Box<dyn Iterator<Item = std::result::Result<ImportRow, RowIssue>>> =
        match import.format {
            Format::Shopify => {
                // A product whose rows stand apart would be imported twice, the second time in part.
                let first =
                    File::open(path).with_context(|| format!("cannot open {}", path.display()))?;
                let scattered = importers::shopify::scattered_handles(BufReader::new(first));
                Box::new(importers::shopify::read(input, import.currency).rejecting(scattered))
            }
            Format::Woocommerce => Box::new(importers::woocommerce::read(input, import.currency)),
        };
    let mut counts = Counts::default();
    let mut errors = 0;
    let mut waiting = Vec::new();
    for row in rows {
        match row {
            Ok(row) => {
                row.warnings
                    .iter()
                    .for_each(|issue| progress.suspend(|| eprintln!("note: {issue}")));
                waiting.push(row);
            }
            Err(error) => {
                errors += 1;
                progress.suspend(|| eprintln!("{error}"));
            }
        }
        if waiting.len() >= CHUNK {
            send(client, std::mem::take(&mut waiting), &mut counts, &progress).await?;
        }
    }
    send(client, waiting, &mut counts, &progress).await?;
    progress.finish_and_clear();
    println!(
        "{} products ({} variants): {} created, {} updated, {} unchanged, {} refused; {errors} rows could not be read.",
        counts.created + counts.updated + counts.unchanged,
        counts.variants,
        counts.created,
        counts.updated,
        counts.unchanged,
        counts.rejected,
    );
    match counts.rejected + errors {
        0 => Ok(()),
        _ => Err(Failure::new(
            "some rows were not imported; the good ones were",
        )),
    }
}

async fn send(
    client: &Client,
    rows: Vec<ImportRow>,
    counts: &mut Counts,
    progress: &ProgressBar,
) -> Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    let products = rows.iter().map(|row| row.product.clone()).collect();
    let body = BulkRequest {
        products,
        mode: Default::default(),
    };
    let answer: BulkAnswer = insist(|| client.post("/api/catalog/products/bulk", &body, &[]))
        .await
        .context("products cannot be written")?;
    let mut stock = Vec::new();
    let mut policies = Vec::new();
    for result in &answer.results {
        let Some(row) = rows.get(result.row) else {
            continue;
        };
        match result.status {
            BulkStatus::Created => counts.created += 1,
            BulkStatus::Updated => counts.updated += 1,
            BulkStatus::Unchanged => counts.unchanged += 1,
            BulkStatus::Rejected => {
                counts.rejected += 1;
                let problem = result
                    .problem
                    .as_ref()
                    .and_then(|p| serde_json::to_string(p).ok())
                    .unwrap_or_default();
                progress.suspend(|| {
                    eprintln!(
                        "line {}: {} refused: {problem}",
                        row.row, row.product.handle
                    )
                });
                continue;
            }
        }
        counts.variants += row.product.variants.len();
        for level in &row.stock {
            stock.push(json!({"sku": level.sku, "set_on_hand": level.quantity, "reason": "count", "reference": "import"}));
            policies.push(json!({"sku": level.sku, "backorder": level.backorder}));
        }
    }
    // Setting levels and policies to what they are already writes nothing.
    if !stock.is_empty() {
        let body = json!({"adjustments": stock});
        let _: Value = insist(|| client.post("/api/inventory/adjustments", &body, &[]))
            .await
            .context("stock cannot be written")?;
    }
    if !policies.is_empty() {
        let body = json!({"policies": policies});
        let _: Value = insist(|| client.post("/api/inventory/policies", &body, &[]))
            .await
            .context("policies cannot be written")?;
    }
    Ok(())
}

fn style() -> ProgressStyle {
    let template = "importing {bar:40} {bytes}/{total_bytes} {elapsed}";
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}
