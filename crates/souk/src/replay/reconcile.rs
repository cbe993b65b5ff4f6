//! The reconciliation, computed two ways: from the file (the plan) and from what the services say.
//! Any difference of a penny or a unit is listed.

use std::collections::{BTreeMap, HashMap};

use contracts::{
    List,
    inventory::StockSummary,
    orders::{OrderStatus, OrderSummary, OrderView},
    payments::{LedgerEntry, LedgerSummary},
};
use serde::Serialize;

use super::{
    drive::{Driven, insist},
    plan::{Plan, Rejected},
};
use crate::{
    client::Client,
    failure::{Context as _, Result},
};

/// One figure, from both sides.
#[derive(Clone, Copy, Debug, Default, Serialize, PartialEq)]
pub struct Pair {
    /// What the file says.
    pub file: i64,
    /// What the services say.
    pub services: i64,
}

/// The whole report.
#[derive(Debug, Default, Serialize)]
pub struct Report {
    /// Whether there is no difference.
    pub reconciled: bool,
    /// What differs; empty when reconciled.
    pub differences: Vec<String>,
    /// Figures side by side. Money in pence.
    pub totals: BTreeMap<&'static str, Pair>,
    /// Units and revenue per stock code: units sold, pence, units returned.
    pub per_code: BTreeMap<String, CodeFigures>,
    /// Rows no shop could accept.
    pub rejected_rows: Vec<Rejected>,
    /// The same, counted by reason.
    pub rejected_by_reason: BTreeMap<String, usize>,
    /// Invoices without an acceptable row.
    pub rejected_invoices: Vec<String>,
    /// Cancelled units that match nothing the customer bought.
    pub unmatched_cancellations: Vec<Rejected>,
    /// Steps per second in each tenth of this run.
    pub steps_per_second_by_tenth: Vec<f64>,
    /// Seconds this run took, driving only.
    pub seconds: f64,
}

/// A stock code's figures, from both sides.
#[derive(Clone, Debug, Default, Serialize, PartialEq)]
pub struct CodeFigures {
    /// Units sold.
    pub units: Pair,
    /// Pence.
    pub revenue: Pair,
    /// Units that came back.
    pub returned: Pair,
}

/// What the services say.
#[derive(Default)]
struct Services {
    orders: HashMap<String, OrderView>,
    stock: HashMap<String, StockSummary>,
    captured: i64,
    refunded: i64,
    posted: i64,
    balanced: bool,
}

/// Asks the services, compares with the plan, lists every difference.
pub async fn reconcile(staff: &Client, plan: &Plan, driven: &Driven) -> Result<Report> {
    let services = ask(staff, driven).await?;
    let mut report = Report {
        rejected_rows: plan.rejected.clone(),
        ..Report::default()
    };
    for row in &plan.rejected {
        *report
            .rejected_by_reason
            .entry(row.reason.clone())
            .or_default() += 1;
    }
    report.rejected_invoices = plan.empty_invoices.clone();
    report.unmatched_cancellations = plan.unmatched.clone();
    report.steps_per_second_by_tenth = driven.tenths.clone();
    report.differences.extend(
        driven
            .refused
            .iter()
            .map(|text| format!("refund refused: {text}")),
    );
    orders(&mut report, plan, driven, &services);
    money(&mut report, plan, &services);
    stock(&mut report, plan, &services);
    let differing: Vec<String> = report
        .totals
        .iter()
        .filter(|(_, pair)| pair.file != pair.services)
        .map(|(name, pair)| format!("{name}: file {} / services {}", pair.file, pair.services))
        .collect();
    report.differences.extend(differing);
    report.reconciled = report.differences.is_empty();
    Ok(report)
}

async fn ask(staff: &Client, driven: &Driven) -> Result<Services> {
    let mine: std::collections::HashSet<&str> = driven
        .sales
        .iter()
        .filter_map(|sale| sale.order.as_deref())
        .collect();
    let mut services = Services::default();
    pages(
        staff,
        "/api/orders?include=lines",
        |summary: OrderSummary| {
            if let Some(order) = summary
                .order
                .filter(|order| mine.contains(order.id.as_str()))
            {
                services.orders.insert(order.id.as_str().to_owned(), order);
            }
        },
    )
    .await?;
    pages(staff, "/api/inventory/summary?", |row: StockSummary| {
        services.stock.insert(row.sku.clone(), row);
    })
    .await?;
    let (mut captured, mut refunded, mut posted) = (0, 0, 0);
    pages(staff, "/api/payments/ledger?", |entry: LedgerEntry| {
        if mine.contains(entry.order_id.as_str()) {
            posted += entry.amount.amount;
            if entry.account.starts_with("provider:") {
                captured += entry.amount.amount.max(0);
                refunded -= entry.amount.amount.min(0);
            }
        }
    })
    .await?;
    (services.captured, services.refunded, services.posted) = (captured, refunded, posted);
    let summary: LedgerSummary = insist(|| staff.get("/api/payments/ledger/summary")).await?;
    services.balanced = summary.balanced;
    Ok(services)
}

/// Reads a list to its end.
async fn pages<T: serde::de::DeserializeOwned>(
    staff: &Client,
    path: &str,
    mut each: impl FnMut(T),
) -> Result<()> {
    let mut cursor = String::new();
    loop {
        let separator = if path.ends_with('?') { "" } else { "&" };
        let path = format!("{path}{separator}limit=200{cursor}");
        let page: List<T> = insist(|| staff.get(&path))
            .await
            .with_context(|| format!("cannot read {path}"))?;
        page.items.into_iter().for_each(&mut each);
        match page.next_cursor {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return Ok(()),
        }
    }
}

fn orders(report: &mut Report, plan: &Plan, driven: &Driven, services: &Services) {
    let confirmed = |order: &&OrderView| order.status == OrderStatus::Confirmed;
    let placed = services.orders.len() as i64;
    let sales = plan.sales.len() as i64;
    report.totals.insert(
        "invoices_placed",
        Pair {
            file: sales,
            services: placed,
        },
    );
    let count = services.orders.values().filter(confirmed).count() as i64;
    report.totals.insert(
        "invoices_confirmed",
        Pair {
            file: sales,
            services: count,
        },
    );
    let by_invoice: HashMap<&str, &super::journal::Placed> = driven
        .sales
        .iter()
        .map(|placed| (placed.invoice.as_str(), placed))
        .collect();
    for sale in &plan.sales {
        for (sku, units) in &sale.lines {
            let sku = &plan.skus[*sku];
            let figures = report.per_code.entry(sku.code.clone()).or_default();
            figures.units.file += units;
            figures.revenue.file += units * sku.price;
        }
        let placed = by_invoice.get(sale.invoice.as_str());
        let order = placed.and_then(|placed| services.orders.get(placed.order.as_deref()?));
        match (placed, order) {
            (None, _) => report
                .differences
                .push(format!("invoice {} was never placed", sale.invoice)),
            (Some(placed), None) => {
                report.differences.push(format!(
                    "invoice {} has no order: {}",
                    sale.invoice, placed.status
                ));
            }
            (Some(_), Some(order)) if order.totals.total.amount != sale.total => {
                report.differences.push(format!(
                    "invoice {}: file {} / order {}",
                    sale.invoice, sale.total, order.totals.total.amount
                ))
            }
            _ => {}
        }
    }
    for line in services
        .orders
        .values()
        .filter(confirmed)
        .flat_map(|order| &order.lines)
    {
        // `85123A@295` is stock code 85123A at another price.
        let code = line
            .sku
            .rsplit_once('@')
            .map_or(line.sku.as_str(), |(code, _)| code);
        let figures = report.per_code.entry(code.to_owned()).or_default();
        figures.units.services += line.quantity;
        figures.revenue.services += line.total.amount;
    }
    let sum = |pick: fn(&CodeFigures) -> Pair| {
        report
            .per_code
            .values()
            .map(pick)
            .fold(Pair::default(), |sum, pair| Pair {
                file: sum.file + pair.file,
                services: sum.services + pair.services,
            })
    };
    let (units, revenue) = (sum(|f| f.units), sum(|f| f.revenue));
    report.totals.insert("units_sold", units);
    report.totals.insert("revenue", revenue);
}

fn money(report: &mut Report, plan: &Plan, services: &Services) {
    let revenue: i64 = plan.sales.iter().map(|sale| sale.total).sum();
    let refunds: i64 = plan.refunds.iter().map(|refund| refund.amount).sum();
    report.totals.insert(
        "ledger_captured",
        Pair {
            file: revenue,
            services: services.captured,
        },
    );
    report.totals.insert(
        "ledger_refunded",
        Pair {
            file: refunds,
            services: services.refunded,
        },
    );
    report.totals.insert(
        "ledger_sum_of_postings",
        Pair {
            file: 0,
            services: services.posted,
        },
    );
    let captured = services
        .orders
        .values()
        .map(|order| order.captured.amount)
        .sum();
    let refunded = services
        .orders
        .values()
        .map(|order| order.refunded.amount)
        .sum();
    report.totals.insert(
        "orders_captured",
        Pair {
            file: revenue,
            services: captured,
        },
    );
    report.totals.insert(
        "orders_refunded",
        Pair {
            file: refunds,
            services: refunded,
        },
    );
    if !services.balanced {
        report
            .differences
            .push("the ledger does not balance".into());
    }
}

fn stock(report: &mut Report, plan: &Plan, services: &Services) {
    let mut returned: HashMap<usize, i64> = HashMap::new();
    for (sku, units) in plan.refunds.iter().flat_map(|refund| &refund.lines) {
        *returned.entry(*sku).or_default() += units;
    }
    let mut conserved = Pair::default();
    let mut sold = Pair::default();
    for (n, sku) in plan.skus.iter().enumerate() {
        let back = returned.get(&n).copied().unwrap_or(0);
        let figures = report.per_code.entry(sku.code.clone()).or_default();
        figures.returned.file += back;
        let Some(row) = services.stock.get(&sku.sku) else {
            report
                .differences
                .push(format!("SKU {} has no stock record", sku.sku));
            continue;
        };
        figures.returned.services += row.returned;
        sold.file += sku.sold;
        sold.services += row.sold;
        // opening + received - sold + returned = on hand, free of what sold orders still wait for.
        // As many units come in as the file sells: only what was returned is left.
        conserved.file += back;
        conserved.services += row.on_hand - row.allocated;
        let expected = row.opening + row.received + row.adjusted - row.sold + row.returned;
        let agrees = row.on_hand - row.allocated == expected
            && row.available == row.on_hand - row.reserved
            && row.reserved == row.allocated
            && (row.opening, row.sold, row.returned) == (sku.sold, sku.sold, back);
        if !agrees {
            report.differences.push(format!(
                "SKU {}: file sold {} returned {back} / stock {row:?}",
                sku.sku, sku.sold
            ));
        }
    }
    report.totals.insert("stock_units_sold", sold);
    report.totals.insert("stock_on_hand_after_sales", conserved);
    for (code, figures) in &report.per_code {
        for (name, pair) in [
            ("units", figures.units),
            ("revenue", figures.revenue),
            ("returned", figures.returned),
        ] {
            if pair.file != pair.services {
                report.differences.push(format!(
                    "{code} {name}: file {} / services {}",
                    pair.file, pair.services
                ));
            }
        }
    }
}
