//! What moderators do.

use axum::{extract::State, http::StatusCode};
use contracts::{
    List,
    reviews::{
        ReviewId, ReviewStatus,
        api::{Approval, ImportAnswer, ImportRequest, ImportedReview, Refusal, Reply, ReviewView},
    },
};
use kernel::{App, AppError, Context, PersonId, Rejection};
use serde::Deserialize;
use web::{Ctx, Json, Page, Path, Problem, Query};

use super::{Answer, json, no_review, present};
use crate::{
    commands::{Import, OnReview},
    queries::{self, Queue},
    render::Eyes,
    review::{Ask, NewText},
    text,
};

/// How many reviews one import may hold.
const MOST: usize = 200;

#[derive(Deserialize)]
pub(super) struct Wanted {
    status: Option<ReviewStatus>,
    #[serde(default)]
    reported: bool,
}

pub(super) async fn list(
    State(app): State<App>,
    page: Page,
    Query(wanted): Query<Wanted>,
) -> Answer {
    let status = match (wanted.status, wanted.reported) {
        (Some(ReviewStatus::Withdrawn), _) => {
            let detail = "must be pending, published or rejected";
            return Err(Rejection::invalid("status", detail).into());
        }
        (Some(status), _) => status,
        (None, true) => ReviewStatus::Published,
        (None, false) => ReviewStatus::Pending,
    };
    let queue = Queue {
        status,
        reports: i64::from(wanted.reported),
        after: page.after.clone().unwrap_or_default(),
        limit: page.limit + 1,
    };
    let reviews = queries::queue(&app, &queue).await?;
    let list = page.list(reviews, |view: &ReviewView| view.id.to_string());
    Ok(json(StatusCode::OK, &list))
}

pub(super) async fn reports(State(app): State<App>, Path(id): Path<ReviewId>) -> Answer {
    queries::review(&app, &id).await?.ok_or_else(no_review)?;
    let items = queries::reports(&app, &id).await?;
    let list = List {
        items,
        next_cursor: None,
    };
    Ok(json(StatusCode::OK, &list))
}

pub(super) async fn publish(
    State(app): State<App>,
    Ctx(context): Ctx,
    Path(id): Path<ReviewId>,
    Json { value, .. }: Json<Approval>,
) -> Answer {
    let edition = value.edition;
    moderate(&app, &context, id, Ask::Publish { edition }).await
}

pub(super) async fn reject(
    State(app): State<App>,
    Ctx(context): Ctx,
    Path(id): Path<ReviewId>,
    Json { value, .. }: Json<Refusal>,
) -> Answer {
    let ask = Ask::Reject {
        edition: value.edition,
        reason: value.reason,
        note: value.note,
    };
    moderate(&app, &context, id, ask).await
}

pub(super) async fn reply(
    State(app): State<App>,
    Ctx(context): Ctx,
    Path(id): Path<ReviewId>,
    Json { value, .. }: Json<Reply>,
) -> Answer {
    moderate(&app, &context, id, Ask::Reply(value.text)).await
}

pub(super) async fn remove_reply(
    State(app): State<App>,
    Ctx(context): Ctx,
    Path(id): Path<ReviewId>,
) -> Answer {
    moderate(&app, &context, id, Ask::RemoveReply).await
}

async fn moderate(app: &App, context: &Context, id: ReviewId, ask: Ask) -> Answer {
    app.execute(context, OnReview::new(id.clone(), ask)).await?;
    present(app, &id, Eyes::Staff, StatusCode::OK).await
}

pub(super) async fn import(
    State(app): State<App>,
    Ctx(context): Ctx,
    Json { value, .. }: Json<ImportRequest>,
) -> Answer {
    let letters = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    if !(1..=40).contains(&value.source.len()) || !value.source.bytes().all(letters) {
        let detail = "must be 1 to 40 lower-case letters, digits or dashes";
        return Err(Rejection::invalid("source", detail).into());
    }
    if !(1..=MOST).contains(&value.reviews.len()) {
        let detail = format!("must hold from 1 to {MOST} reviews");
        return Err(Rejection::invalid("reviews", detail).into());
    }
    let mut new = Vec::with_capacity(value.reviews.len());
    for (i, review) in value.reviews.iter().enumerate() {
        let within = |problem: Problem| {
            let field = problem.field.clone().unwrap_or_default();
            problem.field(format!("reviews[{i}].{field}"))
        };
        let made = imported(&app, &value, review).await.map_err(within)?;
        new.push(made);
    }
    let ids: Vec<ReviewId> = new.iter().map(|(id, _)| id.clone()).collect();
    let imported = app.execute(&context, Import(new)).await?;
    let answer = ImportAnswer {
        imported,
        known: ids.len() as i64 - imported,
        ids,
    };
    Ok(json(StatusCode::OK, &answer))
}

async fn imported(
    app: &App,
    request: &ImportRequest,
    review: &ImportedReview,
) -> Result<(ReviewId, Box<NewText>), Problem> {
    let external = text::line("external_id", &review.external_id, 100)?;
    if external.is_empty() {
        return Err(Rejection::invalid("external_id", "must be 1 to 100 characters").into());
    }
    if !queries::has_product(app, &review.product_id).await? {
        return Err(Rejection::invalid("product_id", "is no product of this shop").into());
    }
    if review.written_at.is_some_and(|at| at > app.now()) {
        return Err(Rejection::invalid("written_at", "must not be in the future").into());
    }
    let name = format!("{} {external}", request.source);
    let hash = app.keys().blind("imported-review", &name);
    let short = hash.get(..32).unwrap_or(&hash);
    let id = format!("{}_{short}", ReviewId::PREFIX).parse();
    let new = NewText {
        product: review.product_id.clone(),
        customer: None,
        person: PersonId::generate(app.ids()),
        rating: text::rating(review.rating)?,
        content: text::imported(review)?,
        verified: review.verified,
        source: Some(request.source.clone()),
        at: review.written_at,
        publish: request.publish,
    };
    let id = id.map_err(|_| AppError::Internal("a hash is no id".into()))?;
    Ok((id, Box::new(new)))
}
