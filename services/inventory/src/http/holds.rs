//! Holds, and the reservations of orders.

use axum::{extract::State, http::StatusCode, response::Response};
use contracts::{
    List,
    inventory::{HoldId, HoldStock, ReservationView, WaitingReservation},
    orders::OrderId,
};
use kernel::{App, Rejection};
use web::{Ctx, Json, Page, Path, Problem};

use super::{answer, check, render, stock::check_lines};
use crate::{
    queries,
    reservation::{Reservation, ReservationState},
    reserve::{MakeHold, Release, Wanted},
};

const MAX_LINES: usize = 1_000;
const MAX_SECONDS: i64 = 30 * 24 * 60 * 60;

/// `POST /api/inventory/holds`
pub async fn make(
    State(app): State<App>,
    Ctx(context): Ctx,
    body: Json<HoldStock>,
) -> Result<Response, Problem> {
    let hold = body.value;
    check_lines(&hold.lines, MAX_LINES)?;
    check::country("country", hold.country.as_deref())?;
    if !(1..=MAX_SECONDS).contains(&hold.expires_in_seconds) {
        let detail = format!("must be 1 to {MAX_SECONDS}");
        return Err(Rejection::invalid("expires_in_seconds", detail).into());
    }
    let id = HoldId::generate(app.ids());
    let command = MakeHold {
        id: id.clone(),
        wanted: Wanted::of(hold.lines.iter().map(|l| (l.sku.as_str(), l.quantity))),
        expires_in_seconds: hold.expires_in_seconds,
        country: hold.country,
    };
    let stored = app
        .execute_once(&context, body.key, command, move |state| {
            render(StatusCode::CREATED, &view(id.as_str(), state))
        })
        .await?;
    Ok(answer(stored))
}

fn view(id: &str, state: &ReservationState) -> Option<ReservationView> {
    Some(ReservationView {
        id: id.to_owned(),
        status: state.status?,
        order_id: state.order_id.clone(),
        lines: state.lines.as_ref().clone(),
        expires_at: state.expires_at,
    })
}

/// `GET /api/inventory/holds/{id}`
pub async fn show(
    State(app): State<App>,
    Path(id): Path<HoldId>,
) -> Result<axum::Json<ReservationView>, Problem> {
    find(&app, id.as_str()).await.map(axum::Json)
}

/// `DELETE /api/inventory/holds/{id}`: again and again, the answer is the same.
pub async fn cancel(
    State(app): State<App>,
    Ctx(context): Ctx,
    Path(id): Path<HoldId>,
) -> Result<StatusCode, Problem> {
    find(&app, id.as_str()).await?;
    let command = Release {
        reservation: id.as_str().to_owned(),
        order_id: None,
        reason: "cancelled",
    };
    app.execute(&context, command).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `GET /api/inventory/reservations/{id}`
pub async fn reservation(
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<axum::Json<ReservationView>, Problem> {
    // Only what looks like an id is looked for.
    if id.parse::<OrderId>().is_err() && id.parse::<HoldId>().is_err() {
        return Err(Rejection::not_found("reservation").into());
    }
    find(&app, &id).await.map(axum::Json)
}

async fn find(app: &App, id: &str) -> Result<ReservationView, Problem> {
    let found = app.state::<Reservation>(id).await?;
    view(id, &found.state).ok_or_else(|| Rejection::not_found("reservation").into())
}

/// `GET /api/inventory/reservations`
pub async fn waiting(
    State(app): State<App>,
    page: Page,
) -> Result<axum::Json<List<WaitingReservation>>, Problem> {
    let after = page.after.as_deref().unwrap_or_default();
    let items = queries::waiting(&app, after, page.limit + 1).await?;
    Ok(axum::Json(page.list(items, |item| item.id.clone())))
}
