//! Lists and what is on them.

use axum::{
    Extension,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use contracts::wishlists::{
    WhyDeleted, WishlistId,
    api::{
        ClaimRequest, ItemUpdate, NewItem, NewWishlist, OnSale, WishlistChange, WishlistSummary,
    },
};
use kernel::{App, AppError, Rejection, Stored};
use std::sync::Arc;
use web::{Caller, Ctx, Json, Page, Path, Principal, Problem, hash_token};

use super::{Answer, READ, WRITE, customer, execute, json, present, who};
use crate::{
    Config,
    commands::{Claim, OnWishlist},
    list::Who,
    queries, text,
    wishlist::{Ask, Wish},
};

/// The access token of a guest's list. It is derived, not drawn: so it need not be kept, and a
/// repeat of the request gets the same one.
fn access_token(app: &App, id: &WishlistId) -> String {
    format!("gst_{}", app.keys().blind("wishlist-token", id.as_str()))
}

pub(super) async fn create(
    State(app): State<App>,
    Extension(config): Extension<Config>,
    Ctx(context): Ctx,
    caller: Caller,
    Json { value, key }: Json<NewWishlist>,
) -> Answer {
    let owner = match &caller.principal {
        Principal::Customer { .. } => Some(customer(&caller)?),
        Principal::Anonymous => None,
        Principal::Staff { .. } => {
            return Err(Rejection::forbidden("lists are made by customers and guests").into());
        }
    };
    let id = WishlistId::generate(app.ids());
    let guest = owner.is_none();
    let ask = Ask::Create {
        access_token_hash: guest.then(|| hash_token(&access_token(&app, &id))),
        name: text::line("name", value.name.as_deref(), text::LIST_NAME)?,
        owner,
    };
    let mine = id.clone();
    let command = OnWishlist {
        id,
        who: Who::Shop,
        ask: Arc::new(ask),
        guest_lists_live: config.guest_lists_live_seconds,
    };
    // The record for repeats holds the id alone: no words, no secret.
    let render = move |_: &bool| Stored {
        status: StatusCode::CREATED.as_u16(),
        body: mine.to_string(),
    };
    let stored = app.execute_once(&context, key, command, render).await?;
    let damaged = |_| AppError::Internal("an idempotency record is damaged".into());
    let id: WishlistId = stored.body.parse().map_err(damaged)?;
    let token = access_token(&app, &id);
    let who = match guest {
        true => Who::Guest(hash_token(&token)),
        false => who(&caller, WRITE)?,
    };
    let mut view = present(&app, &id, &who).await?;
    view.access_token = guest.then_some(token);
    Ok(json(StatusCode::CREATED, &view))
}

pub(super) async fn list(State(app): State<App>, caller: Caller, page: Page) -> Answer {
    let owner = customer(&caller)?;
    let after = page.after.clone().unwrap_or_default();
    let lists = queries::lists(&app, owner.customer_id.as_str(), &after, page.limit + 1).await?;
    let list = page.list(lists, |list: &WishlistSummary| list.id.to_string());
    Ok(json(StatusCode::OK, &list))
}

pub(super) async fn show(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<WishlistId>,
) -> Answer {
    let view = present(&app, &id, &who(&caller, READ)?).await?;
    Ok(json(StatusCode::OK, &view))
}

pub(super) async fn rename(
    State(app): State<App>,
    Extension(config): Extension<Config>,
    Ctx(context): Ctx,
    caller: Caller,
    Path(id): Path<WishlistId>,
    Json { value, .. }: Json<WishlistChange>,
) -> Answer {
    let name = text::line("name", Some(&value.name), text::LIST_NAME)?;
    changed(&app, &config, &context, &caller, id, Ask::Rename(name)).await
}

pub(super) async fn delete(
    State(app): State<App>,
    Extension(config): Extension<Config>,
    Ctx(context): Ctx,
    caller: Caller,
    Path(id): Path<WishlistId>,
) -> Answer {
    let whose = (id, who(&caller, WRITE)?);
    let ask = Ask::Delete(WhyDeleted::Asked);
    execute(&app, &config, &context, whose, ask).await?;
    Ok(gone())
}

pub(super) async fn add(
    State(app): State<App>,
    Extension(config): Extension<Config>,
    Ctx(context): Ctx,
    caller: Caller,
    Path(id): Path<WishlistId>,
    Json { value, key }: Json<NewItem>,
) -> Answer {
    text::sku(&value.sku)?;
    let note = text::line("note", value.note.as_deref(), text::NOTE)?;
    let who = who(&caller, WRITE)?;
    let offers = queries::offers(&app, std::iter::once(&*value.sku)).await?;
    let offer = offers.get(&value.sku);
    let offer = offer.filter(|offer| offer.on_sale == OnSale::Yes);
    let offer = offer.ok_or_else(|| {
        let detail = "this SKU is not on sale";
        Rejection::unprocessable("unknown-sku", detail).field("sku")
    })?;
    let ask = Ask::Add {
        sku: value.sku.clone(),
        wish: Wish {
            quantity: Some(value.quantity),
            priority: Some(value.priority),
            note: Some(note),
        },
        prices: offer.prices.clone(),
    };
    let command = OnWishlist {
        id: id.clone(),
        who: who.clone(),
        ask: Arc::new(ask),
        guest_lists_live: config.guest_lists_live_seconds,
    };
    let render = |_: &bool| Stored {
        status: StatusCode::OK.as_u16(),
        body: "{}".into(),
    };
    app.execute_once(&context, key, command, render).await?;
    let view = present(&app, &id, &who).await?;
    Ok(json(StatusCode::OK, &view))
}

pub(super) async fn change(
    State(app): State<App>,
    Extension(config): Extension<Config>,
    Ctx(context): Ctx,
    caller: Caller,
    Path((id, sku)): Path<(WishlistId, String)>,
    Json { value, .. }: Json<ItemUpdate>,
) -> Answer {
    let note = match &value.note {
        None => None,
        Some(note) => Some(text::line("note", Some(note), text::NOTE)?),
    };
    let wish = Wish {
        quantity: value.quantity,
        priority: value.priority,
        note,
    };
    let ask = Ask::Change(sku, wish);
    changed(&app, &config, &context, &caller, id, ask).await
}

pub(super) async fn remove(
    State(app): State<App>,
    Extension(config): Extension<Config>,
    Ctx(context): Ctx,
    caller: Caller,
    Path((id, sku)): Path<(WishlistId, String)>,
) -> Answer {
    changed(&app, &config, &context, &caller, id, Ask::Remove(sku)).await
}

pub(super) async fn claim(
    State(app): State<App>,
    Ctx(context): Ctx,
    caller: Caller,
    Path(id): Path<WishlistId>,
    Json { value, .. }: Json<ClaimRequest>,
) -> Answer {
    let owner = customer(&caller)?;
    let into = value.into.clone();
    let claim = Claim {
        guest: id,
        token_hash: hash_token(&value.access_token),
        owner,
        new: into.is_none(),
        into: into.unwrap_or_else(|| WishlistId::generate(app.ids())),
    };
    let into = claim.into.clone();
    app.execute(&context, claim).await?;
    let view = present(&app, &into, &who(&caller, READ)?).await?;
    Ok(json(StatusCode::OK, &view))
}

async fn changed(
    app: &App,
    config: &Config,
    context: &kernel::Context,
    caller: &Caller,
    id: WishlistId,
    ask: Ask,
) -> Result<Response, Problem> {
    let who = who(caller, WRITE)?;
    execute(app, config, context, (id.clone(), who.clone()), ask).await?;
    let view = present(app, &id, &who).await?;
    Ok(json(StatusCode::OK, &view))
}

fn gone() -> Response {
    StatusCode::NO_CONTENT.into_response()
}
