//! Coupons.

use axum::{
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use contracts::{
    List,
    pricing::{
        CouponChange, CouponInput, CouponView, GenerateCoupons, GeneratedCoupons, Promotion,
        PromotionId, coupon_code,
    },
};
use kernel::{App, Decide, Rejection, Stored};
use serde::Deserialize;
use web::{Ctx, Json, Page, Path, Problem, Query};

use super::{answer, render};
use crate::{
    check,
    coupon::{self, CouponCommand, Coupons, CreateCoupons, code_of, prefix_of},
    queries,
    whole::Whole,
};

/// `GET /api/pricing/promotions/{id}/coupons`
pub async fn list(
    State(app): State<App>,
    Path(id): Path<PromotionId>,
    page: Page,
) -> Result<axum::Json<List<CouponView>>, Problem> {
    let promotion = app.state::<Whole<Promotion>>(id.as_str()).await?;
    if promotion.state.is_none() {
        return Err(Rejection::not_found("promotion").into());
    }
    let after = page.after.as_deref().unwrap_or_default();
    let items = queries::coupons(&app, &id, after, page.limit + 1).await?;
    Ok(axum::Json(page.list(items, |coupon| coupon.code.clone())))
}

/// `POST /api/pricing/promotions/{id}/coupons`
pub async fn add(
    State(app): State<App>,
    Ctx(context): Ctx,
    Path(promotion_id): Path<PromotionId>,
    body: Json<CouponInput>,
) -> Result<Response, Problem> {
    let code = code_of("code", &body.value.code)?;
    let limit = body.value.limit;
    check::limit("limit", limit)?;
    let made = CouponView {
        code: code.clone(),
        promotion_id: promotion_id.clone(),
        limit,
        active: true,
        uses: 0,
    };
    let command = CreateCoupons {
        promotion_id,
        codes: vec![code],
        limit,
    };
    let stored = app
        .execute_once(&context, body.key, command, move |()| {
            render(StatusCode::CREATED, &made)
        })
        .await?;
    Ok(answer(stored))
}

#[derive(Deserialize)]
pub struct Format {
    format: Option<String>,
}

/// `POST /api/pricing/promotions/{id}/coupons/generate`
pub async fn generate(
    State(app): State<App>,
    Ctx(context): Ctx,
    Path(promotion_id): Path<PromotionId>,
    Query(format): Query<Format>,
    body: Json<GenerateCoupons>,
) -> Result<Response, Problem> {
    let csv = match format.format.as_deref() {
        None | Some("json") => false,
        Some("csv") => true,
        Some(_) => return Err(Rejection::invalid("format", "must be `json` or `csv`").into()),
    };
    let wanted = body.value;
    check::limit("limit", Some(wanted.limit))?;
    let prefix = prefix_of(wanted.prefix.as_deref())?;
    let codes = coupon::generate(wanted.count, &prefix, app.ids())?;
    let generated = GeneratedCoupons {
        promotion_id: promotion_id.clone(),
        limit: wanted.limit,
        codes: codes.clone(),
    };
    let command = CreateCoupons {
        promotion_id,
        codes,
        limit: Some(wanted.limit),
    };
    let stored = app
        .execute_once(&context, body.key, command, move |()| {
            render(StatusCode::CREATED, &generated)
        })
        .await?;
    Ok(match csv {
        true => as_csv(stored),
        false => answer(stored),
    })
}

/// The same answer as CSV. What is recorded for a repeat is JSON, so that a repeat may ask for
/// either. Codes hold nothing that would have to be quoted.
fn as_csv(stored: Stored) -> Response {
    let Ok(generated) = serde_json::from_str::<GeneratedCoupons>(&stored.body) else {
        return answer(stored);
    };
    let mut text = String::from("code\r\n");
    for code in &generated.codes {
        text.push_str(code);
        text.push_str("\r\n");
    }
    let status = StatusCode::from_u16(stored.status).unwrap_or(StatusCode::CREATED);
    let kind = [(header::CONTENT_TYPE, "text/csv; charset=utf-8")];
    (status, kind, text).into_response()
}

/// A code in an address. What cannot be a code names no coupon.
fn named(typed: &str) -> Result<String, Rejection> {
    coupon_code(typed).ok_or_else(|| Rejection::not_found("coupon"))
}

/// `PUT /api/pricing/promotions/{id}/coupons/{code}`
pub async fn change(
    State(app): State<App>,
    Ctx(context): Ctx,
    Path((promotion_id, typed)): Path<(PromotionId, String)>,
    body: Json<CouponChange>,
) -> Result<axum::Json<CouponView>, Problem> {
    let code = named(&typed)?;
    check::limit("limit", body.value.limit)?;
    let change = CouponCommand::Change(promotion_id, body.value);
    let command = Decide::<Coupons>::new(code.as_str(), change);
    app.execute(&context, command).await?;
    shown(&app, &code).await
}

/// `DELETE /api/pricing/promotions/{id}/coupons/{code}`
pub async fn deactivate(
    State(app): State<App>,
    Ctx(context): Ctx,
    Path((promotion_id, typed)): Path<(PromotionId, String)>,
) -> Result<StatusCode, Problem> {
    let deactivate = CouponCommand::Deactivate(promotion_id);
    let command = Decide::<Coupons>::new(named(&typed)?, deactivate);
    app.execute(&context, command).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `GET /api/pricing/coupons/{code}`
pub async fn find(
    State(app): State<App>,
    Path(typed): Path<String>,
) -> Result<axum::Json<CouponView>, Problem> {
    shown(&app, &named(&typed)?).await
}

async fn shown(app: &App, code: &str) -> Result<axum::Json<CouponView>, Problem> {
    let coupon = queries::coupon(app, code).await?;
    let coupon = coupon.ok_or_else(|| Rejection::not_found("coupon"))?;
    Ok(axum::Json(coupon))
}
