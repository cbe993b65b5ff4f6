//! Campaigns.

use axum::{extract::State, http::StatusCode, response::Response};
use contracts::{
    List,
    pricing::{Campaign, CampaignId, CampaignInput, CampaignView, UsageSubject},
};
use kernel::{App, Rejection};
use web::{Ctx, Json, Page, Path, Problem};

use super::{answer, promotions::usage_of, render};
use crate::{
    promotion::{Members, PutCampaign, RemoveCampaign, campaign_of},
    queries,
    whole::Whole,
};

/// `GET /api/pricing/campaigns`
pub async fn list(
    State(app): State<App>,
    page: Page,
) -> Result<axum::Json<List<Campaign>>, Problem> {
    let after = page.after.as_deref().unwrap_or_default();
    let items = queries::campaigns(&app, after, page.limit + 1).await?;
    Ok(axum::Json(page.list(items, |one| one.id.to_string())))
}

/// `POST /api/pricing/campaigns`
pub async fn add(
    State(app): State<App>,
    Ctx(context): Ctx,
    body: Json<CampaignInput>,
) -> Result<Response, Problem> {
    let campaign = campaign_of(CampaignId::generate(app.ids()), body.value)?;
    let added = campaign.clone();
    let command = PutCampaign {
        campaign,
        new: true,
    };
    let stored = app
        .execute_once(&context, body.key, command, move |()| {
            render(StatusCode::CREATED, &added)
        })
        .await?;
    Ok(answer(stored))
}

/// `GET /api/pricing/campaigns/{id}`
pub async fn show(
    State(app): State<App>,
    Path(id): Path<CampaignId>,
) -> Result<axum::Json<CampaignView>, Problem> {
    let state = app.state::<Whole<Campaign>>(id.as_str()).await?.state;
    let campaign = state.ok_or_else(|| Rejection::not_found("campaign"))?;
    let members = app.state::<Members>(id.as_str()).await?.state;
    let usage = usage_of(&app, &UsageSubject::Campaign(id)).await?;
    Ok(axum::Json(CampaignView {
        campaign: campaign.as_ref().clone(),
        used: usage.uses,
        spent: usage.spent,
        promotions: members.0.into_iter().collect(),
    }))
}

/// `PUT /api/pricing/campaigns/{id}`
pub async fn change(
    State(app): State<App>,
    Ctx(context): Ctx,
    Path(id): Path<CampaignId>,
    body: Json<CampaignInput>,
) -> Result<axum::Json<Campaign>, Problem> {
    let campaign = campaign_of(id, body.value)?;
    let command = PutCampaign {
        campaign: campaign.clone(),
        new: false,
    };
    app.execute(&context, command).await?;
    Ok(axum::Json(campaign))
}

/// `DELETE /api/pricing/campaigns/{id}`
pub async fn remove(
    State(app): State<App>,
    Ctx(context): Ctx,
    Path(id): Path<CampaignId>,
) -> Result<StatusCode, Problem> {
    app.execute(&context, RemoveCampaign(id)).await?;
    Ok(StatusCode::NO_CONTENT)
}
