//! What is printed: labels, pick lists, packing slips.

use axum::{
    extract::State,
    http::{HeaderValue, header},
    response::Response,
};
use contracts::shipping::{FulfilmentId, FulfilmentStatus, LabelStatus};
use kernel::{App, Rejection};
use labels::{BarcodeError, Label, Sheet};
use web::{Path, Problem};

use super::private;
use crate::{
    fulfilment::{Fulfilment, Fulfilments},
    goods::location_name,
    plan::{Plans, SHOP},
    render::{printed, sheet},
};

async fn fulfilment(app: &App, id: &FulfilmentId) -> Result<Fulfilment, Problem> {
    Ok(app.state::<Fulfilments>(id.as_str()).await?.state)
}

/// What is on a label; a void one is not printed any more.
async fn label(app: &App, id: &FulfilmentId, number: i64) -> Result<Label, Problem> {
    let state = fulfilment(app, id).await?;
    let label = state.label(number);
    let label = label.ok_or_else(|| Rejection::not_found("label"))?;
    if label.status != LabelStatus::Bought {
        let detail = "only a label that is bought and not void can be printed";
        return Err(Rejection::conflict("label-state", detail).into());
    }
    let plan = app.state::<Plans>(SHOP).await?.state;
    let option = state.created.as_ref().and_then(|c| c.option_id.as_ref());
    let option = option.and_then(|id| plan.option(id));
    let service = option.map_or("", |option| option.label.as_str());
    printed(&state, label, plan.sender(), service).ok_or_else(|| {
        let detail = "the recipient's data was erased";
        Rejection::new(kernel::RejectionKind::Gone, "erased", detail).into()
    })
}

fn unprintable(error: BarcodeError) -> Problem {
    Rejection::unprocessable("unprintable", error.to_string()).into()
}

fn file(kind: &'static str, name: &str, body: Vec<u8>) -> Response {
    let mut response = private(([(header::CONTENT_TYPE, kind)], body));
    let disposition = format!("inline; filename=\"{name}\"");
    if let Ok(value) = HeaderValue::from_str(&disposition) {
        response
            .headers_mut()
            .insert(header::CONTENT_DISPOSITION, value);
    }
    response
}

/// `GET /api/shipping/fulfilments/{id}/labels/{number}/pdf`
pub async fn label_pdf(
    State(app): State<App>,
    Path((id, number)): Path<(FulfilmentId, i64)>,
) -> Result<Response, Problem> {
    let label = label(&app, &id, number).await?;
    let pdf = labels::pdf(&label).map_err(unprintable)?;
    let name = format!("label-{}.pdf", label.number);
    Ok(file("application/pdf", &name, pdf))
}

/// `GET /api/shipping/fulfilments/{id}/labels/{number}/zpl`
pub async fn label_zpl(
    State(app): State<App>,
    Path((id, number)): Path<(FulfilmentId, i64)>,
) -> Result<Response, Problem> {
    let label = label(&app, &id, number).await?;
    let zpl = labels::zpl(&label).map_err(unprintable)?;
    let name = format!("label-{}.zpl", label.number);
    Ok(file("text/plain; charset=utf-8", &name, zpl.into_bytes()))
}

async fn page(app: &App, id: &FulfilmentId) -> Result<Sheet, Problem> {
    let state = fulfilment(app, id).await?;
    let unknown = || Rejection::not_found("fulfilment");
    if state.status == FulfilmentStatus::Cancelled {
        let detail = "the fulfilment was given up: nothing is to be picked or packed";
        return Err(Rejection::conflict("fulfilment-state", detail).into());
    }
    let created = state.created.clone().ok_or_else(unknown)?;
    let name = location_name(app, &created.location).await?;
    let location = name.unwrap_or_else(|| created.location.to_string());
    let plan = app.state::<Plans>(SHOP).await?.state;
    Ok(sheet(&state, plan.sender(), location).ok_or_else(unknown)?)
}

/// `GET /api/shipping/fulfilments/{id}/pick-list`
pub async fn pick_list(
    State(app): State<App>,
    Path(id): Path<FulfilmentId>,
) -> Result<Response, Problem> {
    let pdf = labels::pick_list(&page(&app, &id).await?).map_err(unprintable)?;
    Ok(file("application/pdf", &format!("pick-list-{id}.pdf"), pdf))
}

/// `GET /api/shipping/fulfilments/{id}/packing-slip`
pub async fn packing_slip(
    State(app): State<App>,
    Path(id): Path<FulfilmentId>,
) -> Result<Response, Problem> {
    let pdf = labels::packing_slip(&page(&app, &id).await?).map_err(unprintable)?;
    Ok(file(
        "application/pdf",
        &format!("packing-slip-{id}.pdf"),
        pdf,
    ))
}
