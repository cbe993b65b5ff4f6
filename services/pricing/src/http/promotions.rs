//! Promotions, and what orders use of them.

use axum::{extract::State, http::StatusCode, response::Response};
use contracts::{
    List,
    orders::OrderId,
    pricing::{
        Promotion, PromotionId, PromotionInput, PromotionView, RedemptionView, UsageSubject,
    },
};
use kernel::{App, Rejection};
use web::{Ctx, Json, Page, Path, Problem};

use super::{answer, render};
use crate::{
    promotion::{PutPromotion, RemovePromotion},
    promotion_check::promotion_of,
    queries,
    redemption::Redemptions,
    usage::{Usage, UsageState},
    whole::Whole,
};

/// `GET /api/pricing/promotions`
pub async fn list(
    State(app): State<App>,
    page: Page,
) -> Result<axum::Json<List<Promotion>>, Problem> {
    let after = page.after.as_deref().unwrap_or_default();
    let items = queries::promotions(&app, after, page.limit + 1).await?;
    Ok(axum::Json(page.list(items, |one| one.id.to_string())))
}

/// `POST /api/pricing/promotions`
pub async fn add(
    State(app): State<App>,
    Ctx(context): Ctx,
    body: Json<PromotionInput>,
) -> Result<Response, Problem> {
    let promotion = promotion_of(PromotionId::generate(app.ids()), body.value)?;
    let added = promotion.clone();
    let command = PutPromotion {
        promotion,
        new: true,
    };
    let stored = app
        .execute_once(&context, body.key, command, move |()| {
            render(StatusCode::CREATED, &added)
        })
        .await?;
    Ok(answer(stored))
}

/// `GET /api/pricing/promotions/{id}`
pub async fn show(
    State(app): State<App>,
    Path(id): Path<PromotionId>,
) -> Result<axum::Json<PromotionView>, Problem> {
    let state = app.state::<Whole<Promotion>>(id.as_str()).await?.state;
    let promotion = state.ok_or_else(|| Rejection::not_found("promotion"))?;
    let usage = usage_of(&app, &UsageSubject::Promotion(id)).await?;
    Ok(axum::Json(PromotionView {
        promotion: promotion.as_ref().clone(),
        uses: usage.uses,
        spent: usage.spent,
    }))
}

/// What a counter stands at.
pub async fn usage_of(app: &App, subject: &UsageSubject) -> Result<UsageState, Problem> {
    Ok(app.state::<Usage>(&subject.to_string()).await?.state)
}

/// `PUT /api/pricing/promotions/{id}`
pub async fn change(
    State(app): State<App>,
    Ctx(context): Ctx,
    Path(id): Path<PromotionId>,
    body: Json<PromotionInput>,
) -> Result<axum::Json<Promotion>, Problem> {
    let promotion = promotion_of(id, body.value)?;
    let command = PutPromotion {
        promotion: promotion.clone(),
        new: false,
    };
    app.execute(&context, command).await?;
    Ok(axum::Json(promotion))
}

/// `DELETE /api/pricing/promotions/{id}`
pub async fn remove(
    State(app): State<App>,
    Ctx(context): Ctx,
    Path(id): Path<PromotionId>,
) -> Result<StatusCode, Problem> {
    app.execute(&context, RemovePromotion(id)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `GET /api/pricing/redemptions/{order_id}`
pub async fn redemption(
    State(app): State<App>,
    Path(order_id): Path<OrderId>,
) -> Result<axum::Json<RedemptionView>, Problem> {
    let state = app.state::<Redemptions>(order_id.as_str()).await?.state;
    let status = state
        .status
        .ok_or_else(|| Rejection::not_found("redemption"))?;
    Ok(axum::Json(RedemptionView {
        order_id,
        status,
        uses: state.uses.as_ref().clone(),
        reason: state.reason,
    }))
}
