//! Links to lists, and their visitors.

use axum::{Extension, extract::State, http::StatusCode, response::IntoResponse};
use contracts::wishlists::{
    WishlistId,
    api::{Bought, ShareAnswer, ShareRequest},
};
use kernel::{App, Context, IdempotencyKey, Rejection, Stored};
use std::sync::Arc;
use web::{Caller, Ctx, Json, Path, hash_token};

use super::{Answer, WRITE, execute, json, no_list, who};
use crate::{
    Config,
    commands::OnWishlist,
    list::Who,
    queries, render, text,
    wishlist::{Ask, Wishlist},
};

pub(super) async fn share(
    State(app): State<App>,
    Extension(config): Extension<Config>,
    Ctx(context): Ctx,
    caller: Caller,
    Path(id): Path<WishlistId>,
    Json { value, .. }: Json<ShareRequest>,
) -> Answer {
    let secret = app.ids().secret();
    let digits: String = secret.iter().map(|byte| format!("{byte:02x}")).collect();
    let token = format!("wsh_{digits}");
    let name = value.display_name.as_deref();
    let ask = Ask::Share {
        token_hash: hash_token(&token),
        display_name: text::line("display_name", name, text::OWNER_NAME)?,
        show_bought: value.show_bought,
    };
    let whose = (id, who(&caller, WRITE)?);
    execute(&app, &config, &context, whose, ask).await?;
    Ok(json(StatusCode::OK, &ShareAnswer { token }))
}

pub(super) async fn unshare(
    State(app): State<App>,
    Extension(config): Extension<Config>,
    Ctx(context): Ctx,
    caller: Caller,
    Path(id): Path<WishlistId>,
) -> Answer {
    let whose = (id, who(&caller, WRITE)?);
    execute(&app, &config, &context, whose, Ask::Unshare).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

pub(super) async fn show(State(app): State<App>, Path(token): Path<String>) -> Answer {
    let hash = hash_token(&token);
    let id = queries::shared(&app, &hash).await?.ok_or_else(no_list)?;
    visit(&app, &id, &hash).await
}

pub(super) async fn bought(
    State(app): State<App>,
    Ctx(context): Ctx,
    Path(token): Path<String>,
    body: Json<Bought>,
) -> Answer {
    let Json { value, key } = body;
    let quantity = positive(value.quantity)?;
    mark(&app, &context, key, &token, (value.sku, quantity)).await
}

pub(super) async fn unbought(
    State(app): State<App>,
    Ctx(context): Ctx,
    Path(token): Path<String>,
    body: Json<Bought>,
) -> Answer {
    let Json { value, key } = body;
    let quantity = -positive(value.quantity)?;
    mark(&app, &context, key, &token, (value.sku, quantity)).await
}

fn positive(quantity: i64) -> Result<i64, Rejection> {
    match quantity > 0 {
        true => Ok(quantity),
        false => Err(Rejection::invalid("quantity", "must be 1 or more")),
    }
}

async fn mark(
    app: &App,
    context: &Context,
    key: Option<IdempotencyKey>,
    token: &str,
    (sku, quantity): (String, i64),
) -> Answer {
    let hash = hash_token(token);
    let id = queries::shared(app, &hash).await?.ok_or_else(no_list)?;
    let command = OnWishlist {
        id: id.clone(),
        who: Who::Visitor(hash.clone()),
        ask: Arc::new(Ask::Bought(sku, quantity)),
        guest_lists_live: 0,
    };
    let render = |_: &bool| Stored {
        status: StatusCode::OK.as_u16(),
        body: "{}".into(),
    };
    app.execute_once(context, key, command, render).await?;
    visit(app, &id, &hash).await
}

/// The list as visitors see it. Whether the link is good is asked of the list itself, so one that
/// was taken away is good for nothing from that moment.
async fn visit(app: &App, id: &WishlistId, token_hash: &str) -> Answer {
    let state = app.state::<Wishlist>(id.as_str()).await?.state;
    let list = state.list.filter(|list| list.is_open_to(token_hash));
    let list = list.ok_or_else(no_list)?;
    let offers = queries::offers(app, list.items.keys().map(String::as_str)).await?;
    Ok(json(StatusCode::OK, &render::shared(&list, &offers)))
}
