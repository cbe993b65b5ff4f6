//! `/dev/mail`: everybody's messages without signing in, for a shop on one's own machine. The
//! routes are there only where the binary switched them on, and answer only requests made to a
//! name of this machine: not what a proxy or another site's page sends here.

use axum::{
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::Response,
};
use kernel::App;
use serde_json::{Value, json};
use web::{Path, Problem};

use super::{Common, messages, page, unsubscribe::broken};
use crate::{
    Shared,
    queries::{self, Filter},
};

/// How many are listed.
const SHOWN: i64 = 100;

/// `GET /dev/mail`
pub async fn list(
    State(app): State<App>,
    shared: Common,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    here(&headers)?;
    let mut rows = Vec::new();
    for message in queries::messages(&app, &Filter::default(), None, SHOWN).await? {
        let state = messages::find(&app, &message.id).await?;
        rows.extend(row(&app, &shared, &state));
    }
    let values = json!({ "shop": { "name": shared.config.shop_name }, "messages": rows });
    let html = shared.templates.page("dev_list.html", &values);
    html.map(page).map_err(broken)
}

fn row(app: &App, shared: &Shared, state: &crate::message::MessageState) -> Option<Value> {
    let view = messages::view(app, shared, state)?;
    let subject = view.rendered.map(|rendered| rendered.subject);
    Some(json!({
        "id": view.summary.id, "href": format!("/dev/mail/{}", crate::links::encode(&view.summary.id)),
        "status": view.summary.status, "channel": view.summary.channel,
        "at": view.summary.queued_at, "to": view.to, "subject": subject,
        "reason": view.summary.reason,
    }))
}

/// `GET /dev/mail/{id}`
pub async fn show(
    State(app): State<App>,
    shared: Common,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    here(&headers)?;
    let state = messages::find(&app, &id).await?;
    let view = messages::view(&app, &shared, &state);
    let values = json!({ "shop": { "name": shared.config.shop_name }, "message": view });
    let html = shared.templates.page("dev_mail.html", &values);
    html.map(page).map_err(broken)
}

fn here(headers: &HeaderMap) -> Result<(), Problem> {
    let host = headers
        .get(header::HOST)
        .and_then(|host| host.to_str().ok());
    match host.is_some_and(is_this_machine) {
        true => Ok(()),
        false => Err(Problem::new(
            StatusCode::NOT_FOUND,
            "no-route",
            "there is no such address; see /docs",
        )),
    }
}

fn is_this_machine(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    name == "localhost"
        || name == "::1"
        || name.starts_with("127.") && name.bytes().all(|b| b.is_ascii_digit() || b == b'.')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_this_machine_are_answered() {
        for good in [
            "localhost",
            "localhost:8080",
            "127.0.0.1:8080",
            "[::1]:8080",
        ] {
            assert!(is_this_machine(good), "{good}");
        }
        for bad in [
            "shop.example",
            "127.evil.example",
            "10.0.0.1",
            "",
            "[fe80::1]",
        ] {
            assert!(!is_this_machine(bad), "{bad}");
        }
    }
}
