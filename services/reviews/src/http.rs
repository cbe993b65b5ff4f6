//! Routes on top, thin handlers below.

use axum::{
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use contracts::{
    List,
    reviews::{NewReview, ReviewId, ReviewView},
};
use kernel::{App, Decide, Rejection, Stored};
use web::{Access, Ctx, Json, Page, Path, Problem, Routes};

use crate::{
    queries,
    review::{Command, Review},
};

/// Every route with who may call it.
pub fn routes() -> Routes {
    Routes::new()
        .post(
            "/api/reviews",
            Access::Permission("reviews:write"),
            create,
            |d| {
                d.summary("Create a review")
                    .body::<NewReview>()
                    .answer::<ReviewView>(201, "Created")
                    .idempotent()
            },
        )
        .get(
            "/api/reviews",
            Access::Permission("reviews:read"),
            list,
            |d| {
                d.summary("List in the order of creation")
                    .paged()
                    .answer::<List<ReviewView>>(200, "A page")
            },
        )
        .get(
            "/api/reviews/{id}",
            Access::Permission("reviews:read"),
            show,
            |d| {
                d.summary("Show one review")
                    .answer::<ReviewView>(200, "The review")
            },
        )
}

async fn create(
    State(app): State<App>,
    Ctx(context): Ctx,
    Json { value, key }: Json<NewReview>,
) -> Result<Response, Problem> {
    let id = ReviewId::generate(app.ids());
    let NewReview { name } = value;
    let command = Decide::<Review>::new(
        id.as_str(),
        Command::Create {
            id: id.clone(),
            name,
        },
    );
    let stored = app
        .execute_once(&context, key, command, move |done| {
            let name = done.state.name.clone().unwrap_or_default();
            let id = id.clone();
            Stored {
                status: StatusCode::CREATED.as_u16(),
                body: serde_json::json!(ReviewView { id, name }).to_string(),
            }
        })
        .await?;
    let status = StatusCode::from_u16(stored.status).unwrap_or(StatusCode::OK);
    let json = [(header::CONTENT_TYPE, "application/json")];
    Ok((status, json, stored.body).into_response())
}

async fn list(State(app): State<App>, page: Page) -> Result<axum::Json<List<ReviewView>>, Problem> {
    let rows = app
        .query(queries::page(page.after.as_deref(), page.limit))
        .await?;
    let items = rows.iter().filter_map(queries::view).collect();
    Ok(axum::Json(
        page.list(items, |item: &ReviewView| item.id.to_string()),
    ))
}

async fn show(
    State(app): State<App>,
    Path(id): Path<ReviewId>,
) -> Result<axum::Json<ReviewView>, Problem> {
    // The stream's own state: a caller reads what they have just written.
    let found = app.state::<Review>(id.as_str()).await?;
    match found.state.name {
        Some(name) => Ok(axum::Json(ReviewView { id, name })),
        None => Err(Rejection::not_found("review").into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_route_needs_a_permission_of_this_service() {
        let routes = routes();
        assert_eq!(routes.prefixes(), ["/api/reviews"]);
        for (method, path, access) in routes.table() {
            let ours = matches!(access, Access::Permission(p) if p.starts_with("reviews:"));
            assert!(ours, "{method} {path}: {access:?}");
        }
    }
}
