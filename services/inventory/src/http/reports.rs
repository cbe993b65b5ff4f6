//! What there is and what moved.

use axum::extract::State;
use contracts::{
    List,
    inventory::{BackorderPolicy, Level, Movement, StockSummary, StockView},
};
use kernel::{App, Rejection};
use serde::Deserialize;
use web::{Caller, Page, Path, Problem, Query};

use super::check;
use crate::queries;

/// What the public is told at most: enough to buy, too little to count a competitor's stock-room.
const PUBLIC_LIMIT: i64 = 100;

/// `GET /api/inventory/levels/{sku}`
pub async fn level(
    State(app): State<App>,
    caller: Caller,
    Path(sku): Path<String>,
) -> Result<axum::Json<StockView>, Problem> {
    let unknown = || Rejection::not_found("SKU in stock");
    check::sku("sku", &sku).map_err(|_| unknown())?;
    let stock = queries::stock(&app, &sku).await?.ok_or_else(unknown)?;
    Ok(axum::Json(match caller.may("inventory:read") {
        true => stock,
        false => public(stock),
    }))
}

fn public(stock: StockView) -> StockView {
    let beyond = match stock.backorder {
        Some(BackorderPolicy::Allow) => PUBLIC_LIMIT - stock.available.min(0),
        Some(BackorderPolicy::UpTo(units)) => units,
        Some(BackorderPolicy::Deny) | None => 0,
    };
    StockView {
        sku: stock.sku,
        available: (stock.available + beyond).clamp(0, PUBLIC_LIMIT),
        on_hand: None,
        reserved: None,
        allocated: None,
        backorder: None,
        locations: Vec::new(),
    }
}

/// `GET /api/inventory/levels`
pub async fn levels(
    State(app): State<App>,
    page: Page,
) -> Result<axum::Json<List<Level>>, Problem> {
    // No SKU holds a line break.
    let after = page.after.as_deref().unwrap_or("\n");
    let after = after.split_once('\n').ok_or_else(bad_cursor)?;
    let items = queries::levels(&app, after, page.limit + 1).await?;
    Ok(axum::Json(page.list(items, |level| {
        format!("{}\n{}", level.sku, level.location)
    })))
}

/// `GET /api/inventory/summary`
pub async fn summary(
    State(app): State<App>,
    page: Page,
) -> Result<axum::Json<List<StockSummary>>, Problem> {
    let after = page.after.as_deref().unwrap_or_default();
    let items = queries::summary(&app, after, page.limit + 1).await?;
    Ok(axum::Json(page.list(items, |item| item.sku.clone())))
}

/// Filters of the ledger.
#[derive(Deserialize)]
pub struct Filter {
    sku: Option<String>,
    kind: Option<String>,
}

const KINDS: [&str; 11] = [
    "opening",
    "received",
    "count",
    "damaged",
    "returned",
    "other",
    "transfer_in",
    "transfer_out",
    "sold",
    "sale_cancelled",
    "dispatched",
];

/// `GET /api/inventory/movements`
pub async fn movements(
    State(app): State<App>,
    page: Page,
    Query(filter): Query<Filter>,
) -> Result<axum::Json<List<Movement>>, Problem> {
    let kind = filter.kind.as_deref();
    if kind.is_some_and(|kind| !KINDS.contains(&kind)) {
        let detail = format!("must be one of {}", KINDS.join(", "));
        return Err(Rejection::invalid("kind", detail).into());
    }
    let at = match &page.after {
        Some(cursor) => Some(cursor.parse::<i64>().map_err(|_| bad_cursor())?),
        None => None,
    };
    let limit = page.limit + 1;
    let entries = match &filter.sku {
        Some(sku) => {
            check::sku("sku", sku)?;
            queries::movements_of(&app, sku, kind, at, limit).await?
        }
        None => queries::movements(&app, kind, at.unwrap_or(i64::MAX), limit).await?,
    };
    let list = page.list(entries, |entry| entry.next.to_string());
    Ok(axum::Json(List {
        items: list.items.into_iter().map(|e| e.movement).collect(),
        next_cursor: list.next_cursor,
    }))
}

fn bad_cursor() -> Problem {
    Rejection::invalid("cursor", "must be a next_cursor of this list").into()
}
