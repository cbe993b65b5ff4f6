//! What customers do with their own reviews and say of others'.

use axum::{
    Extension,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use contracts::{
    catalog::ProductId,
    identity::CustomerId,
    reviews::{
        ReviewId, WithdrawnBy,
        api::{NewReport, NewReview, ReviewChange, ReviewView, Vote},
    },
};
use kernel::{App, Context, Stored};
use web::{Caller, Ctx, Json, Page, Path, Problem};

use super::{Answer, MODERATE, customer, json, no_review, present, public::there};
use crate::{
    Config,
    commands::{OnReview, Opine},
    opinion::Say,
    queries,
    render::Eyes,
    review::{Ask, NewText},
    text,
};

/// The review's id: the same for the same customer and product, and nobody else can work it out.
fn review_of(app: &App, customer: &CustomerId, product: &ProductId) -> Result<ReviewId, Problem> {
    let hash = app.keys().blind("review", &format!("{customer} {product}"));
    let short = hash.get(..32).unwrap_or(&hash);
    let made = format!("{}_{short}", ReviewId::PREFIX).parse();
    made.map_err(|_| kernel::AppError::Internal("a hash is no id".into()).into())
}

pub(super) async fn submit(
    State(app): State<App>,
    Extension(config): Extension<Config>,
    Ctx(context): Ctx,
    caller: Caller,
    Path(product): Path<ProductId>,
    Json { value, key }: Json<NewReview>,
) -> Answer {
    let (customer, person) = customer(&caller)?;
    there(&app, &product).await?;
    let verified = queries::has_bought(&app, &customer, &product).await?;
    let id = review_of(&app, &customer, &product)?;
    let new = NewText {
        content: text::content(&value)?,
        rating: text::rating(value.rating)?,
        product,
        customer: Some(customer),
        person,
        verified,
        source: None,
        at: None,
        publish: verified && config.publish_verified,
    };
    let command = OnReview::new(id.clone(), Ask::Submit(Box::new(new)));
    // The record for repeats holds nothing that a person wrote: the answer is read again.
    let render = |_: &bool| Stored {
        status: StatusCode::CREATED.as_u16(),
        body: "{}".into(),
    };
    app.execute_once(&context, key, command, render).await?;
    present(&app, &id, Eyes::Author, StatusCode::CREATED).await
}

pub(super) async fn list(State(app): State<App>, caller: Caller, page: Page) -> Answer {
    let (customer, _) = customer(&caller)?;
    let after = page.after.clone().unwrap_or_default();
    let own = queries::of_customer(&app, customer.as_str(), &after, page.limit + 1).await?;
    let list = page.list(own, |view: &ReviewView| view.id.to_string());
    Ok(json(StatusCode::OK, &list))
}

pub(super) async fn change(
    State(app): State<App>,
    Extension(config): Extension<Config>,
    Ctx(context): Ctx,
    caller: Caller,
    Path(id): Path<ReviewId>,
    Json { value, .. }: Json<ReviewChange>,
) -> Answer {
    let (customer, _) = customer(&caller)?;
    let found = queries::review(&app, &id).await?.ok_or_else(no_review)?;
    let verified = queries::has_bought(&app, &customer, &found.product).await?;
    let ask = Ask::Edit {
        customer,
        change: value,
        verified,
        publish_verified: config.publish_verified,
    };
    app.execute(&context, OnReview::new(id.clone(), ask))
        .await?;
    present(&app, &id, Eyes::Author, StatusCode::OK).await
}

pub(super) async fn withdraw(
    State(app): State<App>,
    Ctx(context): Ctx,
    caller: Caller,
    Path(id): Path<ReviewId>,
) -> Answer {
    let found = queries::review(&app, &id).await?.ok_or_else(no_review)?;
    if !caller.owns(MODERATE, found.customer.as_deref(), None) {
        return Err(no_review());
    }
    let by = match caller.may(MODERATE) {
        true => WithdrawnBy::Staff,
        false => WithdrawnBy::Author,
    };
    app.execute(&context, OnReview::new(id, Ask::Withdraw(by)))
        .await?;
    Ok(gone())
}

pub(super) async fn vote(
    State(app): State<App>,
    Ctx(context): Ctx,
    caller: Caller,
    Path(id): Path<ReviewId>,
    Json { value, .. }: Json<Vote>,
) -> Answer {
    let say = Say::Helpful(Some(value.helpful));
    opine(&app, &context, &caller, &id, say).await?;
    present(&app, &id, Eyes::Everyone, StatusCode::OK).await
}

pub(super) async fn take_vote_back(
    State(app): State<App>,
    Ctx(context): Ctx,
    caller: Caller,
    Path(id): Path<ReviewId>,
) -> Answer {
    opine(&app, &context, &caller, &id, Say::Helpful(None)).await?;
    present(&app, &id, Eyes::Everyone, StatusCode::OK).await
}

pub(super) async fn report(
    State(app): State<App>,
    Ctx(context): Ctx,
    caller: Caller,
    Path(id): Path<ReviewId>,
    Json { value, .. }: Json<NewReport>,
) -> Answer {
    let (_, person) = customer(&caller)?;
    let say = Say::Report {
        edition: 0,
        person,
        reason: value.reason,
        note: text::note(value.reason, value.note.as_deref())?,
    };
    opine(&app, &context, &caller, &id, say).await?;
    Ok(gone())
}

async fn opine(
    app: &App,
    context: &Context,
    caller: &Caller,
    id: &ReviewId,
    say: Say,
) -> Result<(), Problem> {
    let (customer, _) = customer(caller)?;
    let command = Opine {
        review: id.clone(),
        customer,
        say,
    };
    Ok(app.execute(context, command).await?)
}

fn gone() -> Response {
    StatusCode::NO_CONTENT.into_response()
}
