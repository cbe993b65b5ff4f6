//! An order's page: shown to whoever has its access token, which checkout put into a cookie that
//! only this page gets. The page follows the order live.

use axum::{
    extract::Path,
    http::{HeaderValue, Method, StatusCode, header},
    response::Response,
};
use contracts::{
    cart::{NewLine, NewLines},
    orders::{OrderId, OrderView},
};
use serde::Serialize;

use crate::{
    cart,
    client::Failure,
    cookies,
    failure::{self, Message},
    links,
    order_view::View,
    pages::{Page, see_other},
    visit::Visit,
};

/// What the page shows, and what its script needs.
#[derive(Serialize)]
struct Shown {
    order: View,
    /// Where changes are sent as they happen. It holds the access token, because browsers cannot
    /// set headers on such requests and the cookie is not sent to the API.
    events: String,
    /// This page.
    url: String,
}

/// `GET /orders/{id}`
pub async fn show(visit: Visit, Path(id): Path<String>) -> Response {
    let Ok(id) = id.parse::<OrderId>() else {
        return unknown(&visit);
    };
    if let Some(token) = cookies::linked_order_token(visit.uri.query()) {
        return let_in(&visit, &id, token);
    }
    let order = match find(&visit, &id).await {
        Ok(order) => order,
        Err(failure) => return failed(&visit, &failure),
    };
    let url = links::order(id.as_str());
    let back = visit.origin().map(|origin| format!("{origin}{url}"));
    let shown = Shown {
        order: View::of(&order, &visit.shop.config.provider_url, back.as_deref()),
        events: links::with_query(
            &format!("/api/orders/{id}/events"),
            &[("access_token", cookies::order_token(&visit.headers))],
        ),
        url,
    };
    Page::new("order.html", shown).show(&visit)
}

/// Whoever comes by the link in a message: the token moves from the address, which histories keep,
/// into the cookie of this page. A wrong one shows nothing.
fn let_in(visit: &Visit, id: &OrderId, token: &str) -> Response {
    let page = links::order(id.as_str());
    let mut response = see_other(&page);
    let secure = visit.shop.config.secure();
    let headers = response.headers_mut();
    if let Some(line) = cookies::set(cookies::ORDER, token, &page, secure) {
        headers.append(header::SET_COOKIE, line);
    }
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// The order; as its checkout recorded it while the order service has not heard of it yet.
async fn find(visit: &Visit, id: &OrderId) -> Result<OrderView, Failure> {
    let token = cookies::order_token(&visit.headers);
    let read =
        async |service, address: String| visit.get(service, address).bearer(token).read().await;
    match read("orders", format!("/api/orders/{id}")).await {
        Err(failure) if failure.is_missing() && token.is_some() => {
            let record = read("cart", format!("/api/carts/checkouts/{id}")).await;
            record.map_err(|failure| match failure {
                // The visitor asked for an order, not for a cart.
                Failure::Down { .. } => Failure::Down { service: "orders" },
                refused => refused,
            })
        }
        answer => answer,
    }
}

/// `POST /orders/{id}/cancel`
pub async fn cancel(visit: Visit, Path(id): Path<String>) -> Response {
    let Ok(id) = id.parse::<OrderId>() else {
        return unknown(&visit);
    };
    let answer = visit
        .call("orders", Method::POST, format!("/api/orders/{id}/cancel"))
        .bearer(cookies::order_token(&visit.headers))
        .send()
        .await;
    let page = links::order(id.as_str());
    match answer {
        Ok(_) => see_other(&page),
        Err(Failure::Refused(refusal)) if matches!(refusal.status, 409 | 422) => {
            Message::new("The order was not cancelled", failure::sentence(&refusal))
                .link("Back to the order", page)
                .show(&visit, StatusCode::CONFLICT)
        }
        Err(failure) => failed(&visit, &failure),
    }
}

/// `POST /orders/{id}/again`: the same things into the cart, after a declined card for example.
pub async fn again(visit: Visit, Path(id): Path<String>) -> Response {
    let Ok(id) = id.parse::<OrderId>() else {
        return unknown(&visit);
    };
    let order = match find(&visit, &id).await {
        Ok(order) => order,
        Err(failure) => return failed(&visit, &failure),
    };
    let lines = order.lines.into_iter().map(|line| NewLine {
        sku: line.sku,
        quantity: line.quantity,
    });
    let lines = NewLines {
        lines: Some(lines.collect()),
        ..NewLines::default()
    };
    cart::put(&visit, &lines).await
}

fn unknown(visit: &Visit) -> Response {
    failure::missing(
        visit,
        "There is no such order",
        "The address may be mistyped. Please check the link.",
    )
}

fn failed(visit: &Visit, failure: &Failure) -> Response {
    if failure.is_forbidden() {
        let text = "An order is shown only in the browser it was placed with. Please open this page there.";
        return Message::new("We cannot show this order here", text)
            .show(visit, StatusCode::FORBIDDEN);
    }
    match failure.is_missing() {
        true => unknown(visit),
        false => failure::show(visit, failure),
    }
}
