//! Tax rates, their import, and the tax settings.

use axum::{
    body::Bytes,
    extract::{State, rejection::BytesRejection},
    http::{HeaderMap, StatusCode, header},
    response::Response,
};
use contracts::{
    List,
    pricing::{TaxImportAnswer, TaxRate, TaxRateId, TaxRateInput, TaxSettings},
};
use kernel::{App, Decide, Rejection};
use serde::Deserialize;
use web::{Ctx, Json, Page, Path, Problem, Query};

use super::{answer, render};
use crate::{
    check,
    import::{self, read_vat_rates, read_woocommerce},
    places::ALL,
    queries,
    tax::{PutTaxRate, Settings, rate_of},
    whole::{Whole, WholeCommand},
};

#[derive(Deserialize)]
pub struct OfCountry {
    country: Option<String>,
}

/// `GET /api/pricing/tax-rates`
pub async fn list(
    State(app): State<App>,
    Query(of): Query<OfCountry>,
    page: Page,
) -> Result<axum::Json<List<TaxRate>>, Problem> {
    let country = of.country.filter(|country| !country.is_empty());
    if let Some(country) = &country {
        check::country("country", country)?;
    }
    let after = page.after.as_deref().unwrap_or_default();
    let items = queries::tax_rates(&app, country.as_deref(), after, page.limit + 1).await?;
    Ok(axum::Json(page.list(items, |rate| rate.id.to_string())))
}

/// `POST /api/pricing/tax-rates`
pub async fn add(
    State(app): State<App>,
    Ctx(context): Ctx,
    body: Json<TaxRateInput>,
) -> Result<Response, Problem> {
    let rate = rate_of(TaxRateId::generate(app.ids()), body.value)?;
    let added = rate.clone();
    let command = PutTaxRate { rate, new: true };
    let stored = app
        .execute_once(&context, body.key, command, move |()| {
            render(StatusCode::CREATED, &added)
        })
        .await?;
    Ok(answer(stored))
}

/// `GET /api/pricing/tax-rates/{id}`
pub async fn show(
    State(app): State<App>,
    Path(id): Path<TaxRateId>,
) -> Result<axum::Json<TaxRate>, Problem> {
    let state = app.state::<Whole<TaxRate>>(id.as_str()).await?.state;
    let rate = state.ok_or_else(|| Rejection::not_found("tax rate"))?;
    Ok(axum::Json(rate.as_ref().clone()))
}

/// `PUT /api/pricing/tax-rates/{id}`
pub async fn change(
    State(app): State<App>,
    Ctx(context): Ctx,
    Path(id): Path<TaxRateId>,
    body: Json<TaxRateInput>,
) -> Result<axum::Json<TaxRate>, Problem> {
    let rate = rate_of(id, body.value)?;
    let command = PutTaxRate {
        rate: rate.clone(),
        new: false,
    };
    app.execute(&context, command).await?;
    Ok(axum::Json(rate))
}

/// `DELETE /api/pricing/tax-rates/{id}`
pub async fn remove(
    State(app): State<App>,
    Ctx(context): Ctx,
    Path(id): Path<TaxRateId>,
) -> Result<StatusCode, Problem> {
    let command = Decide::<Whole<TaxRate>>::new(id.as_str(), WholeCommand::Remove);
    app.execute(&context, command).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `POST /api/pricing/tax-rates/import`. Rates are set some hundreds at a time; should that end
/// halfway, the same table again does the rest.
pub async fn import(
    State(app): State<App>,
    Ctx(context): Ctx,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<axum::Json<TaxImportAnswer>, Problem> {
    let body = body.map_err(|_| {
        let detail = "the body is too large for this route, or could not be read";
        Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too-large", detail)
    })?;
    let text = std::str::from_utf8(&body)
        .map_err(|_| Rejection::invalid("body", "must be text in UTF-8"))?;
    let kind = headers.get(header::CONTENT_TYPE);
    let kind = kind.map_or(&b""[..], |kind| kind.as_bytes());
    let rows = match kind {
        kind if kind.starts_with(b"text/csv") => read_woocommerce(text)?,
        kind if kind.starts_with(b"application/json") => read_vat_rates(text)?,
        _ => {
            let detail = "send the table as text/csv or application/json";
            let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
            return Err(Problem::new(status, "media-type", detail));
        }
    };
    let mut done = Vec::with_capacity(rows.len());
    for command in import::commands(&rows) {
        done.extend(app.execute(&context, command).await?);
    }
    Ok(axum::Json(import::answer(rows, done)))
}

/// `GET /api/pricing/tax-settings`
pub async fn settings(State(app): State<App>) -> Result<axum::Json<TaxSettings>, Problem> {
    Ok(axum::Json(app.state::<Settings>(ALL).await?.state))
}

/// `PUT /api/pricing/tax-settings`
pub async fn set_settings(
    State(app): State<App>,
    Ctx(context): Ctx,
    body: Json<TaxSettings>,
) -> Result<axum::Json<TaxSettings>, Problem> {
    let settings = body.value.clone();
    app.execute(&context, Decide::<Settings>::new(ALL, settings))
        .await?;
    Ok(axum::Json(body.value))
}
