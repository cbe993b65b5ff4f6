//! Fulfilments: the work of staff, and the buyer's view of it.

use std::sync::Arc;

use axum::{Extension, extract::State, http::StatusCode, response::Response};
use contracts::{
    List,
    orders::OrderId,
    shipping::{
        BuyLabel, FulfilmentId, FulfilmentStatus, FulfilmentSummary, OrderShipments,
        PackFulfilment, ShipFulfilment, SplitAnswer, SplitFulfilment,
    },
};
use kernel::{App, Context, Rejection, Stored};
use serde::Deserialize;
use web::{Caller, Ctx, Json, Page, Path, Problem, Query};

use super::{READ_ORDERS, Shared, answer, private};
use crate::{
    check,
    dispatch::Dispatches,
    fulfilment::{Fulfilment, Fulfilments, Step},
    on_fulfilment::{OnFulfilment, SplitOff, check_tracking},
    queries::{self, Filter},
    render::{fulfilment_view, shipment_view},
};

/// What a list is asked for.
#[derive(Deserialize)]
pub struct Asked {
    status: Option<String>,
    location: Option<String>,
    trouble: Option<bool>,
}

/// `GET /api/shipping/fulfilments`
pub async fn list(
    State(app): State<App>,
    page: Page,
    Query(asked): Query<Asked>,
) -> Result<axum::Json<List<FulfilmentSummary>>, Problem> {
    let status = asked.status.as_deref().map(|text| {
        let unknown =
            "must be open, packed, ready, shipped, delivered, lost, returned or cancelled";
        FulfilmentStatus::parse(text).ok_or_else(|| Rejection::invalid("status", unknown))
    });
    let filter = Filter {
        status: status.transpose()?,
        location: asked.location,
        trouble: asked.trouble.unwrap_or_default(),
    };
    let found = queries::fulfilments(&app, &filter, page.after.as_deref(), page.limit + 1).await?;
    Ok(axum::Json(page.list(found, |it| it.id.to_string())))
}

/// `GET /api/shipping/fulfilments/{id}`
pub async fn show(
    State(app): State<App>,
    Path(id): Path<FulfilmentId>,
) -> Result<Response, Problem> {
    let state = app.state::<Fulfilments>(id.as_str()).await?.state;
    shown(StatusCode::OK, &state)
}

/// A fulfilment as an answer.
pub fn shown(status: StatusCode, state: &Fulfilment) -> Result<Response, Problem> {
    let view = fulfilment_view(state).ok_or_else(|| Rejection::not_found("fulfilment"))?;
    Ok(private((status, axum::Json(view))))
}

/// Lets a fulfilment take a step, and shows it.
pub async fn step(
    app: &App,
    context: &Context,
    shared: &Shared,
    id: FulfilmentId,
    step: Step,
    status: StatusCode,
) -> Result<Response, Problem> {
    let command = OnFulfilment {
        id,
        step,
        patience: shared.patience,
    };
    shown(status, &app.execute(context, command).await?)
}

/// `POST /api/shipping/fulfilments/{id}/split`
pub async fn split(
    State(app): State<App>,
    Extension(shared): Extension<Arc<Shared>>,
    Ctx(context): Ctx,
    Path(id): Path<FulfilmentId>,
    Json { value, key }: Json<SplitFulfilment>,
) -> Result<Response, Problem> {
    check::count("lines", value.lines.len(), 1, 1_000)?;
    let command = SplitOff {
        id,
        moved: value.lines,
        patience: shared.patience,
    };
    let render = |(remaining, split): &(Fulfilment, Fulfilment)| {
        let views = fulfilment_view(remaining).zip(fulfilment_view(split));
        let answer = views.map(|(remaining, split)| SplitAnswer { remaining, split });
        Stored {
            status: StatusCode::OK.as_u16(),
            body: serde_json::json!(answer).to_string(),
        }
    };
    let stored = app.execute_once(&context, key, command, render).await?;
    Ok(answer(stored))
}

/// `POST /api/shipping/fulfilments/{id}/pack`
pub async fn pack(
    State(app): State<App>,
    Extension(shared): Extension<Arc<Shared>>,
    Ctx(context): Ctx,
    Path(id): Path<FulfilmentId>,
    Json { value, .. }: Json<PackFulfilment>,
) -> Result<Response, Problem> {
    check::packages(&value.packages)?;
    let pack = Step::Pack(value.packages);
    step(&app, &context, &shared, id, pack, StatusCode::OK).await
}

/// `POST /api/shipping/fulfilments/{id}/ready`
pub async fn ready(
    State(app): State<App>,
    Extension(shared): Extension<Arc<Shared>>,
    Ctx(context): Ctx,
    Path(id): Path<FulfilmentId>,
) -> Result<Response, Problem> {
    step(&app, &context, &shared, id, Step::Ready, StatusCode::OK).await
}

/// `POST /api/shipping/fulfilments/{id}/labels`
pub async fn buy_label(
    State(app): State<App>,
    Extension(shared): Extension<Arc<Shared>>,
    Ctx(context): Ctx,
    Path(id): Path<FulfilmentId>,
    Json { value, .. }: Json<BuyLabel>,
) -> Result<Response, Problem> {
    let carrier = match value.carrier.as_deref().or(shared.carriers.only()) {
        Some(name) if shared.carriers.get(name).is_some() => name.to_owned(),
        Some(_) => return Err(Rejection::invalid("carrier", "is no carrier of this shop").into()),
        None => return Err(Rejection::invalid("carrier", "must name one of the carriers").into()),
    };
    let request = Step::RequestLabel {
        package: value.package.unwrap_or(1),
        carrier,
    };
    step(&app, &context, &shared, id, request, StatusCode::ACCEPTED).await
}

/// `POST /api/shipping/fulfilments/{id}/labels/{number}/void`
pub async fn void_label(
    State(app): State<App>,
    Extension(shared): Extension<Arc<Shared>>,
    Ctx(context): Ctx,
    Path((id, number)): Path<(FulfilmentId, i64)>,
) -> Result<Response, Problem> {
    let void = Step::VoidLabel(number);
    step(&app, &context, &shared, id, void, StatusCode::ACCEPTED).await
}

/// `POST /api/shipping/fulfilments/{id}/ship`
pub async fn ship(
    State(app): State<App>,
    Extension(shared): Extension<Arc<Shared>>,
    Ctx(context): Ctx,
    Path(id): Path<FulfilmentId>,
    Json { value, .. }: Json<ShipFulfilment>,
) -> Result<Response, Problem> {
    check::count("tracking", value.tracking.len(), 0, 50)?;
    for (i, tracking) in value.tracking.iter().enumerate() {
        check_tracking(&format!("tracking[{i}]"), tracking)?;
    }
    let ship = Step::Ship {
        tracking: value.tracking,
        handed_over: value.handed_over,
    };
    step(&app, &context, &shared, id, ship, StatusCode::OK).await
}

/// `GET /api/shipping/orders/{order_id}`. To whom the order does not belong, it does not exist.
pub async fn of_order(
    State(app): State<App>,
    caller: Caller,
    Path(order_id): Path<OrderId>,
) -> Result<Response, Problem> {
    let dispatch = app.state::<Dispatches>(order_id.as_str()).await?.state;
    let noted = dispatch.noted.filter(|noted| {
        let customer = noted.customer_id.as_ref().map(|id| id.as_str());
        caller.owns(READ_ORDERS, customer, Some(&noted.access_token_hash))
    });
    let noted = noted.ok_or_else(|| Rejection::not_found("order"))?;
    let states = queries::states(&app, dispatch.fulfilments).await?;
    Ok(private(axum::Json(OrderShipments {
        order_id,
        number: noted.number.clone(),
        shipments: states.iter().filter_map(shipment_view).collect(),
    })))
}
