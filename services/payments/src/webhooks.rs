//! Webhooks of payment providers.

use std::sync::Arc;

use axum::{
    Extension,
    extract::{State, rejection::BytesRejection},
    http::{HeaderMap, StatusCode},
};
use bytes::Bytes;
use kernel::{App, Rejection};
use web::{Ctx, Path, Problem};

use crate::{apply::RecordWebhook, http::Shared, provider::WebhookError};

/// `POST /api/payments/webhooks/{provider}`. Answers 200 only after what it tells is committed;
/// anything else makes the provider send it again.
pub async fn take(
    State(app): State<App>,
    Extension(shared): Extension<Arc<Shared>>,
    Ctx(mut context): Ctx,
    Path(provider): Path<String>,
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
