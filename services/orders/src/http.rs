//! Routes on top, thin handlers below.

use std::time::Duration;

use axum::{
    Json as Answer,
    extract::State,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{
        IntoResponse, Response,
        sse::{KeepAlive, Sse},
    },
};
use contracts::{
    List,
    identity::CustomerId,
    orders::{OrderId, OrderStatus, OrderSummary, OrderUpdate, OrderView},
};
use kernel::{App, Rejection};
use serde::Deserialize;
use web::{Access, Caller, Ctx, Page, Path, Problem, Query, Routes};

use crate::{
    OrdersConfig,
    checkout::OnOrder,
    feed::Feeds,
    live::{events, wait_until},
    order::{Canceller, Order, Step},
    queries::{self, Filter},
    render::order_view,
    state::OrderState,
};

const READ: &str = "orders:read";
const WRITE: &str = "orders:write";
/// The longest wait a caller may ask for.
const LONGEST_WAIT: u64 = 30;
/// How long a follower waits for an order this service has not heard of yet.
const ARRIVAL: Duration = Duration::from_secs(5);

/// The routes of orders.
pub fn routes(config: &OrdersConfig, feeds: &Feeds) -> Routes {
    let within = config.buyer_cancels_within_seconds;
    let (waiting, following) = (feeds.clone(), feeds.clone());
    Routes::new()
        .get("/api/orders", Access::Permission(READ), list, |d| {
            d.summary("Orders, the newest first")
                .query("limit", "1 to 200, 50 unless given")
                .query("cursor", "`next_cursor` of the page before")
                .query("status", "Only orders with this status")
                .query("customer", "Only this customer's orders (`cus_…`)")
                .query("include", "`lines`: each item holds its whole order")
                .answer::<List<OrderSummary>>(200, "A page of orders")
        })
        .get("/api/orders/mine", Access::Customer, mine, |d| {
            d.summary("The signed-in customer's own orders, the newest first")
                .query("limit", "1 to 200, 50 unless given")
                .query("cursor", "`next_cursor` of the page before")
                .query("status", "Only orders with this status")
                .answer::<List<OrderSummary>>(200, "A page of orders")
        })
        .get("/api/orders/by-number/{number}", Access::Permission(READ), by_number, |d| {
            d.summary("The order with this number").answer::<OrderView>(200, "The order")
        })
        .get(
            "/api/orders/{id}",
            Access::Owner(READ),
            async move |State(app): State<App>, caller: Caller, Path(id): Path<OrderId>, headers: HeaderMap| {
                get(&app, &waiting, &caller, &id, &headers).await
            },
            |d| {
                d.summary("An order with everything that happened to it")
                    .description("`Prefer: wait=5` waits up to that many seconds (30 at most) until it is confirmed, cancelled, or the buyer must act.")
                    .answer::<OrderView>(200, "The order")
            },
        )
        .get(
            "/api/orders/{id}/events",
            Access::Owner(READ),
            async move |State(app): State<App>, caller: Caller, Path(id): Path<OrderId>| {
                follow(app, &following, &caller, id).await
            },
            |d| {
                d.summary("An order's changes as they happen (server-sent events)")
                    .description("Begins with the present state. Each event is named `update`; after the last comes one named `end`: close the connection then. Where headers cannot be set, send the access token as `?access_token=`.")
                    .answer::<OrderUpdate>(200, "text/event-stream of these")
            },
        )
        .post(
            "/api/orders/{id}/cancel",
            Access::Owner(WRITE),
            async move |State(app): State<App>, ctx: Ctx, caller: Caller, Path(id): Path<OrderId>| {
                cancel(&app, &ctx, &caller, id, within).await
            },
            |d| {
                d.summary("Cancel an order")
                    .description("The buyer until it is confirmed and for a while after, staff always. What was reserved is released, what was held or paid goes back. Cancelling twice is cancelling once.")
                    .answer::<OrderView>(200, "The order, cancelled")
            },
        )
}

#[derive(Deserialize)]
struct Asked {
    status: Option<String>,
    customer: Option<String>,
    include: Option<String>,
}

async fn list(
    State(app): State<App>,
    page: Page,
    Query(asked): Query<Asked>,
) -> Result<Response, Problem> {
    let customer = asked
        .customer
        .as_deref()
        .map(str::parse::<CustomerId>)
        .transpose();
    let filter = Filter {
        status: status(asked.status.as_deref())?,
        customer: customer.map_err(|detail| Rejection::invalid("customer", detail))?,
    };
    let whole = match asked.include.as_deref() {
        None => false,
        Some("lines") => true,
        Some(_) => return Err(Rejection::invalid("include", "must be `lines`").into()),
    };
    answer_page(&app, &page, &filter, whole).await
}

async fn mine(
    State(app): State<App>,
    caller: Caller,
    page: Page,
    Query(asked): Query<Asked>,
) -> Result<Response, Problem> {
    let customer = caller.customer().and_then(|id| id.parse().ok());
    // Without a customer there is nothing that could be theirs; never fall back to everybody's.
    let customer: CustomerId = customer.ok_or_else(|| Rejection::forbidden("sign in first"))?;
    let filter = Filter {
        status: status(asked.status.as_deref())?,
        customer: Some(customer),
    };
    answer_page(&app, &page, &filter, false).await
}

fn status(text: Option<&str>) -> Result<Option<OrderStatus>, Rejection> {
    let unknown = "must be placed, stock_reserved, payment_action_required, confirmed or cancelled";
    let parse =
        |text| OrderStatus::parse(text).ok_or_else(|| Rejection::invalid("status", unknown));
    text.map(parse).transpose()
}

async fn answer_page(
    app: &App,
    page: &Page,
    filter: &Filter,
    whole: bool,
) -> Result<Response, Problem> {
    let found = queries::orders(app, filter, page.after.as_deref(), page.limit + 1).await?;
    let mut list = page.list(found, |order| order.id.to_string());
    if whole {
        queries::with_orders(app, &mut list.items).await?;
    }
    Ok(private(Answer(list)))
}

async fn by_number(
    State(app): State<App>,
    Path(number): Path<String>,
) -> Result<Response, Problem> {
    let orders = queries::by_number(&app, &number.to_ascii_uppercase()).await?;
    match orders.as_slice() {
        [] => Err(unknown().into()),
        [order] => answer(&app.state::<Order>(order.as_str()).await?.state),
        several => {
            let detail = "several orders have this number; ask for one of them by its id";
            let ids = serde_json::json!({ "orders": several });
            Err(Rejection::conflict("number-shared", detail)
                .extra(ids)
                .into())
        }
    }
}

async fn get(
    app: &App,
    feeds: &Feeds,
    caller: &Caller,
    id: &OrderId,
    headers: &HeaderMap,
) -> Result<Response, Problem> {
    let wait = preferred_wait(headers);
    let order = match wait {
        None => app.state::<Order>(id.as_str()).await?.state,
        Some(wait) => wait_until(app, feeds, id, wait, OrderState::is_settled).await?,
    };
    owned(caller, READ, &order)?;
    let mut response = answer(&order)?;
    if let Some(applied) = wait
        && let Ok(value) = HeaderValue::from_str(&format!("wait={}", applied.as_secs()))
    {
        response.headers_mut().insert("preference-applied", value);
    }
    Ok(response)
}

/// `Prefer: wait=5` (RFC 7240).
fn preferred_wait(headers: &HeaderMap) -> Option<Duration> {
    let preferences = headers.get_all("prefer").iter();
    let texts = preferences.filter_map(|value| value.to_str().ok());
    let seconds: u64 = texts
        .flat_map(|text| text.split(','))
        .find_map(|preference| preference.trim().strip_prefix("wait=")?.parse().ok())?;
    (seconds > 0).then(|| Duration::from_secs(seconds.min(LONGEST_WAIT)))
}

async fn follow(
    app: App,
    feeds: &Feeds,
    caller: &Caller,
    id: OrderId,
) -> Result<Response, Problem> {
    // Right after a checkout this service may not have heard of the order yet.
    let arrived = |order: &OrderState| order.placed.is_some();
    let order = wait_until(&app, feeds, &id, ARRIVAL, arrived).await?;
    owned(caller, READ, &order)?;
    let changes = Sse::new(events(app, feeds, id));
    Ok(private(changes.keep_alive(KeepAlive::default())))
}

async fn cancel(
    app: &App,
    ctx: &Ctx,
    caller: &Caller,
    id: OrderId,
    within: i64,
) -> Result<Response, Problem> {
    let order = app.state::<Order>(id.as_str()).await?.state;
    owned(caller, WRITE, &order)?;
    let actor = caller.actor().to_string();
    let canceller = match caller.may(WRITE) {
        true => Canceller::Staff { actor },
        false => Canceller::Buyer { actor, within },
    };
    let step = Step::Cancel(canceller);
    let order = app.execute(&ctx.0, OnOrder { id, step }).await?;
    answer(&order)
}

/// Refuses, as if there were no such order, whoever may not see it.
fn owned(caller: &Caller, permission: &str, order: &OrderState) -> Result<(), Rejection> {
    let placed = order.placed.as_deref().ok_or_else(unknown)?;
    let customer = placed.customer_id.as_ref().map(|id| id.as_str());
    match caller.owns(permission, customer, Some(&placed.access_token_hash)) {
        true => Ok(()),
        false => Err(unknown()),
    }
}

fn unknown() -> Rejection {
    Rejection::not_found("order")
}

fn answer(order: &OrderState) -> Result<Response, Problem> {
    let view = order_view(order).ok_or_else(unknown)?;
    Ok(private((StatusCode::OK, Answer(view))))
}

/// Orders are nobody else's business: no cache may keep them.
fn private(body: impl IntoResponse) -> Response {
    let mut response = body.into_response();
    let no_store = HeaderValue::from_static("no-store");
    response
        .headers_mut()
        .insert(header::CACHE_CONTROL, no_store);
    response
}
