//! Zones, profiles, options and the sender.

use axum::{extract::State, http::StatusCode, response::Response};
use contracts::{
    List,
    address::Address,
    shipping::{
        ShippingOption, ShippingOptionId, ShippingOptionInput, ShippingProfile, ShippingProfileId,
        ShippingProfileInput, ShippingZone, ShippingZoneId, ShippingZoneInput,
    },
};
use kernel::{App, Context, Decide, IdempotencyKey, Rejection, Stored};
use serde::Serialize;
use web::{Ctx, Json, Path, Problem};

use super::answer;
use crate::{
    check, goods,
    plan::{Plan, PlanCommand, Plans, SHOP},
};

async fn plan(app: &App) -> Result<Plan, Problem> {
    Ok(app.state::<Plans>(SHOP).await?.state)
}

async fn add(
    app: &App,
    context: &Context,
    key: Option<IdempotencyKey>,
    command: PlanCommand,
    it: impl Serialize + Send + Sync + 'static,
) -> Result<Response, Problem> {
    let command = Decide::<Plans>::new(SHOP, command);
    let render = move |_: &_| Stored {
        status: StatusCode::CREATED.as_u16(),
        body: serde_json::json!(it).to_string(),
    };
    Ok(answer(
        app.execute_once(context, key, command, render).await?,
    ))
}

async fn change<T>(
    app: &App,
    context: &Context,
    command: PlanCommand,
    it: T,
) -> Result<axum::Json<T>, Problem> {
    let command = Decide::<Plans>::new(SHOP, command);
    app.execute(context, command).await?;
    Ok(axum::Json(it))
}

async fn remove(app: &App, context: &Context, command: PlanCommand) -> Result<StatusCode, Problem> {
    let command = Decide::<Plans>::new(SHOP, command);
    app.execute(context, command).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// There are few of them, so they are one page.
fn all<'a, T: Clone + 'a>(items: impl Iterator<Item = &'a T>) -> axum::Json<List<T>> {
    axum::Json(List {
        items: items.cloned().collect(),
        next_cursor: None,
    })
}

fn one<T: Clone>(found: Option<&T>, what: &str) -> Result<axum::Json<T>, Problem> {
    let found = found.ok_or_else(|| Rejection::not_found(what))?;
    Ok(axum::Json(found.clone()))
}

/// `GET /api/shipping/zones`
pub async fn zones(State(app): State<App>) -> Result<axum::Json<List<ShippingZone>>, Problem> {
    Ok(all(plan(&app).await?.zones()))
}

/// `GET /api/shipping/zones/{id}`
pub async fn zone(
    State(app): State<App>,
    Path(id): Path<ShippingZoneId>,
) -> Result<axum::Json<ShippingZone>, Problem> {
    one(plan(&app).await?.zone(&id), "zone")
}

/// `POST /api/shipping/zones`
pub async fn add_zone(
    State(app): State<App>,
    Ctx(context): Ctx,
    Json { value, key }: Json<ShippingZoneInput>,
) -> Result<Response, Problem> {
    let zone = check::zone(ShippingZoneId::generate(app.ids()), value)?;
    let it = zone.clone();
    let command = PlanCommand::SetZone { zone, new: true };
    add(&app, &context, key, command, it).await
}

/// `PUT /api/shipping/zones/{id}`
pub async fn put_zone(
    State(app): State<App>,
    Ctx(context): Ctx,
    Path(id): Path<ShippingZoneId>,
    Json { value, .. }: Json<ShippingZoneInput>,
) -> Result<axum::Json<ShippingZone>, Problem> {
    let zone = check::zone(id, value)?;
    let it = zone.clone();
    let command = PlanCommand::SetZone { zone, new: false };
    change(&app, &context, command, it).await
}

/// `DELETE /api/shipping/zones/{id}`
pub async fn delete_zone(
    State(app): State<App>,
    Ctx(context): Ctx,
    Path(id): Path<ShippingZoneId>,
) -> Result<StatusCode, Problem> {
    remove(&app, &context, PlanCommand::RemoveZone(id)).await
}

/// `GET /api/shipping/profiles`
pub async fn profiles(
    State(app): State<App>,
) -> Result<axum::Json<List<ShippingProfile>>, Problem> {
    Ok(all(plan(&app).await?.profiles()))
}

/// `GET /api/shipping/profiles/{id}`
pub async fn profile(
    State(app): State<App>,
    Path(id): Path<ShippingProfileId>,
) -> Result<axum::Json<ShippingProfile>, Problem> {
    one(plan(&app).await?.profile(&id), "profile")
}

/// `POST /api/shipping/profiles`
pub async fn add_profile(
    State(app): State<App>,
    Ctx(context): Ctx,
    Json { value, key }: Json<ShippingProfileInput>,
) -> Result<Response, Problem> {
    let profile = check::profile(ShippingProfileId::generate(app.ids()), value)?;
    let it = profile.clone();
    let command = PlanCommand::SetProfile { profile, new: true };
    add(&app, &context, key, command, it).await
}

/// `PUT /api/shipping/profiles/{id}`
pub async fn put_profile(
    State(app): State<App>,
    Ctx(context): Ctx,
    Path(id): Path<ShippingProfileId>,
    Json { value, .. }: Json<ShippingProfileInput>,
) -> Result<axum::Json<ShippingProfile>, Problem> {
    let profile = check::profile(id, value)?;
    let it = profile.clone();
    let command = PlanCommand::SetProfile {
        profile,
        new: false,
    };
    change(&app, &context, command, it).await
}

/// `DELETE /api/shipping/profiles/{id}`
pub async fn delete_profile(
    State(app): State<App>,
    Ctx(context): Ctx,
    Path(id): Path<ShippingProfileId>,
) -> Result<StatusCode, Problem> {
    remove(&app, &context, PlanCommand::RemoveProfile(id)).await
}

/// `GET /api/shipping/options`
pub async fn options(State(app): State<App>) -> Result<axum::Json<List<ShippingOption>>, Problem> {
    Ok(all(plan(&app).await?.options().map(|option| &**option)))
}

/// `GET /api/shipping/options/{id}`
pub async fn option(
    State(app): State<App>,
    Path(id): Path<ShippingOptionId>,
) -> Result<axum::Json<ShippingOption>, Problem> {
    let plan = plan(&app).await?;
    one(plan.option(&id).map(|option| &**option), "option")
}

/// `POST /api/shipping/options`
pub async fn add_option(
    State(app): State<App>,
    Ctx(context): Ctx,
    Json { value, key }: Json<ShippingOptionInput>,
) -> Result<Response, Problem> {
    let option = check::option(ShippingOptionId::generate(app.ids()), value)?;
    collected_somewhere(&app, &option).await?;
    let it = option.clone();
    let command = PlanCommand::SetOption { option, new: true };
    add(&app, &context, key, command, it).await
}

/// `PUT /api/shipping/options/{id}`
pub async fn put_option(
    State(app): State<App>,
    Ctx(context): Ctx,
    Path(id): Path<ShippingOptionId>,
    Json { value, .. }: Json<ShippingOptionInput>,
) -> Result<axum::Json<ShippingOption>, Problem> {
    let option = check::option(id, value)?;
    collected_somewhere(&app, &option).await?;
    let it = option.clone();
    let command = PlanCommand::SetOption { option, new: false };
    change(&app, &context, command, it).await
}

/// Refuses to have goods collected at a place nobody knows.
async fn collected_somewhere(app: &App, option: &ShippingOption) -> Result<(), Problem> {
    let Some(location) = &option.collect_from else {
        return Ok(());
    };
    match goods::location_name(app, location).await? {
        Some(_) => Ok(()),
        None => {
            let detail = "there is no such stock location; add it first";
            let refused = Rejection::unprocessable("unknown-location", detail);
            Err(refused.field("collect_from").into())
        }
    }
}

/// `DELETE /api/shipping/options/{id}`
pub async fn delete_option(
    State(app): State<App>,
    Ctx(context): Ctx,
    Path(id): Path<ShippingOptionId>,
) -> Result<StatusCode, Problem> {
    remove(&app, &context, PlanCommand::RemoveOption(id)).await
}

/// `GET /api/shipping/sender`
pub async fn sender(State(app): State<App>) -> Result<axum::Json<Address>, Problem> {
    one(plan(&app).await?.sender(), "sender")
}

/// `PUT /api/shipping/sender`
pub async fn put_sender(
    State(app): State<App>,
    Ctx(context): Ctx,
    Json { value, .. }: Json<Address>,
) -> Result<axum::Json<Address>, Problem> {
    if let Some((field, detail)) = value.problem() {
        return Err(Rejection::invalid(field, detail).into());
    }
    let command = PlanCommand::SetSender(value.clone());
    change(&app, &context, command, value).await
}
