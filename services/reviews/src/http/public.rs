//! What everyone may read.

use axum::{extract::State, http::StatusCode};
use contracts::{
    catalog::ProductId,
    reviews::{ReviewId, api::ReviewView},
};
use kernel::{App, Rejection};
use serde::Deserialize;
use web::{Caller, Page, Path, Problem, Query};

use super::{Answer, MODERATE, json, no_review};
use crate::{
    queries::{self, Filter, Sort},
    render::Eyes,
};

#[derive(Deserialize)]
pub(super) struct Wanted {
    #[serde(default)]
    sort: Sort,
    rating: Option<u8>,
    #[serde(default)]
    verified: bool,
}

pub(super) async fn list(
    State(app): State<App>,
    Path(product): Path<ProductId>,
    page: Page,
    Query(wanted): Query<Wanted>,
) -> Answer {
    there(&app, &product).await?;
    let Wanted {
        sort,
        rating,
        verified,
    } = wanted;
    let odd = |_| Rejection::invalid("rating", "must be from 1 to 5");
    let rating = rating.map(crate::text::rating).transpose().map_err(odd)?;
    let bad = || Rejection::invalid("cursor", "must be a next_cursor of this list");
    let after = match &page.after {
        None => None,
        Some(text) => Some(queries::parse_cursor(text).ok_or_else(bad)?),
    };
    let filter = Filter {
        product,
        sort,
        rating,
        verified,
        after,
        limit: page.limit + 1,
    };
    let reviews = queries::published(&app, &filter).await?;
    let list = page.list(reviews, |view: &ReviewView| queries::cursor(sort, view));
    Ok(json(StatusCode::OK, &list))
}

pub(super) async fn rating(State(app): State<App>, Path(product): Path<ProductId>) -> Answer {
    there(&app, &product).await?;
    let rating = queries::rating(&app, &product).await?;
    Ok(json(StatusCode::OK, &rating))
}

pub(super) async fn show(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<ReviewId>,
) -> Answer {
    let found = queries::review(&app, &id).await?.ok_or_else(no_review)?;
    let eyes = match caller.may(MODERATE) {
        true => Eyes::Staff,
        false if found.customer.is_some() && found.customer.as_deref() == caller.customer() => {
            Eyes::Author
        }
        false => Eyes::Everyone,
    };
    if eyes == Eyes::Everyone && !found.shown {
        return Err(no_review());
    }
    let view = found.view(&app, eyes).ok_or_else(no_review)?;
    Ok(json(StatusCode::OK, &view))
}

/// A product that is deleted has no reviews to show.
pub(super) async fn there(app: &App, product: &ProductId) -> Result<(), Problem> {
    match queries::has_product(app, product).await? {
        true => Ok(()),
        false => Err(Rejection::not_found("product").into()),
    }
}
