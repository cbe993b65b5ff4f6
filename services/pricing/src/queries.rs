//! The read side: typed functions over the read models.

use contracts::pricing::{
    Campaign, CouponView, ListedPrice, PriceList, PriceListId, Promotion, PromotionId, TaxRate,
};
use kernel::{App, AppError, Row, Statement, sql};
use serde::de::DeserializeOwned;

/// Objects whose JSON a statement answers, in its order.
async fn objects<T: DeserializeOwned>(app: &App, statement: Statement) -> Result<Vec<T>, AppError> {
    let rows = app.query(statement).await?;
    rows.iter()
        .map(|row| {
            serde_json::from_str(&row.get::<String>(0))
                .map_err(|e| AppError::Internal(format!("a stored object: {e}")))
        })
        .collect()
}

/// Price lists by id (so by age), behind `after`.
pub async fn price_lists(app: &App, after: &str, limit: i64) -> Result<Vec<PriceList>, AppError> {
    let statement = sql!(
        "SELECT body FROM pricing_lists WHERE id > $1 ORDER BY id LIMIT $2",
        after,
        limit
    );
    objects(app, statement).await
}

/// Prices of a list by SKU, behind `after`.
pub async fn prices(
    app: &App,
    list: &PriceListId,
    after: &str,
    limit: i64,
) -> Result<Vec<ListedPrice>, AppError> {
    let statement = sql!(
        "SELECT body FROM pricing_prices WHERE list_id = $1 AND sku > $2 ORDER BY sku LIMIT $3",
        list,
        after,
        limit
    );
    objects(app, statement).await
}

/// The price of a SKU in a list, if it has one.
pub async fn price(
    app: &App,
    list: &PriceListId,
    sku: &str,
) -> Result<Option<ListedPrice>, AppError> {
    let statement = sql!(
        "SELECT body FROM pricing_prices WHERE list_id = $1 AND sku = $2",
        list,
        sku
    );
    Ok(objects(app, statement).await?.pop())
}

/// Promotions by id (so by age), behind `after`.
pub async fn promotions(app: &App, after: &str, limit: i64) -> Result<Vec<Promotion>, AppError> {
    let statement = sql!(
        "SELECT body FROM pricing_promotions WHERE id > $1 ORDER BY id LIMIT $2",
        after,
        limit
    );
    objects(app, statement).await
}

/// Campaigns by id (so by age), behind `after`.
pub async fn campaigns(app: &App, after: &str, limit: i64) -> Result<Vec<Campaign>, AppError> {
    let statement = sql!(
        "SELECT body FROM pricing_campaigns WHERE id > $1 ORDER BY id LIMIT $2",
        after,
        limit
    );
    objects(app, statement).await
}

/// Tax rates by id, of one country or of all, behind `after`.
pub async fn tax_rates(
    app: &App,
    country: Option<&str>,
    after: &str,
    limit: i64,
) -> Result<Vec<TaxRate>, AppError> {
    let statement = match country {
        None => sql!(
            "SELECT body FROM pricing_tax_rates WHERE id > $1 ORDER BY id LIMIT $2",
            after,
            limit
        ),
        Some(country) => sql!(
            "SELECT body FROM pricing_tax_rates WHERE country = $3 AND id > $1 ORDER BY id LIMIT $2",
            after,
            limit,
            country
        ),
    };
    objects(app, statement).await
}

fn coupon_of(row: &Row) -> Result<CouponView, AppError> {
    let promotion_id = row.get::<String>(1).parse();
    let broken = |e: String| AppError::Internal(format!("a stored promotion id: {e}"));
    Ok(CouponView {
        code: row.get(0),
        promotion_id: promotion_id.map_err(broken)?,
        limit: row.get(2),
        active: row.get(3),
        uses: row.get(4),
    })
}

/// A promotion's coupons by code, behind `after`.
pub async fn coupons(
    app: &App,
    promotion: &PromotionId,
    after: &str,
    limit: i64,
) -> Result<Vec<CouponView>, AppError> {
    let statement = sql!(
        "SELECT code, promotion_id, max_uses, active, uses FROM pricing_coupons
         WHERE promotion_id = $1 AND code > $2 ORDER BY code LIMIT $3",
        promotion,
        after,
        limit
    );
    app.query(statement).await?.iter().map(coupon_of).collect()
}

/// A coupon, if there is one of this code.
pub async fn coupon(app: &App, code: &str) -> Result<Option<CouponView>, AppError> {
    let statement = sql!(
        "SELECT code, promotion_id, max_uses, active, uses FROM pricing_coupons WHERE code = $1",
        code
    );
    app.query(statement)
        .await?
        .first()
        .map(coupon_of)
        .transpose()
}
