//! Stock locations and the strategy.

use axum::{extract::State, http::StatusCode, response::Response};
use contracts::{
    List,
    inventory::{Location, LocationId, SaveLocation, StrategyChoice},
};
use kernel::{App, Decide, Rejection};
use web::{Ctx, Json, Path, Problem};

use super::{answer, check, render};
use crate::{
    locations::{ALL, LocationTable, Locations, LocationsCommand},
    queries,
};

async fn table(app: &App) -> Result<LocationTable, Problem> {
    Ok(app.state::<Locations>(ALL).await?.state)
}

/// `GET /api/inventory/locations`: there are at most 200, so they are one page.
pub async fn list(State(app): State<App>) -> Result<axum::Json<List<Location>>, Problem> {
    Ok(axum::Json(List {
        items: table(&app).await?.all().cloned().collect(),
        next_cursor: None,
    }))
}

/// `GET /api/inventory/locations/{id}`
pub async fn show(
    State(app): State<App>,
    Path(id): Path<LocationId>,
) -> Result<axum::Json<Location>, Problem> {
    let table = table(&app).await?;
    let location = table
        .get(&id)
        .ok_or_else(|| Rejection::not_found("location"))?;
    Ok(axum::Json(location.clone()))
}

/// `POST /api/inventory/locations`
pub async fn add(
    State(app): State<App>,
    Ctx(context): Ctx,
    body: Json<SaveLocation>,
) -> Result<Response, Problem> {
    let location = checked(LocationId::generate(app.ids()), body.value)?;
    let added = location.clone();
    let command = Decide::<Locations>::new(ALL, LocationsCommand::Add(location));
    let stored = app
        .execute_once(&context, body.key, command, move |_| {
            render(StatusCode::CREATED, &added)
        })
        .await?;
    Ok(answer(stored))
}

/// `PUT /api/inventory/locations/{id}`
pub async fn change(
    State(app): State<App>,
    Ctx(context): Ctx,
    Path(id): Path<LocationId>,
    body: Json<SaveLocation>,
) -> Result<axum::Json<Location>, Problem> {
    let location = checked(id, body.value)?;
    let command = LocationsCommand::Change(location.clone());
    app.execute(&context, Decide::<Locations>::new(ALL, command))
        .await?;
    Ok(axum::Json(location))
}

fn checked(id: LocationId, save: SaveLocation) -> Result<Location, Rejection> {
    check::text("name", Some(&save.name), 100)?;
    check::country("country", save.country.as_deref())?;
    if !(-1_000..=1_000).contains(&save.priority) {
        return Err(Rejection::invalid("priority", "must be -1,000 to 1,000"));
    }
    Ok(Location {
        id,
        name: save.name,
        country: save.country,
        priority: save.priority,
        active: save.active,
    })
}

/// `DELETE /api/inventory/locations/{id}`. The rule refuses an active location, and an inactive one
/// takes nothing in, so what is found empty here stays empty.
pub async fn remove(
    State(app): State<App>,
    Ctx(context): Ctx,
    Path(id): Path<LocationId>,
) -> Result<StatusCode, Problem> {
    if queries::holds_anything(&app, &id).await? {
        let detail = "the location still has units or promises; move them first";
        return Err(Rejection::conflict("location-not-empty", detail).into());
    }
    let command = Decide::<Locations>::new(ALL, LocationsCommand::Remove(id));
    app.execute(&context, command).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `GET /api/inventory/strategy`
pub async fn strategy(State(app): State<App>) -> Result<axum::Json<StrategyChoice>, Problem> {
    let strategy = table(&app).await?.strategy();
    Ok(axum::Json(StrategyChoice { strategy }))
}

/// `PUT /api/inventory/strategy`
pub async fn choose(
    State(app): State<App>,
    Ctx(context): Ctx,
    body: Json<StrategyChoice>,
) -> Result<axum::Json<StrategyChoice>, Problem> {
    let command = LocationsCommand::Choose(body.value.strategy);
    app.execute(&context, Decide::<Locations>::new(ALL, command))
        .await?;
    Ok(axum::Json(body.value))
}
