//! Messages, for staff.

use axum::{
    Json as Answer,
    extract::State,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use contracts::{
    List,
    address::is_email,
    notifications::{BounceReport, MessageKind, MessageStatus, MessageSummary, MessageView},
    orders::OrderId,
};
use kernel::{App, Rejection};
use serde::Deserialize;
use web::{Caller, Ctx, Json, Page, Path, Problem, Query};

use super::Common;
use crate::{
    address,
    commands::{Bounce, OnMessage},
    message::{Ask, Message, MessageState},
    queries::{self, Filter},
    render,
};

/// The longest name a message has.
const LONGEST_ID: usize = 200;

#[derive(Deserialize)]
pub struct Asked {
    status: Option<String>,
    kind: Option<String>,
    order: Option<String>,
}

/// `GET /api/notifications/messages`
pub async fn list(
    State(app): State<App>,
    page: Page,
    Query(asked): Query<Asked>,
) -> Result<Answer<List<MessageSummary>>, Problem> {
    let filter = filter(&asked)?;
    let found = queries::messages(&app, &filter, page.after.as_deref(), page.limit + 1).await?;
    Ok(Answer(page.list(found, queries::cursor)))
}

fn filter(asked: &Asked) -> Result<Filter, Rejection> {
    let status = asked.status.as_deref().map(|text| {
        let detail = "must be queued, sent, retrying, failed, suppressed or bounced";
        MessageStatus::parse(text).ok_or_else(|| Rejection::invalid("status", detail))
    });
    let kind = asked.kind.as_deref().map(|text| {
        let detail = "must be a kind of message, such as order_confirmed";
        MessageKind::parse(text).ok_or_else(|| Rejection::invalid("kind", detail))
    });
    let order = asked.order.as_deref().map(|text| {
        let order = text.parse::<OrderId>();
        order.map_err(|detail| Rejection::invalid("order", detail))
    });
    Ok(Filter {
        status: status.transpose()?,
        kind: kind.transpose()?,
        order: order.transpose()?.map(|order| order.to_string()),
    })
}

/// `GET /api/notifications/messages/{id}`
pub async fn get(
    State(app): State<App>,
    shared: Common,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let message = find(&app, &id).await?;
    let view = view(&app, &shared, &message).ok_or_else(unknown)?;
    let mut response = Answer(view).into_response();
    let no_store = HeaderValue::from_static("no-store");
    response
        .headers_mut()
        .insert(header::CACHE_CONTROL, no_store);
    Ok(response)
}

/// A message's state; 404 if there is none.
pub async fn find(app: &App, id: &str) -> Result<MessageState, Problem> {
    if id.len() > LONGEST_ID || id.contains('\0') {
        return Err(unknown().into());
    }
    let message = app.state::<Message>(id).await?.state;
    match message.queued {
        Some(_) => Ok(message),
        None => Err(unknown().into()),
    }
}

fn unknown() -> Rejection {
    Rejection::not_found("message")
}

/// A message as staff see it.
pub fn view(app: &App, shared: &crate::Shared, message: &MessageState) -> Option<MessageView> {
    let queued = message.queued.as_deref()?;
    let written = render::write(app, shared, queued).ok();
    Some(MessageView {
        summary: summary(message)?,
        class: queued.kind.class(),
        to: queued.to.get().cloned(),
        provider: message.provider.clone(),
        provider_id: message.provider_id.clone(),
        rendered: written.map(|(written, _)| written.rendered),
    })
}

fn summary(message: &MessageState) -> Option<MessageSummary> {
    let queued = message.queued.as_deref()?;
    Some(MessageSummary {
        id: queued.message_id.clone(),
        kind: queued.kind,
        channel: queued.channel,
        status: message.status,
        order_id: queued.order_id.clone(),
        customer_id: queued.customer_id.clone(),
        attempts: message.attempts,
        reason: message.reason.clone(),
        retry_at: message.retry_at,
        queued_at: queued.at,
        updated_at: message.updated_at,
    })
}

/// `POST /api/notifications/messages/{id}/resend`
pub async fn resend(
    State(app): State<App>,
    ctx: Ctx,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<(StatusCode, Answer<MessageSummary>), Problem> {
    find(&app, &id).await?;
    let ask = Ask::Resend(caller.actor().to_string());
    let message = app.execute(&ctx.0, OnMessage { id, ask }).await?;
    let summary = summary(&message).ok_or_else(unknown)?;
    Ok((StatusCode::ACCEPTED, Answer(summary)))
}

/// `POST /api/notifications/bounces`
pub async fn bounce(
    State(app): State<App>,
    ctx: Ctx,
    Json { value, .. }: Json<BounceReport>,
) -> Result<StatusCode, Problem> {
    check(&value)?;
    let address = match (&value.message_id, value.email) {
        (Some(id), _) => {
            let message = find(&app, id).await?;
            let queued = message.queued.as_deref();
            queued.and_then(|queued| queued.to.get().cloned())
        }
        (None, email) => email,
    };
    let bounce = Bounce {
        message_id: value.message_id,
        address_key: address.map(|address| address::key(&app, &address)),
        permanent: value.permanent,
        code: value.code,
    };
    app.execute(&ctx.0, bounce).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn check(report: &BounceReport) -> Result<(), Rejection> {
    match (&report.message_id, &report.email) {
        (Some(_), Some(_)) | (None, None) => {
            let detail = "name either the message (message_id) or the address (email)";
            return Err(Rejection::invalid("message_id", detail));
        }
        (None, Some(email)) if !is_email(email) => {
            let detail = "must be an e-mail address, such as ann@example.org";
            return Err(Rejection::invalid("email", detail));
        }
        _ => {}
    }
    let good = |code: &String| {
        !code.is_empty()
            && code.len() <= 12
            && code.bytes().all(|b| b.is_ascii_digit() || b == b'.')
    };
    match report.code.as_ref().is_none_or(good) {
        true => Ok(()),
        false => Err(Rejection::invalid(
            "code",
            "must be a status code such as 5.1.1 (RFC 3463)",
        )),
    }
}
