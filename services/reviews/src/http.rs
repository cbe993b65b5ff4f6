//! Every route with who may call it. The handlers: [`public`] for readers, [`own`] for customers,
//! [`staff`] for moderators.

mod own;
mod public;
mod staff;

use axum::{
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use contracts::{
    List,
    identity::CustomerId,
    reviews::{
        ReviewId,
        api::{
            Approval, ImportAnswer, ImportRequest, NewReport, NewReview, RatingView, Refusal,
            Reply, ReportView, ReviewChange, ReviewView, Vote,
        },
    },
};
use kernel::{App, PersonId, Rejection};
use serde::Serialize;
use web::{Access, Caller, Principal, Problem, Routes};

use crate::{Config, queries, render::Eyes};

const MODERATE: &str = "reviews:moderate";
const WRITE: &str = "reviews:write";

type Answer = Result<Response, Problem>;

/// The table.
pub fn routes(config: &Config) -> Routes {
    let moderate = Access::Permission(MODERATE);
    let routes = Routes::new()
        .get("/api/reviews/products/{product_id}", Access::Public, public::list, |d| {
            d.summary("Published reviews of a product")
                .paged()
                .query("sort", "`newest` (unless given), `helpful`, `rating_high` or `rating_low`")
                .query("rating", "only this one, 1 to 5")
                .query("verified", "`true`: of buyers only")
                .answer::<List<ReviewView>>(200, "A page of reviews")
        })
        .get("/api/reviews/products/{product_id}/rating", Access::Public, public::rating, |d| {
            d.summary("A product's rating").answer::<RatingView>(200, "Count, sum, average and histogram")
        })
        .get("/api/reviews/{id}", Access::Public, public::show, |d| {
            d.summary("One review")
                .description("Everyone sees published ones; an unpublished one is there for its author and for moderators.")
                .answer::<ReviewView>(200, "The review")
        })
        .post("/api/reviews/products/{product_id}", Access::Customer, own::submit, |d| {
            d.summary("Review a product")
                .description("One review per customer and product. It waits for a moderator, unless the shop publishes buyers' reviews at once.")
                .body::<NewReview>()
                .answer::<ReviewView>(201, "The review")
                .idempotent()
        })
        .get("/api/reviews/mine", Access::Customer, own::list, |d| {
            d.summary("The customer's own reviews").paged().answer::<List<ReviewView>>(200, "A page of reviews")
        })
        .patch("/api/reviews/{id}", Access::Customer, own::change, |d| {
            d.summary("Change one's own review")
                .description("It then waits for a moderator again.")
                .body::<ReviewChange>()
                .answer::<ReviewView>(200, "The review")
        })
        .delete("/api/reviews/{id}", Access::Owner(MODERATE), own::withdraw, |d| {
            d.summary("Take one's own review back (or, as staff, remove it)").answer_empty(204, "It is gone")
        })
        .put("/api/reviews/{id}/vote", Access::Customer, own::vote, |d| {
            d.summary("Say whether a review helped")
                .description("One vote per customer and review; another one replaces it.")
                .body::<Vote>()
                .answer::<ReviewView>(200, "The review")
        })
        .delete("/api/reviews/{id}/vote", Access::Customer, own::take_vote_back, |d| {
            d.summary("Take the vote back").answer::<ReviewView>(200, "The review")
        })
        .post("/api/reviews/{id}/reports", Access::Customer, own::report, |d| {
            d.summary("Report abuse").body::<NewReport>().answer_empty(204, "Staff will look at it")
        })
        .get("/api/reviews", moderate, staff::list, |d| {
            d.summary("Reviews for moderators")
                .description("Of products that are not deleted.")
                .paged()
                .query("status", "`pending` (unless given), `published` or `rejected`")
                .query("reported", "`true`: published ones with open reports")
                .answer::<List<ReviewView>>(200, "A page of reviews")
        })
        .get("/api/reviews/{id}/reports", moderate, staff::reports, |d| {
            d.summary("Open reports of a review; 200 at most").answer::<List<ReportView>>(200, "The reports")
        })
        .post("/api/reviews/{id}/publish", moderate, staff::publish, |d| {
            d.summary("Let everyone see a review; its reports are dealt with")
                .body::<Approval>()
                .answer::<ReviewView>(200, "The review")
        })
        .post("/api/reviews/{id}/reject", moderate, staff::reject, |d| {
            d.summary("Refuse a review, or take it down").body::<Refusal>().answer::<ReviewView>(200, "The review")
        })
        .put("/api/reviews/{id}/reply", moderate, staff::reply, |d| {
            d.summary("Answer a review").body::<Reply>().answer::<ReviewView>(200, "The review")
        })
        .delete("/api/reviews/{id}/reply", moderate, staff::remove_reply, |d| {
            d.summary("Take the answer away").answer::<ReviewView>(200, "The review")
        })
        .post("/api/reviews/imports", Access::Permission(WRITE), staff::import, |d| {
            d.summary("Enter reviews from elsewhere")
                .description("Up to 200, all or none. One whose `external_id` of this source is known stays as it is.")
                .body::<ImportRequest>()
                .body_limit(8 * 1024 * 1024)
                .answer::<ImportAnswer>(200, "How many were new")
        });
    routes.share(config.clone())
}

fn json(status: StatusCode, body: &impl Serialize) -> Response {
    let mut answer = (status, axum::Json(body)).into_response();
    let headers = answer.headers_mut();
    headers.insert(
        header::CACHE_CONTROL,
        header::HeaderValue::from_static("no-store"),
    );
    answer
}

/// The signed-in customer, and whose key seals what they write.
fn customer(caller: &Caller) -> Result<(CustomerId, PersonId), Rejection> {
    let refused = || Rejection::forbidden("the access token names no customer of this shop");
    match &caller.principal {
        Principal::Customer {
            id,
            person: Some(person),
        } => Ok((id.parse().map_err(|_| refused())?, person.clone())),
        _ => Err(refused()),
    }
}

/// The review as it stands now: the read model has what was just committed.
async fn present(app: &App, id: &ReviewId, eyes: Eyes, status: StatusCode) -> Answer {
    let found = queries::review(app, id).await?;
    match found.and_then(|found| found.view(app, eyes)) {
        Some(view) => Ok(json(status, &view)),
        None => Err(no_review()),
    }
}

fn no_review() -> Problem {
    Rejection::not_found("review").into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_staff_do_needs_a_permission_and_the_rest_is_the_customer_s_or_public() {
        let routes = routes(&Config::default());
        assert_eq!(routes.prefixes(), ["/api/reviews"]);
        let table = routes.table();
        let open = table.iter().filter(|route| route.2 == Access::Public);
        assert!(open.clone().all(|route| route.0 == "GET"));
        assert_eq!(open.count(), 3);
        for (method, path, access) in &table {
            if let Access::Permission(p) | Access::Owner(p) = access {
                assert!([MODERATE, WRITE].contains(p), "{method} {path}: {access:?}");
            }
        }
    }
}
