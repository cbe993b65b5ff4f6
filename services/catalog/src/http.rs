//! The routes, and thin handlers below them.

use std::sync::Arc;

use axum::{
    body::{Body, Bytes},
    extract::State,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use contracts::{
    List,
    catalog::{
        BulkAnswer, BulkRequest, Category, CategoryChange, CategoryInput, CategoryListed, Product,
        ProductInput, ProductStatus, slug,
    },
};
use kernel::{App, Decide, Rejection, Stored};
use serde::{Deserialize, Serialize};
use web::{Access, Caller, Ctx, Json, Page, Path, Problem, Query, Routes};

use crate::{
    bulk,
    cache::{ProductCache, Rendered},
    category::{self, CategoryCommand, CategoryRules, CreateCategory},
    commands::{DeleteProduct, Key, Outcome, PutProduct, SetStatus, Target},
    draft::Draft,
    queries::{self, Filter},
};

const WRITE: &str = "catalog:write";
/// A product of 2,000 variants.
const PRODUCT_LIMIT: usize = 4 * 1024 * 1024;
/// A bulk call.
const BULK_LIMIT: usize = 8 * 1024 * 1024;

type Cache = Arc<ProductCache>;
type Answer = Result<Response, Problem>;

/// Gives a handler the cache as its first argument.
macro_rules! with {
    ($cache:ident, |$($arg:ident),+| $handler:path) => {{
        let cache = $cache.clone();
        move |$($arg),+| $handler(cache.clone(), $($arg),+)
    }};
}

/// The table of routes.
pub fn routes(cache: Cache) -> Routes {
    let write = Access::Permission(WRITE);
    Routes::new()
        .get("/api/catalog/products", Access::Public, list_products, |d| {
            d.summary("List products, in the order they were made")
                .description("Everyone sees published products; staff with `catalog:write` see drafts too.")
                .paged()
                .query("category", "path of a category; products below it are included")
                .query("q", "words that must occur in title, vendor, type, tags or SKUs; at most four count")
                .query("status", "`published` or `draft`; drafts for staff only")
                .answer::<List<Product>>(200, "A page of products")
        })
        .get("/api/catalog/products/{id}", Access::Public, with!(cache, |app, caller, id| show), |d| {
            d.summary("One product, by id or handle").answer::<Product>(200, "The product")
        })
        .post("/api/catalog/products", write, create, |d| {
            d.summary("Create a product")
                .body::<ProductInput>()
                .body_limit(PRODUCT_LIMIT)
                .answer::<Product>(201, "The product")
                .idempotent()
        })
        .post("/api/catalog/products/bulk", write, with!(cache, |app, ctx, body| put_many), |d| {
            d.summary("Create or replace many products")
                .description("By handle, at most 500; each product is taken whole or rejected whole, and the answer says what became of each.")
                .body::<BulkRequest>()
                .body_limit(BULK_LIMIT)
                .answer::<BulkAnswer>(200, "One result per product, in their order")
        })
        .put("/api/catalog/products/{id}", write, with!(cache, |app, ctx, id, body| replace), |d| {
            d.summary("Replace a product")
                .description("The whole of it; variants with a known SKU keep their ids.")
                .body::<ProductInput>()
                .body_limit(PRODUCT_LIMIT)
                .answer::<Product>(200, "The product")
        })
        .delete("/api/catalog/products/{id}", write, with!(cache, |app, ctx, id| delete), |d| {
            d.summary("Delete a product; its handle and SKUs are free again").answer_empty(204, "It is gone")
        })
        .post("/api/catalog/products/{id}/publish", write, with!(cache, |app, ctx, id| publish), |d| {
            d.summary("Put a product on sale").answer::<Product>(200, "The product")
        })
        .post("/api/catalog/products/{id}/unpublish", write, with!(cache, |app, ctx, id| unpublish), |d| {
            d.summary("Take a product off sale").answer::<Product>(200, "The product")
        })
        .get("/api/catalog/categories", Access::Public, list_categories, |d| {
            d.summary("List categories, by path").paged().answer::<List<CategoryListed>>(200, "A page of categories")
        })
        .post("/api/catalog/categories", write, create_category, |d| {
            d.summary("Create a category and those above it that are missing")
                .body::<CategoryInput>()
                .answer::<Category>(201, "The category")
                .idempotent()
        })
        .put("/api/catalog/categories/{path}", write, rename_category, |d| {
            d.summary("Rename a category; its path stays")
                .description("Write the slashes of the path as `%2F`.")
                .body::<CategoryChange>()
                .answer::<Category>(200, "The category")
        })
}

#[derive(Deserialize)]
struct ListQuery {
    category: Option<String>,
    q: Option<String>,
    status: Option<ProductStatus>,
}

async fn list_products(
    State(app): State<App>,
    caller: Caller,
    page: Page,
    Query(query): Query<ListQuery>,
) -> Answer {
    let status = match (caller.may(WRITE), query.status) {
        (true, status) => status,
        (false, Some(ProductStatus::Draft)) => {
            let detail = format!("drafts need the permission `{WRITE}`");
            return Err(Problem::from(Rejection::forbidden(detail)).field("status"));
        }
        (false, _) => Some(ProductStatus::Published),
    };
    let short = |field: &str, text: Option<String>| match text.filter(|text| !text.is_empty()) {
        Some(text) if text.len() > 512 || text.contains('\0') => Err(Problem::from(
            Rejection::invalid(field, "must be at most 512 bytes of text"),
        )),
        text => Ok(text),
    };
    let q = short("q", query.q)?.unwrap_or_default();
    let filter = Filter {
        status,
        category: short("category", query.category)?,
        words: queries::search_words(&q),
        after: page.after.clone().unwrap_or_default(),
        limit: page.limit + 1,
    };
    let listed = queries::products(&app, &filter).await?;
    let page = page.list(listed, |product| product.id.clone());
    // The items are JSON already.
    let size: usize = page.items.iter().map(|item| item.body.len() + 1).sum();
    let mut body = String::with_capacity(size + 128);
    body.push_str("{\"items\":[");
    for (i, item) in page.items.iter().enumerate() {
        if i > 0 {
            body.push(',');
        }
        body.push_str(&item.body);
    }
    body.push(']');
    if let Some(cursor) = page.next_cursor {
        // A cursor is base64url: nothing in it needs escaping.
        body.push_str(&format!(",\"next_cursor\":\"{cursor}\""));
    }
    body.push('}');
    Ok(json(StatusCode::OK, body))
}

async fn show(
    cache: Cache,
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
) -> Answer {
    let rendered = match cache.get(&id) {
        Some(rendered) => rendered,
        None => look_up(&cache, &app, &id).await?,
    };
    if !rendered.published && !caller.may(WRITE) {
        return Err(no_product());
    }
    Ok(json(StatusCode::OK, rendered.body))
}

async fn look_up(cache: &ProductCache, app: &App, id: &str) -> Result<Rendered, Problem> {
    let key = Key::read(id).ok_or_else(no_product)?;
    let lookup = cache.lookup(id);
    let rendered = queries::product(app, &key).await?.ok_or_else(no_product)?;
    cache.store(&lookup, id, &rendered);
    Ok(rendered)
}

async fn create(State(app): State<App>, Ctx(ctx): Ctx, body: Json<ProductInput>) -> Answer {
    let put = PutProduct {
        draft: Draft::read(body.value, app.ids())?,
        target: Target::New,
    };
    let render = |outcome: &Outcome| stored(201, &*outcome.product);
    let answer = app.execute_once(&ctx, body.key, put, render).await?;
    Ok(respond(answer))
}

async fn replace(
    cache: Cache,
    State(app): State<App>,
    Ctx(ctx): Ctx,
    Path(id): Path<String>,
    body: Json<ProductInput>,
) -> Answer {
    let key = Key::read(&id).ok_or_else(no_product)?;
    let put = PutProduct {
        draft: Draft::read(body.value, app.ids())?,
        target: Target::Existing(key),
    };
    let outcome = app.execute(&ctx, put).await?;
    forget(&cache, &outcome);
    Ok(respond(stored(200, &*outcome.product)))
}

async fn put_many(
    cache: Cache,
    State(app): State<App>,
    Ctx(ctx): Ctx,
    body: Json<bulk::Body>,
) -> Answer {
    let answer = bulk::put_all(&app, &ctx, body.value, |outcome| forget(&cache, outcome)).await?;
    Ok(respond(stored(200, &answer)))
}

async fn publish(cache: Cache, app: State<App>, ctx: Ctx, id: Path<String>) -> Answer {
    set_status(cache, app, ctx, id, ProductStatus::Published).await
}

async fn unpublish(cache: Cache, app: State<App>, ctx: Ctx, id: Path<String>) -> Answer {
    set_status(cache, app, ctx, id, ProductStatus::Draft).await
}

async fn set_status(
    cache: Cache,
    State(app): State<App>,
    Ctx(ctx): Ctx,
    Path(id): Path<String>,
    status: ProductStatus,
) -> Answer {
    let key = Key::read(&id).ok_or_else(no_product)?;
    let outcome = app.execute(&ctx, SetStatus { key, status }).await?;
    forget(&cache, &outcome);
    Ok(respond(stored(200, &*outcome.product)))
}

async fn delete(
    cache: Cache,
    State(app): State<App>,
    Ctx(ctx): Ctx,
    Path(id): Path<String>,
) -> Answer {
    let key = Key::read(&id).ok_or_else(no_product)?;
    let gone = app.execute(&ctx, DeleteProduct { key }).await?;
    cache.forget(gone.id.as_str());
    cache.forget(&gone.handle);
    Ok(StatusCode::NO_CONTENT.into_response())
}

async fn list_categories(State(app): State<App>, page: Page) -> Answer {
    let after = page.after.as_deref().unwrap_or_default();
    let rows = queries::categories(&app, after, page.limit + 1).await?;
    let list = page.list(rows, |category| category.path.clone());
    Ok(respond(stored(200, &list)))
}

async fn create_category(
    State(app): State<App>,
    Ctx(ctx): Ctx,
    body: Json<CategoryInput>,
) -> Answer {
    let CategoryInput { path, name } = body.value;
    let name = name.trim();
    let path = match path.is_empty() {
        true => slug(name),
        false => path,
    };
    if !path.split('/').all(contracts::catalog::is_handle) {
        let detail = "must be lower case letters, digits and dashes, parted by `/`";
        return Err(Rejection::invalid("path", detail).into());
    }
    let mut line =
        category::line_of(&path, app.ids()).map_err(|reason| Rejection::invalid("path", reason))?;
    if let Some(wanted) = line.last_mut() {
        wanted.name = name.to_owned();
    }
    let render = |category: &Category| stored(201, category);
    let command = CreateCategory { line };
    let answer = app.execute_once(&ctx, body.key, command, render).await?;
    Ok(respond(answer))
}

async fn rename_category(
    State(app): State<App>,
    Ctx(ctx): Ctx,
    Path(path): Path<String>,
    body: Json<CategoryChange>,
) -> Answer {
    let rename = CategoryCommand::Rename(body.value.name.trim().to_owned());
    let command = Decide::<CategoryRules>::new(path, rename);
    let decided = app.execute(&ctx, command).await?;
    Ok(respond(stored(200, &decided.state.category)))
}

fn no_product() -> Problem {
    Rejection::not_found("product").into()
}

/// Before a change is acknowledged, nobody may be served what was before it.
fn forget(cache: &ProductCache, outcome: &Outcome) {
    cache.forget(outcome.product.id.as_str());
    cache.forget(&outcome.product.handle);
    if let Some(handle) = &outcome.previous_handle {
        cache.forget(handle);
    }
}

fn stored(status: u16, value: &impl Serialize) -> Stored {
    match serde_json::to_string(value) {
        Ok(body) => Stored { status, body },
        Err(error) => {
            tracing::error!(%error, "an answer could not be written");
            Stored {
                status: 500,
                body: "{}".into(),
            }
        }
    }
}

fn respond(stored: Stored) -> Response {
    let status = StatusCode::from_u16(stored.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    json(status, stored.body)
}

fn json(status: StatusCode, body: impl Into<Bytes>) -> Response {
    let mut response = Response::new(Body::from(body.into()));
    *response.status_mut() = status;
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, json);
    response
}
