//! News of parcels: from staff and programs, and from carriers by webhook.

use std::sync::Arc;

use axum::{
    Extension,
    extract::{State, rejection::BytesRejection},
    http::{HeaderMap, StatusCode},
    response::Response,
};
use bytes::Bytes;
use contracts::shipping::{FulfilmentId, TrackingInput};
use kernel::{App, AppError, Rejection};
use web::{Ctx, Json, Path, Problem};

use super::{Shared, fulfilments::step};
use crate::{
    carrier::{CarrierEvent, WebhookError},
    check,
    fulfilment::{Fulfilments, Step, parse_label_key},
    on_fulfilment::{OnFulfilment, check_number},
};

/// `POST /api/shipping/fulfilments/{id}/tracking`
pub async fn tell(
    State(app): State<App>,
    Extension(shared): Extension<Arc<Shared>>,
    Ctx(context): Ctx,
    Path(id): Path<FulfilmentId>,
    Json { value, .. }: Json<TrackingInput>,
) -> Result<Response, Problem> {
    check::text("event_id", &value.event_id, 100)?;
    if !value.place.is_empty() {
        check::text("place", &value.place, 100)?;
    }
    if let Some(number) = &value.number {
        check_number("number", number)?;
    }
    let track = Step::Track(value);
    step(&app, &context, &shared, id, track, StatusCode::OK).await
}

/// `POST /api/shipping/webhooks/{carrier}`. Answers 200 only after what it tells is committed;
/// anything else makes the carrier send it again.
pub async fn webhook(
    State(app): State<App>,
    Extension(shared): Extension<Arc<Shared>>,
    Ctx(mut context): Ctx,
    Path(carrier): Path<String>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<StatusCode, Problem> {
    let Some(guarded) = shared.carriers.get(&carrier) else {
        return Err(Rejection::not_found("carrier").into());
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
    context.actor = Some(format!("carrier:{carrier}").into());
    let Some((id, label)) = ours(&app, &event).await? else {
        tracing::warn!(%carrier, "a carrier's webhook belongs to no label of this shop");
        return Ok(StatusCode::OK);
    };
    let command = OnFulfilment {
        id,
        step: Step::Track(event.news),
        patience: shared.patience,
    };
    match app.execute(&context, command).await {
        Ok(_) => Ok(StatusCode::OK),
        // Of a label we do not know to be bought yet: the carrier comes again when we do.
        Err(AppError::Rejected(refused)) => {
            tracing::info!(%carrier, label, code = refused.code, "a carrier's news was put off");
            Err(refused.into())
        }
        Err(error) => Err(error.into()),
    }
}

/// The fulfilment and label an event is about, if they are ours.
async fn ours(app: &App, event: &CarrierEvent) -> Result<Option<(FulfilmentId, i64)>, AppError> {
    let Some((id, label)) = parse_label_key(&event.key) else {
        return Ok(None);
    };
    let state = app.state::<Fulfilments>(id.as_str()).await?.state;
    Ok(state.label(label).map(|_| (id, label)))
}
