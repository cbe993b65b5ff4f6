//! Captures, voids and refunds asked for by staff: decided, then waited for.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use axum::{
    Extension,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use contracts::payments::{
    CapturePayment, OperationKind, OperationStatus, PaymentId, RefundPayment, VoidPayment,
};
use kernel::{App, AppError, Context, IdempotencyKey, Rejection, Stored, serde_json};
use serde::{Deserialize, Serialize};
use web::{Ctx, Json, Path, Problem};

use crate::{
    apply::{Applied, Apply, Ask},
    http::Shared,
    payment::Payment,
    rules::{Command, Request},
};

/// Longest reason of a refund, in characters.
const MAX_REASON: usize = 500;

/// `POST …/capture`.
pub async fn capture(
    State(app): State<App>,
    Extension(shared): Extension<Arc<Shared>>,
    Ctx(context): Ctx,
    Path(id): Path<PaymentId>,
    body: Json<CapturePayment>,
) -> Result<Response, Problem> {
    let request = Request {
        kind: OperationKind::Capture,
        amount: body.value.amount,
        note: None,
    };
    operate(&shared, &app, &context, id, request, body.key).await
}

/// `POST …/void`.
pub async fn void(
    State(app): State<App>,
    Extension(shared): Extension<Arc<Shared>>,
    Ctx(context): Ctx,
    Path(id): Path<PaymentId>,
    body: Json<VoidPayment>,
) -> Result<Response, Problem> {
    let request = Request {
        kind: OperationKind::Void,
        amount: None,
        note: None,
    };
    operate(&shared, &app, &context, id, request, body.key).await
}

/// `POST …/refund`.
pub async fn refund(
    State(app): State<App>,
    Extension(shared): Extension<Arc<Shared>>,
    Ctx(context): Ctx,
    Path(id): Path<PaymentId>,
    body: Json<RefundPayment>,
) -> Result<Response, Problem> {
    let note = body.value.reason;
    let bad = |reason: &String| reason.chars().count() > MAX_REASON || reason.contains('\0');
    if note.as_ref().is_some_and(bad) {
        let detail = format!("must have at most {MAX_REASON} characters, none of them NUL");
        return Err(Rejection::invalid("reason", detail).into());
    }
    let request = Request {
        kind: OperationKind::Refund,
        amount: body.value.amount,
        note,
    };
    operate(&shared, &app, &context, id, request, body.key).await
}

/// What is kept for a repeated request: which operation it asked for. The answer itself is made
/// anew, so that a repeat sees how far the operation has come.
#[derive(Serialize, Deserialize)]
struct Asked {
    operation: Option<i64>,
}

async fn operate(
    shared: &Shared,
    app: &App,
    context: &Context,
    id: PaymentId,
    request: Request,
    key: Option<IdempotencyKey>,
) -> Result<Response, Problem> {
    // Listens before it asks, so that no outcome is missed.
    let ticket = shared.waiting.join(id.as_str());
    let mut rung = std::pin::pin!(ticket.notify.notified());
    rung.as_mut().enable();
    let (asked, fresh) = request_once(shared, app, context, &id, request, key).await?;
    let mut patience = std::pin::pin!(tokio::time::sleep(shared.wait));
    let mut late = shared.wait.is_zero();
    // Just asked for: there is nothing to see before the bell rings.
    let mut look = !fresh || late;
    loop {
        if look {
            let payment = app.state::<Payment>(id.as_str()).await?.state;
            if late || finished(&payment, asked.operation) {
                return answer(&payment, asked.operation);
            }
        }
        tokio::select! {
            () = rung.as_mut() => {}
            () = patience.as_mut() => late = true,
        }
        rung.set(ticket.notify.notified());
        rung.as_mut().enable();
        look = true;
    }
}

/// Decides the request, once per key. Also answers whether that was now, or earlier by a request
/// that this one repeats.
async fn request_once(
    shared: &Shared,
    app: &App,
    context: &Context,
    id: &PaymentId,
    request: Request,
    key: Option<IdempotencyKey>,
) -> Result<(Asked, bool), Problem> {
    let apply = Apply {
        payment_id: id.clone(),
        patience: shared.patience,
        ask: Ask::Now(Command::Request(request)),
    };
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
    let stored = app.execute_once(context, key, apply, render).await?;
    let asked = serde_json::from_str(&stored.body)
        .map_err(|_| AppError::Internal("an unreadable idempotency record".into()))?;
    Ok((asked, fresh.load(Ordering::Relaxed)))
}

/// Whether there is nothing left to wait for. Without an operation of its own the request found
/// that a void was asked for, or done, before.
fn finished(payment: &Payment, operation: Option<i64>) -> bool {
    match operation {
        Some(number) => !payment.waits_for(number),
        None => !payment.has_open(OperationKind::Void),
    }
}

fn answer(payment: &Payment, operation: Option<i64>) -> Result<Response, Problem> {
    let view = payment.view();
    let mut view = view.ok_or_else(|| Rejection::not_found("payment"))?;
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
    let status = match finished(payment, operation) {
        true => StatusCode::OK,
        false => StatusCode::ACCEPTED,
    };
    Ok((status, axum::Json(view)).into_response())
}
