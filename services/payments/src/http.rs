//! The API: the table of routes, and what only reads. Operations and webhooks have their own files.

use std::{sync::Arc, time::Duration};

use axum::extract::State;
use contracts::{
    List,
    payments::{
        CapturePayment, LedgerEntry, LedgerSummary, PaymentId, PaymentStatus, PaymentSummary,
        PaymentTrouble, PaymentView, ProviderEventUnmatched, RefundPayment, VoidPayment,
    },
};
use kernel::{App, Rejection, serde_json};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use web::{Access, Caller, Page, Path, Problem, Query, Routes};

use crate::{
    operations, patience::Patience, payment::Payment, queries, registry::Providers,
    waiting::Waiting, webhooks,
};

const READ: &str = "payments:read";
const WRITE: &str = "payments:write";
/// Largest webhook taken.
const MAX_WEBHOOK: usize = 64 * 1024;
/// What the handlers share beside the runtime.
pub struct Shared {
    /// Whose webhooks are taken.
    pub providers: Providers,
    /// How long to wait before asking a provider again.
    pub patience: Patience,
    /// How long a caller waits for an operation's outcome.
    pub wait: Duration,
    /// Who waits.
    pub waiting: Arc<Waiting>,
}

/// The routes.
pub fn routes(shared: Arc<Shared>) -> Routes {
    Routes::new()
        .get("/api/payments/{id}", Access::Owner(READ), show, |d| {
            d.summary("One payment")
                .answer::<PaymentView>(200, "The payment")
        })
        .get("/api/payments", Access::Permission(READ), list, |d| {
            d.summary("Payments, oldest first")
                .query("order_id", "only those of this order")
                .query("status", "only those with this status")
                .paged()
                .answer::<List<PaymentSummary>>(200, "A page")
        })
        .post(
            "/api/payments/{id}/capture",
            Access::Permission(WRITE),
            operations::capture,
            |d| {
                d.summary("Take what is held, all or a part")
                    .description(OPERATION)
                    .body::<CapturePayment>()
                    .answer::<PaymentView>(200, "Captured")
                    .answer::<PaymentView>(202, "Requested; the provider has not answered yet")
                    .idempotent()
            },
        )
        .post(
            "/api/payments/{id}/void",
            Access::Permission(WRITE),
            operations::void,
            |d| {
                d.summary("Give up what is held")
                    .description(OPERATION)
                    .body::<VoidPayment>()
                    .answer::<PaymentView>(200, "Voided")
                    .answer::<PaymentView>(202, "Requested; the provider has not answered yet")
                    .idempotent()
            },
        )
        .post(
            "/api/payments/{id}/refund",
            Access::Permission(WRITE),
            operations::refund,
            |d| {
                d.summary("Give captured money back, all or a part")
                    .description(OPERATION)
                    .body::<RefundPayment>()
                    .answer::<PaymentView>(200, "Refunded")
                    .answer::<PaymentView>(202, "Requested; the provider has not answered yet")
                    .idempotent()
            },
        )
        .get(
            "/api/payments/ledger",
            Access::Permission(READ),
            ledger,
            |d| {
                d.summary("The ledger, line by line")
                    .paged()
                    .answer::<List<LedgerEntry>>(200, "A page")
            },
        )
        .get(
            "/api/payments/ledger/summary",
            Access::Permission(READ),
            summary,
            |d| {
                d.summary("The sum of every account")
                    .answer::<LedgerSummary>(200, "The sums")
            },
        )
        .get(
            "/api/payments/troubles",
            Access::Permission(READ),
            troubles,
            |d| {
                d.summary("Operations without an answer, and compensations the provider refuses")
                    .paged()
                    .answer::<List<PaymentTrouble>>(200, "A page")
            },
        )
        .get(
            "/api/payments/unmatched",
            Access::Permission(READ),
            unmatched,
            |d| {
                d.summary("Webhooks that belong to no payment")
                    .paged()
                    .answer::<List<UnmatchedView>>(200, "A page")
            },
        )
        .post(
            "/api/payments/webhooks/{provider}",
            Access::Public,
            webhooks::take,
            |d| {
                d.summary("For payment providers: tells what happened to a payment")
                    .description("Signed by the provider over the raw body.")
                    .body_limit(MAX_WEBHOOK)
                    .answer_empty(200, "Recorded, now or before")
            },
        )
        .share(shared)
}

const OPERATION: &str =
    "Waits some seconds for the provider; 202 means that it has not answered yet.";

async fn show(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<PaymentId>,
) -> Result<axum::Json<PaymentView>, Problem> {
    let payment = app.state::<Payment>(id.as_str()).await?.state;
    let owned = payment.intent.as_ref().is_some_and(|intent| {
        let customer = intent.customer_id.as_ref().map(|id| id.as_str());
        caller.owns(READ, customer, Some(&intent.access_token_hash))
    });
    // To whom it does not belong, it does not exist.
    match payment.view().filter(|_| owned) {
        Some(view) => Ok(axum::Json(view)),
        None => Err(Rejection::not_found("payment").into()),
    }
}

#[derive(Deserialize)]
struct Filter {
    order_id: Option<String>,
    status: Option<String>,
}

async fn list(
    State(app): State<App>,
    Query(filter): Query<Filter>,
    page: Page,
) -> Result<axum::Json<List<PaymentSummary>>, Problem> {
    if let Some(text) = &filter.status {
        serde_json::from_value::<PaymentStatus>(text.as_str().into())
            .map_err(|_| Rejection::invalid("status", "is no status of a payment"))?;
    }
    if let Some(text) = &filter.order_id {
        text.parse::<contracts::orders::OrderId>()
            .map_err(|detail| Rejection::invalid("order_id", detail))?;
    }
    let (order, status) = (filter.order_id.as_deref(), filter.status.as_deref());
    let rows = queries::payments(&app, order, status, &page).await?;
    Ok(axum::Json(page.list(rows, |row| row.id.to_string())))
}

async fn ledger(
    State(app): State<App>,
    page: Page,
) -> Result<axum::Json<List<LedgerEntry>>, Problem> {
    let after = match &page.after {
        None => (String::new(), 0, 0),
        Some(cursor) => queries::parse_ledger_cursor(cursor)
            .ok_or_else(|| Rejection::invalid("cursor", "must be a next_cursor of this list"))?,
    };
    let rows = queries::ledger(&app, after, page.limit).await?;
    Ok(axum::Json(page.list(rows, queries::ledger_cursor)))
}

async fn summary(State(app): State<App>) -> Result<axum::Json<LedgerSummary>, Problem> {
    Ok(axum::Json(queries::ledger_summary(&app).await?))
}

async fn troubles(
    State(app): State<App>,
    page: Page,
) -> Result<axum::Json<List<PaymentTrouble>>, Problem> {
    let rows = queries::troubles(&app, &page).await?;
    Ok(axum::Json(page.list(rows, queries::trouble_cursor)))
}

/// A webhook that belongs to no payment.
#[derive(Serialize, ToSchema)]
struct UnmatchedView {
    /// Its key: provider, provider's reference, kind.
    id: String,
    /// What it said.
    #[schema(value_type = Object)]
    event: ProviderEventUnmatched,
}

async fn unmatched(
    State(app): State<App>,
    page: Page,
) -> Result<axum::Json<List<UnmatchedView>>, Problem> {
    let rows = queries::unmatched(&app, &page).await?;
    let views = rows
        .into_iter()
        .map(|(id, event)| UnmatchedView { id, event });
    Ok(axum::Json(
        page.list(views.collect(), |view| view.id.clone()),
    ))
}
