//! The API.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};
use std::time::Duration;

use axum::{
    extract::{State, rejection::BytesRejection},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use contracts::{
    List,
    payments::{
        CapturePayment, LedgerEntry, LedgerSummary, OperationKind, OperationStatus, PaymentId,
        PaymentStatus, PaymentSummary, PaymentTrouble, PaymentView, ProviderEventUnmatched,
        RefundPayment, VoidPayment,
    },
};
use kernel::{App, Context, IdempotencyKey, Money, Rejection, Stored, serde_json};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use web::{Access, Caller, Ctx, Json, Page, Path, Problem, Query, Routes};

use crate::{
    apply::{Applied, Apply, Ask, RecordWebhook},
    patience::Patience,
    payment::Payment,
    provider::WebhookError,
    queries,
    registry::Providers,
    rules::{Command, Request},
    waiting::Waiting,
};

const READ: &str = "payments:read";
const WRITE: &str = "payments:write";
/// Largest webhook taken.
const MAX_WEBHOOK: usize = 64 * 1024;
/// Longest reason of a refund, in characters.
const MAX_REASON: usize = 500;

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
    let [for_capture, for_void, for_refund, for_webhooks] = [(); 4].map(|()| shared.clone());
    let capture = move |State(app), caller, Ctx(context), Path(id), body: Json<CapturePayment>| {
        let request = request(OperationKind::Capture, body.value.amount, None);
        operate(
            for_capture.clone(),
            app,
            caller,
            context,
            id,
            request,
            body.key,
        )
    };
    let void = move |State(app), caller, Ctx(context), Path(id), body: Json<VoidPayment>| {
        let request = request(OperationKind::Void, None, None);
        operate(
            for_void.clone(),
            app,
            caller,
            context,
            id,
            request,
            body.key,
        )
    };
    let refund = move |State(app), caller, Ctx(context), Path(id), body: Json<RefundPayment>| {
        let request = refund_request(body.value);
        operate(
            for_refund.clone(),
            app,
            caller,
            context,
            id,
            request,
            body.key,
        )
    };
    let webhook = move |State(app), Ctx(context), Path(provider), headers, body| {
        webhook(for_webhooks.clone(), app, context, provider, headers, body)
    };
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
            capture,
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
            void,
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
            refund,
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
            webhook,
            |d| {
                d.summary("For payment providers: tells what happened to a payment")
                    .description("Signed by the provider over the raw body.")
                    .body_limit(MAX_WEBHOOK)
                    .answer_empty(200, "Recorded, now or before")
            },
        )
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

fn request(
    kind: OperationKind,
    amount: Option<Money>,
    note: Option<String>,
) -> Result<Request, Problem> {
    Ok(Request { kind, amount, note })
}

fn refund_request(body: RefundPayment) -> Result<Request, Problem> {
    let long = |reason: &String| reason.chars().count() > MAX_REASON || reason.contains('\0');
    if body.reason.as_ref().is_some_and(long) {
        let detail = format!("must have at most {MAX_REASON} characters, none of them NUL");
        return Err(Rejection::invalid("reason", detail).into());
    }
    request(OperationKind::Refund, body.amount, body.reason)
}

/// What is kept for a repeated request: which operation it asked for. The answer itself is made
/// anew, so that a repeat sees how far the operation has come.
#[derive(Serialize, Deserialize)]
struct Asked {
    operation: Option<i64>,
}

async fn operate(
    shared: Arc<Shared>,
    app: App,
    _: Caller,
    context: Context,
    id: PaymentId,
    request: Result<Request, Problem>,
    key: Option<IdempotencyKey>,
) -> Result<Response, Problem> {
    let request = request?;
    let ticket = shared.waiting.join(id.as_str());
    let mut rung = std::pin::pin!(ticket.notify.notified());
    rung.as_mut().enable();
    let apply = Apply {
        payment_id: id.clone(),
        patience: shared.patience,
        ask: Ask::Now(Command::Request(request)),
    };
    // Just asked for: it cannot be finished before the bell rings.
    let fresh = Arc::new(AtomicBool::new(false));
    let render = {
        let fresh = fresh.clone();
        move |applied: &Applied| {
            fresh.store(applied.requested.is_some(), Ordering::Relaxed);
            let operation = applied.requested;
            let body = serde_json::to_string(&Asked { operation }).unwrap_or_default();
            Stored { status: 202, body }
        }
    };
    let stored = app.execute_once(&context, key, apply, render).await?;
    let asked: Asked = serde_json::from_str(&stored.body)
        .map_err(|_| kernel::AppError::Internal("an unreadable idempotency record".into()))?;
    let deadline = tokio::time::Instant::now() + shared.wait;
    let mut late = shared.wait.is_zero();
    if fresh.load(Ordering::Relaxed) && !late {
        late = tokio::time::timeout_at(deadline, rung.as_mut())
            .await
            .is_err();
    }
    loop {
        rung.set(ticket.notify.notified());
        rung.as_mut().enable();
        let payment = app.state::<Payment>(id.as_str()).await?.state;
        if late || outcome(&payment, asked.operation) {
            return answer(&payment, asked.operation);
        }
        late = tokio::time::timeout_at(deadline, rung.as_mut())
            .await
            .is_err();
    }
}

/// Whether there is nothing left to wait for.
fn outcome(payment: &Payment, operation: Option<i64>) -> bool {
    operation.is_none_or(|number| !payment.waits_for(number))
}

fn answer(payment: &Payment, operation: Option<i64>) -> Result<Response, Problem> {
    let mut view = payment
        .view()
        .ok_or_else(|| Rejection::not_found("payment"))?;
    view.operation = operation;
    let done = operation.and_then(|number| payment.operation(number));
    if let Some(operation) = done.filter(|o| o.status == OperationStatus::Failed) {
        let code = operation.code.as_deref().unwrap_or_default();
        let mut problem = Problem::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "refused-by-provider",
            format!("the payment provider refused: {code}"),
        );
        problem.extra = Some(serde_json::json!({
            "provider_code": code,
            "operation": operation.number,
        }));
        return Err(problem);
    }
    let status = match outcome(payment, operation) && !payment.has_open(OperationKind::Void) {
        true => StatusCode::OK,
        false => StatusCode::ACCEPTED,
    };
    Ok((status, axum::Json(view)).into_response())
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

/// Answers 200 only after what it tells is committed; anything else makes the provider send it
/// again.
async fn webhook(
    shared: Arc<Shared>,
    app: App,
    mut context: Context,
    provider: String,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<StatusCode, Problem> {
    let Some(guarded) = shared.providers.get(&provider) else {
        return Err(Rejection::not_found("payment provider").into());
    };
    let body = body.map_err(|rejection| match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Problem::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "too-large",
            "the body is too large for this route",
        ),
        _ => Rejection::invalid("body", "could not be read").into(),
    })?;
    let event = guarded
        .inner
        .verify_webhook(&headers, &body, app.now())
        .map_err(|error| match error {
            WebhookError::BadSignature => {
                Problem::new(StatusCode::UNAUTHORIZED, "bad-signature", error.to_string())
            }
            WebhookError::Malformed => {
                Problem::new(StatusCode::BAD_REQUEST, "invalid", error.to_string()).field("body")
            }
        })?;
    let Some(event) = event else {
        return Ok(StatusCode::OK);
    };
    context.actor = Some(format!("provider:{provider}").into());
    let record = RecordWebhook {
        provider,
        event,
        patience: shared.patience,
    };
    if !app.execute(&context, record).await? {
        tracing::warn!("a payment provider's webhook belongs to no payment; it was kept");
    }
    Ok(StatusCode::OK)
}
