//! Price lists and prices.

use axum::{extract::State, http::StatusCode, response::Response};
use contracts::{
    List,
    pricing::{
        ListedPrice, PriceInput, PriceList, PriceListId, PriceListInput, PriceOfSku, SetPrices,
    },
};
use kernel::{App, Decide, Rejection};
use web::{Ctx, Json, Page, Path, Problem};

use super::{answer, render};
use crate::{
    check,
    price_list::{PutPriceList, RemoveListedPrice, SetListedPrices, list_of, price_of},
    queries,
    whole::{Whole, WholeCommand},
};

/// Most prices of a request.
const MAX_PRICES: usize = 2_000;

/// `GET /api/pricing/price-lists`
pub async fn lists(
    State(app): State<App>,
    page: Page,
) -> Result<axum::Json<List<PriceList>>, Problem> {
    let after = page.after.as_deref().unwrap_or_default();
    let items = queries::price_lists(&app, after, page.limit + 1).await?;
    Ok(axum::Json(page.list(items, |list| list.id.to_string())))
}

/// `POST /api/pricing/price-lists`
pub async fn add_list(
    State(app): State<App>,
    Ctx(context): Ctx,
    body: Json<PriceListInput>,
) -> Result<Response, Problem> {
    let list = list_of(PriceListId::generate(app.ids()), body.value)?;
    let added = list.clone();
    let command = PutPriceList { list, new: true };
    let stored = app
        .execute_once(&context, body.key, command, move |()| {
            render(StatusCode::CREATED, &added)
        })
        .await?;
    Ok(answer(stored))
}

async fn found(app: &App, id: &PriceListId) -> Result<PriceList, Problem> {
    let state = app.state::<Whole<PriceList>>(id.as_str()).await?.state;
    let list = state.ok_or_else(|| Rejection::not_found("price list"))?;
    Ok(list.as_ref().clone())
}

/// `GET /api/pricing/price-lists/{id}`
pub async fn list(
    State(app): State<App>,
    Path(id): Path<PriceListId>,
) -> Result<axum::Json<PriceList>, Problem> {
    found(&app, &id).await.map(axum::Json)
}

/// `PUT /api/pricing/price-lists/{id}`
pub async fn change_list(
    State(app): State<App>,
    Ctx(context): Ctx,
    Path(id): Path<PriceListId>,
    body: Json<PriceListInput>,
) -> Result<axum::Json<PriceList>, Problem> {
    let list = list_of(id, body.value)?;
    let command = PutPriceList {
        list: list.clone(),
        new: false,
    };
    app.execute(&context, command).await?;
    Ok(axum::Json(list))
}

/// `DELETE /api/pricing/price-lists/{id}`
pub async fn remove_list(
    State(app): State<App>,
    Ctx(context): Ctx,
    Path(id): Path<PriceListId>,
) -> Result<StatusCode, Problem> {
    let command = Decide::<Whole<PriceList>>::new(id.as_str(), WholeCommand::Remove);
    app.execute(&context, command).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `GET /api/pricing/price-lists/{id}/prices`
pub async fn all(
    State(app): State<App>,
    Path(id): Path<PriceListId>,
    page: Page,
) -> Result<axum::Json<List<ListedPrice>>, Problem> {
    found(&app, &id).await?;
    let after = page.after.as_deref().unwrap_or_default();
    let items = queries::prices(&app, &id, after, page.limit + 1).await?;
    Ok(axum::Json(page.list(items, |price| price.sku.clone())))
}

/// `POST /api/pricing/price-lists/{id}/prices`
pub async fn set_many(
    State(app): State<App>,
    Ctx(context): Ctx,
    Path(id): Path<PriceListId>,
    body: Json<SetPrices>,
) -> Result<Response, Problem> {
    let wanted = body.value.prices;
    check::count("prices", wanted.len(), 1, MAX_PRICES)?;
    let mut seen = std::collections::HashSet::new();
    let mut prices = Vec::with_capacity(wanted.len());
    for (i, price) in wanted.into_iter().enumerate() {
        let field = format!("prices[{i}].");
        if !seen.insert(price.sku.clone()) {
            let detail = "stands here twice";
            return Err(Rejection::invalid(format!("{field}sku"), detail).into());
        }
        let price = price_of(&field, &id, price)?;
        prices.push((field, price));
    }
    let command = SetListedPrices {
        list_id: id,
        prices,
    };
    let stored = app
        .execute_once(&context, body.key, command, |done| {
            render(StatusCode::OK, done)
        })
        .await?;
    Ok(answer(stored))
}

/// `GET /api/pricing/price-lists/{id}/prices/{sku}`
pub async fn one(
    State(app): State<App>,
    Path((id, sku)): Path<(PriceListId, String)>,
) -> Result<axum::Json<ListedPrice>, Problem> {
    // What no SKU can be is not looked for.
    check::sku("sku", &sku).map_err(|_| Rejection::not_found("price"))?;
    let price = queries::price(&app, &id, &sku).await?;
    let price = price.ok_or_else(|| Rejection::not_found("price"))?;
    Ok(axum::Json(price))
}

/// `PUT /api/pricing/price-lists/{id}/prices/{sku}`
pub async fn set_one(
    State(app): State<App>,
    Ctx(context): Ctx,
    Path((id, sku)): Path<(PriceListId, String)>,
    body: Json<PriceOfSku>,
) -> Result<axum::Json<ListedPrice>, Problem> {
    let input = PriceInput {
        sku,
        tiers: body.value.tiers,
        compare_at: body.value.compare_at,
    };
    let price = price_of("", &id, input)?;
    let command = SetListedPrices {
        list_id: id,
        prices: vec![(String::new(), price.clone())],
    };
    app.execute(&context, command).await?;
    Ok(axum::Json(price))
}

/// `DELETE /api/pricing/price-lists/{id}/prices/{sku}`
pub async fn remove_one(
    State(app): State<App>,
    Ctx(context): Ctx,
    Path((id, sku)): Path<(PriceListId, String)>,
) -> Result<StatusCode, Problem> {
    check::sku("sku", &sku).map_err(|_| Rejection::not_found("price"))?;
    let command = RemoveListedPrice { list_id: id, sku };
    app.execute(&context, command).await?;
    Ok(StatusCode::NO_CONTENT)
}
