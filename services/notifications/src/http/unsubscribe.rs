//! "No more, please": the page behind the link in a message, and the one click of mail programs.

use axum::{extract::State, response::Response};
use kernel::{App, Rejection, RejectionKind};
use serde::Deserialize;
use serde_json::json;
use web::{Ctx, Problem, Query};

use super::{Common, messages, page};
use crate::{Shared, address, commands, links, message::MessageState};

#[derive(Deserialize)]
pub struct Link {
    message: String,
    signature: String,
}

/// `GET /api/notifications/unsubscribe`: asks, and changes nothing.
pub async fn ask(
    State(app): State<App>,
    shared: Common,
    Query(link): Query<Link>,
) -> Result<Response, Problem> {
    let message = signed(&app, &link).await?;
    let action = links::unsubscribe(&app, "", &link.message);
    show(&shared, &message, false, &action)
}

/// `POST /api/notifications/unsubscribe`: by the page's button, or by a mail program (RFC 8058).
pub async fn confirm(
    State(app): State<App>,
    ctx: Ctx,
    shared: Common,
    Query(link): Query<Link>,
) -> Result<Response, Problem> {
    let message = signed(&app, &link).await?;
    let to = message.queued.as_deref().and_then(|queued| queued.to.get());
    // Nobody writes to who was erased.
    if let Some(to) = to {
        let unsubscribe = commands::Unsubscribe {
            address_key: address::key(&app, to),
            message_id: link.message,
        };
        app.execute(&ctx.0, unsubscribe).await?;
    }
    show(&shared, &message, true, "")
}

/// The message of a link of ours. One that is not says no more than that.
async fn signed(app: &App, link: &Link) -> Result<MessageState, Problem> {
    if !links::is_signed(app, &link.message, &link.signature) {
        let detail = "this link is not whole; use the one in the message";
        return Err(Rejection::new(RejectionKind::Forbidden, "bad-link", detail).into());
    }
    messages::find(app, &link.message).await
}

fn show(
    shared: &Shared,
    message: &MessageState,
    done: bool,
    action: &str,
) -> Result<Response, Problem> {
    let queued = message.queued.as_deref();
    let wanted = queued.and_then(|queued| queued.locale.as_deref());
    let kind = queued.map(|queued| queued.kind);
    let locale = kind.map(|kind| shared.templates.nearest(kind, wanted));
    let values = json!({
        "locale": locale.unwrap_or_default(), "done": done, "action": action,
        "shop": { "name": shared.config.shop_name, "url": shared.config.shop_url },
    });
    let html = shared.templates.page("unsubscribe.html", &values);
    html.map(page).map_err(broken)
}

/// A page of ours that cannot be shown is a defect of ours.
pub fn broken(error: minijinja::Error) -> Problem {
    kernel::AppError::Internal(format!("a page failed: {}", error.kind())).into()
}
