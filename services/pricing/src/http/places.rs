//! Channels and regions.

use axum::{extract::State, http::StatusCode, response::Response};
use contracts::{
    List,
    pricing::{Channel, ChannelInput, PublicChannel, PublicRegion, Region, RegionInput, WhereSold},
};
use kernel::{App, Decide, Rejection};
use web::{Ctx, Json, Path, Problem};

use super::{answer, render};
use crate::places::{ALL, ChannelTable, Channels, PlaceCommand, RegionTable, Regions};

async fn channel_table(app: &App) -> Result<ChannelTable, Problem> {
    Ok(app.state::<Channels>(ALL).await?.state)
}

async fn region_table(app: &App) -> Result<RegionTable, Problem> {
    Ok(app.state::<Regions>(ALL).await?.state)
}

/// `GET /api/pricing/regions/public`: what anyone may know.
pub async fn public(State(app): State<App>) -> Result<axum::Json<WhereSold>, Problem> {
    let (channels, regions) = (channel_table(&app).await?, region_table(&app).await?);
    let open = channels.0.values().filter(|channel| channel.active);
    let channels = open.map(|channel| PublicChannel {
        code: channel.code.clone(),
        name: channel.name.clone(),
    });
    let regions = regions.0.values().map(|region| PublicRegion {
        code: region.code.clone(),
        name: region.name.clone(),
        currency: region.currency,
        countries: region.countries.clone(),
        prices_include_tax: region.prices_include_tax,
    });
    Ok(axum::Json(WhereSold {
        channels: channels.collect(),
        regions: regions.collect(),
    }))
}

/// `GET /api/pricing/channels`: there are at most 250, so they are one page.
pub async fn channels(State(app): State<App>) -> Result<axum::Json<List<Channel>>, Problem> {
    Ok(axum::Json(List {
        items: channel_table(&app).await?.0.values().cloned().collect(),
        next_cursor: None,
    }))
}

/// `GET /api/pricing/channels/{code}`
pub async fn channel(
    State(app): State<App>,
    Path(code): Path<String>,
) -> Result<axum::Json<Channel>, Problem> {
    let table = channel_table(&app).await?;
    let channel = table.0.get(&code);
    let channel = channel.ok_or_else(|| Rejection::not_found("channel"))?;
    Ok(axum::Json(channel.clone()))
}

/// `POST /api/pricing/channels`
pub async fn add_channel(
    State(app): State<App>,
    Ctx(context): Ctx,
    body: Json<Channel>,
) -> Result<Response, Problem> {
    let channel = body.value;
    let added = channel.clone();
    let command = Decide::<Channels>::new(ALL, PlaceCommand::Add(channel));
    let stored = app
        .execute_once(&context, body.key, command, move |_| {
            render(StatusCode::CREATED, &added)
        })
        .await?;
    Ok(answer(stored))
}

/// `PUT /api/pricing/channels/{code}`
pub async fn put_channel(
    State(app): State<App>,
    Ctx(context): Ctx,
    Path(code): Path<String>,
    body: Json<ChannelInput>,
) -> Result<axum::Json<Channel>, Problem> {
    let channel = Channel {
        code,
        name: body.value.name,
        capture: body.value.capture,
        active: body.value.active,
    };
    let command = Decide::<Channels>::new(ALL, PlaceCommand::Put(channel.clone()));
    app.execute(&context, command).await?;
    Ok(axum::Json(channel))
}

/// `GET /api/pricing/regions`: there are at most 250, so they are one page.
pub async fn regions(State(app): State<App>) -> Result<axum::Json<List<Region>>, Problem> {
    Ok(axum::Json(List {
        items: region_table(&app).await?.0.values().cloned().collect(),
        next_cursor: None,
    }))
}

/// `GET /api/pricing/regions/{code}`
pub async fn region(
    State(app): State<App>,
    Path(code): Path<String>,
) -> Result<axum::Json<Region>, Problem> {
    let table = region_table(&app).await?;
    let region = table.0.get(&code);
    let region = region.ok_or_else(|| Rejection::not_found("region"))?;
    Ok(axum::Json(region.clone()))
}

/// `POST /api/pricing/regions`
pub async fn add_region(
    State(app): State<App>,
    Ctx(context): Ctx,
    body: Json<Region>,
) -> Result<Response, Problem> {
    let region = body.value;
    let added = region.clone();
    let command = Decide::<Regions>::new(ALL, PlaceCommand::Add(region));
    let stored = app
        .execute_once(&context, body.key, command, move |_| {
            render(StatusCode::CREATED, &added)
        })
        .await?;
    Ok(answer(stored))
}

/// `PUT /api/pricing/regions/{code}`
pub async fn put_region(
    State(app): State<App>,
    Ctx(context): Ctx,
    Path(code): Path<String>,
    body: Json<RegionInput>,
) -> Result<axum::Json<Region>, Problem> {
    let region = Region {
        code,
        name: body.value.name,
        currency: body.value.currency,
        countries: body.value.countries,
        prices_include_tax: body.value.prices_include_tax,
        tax_rounding: body.value.tax_rounding,
    };
    let command = Decide::<Regions>::new(ALL, PlaceCommand::Put(region.clone()));
    app.execute(&context, command).await?;
    Ok(axum::Json(region))
}

/// `DELETE /api/pricing/regions/{code}`
pub async fn remove_region(
    State(app): State<App>,
    Ctx(context): Ctx,
    Path(code): Path<String>,
) -> Result<StatusCode, Problem> {
    let command = Decide::<Regions>::new(ALL, PlaceCommand::Remove(code));
    app.execute(&context, command).await?;
    Ok(StatusCode::NO_CONTENT)
}
