//! Routes on top, thin handlers below.

use axum::{
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use contracts::{
    List,
    wishlists::{NewWishlist, WishlistId, WishlistView},
};
use kernel::{App, Decide, Rejection, Stored};
use web::{Access, Ctx, Json, Page, Path, Problem, Routes};

use crate::{
    queries,
    wishlist::{Command, Wishlist},
};

/// Every route with who may call it.
pub fn routes() -> Routes {
    Routes::new()
        .post(
            "/api/wishlists",
            Access::Permission("wishlists:write"),
            create,
            |d| {
                d.summary("Create a wishlist")
                    .body::<NewWishlist>()
                    .answer::<WishlistView>(201, "Created")
                    .idempotent()
            },
        )
        .get(
            "/api/wishlists",
            Access::Permission("wishlists:read"),
            list,
            |d| {
                d.summary("List in the order of creation")
                    .paged()
                    .answer::<List<WishlistView>>(200, "A page")
            },
        )
        .get(
            "/api/wishlists/{id}",
            Access::Permission("wishlists:read"),
            show,
            |d| {
                d.summary("Show one wishlist")
                    .answer::<WishlistView>(200, "The wishlist")
            },
        )
}

async fn create(
    State(app): State<App>,
    Ctx(context): Ctx,
    Json { value, key }: Json<NewWishlist>,
) -> Result<Response, Problem> {
    let id = WishlistId::generate(app.ids());
    let NewWishlist { name } = value;
    let command = Decide::<Wishlist>::new(
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
                body: serde_json::json!(WishlistView { id, name }).to_string(),
            }
        })
        .await?;
    let status = StatusCode::from_u16(stored.status).unwrap_or(StatusCode::OK);
    let json = [(header::CONTENT_TYPE, "application/json")];
    Ok((status, json, stored.body).into_response())
}

async fn list(
    State(app): State<App>,
    page: Page,
) -> Result<axum::Json<List<WishlistView>>, Problem> {
    let rows = app
        .query(queries::page(page.after.as_deref(), page.limit))
        .await?;
    let items = rows.iter().filter_map(queries::view).collect();
    Ok(axum::Json(
        page.list(items, |item: &WishlistView| item.id.to_string()),
    ))
}

async fn show(
    State(app): State<App>,
    Path(id): Path<WishlistId>,
) -> Result<axum::Json<WishlistView>, Problem> {
    // The stream's own state: a caller reads what they have just written.
    let found = app.state::<Wishlist>(id.as_str()).await?;
    match found.state.name {
        Some(name) => Ok(axum::Json(WishlistView { id, name })),
        None => Err(Rejection::not_found("wishlist").into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_route_needs_a_permission_of_this_service() {
        let routes = routes();
        assert_eq!(routes.prefixes(), ["/api/wishlists"]);
        for (method, path, access) in routes.table() {
            let ours = matches!(access, Access::Permission(p) if p.starts_with("wishlists:"));
            assert!(ours, "{method} {path}: {access:?}");
        }
    }
}
