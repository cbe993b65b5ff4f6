//! The 3-D Secure step: a page for cardholders, and the same as JSON for tests of an API.
//!
//! Knowing the address is the permission: identifiers cannot be guessed.

use axum::extract::rejection::QueryRejection;
use axum::extract::{Form, FromRequest, Path, Query, Request, State};
use axum::response::{IntoResponse, Redirect, Response};
use bytes::Bytes;
use http::{StatusCode, header};
use serde::Deserialize;

use crate::http::{App, Shared, received};
use crate::ledger::{Answer, no_payment};
use crate::payment::Status;
use crate::problem::Problem;
use crate::{input, page};

/// Where to go afterwards.
#[derive(Deserialize)]
pub struct Visit {
    return_url: Option<String>,
}

/// `GET /3ds/{id}?return_url=…`
pub async fn show(
    State(app): Shared,
    Path(id): Path<String>,
    visit: Result<Query<Visit>, QueryRejection>,
) -> Response {
    let Ok(Query(visit)) = visit else {
        return page::problem(StatusCode::BAD_REQUEST, "The address cannot be read.");
    };
    if visit
        .return_url
        .as_deref()
        .is_some_and(|url| !page::is_return_url(url))
    {
        return bad_return_url();
    }
    match stored(&app, &id).await {
        Ok(row) => page::challenge(&row, visit.return_url.as_deref()),
        Err(response) => response,
    }
}

async fn stored(app: &App, id: &str) -> Result<crate::store::PaymentRow, Response> {
    let missing = || page::problem(StatusCode::NOT_FOUND, "There is no such payment.");
    let n = app.payment_number(id).map_err(|_| missing())?;
    match app.read(move |ledger| ledger.payment_row(n)).await {
        Ok(row) => row.ok_or_else(missing),
        Err(_) => Err(page::problem(
            StatusCode::SERVICE_UNAVAILABLE,
            "Please try again in a moment.",
        )),
    }
}

/// `POST /3ds/{id}`: the page's form, or JSON `{"approve": true}`.
pub async fn answer(State(app): Shared, Path(id): Path<String>, request: Request) -> Response {
    let kind = request
        .headers()
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    if kind.is_some_and(|kind| kind.starts_with("application/json")) {
        answer_json(&app, &id, request)
            .await
            .unwrap_or_else(Problem::into_response)
    } else {
        answer_form(&app, &id, request).await
    }
}

async fn answer_json(app: &App, id: &str, request: Request) -> Result<Response, Problem> {
    let mut fields = input::object(&received(Bytes::from_request(request, &()).await)?)?;
    let approve = fields
        .optional_flag("approve")?
        .ok_or_else(|| Problem::invalid("approve", "is missing"))?;
    fields.end("approve")?;
    Ok(decide(app, id, approve).await?.into_response())
}

#[derive(Deserialize)]
struct Decision {
    decision: String,
    return_url: Option<String>,
}

async fn answer_form(app: &App, id: &str, request: Request) -> Response {
    let Ok(Form(form)) = Form::<Decision>::from_request(request, &()).await else {
        return page::problem(StatusCode::BAD_REQUEST, "The form cannot be read.");
    };
    if form
        .return_url
        .as_deref()
        .is_some_and(|url| !page::is_return_url(url))
    {
        return bad_return_url();
    }
    let (approve, status) = match form.decision.as_str() {
        "approve" => (true, Status::Authorised),
        "refuse" => (false, Status::Declined),
        _ => {
            return page::problem(
                StatusCode::UNPROCESSABLE_ENTITY,
                "The decision must be approve or refuse.",
            );
        }
    };
    match (decide(app, id, approve).await, form.return_url) {
        (Ok(_), Some(url)) => Redirect::to(&url).into_response(),
        (Ok(_), None) => page::decided(status, None),
        // A second click: show how it was decided the first time.
        (Err(problem), url) if problem.code == "wrong_state" => {
            match (stored(app, id).await, url) {
                (Ok(_), Some(url)) => Redirect::to(&url).into_response(),
                (Ok(row), None) => page::decided(row.state.status, None),
                (Err(response), _) => response,
            }
        }
        (Err(problem), _) if problem == no_payment() => {
            page::problem(StatusCode::NOT_FOUND, "There is no such payment.")
        }
        (Err(_), _) => page::problem(
            StatusCode::SERVICE_UNAVAILABLE,
            "Please try again in a moment.",
        ),
    }
}

/// Decides, and lets the shop know before the cardholder is back there.
async fn decide(app: &App, id: &str, approve: bool) -> Result<Answer, Problem> {
    let n = app.payment_number(id)?;
    let answer = app.book(move |ledger| ledger.challenge(n, approve)).await?;
    app.deliver_first(&answer).await;
    Ok(answer)
}

fn bad_return_url() -> Response {
    page::problem(
        StatusCode::BAD_REQUEST,
        "The return_url must be an absolute http or https address.",
    )
}
