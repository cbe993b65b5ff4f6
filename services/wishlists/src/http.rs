//! Every route with who may call it. The handlers: [`lists`] for lists and what is on them,
//! [`sharing`] for links and their visitors.

mod lists;
mod sharing;

use axum::{
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use contracts::{
    List,
    wishlists::{
        ListOwner, WishlistId,
        api::{
            Bought, ClaimRequest, ItemUpdate, NewItem, NewWishlist, ShareAnswer, ShareRequest,
            SharedView, WishlistChange, WishlistSummary, WishlistView,
        },
    },
};
use kernel::{App, Context, Rejection};
use serde::Serialize;
use std::sync::Arc;
use web::{Access, Caller, Principal, Problem, Routes, hash_token};

use crate::{
    Config,
    commands::OnWishlist,
    list::{self, Who},
    queries, render,
    wishlist::{Ask, Wishlist},
};

const READ: &str = "wishlists:read";
const WRITE: &str = "wishlists:write";

type Answer = Result<Response, Problem>;

/// The table.
pub fn routes(config: &Config) -> Routes {
    let (read, write) = (Access::Owner(READ), Access::Owner(WRITE));
    let routes = Routes::new()
        .post("/api/wishlists", Access::Public, lists::create, |d| {
            d.summary("Make a list")
                .description("A customer's has a name, if they like. A guest's holds no words; its answer has the access token that its routes want, and signing in it can be claimed.")
                .body::<NewWishlist>()
                .answer::<WishlistView>(201, "The list")
                .idempotent()
        })
        .get("/api/wishlists", Access::Customer, lists::list, |d| {
            d.summary("The customer's lists").paged().answer::<List<WishlistSummary>>(200, "A page of lists")
        })
        .get("/api/wishlists/{id}", read, lists::show, |d| {
            d.summary("A list, with what its items cost now").answer::<WishlistView>(200, "The list")
        })
        .patch("/api/wishlists/{id}", write, lists::rename, |d| {
            d.summary("Give a list another name").body::<WishlistChange>().answer::<WishlistView>(200, "The list")
        })
        .delete("/api/wishlists/{id}", write, lists::delete, |d| {
            d.summary("Delete a list").answer_empty(204, "It is gone")
        })
        .post("/api/wishlists/{id}/items", write, lists::add, |d| {
            d.summary("Put something on a list")
                .description("What is on it already is changed. At most 500 items.")
                .body::<NewItem>()
                .answer::<WishlistView>(200, "The list")
                .idempotent()
        })
        .patch("/api/wishlists/{id}/items/{sku}", write, lists::change, |d| {
            d.summary("Want something otherwise").body::<ItemUpdate>().answer::<WishlistView>(200, "The list")
        })
        .delete("/api/wishlists/{id}/items/{sku}", write, lists::remove, |d| {
            d.summary("Take something off a list").answer::<WishlistView>(200, "The list")
        })
        .post("/api/wishlists/{id}/claim", Access::Customer, lists::claim, |d| {
            d.summary("Take a guest's list into the account")
                .description("Its items go to a new list or to one that is there; of what is on both, the larger quantity and the higher priority stay.")
                .body::<ClaimRequest>()
                .answer::<WishlistView>(200, "The account's list")
        })
        .put("/api/wishlists/{id}/share", write, sharing::share, |d| {
            d.summary("Make a link to a list").description("The link before it ends.").body::<ShareRequest>().answer::<ShareAnswer>(200, "The link's token")
        })
        .delete("/api/wishlists/{id}/share", write, sharing::unshare, |d| {
            d.summary("Take the link away").answer_empty(204, "It is good for nothing any more")
        })
        .get("/api/wishlists/shared/{token}", Access::Public, sharing::show, |d| {
            d.summary("A list, for visitors with its link").answer::<SharedView>(200, "The list")
        })
        .post("/api/wishlists/shared/{token}/bought", Access::Public, sharing::bought, |d| {
            d.summary("Say that one bought something")
                .description("Never more than is wanted: whoever comes second is told.")
                .body::<Bought>()
                .answer::<SharedView>(200, "The list")
                .idempotent()
        })
        .post("/api/wishlists/shared/{token}/unbought", Access::Public, sharing::unbought, |d| {
            d.summary("Take such a mark back").body::<Bought>().answer::<SharedView>(200, "The list").idempotent()
        });
    routes.share(config.clone())
}

/// Who asks, on a route that let them in.
fn who(caller: &Caller, permission: &str) -> Result<Who, Rejection> {
    match (&caller.principal, &caller.guest) {
        (Principal::Customer { id, .. }, _) => Ok(Who::Customer(id.parse().map_err(no_customer)?)),
        (Principal::Staff { .. }, _) if caller.may(permission) => Ok(Who::Shop),
        (_, Some(token)) => Ok(Who::Guest(hash_token(&token.0))),
        _ => Err(no_list()),
    }
}

/// The signed-in customer, and whose key seals what they write.
fn customer(caller: &Caller) -> Result<ListOwner, Rejection> {
    match &caller.principal {
        Principal::Customer {
            id,
            person: Some(person),
        } => Ok(ListOwner {
            customer_id: id.parse().map_err(no_customer)?,
            person: person.clone(),
        }),
        _ => Err(no_customer(String::new())),
    }
}

fn no_customer(_: String) -> Rejection {
    Rejection::forbidden("the access token names no customer of this shop")
}

fn no_list() -> Rejection {
    Rejection::not_found("wishlist")
}

async fn execute(
    app: &App,
    config: &Config,
    context: &Context,
    (id, who): (WishlistId, Who),
    ask: Ask,
) -> Result<(), Problem> {
    let command = OnWishlist {
        id,
        who,
        ask: Arc::new(ask),
        guest_lists_live: config.guest_lists_live_seconds,
    };
    app.execute(context, command).await?;
    Ok(())
}

/// The list, if it may be seen by them.
async fn readable(app: &App, id: &WishlistId, who: &Who) -> Result<Box<list::List>, Problem> {
    let state = app.state::<Wishlist>(id.as_str()).await?.state;
    let list = state.list.filter(|list| list.belongs_to(who));
    list.ok_or_else(|| no_list().into())
}

/// The list as it stands now, for its owner.
async fn present(app: &App, id: &WishlistId, who: &Who) -> Result<WishlistView, Problem> {
    let list = readable(app, id, who).await?;
    let offers = queries::offers(app, list.items.keys().map(String::as_str)).await?;
    Ok(render::own(&list, &offers))
}

/// Lists are nobody else's business: no cache may keep them.
fn json(status: StatusCode, body: &impl Serialize) -> Response {
    let mut answer = (status, axum::Json(body)).into_response();
    answer.headers_mut().insert(
        header::CACHE_CONTROL,
        header::HeaderValue::from_static("no-store"),
    );
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_making_a_list_and_links_are_open_to_everyone() {
        let routes = routes(&Config::default());
        assert_eq!(routes.prefixes(), ["/api/wishlists"]);
        for (method, path, access) in routes.table() {
            let open = path.contains("/shared/") || (method == "POST" && path == "/api/wishlists");
            assert_eq!(access == Access::Public, open, "{method} {path}");
            if let Access::Owner(p) = access {
                let needed = if method == "GET" { READ } else { WRITE };
                assert_eq!(p, needed, "{method} {path}");
            }
        }
    }
}
