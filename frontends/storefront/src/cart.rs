//! The cart: what is in it, what stands in the way, and changing it.

use axum::{
    Form,
    extract::{Path, rejection::FormRejection},
    http::{Method, StatusCode, header},
    response::Response,
};
use contracts::cart::{
    CartId, CartProblem, CartStatus, CartView, LineChange, LineId, NewCart, NewLines,
};
use serde::{Deserialize, Serialize};

use crate::{
    client::Failure,
    cookies, failure, links, money,
    pages::{Page, see_other},
    visit::Visit,
};

/// A cart, for `cart.html`.
#[derive(Debug, Default, Serialize)]
struct View {
    /// What went wrong just now.
    errors: Vec<String>,
    lines: Vec<Line>,
    subtotal: String,
    total: String,
    /// Problems that stand in the way of a checkout.
    blocked: bool,
    /// Whether prices wait to be accepted.
    repriced: bool,
    /// The order that this cart became, and its number.
    order: Option<(String, String)>,
}

/// A line of the cart, or of the summary beside the checkout form.
#[derive(Debug, Serialize)]
pub struct Line {
    id: String,
    title: String,
    url: Option<String>,
    sku: String,
    quantity: i64,
    unit_price: String,
    subtotal: String,
    /// What the shopper should know about it, and do.
    problems: Vec<String>,
}

/// `POST /cart/lines`
#[derive(Deserialize)]
pub struct Addition {
    sku: String,
    #[serde(default)]
    quantity: String,
}

/// `POST /cart/lines/{line}`
#[derive(Deserialize)]
pub struct Change {
    quantity: String,
}

/// `GET /cart`
pub async fn show(visit: Visit) -> Response {
    page(&visit, None).await
}

/// The cart page, with what went wrong just now.
async fn page(visit: &Visit, refused: Option<(StatusCode, String)>) -> Response {
    let cart = match current(visit).await {
        Ok(cart) => cart,
        Err(failure) => return failure::show(visit, &failure),
    };
    let (status, errors) = match refused {
        Some((status, error)) => (status, vec![error]),
        None => (StatusCode::OK, Vec::new()),
    };
    let mut view = cart.as_ref().map(view).unwrap_or_default();
    view.errors = errors;
    let response = Page::new("cart.html", view)
        .status(status)
        .count(units(cart.as_ref()))
        .show(visit);
    remember(visit, response, cart.as_ref())
}

/// The visitor's cart, if they have one that exists.
pub async fn current(visit: &Visit) -> Result<Option<CartView>, Failure> {
    let Some(id) = visit.cart() else {
        return Ok(None);
    };
    match visit.get("cart", format!("/api/carts/{id}")).read().await {
        Ok(cart) => Ok(Some(cart)),
        Err(failure) if failure.is_missing() => Ok(None),
        Err(failure) => Err(failure),
    }
}

/// `POST /cart/lines`
pub async fn add(visit: Visit, form: Result<Form<Addition>, FormRejection>) -> Response {
    let Ok(Form(form)) = form else {
        return failure::bad_form(&visit);
    };
    let Some(quantity) = quantity(&form.quantity).filter(|quantity| *quantity > 0) else {
        return page(&visit, Some(bad_quantity())).await;
    };
    let lines = NewLines {
        sku: Some(form.sku),
        quantity: Some(quantity),
        lines: None,
    };
    put(&visit, &lines).await
}

/// Puts lines into the visitor's cart, a new one when theirs can take none, and shows it.
pub async fn put(visit: &Visit, lines: &NewLines) -> Response {
    match put_in_any(visit, lines).await {
        Ok(cart) => remember(visit, see_other("/cart"), Some(&cart)),
        Err(failure) => refused(visit, failure).await,
    }
}

async fn put_in_any(visit: &Visit, lines: &NewLines) -> Result<CartView, Failure> {
    if let Some(id) = visit.cart() {
        match put_into(visit, &id, lines).await {
            Err(failure) if is_closed(&failure) => {}
            answer => return answer,
        }
    }
    let new = NewCart {
        currency: Some(visit.shop.config.currency),
        ..NewCart::default()
    };
    let cart: CartView = visit
        .call("cart", Method::POST, "/api/carts")
        .json(&new)
        .read()
        .await?;
    put_into(visit, &cart.id, lines).await
}

async fn put_into(visit: &Visit, id: &CartId, lines: &NewLines) -> Result<CartView, Failure> {
    visit
        .call("cart", Method::POST, format!("/api/carts/{id}/lines"))
        .json(lines)
        .read()
        .await
}

/// Whether a cart is gone, expired, or an order already: time for a new one.
fn is_closed(failure: &Failure) -> bool {
    failure.is_missing()
        || matches!(failure, Failure::Refused(refusal) if refusal.code == "cart-completed")
}

/// `POST /cart/lines/{line}`: another quantity; none takes the line out.
pub async fn change(
    visit: Visit,
    Path(line): Path<String>,
    form: Result<Form<Change>, FormRejection>,
) -> Response {
    let Ok(Form(form)) = form else {
        return failure::bad_form(&visit);
    };
    match quantity(&form.quantity) {
        None => page(&visit, Some(bad_quantity())).await,
        Some(0) => remove(visit, Path(line)).await,
        Some(quantity) => {
            let Some(address) = line_address(&visit, &line) else {
                return see_other("/cart");
            };
            let change = visit.call("cart", Method::PATCH, address);
            changed(&visit, change.json(&LineChange { quantity }).read().await).await
        }
    }
}

/// `POST /cart/lines/{line}/remove`
pub async fn remove(visit: Visit, Path(line): Path<String>) -> Response {
    let Some(address) = line_address(&visit, &line) else {
        return see_other("/cart");
    };
    let answer = visit.call("cart", Method::DELETE, address).read().await;
    changed(&visit, answer).await
}

/// `POST /cart/reprice`: the shopper has seen the new prices and takes them.
pub async fn reprice(visit: Visit) -> Response {
    let Some(id) = visit.cart() else {
        return see_other("/cart");
    };
    let address = format!("/api/carts/{id}/reprice");
    let answer = visit.call("cart", Method::POST, address).read().await;
    changed(&visit, answer).await
}

fn line_address(visit: &Visit, line: &str) -> Option<String> {
    let line: LineId = line.parse().ok()?;
    Some(format!("/api/carts/{}/lines/{line}", visit.cart()?))
}

async fn changed(visit: &Visit, answer: Result<CartView, Failure>) -> Response {
    match answer {
        Ok(cart) => remember(visit, see_other("/cart"), Some(&cart)),
        // Another tab was faster: the page shows how it is now.
        Err(failure) if is_closed(&failure) => see_other("/cart"),
        Err(failure) => refused(visit, failure).await,
    }
}

async fn refused(visit: &Visit, failure: Failure) -> Response {
    match failure {
        Failure::Refused(refusal) if refusal.status != 429 => {
            let status = StatusCode::from_u16(refusal.status).unwrap_or(StatusCode::BAD_REQUEST);
            let said = match refusal.field.as_deref() {
                Some("quantity") => bad_quantity(),
                _ => (status, failure::sentence(&refusal)),
            };
            page(visit, Some(said)).await
        }
        failure => failure::show(visit, &failure),
    }
}

fn quantity(text: &str) -> Option<i64> {
    match text.trim() {
        "" => Some(1),
        text => text
            .parse()
            .ok()
            .filter(|quantity| (0..=100_000).contains(quantity)),
    }
}

fn bad_quantity() -> (StatusCode, String) {
    let text = "A quantity is a whole number from 1 to 100,000. Nothing was changed.";
    (StatusCode::UNPROCESSABLE_ENTITY, text.into())
}

/// Has the browser remember the cart and how much is in it.
fn remember(visit: &Visit, mut response: Response, cart: Option<&CartView>) -> Response {
    let secure = visit.shop.config.secure();
    let count = units(cart).to_string();
    let id = cart.map(|cart| cookies::set(cookies::CART, cart.id.as_str(), "/", secure));
    let count = cookies::set(cookies::COUNT, &count, "/", secure);
    let lines = id.into_iter().chain([count]).flatten();
    for line in lines {
        response.headers_mut().append(header::SET_COOKIE, line);
    }
    response
}

/// Units in an open cart.
fn units(cart: Option<&CartView>) -> i64 {
    let open = cart.filter(|cart| cart.status == CartStatus::Open);
    open.map_or(0, |cart| cart.lines.iter().map(|line| line.quantity).sum())
}

fn view(cart: &CartView) -> View {
    if cart.status != CartStatus::Open {
        let order = cart.order_id.as_ref().map(|id| {
            let number = cart.order_number.clone().unwrap_or_default();
            (links::order(id.as_str()), number)
        });
        return View {
            order,
            ..View::default()
        };
    }
    View {
        errors: Vec::new(),
        lines: lines(cart),
        subtotal: money::show(cart.totals.subtotal),
        total: money::show(cart.totals.total),
        blocked: is_blocked(cart),
        repriced: cart
            .problems
            .iter()
            .any(|problem| matches!(problem, CartProblem::PriceChanged { .. })),
        order: None,
    }
}

/// Whether a checkout would be refused. Short stock alone is a warning: stock is decided when the
/// order is placed.
pub fn is_blocked(cart: &CartView) -> bool {
    let blocks = |problem: &CartProblem| !matches!(problem, CartProblem::ShortStock { .. });
    cart.problems.iter().any(blocks)
}

/// The lines of a cart with what there is to say about each.
pub fn lines(cart: &CartView) -> Vec<Line> {
    let line = |line: &contracts::cart::CartLineView| Line {
        id: line.id.to_string(),
        title: line.title.clone(),
        url: (!line.handle.is_empty()).then(|| links::product(&line.handle)),
        sku: line.sku.clone(),
        quantity: line.quantity,
        unit_price: money::show(line.unit_price),
        subtotal: money::show(line.subtotal),
        problems: cart
            .problems
            .iter()
            .filter_map(|problem| advice(problem, &line.id))
            .collect(),
    };
    cart.lines.iter().map(line).collect()
}

/// What a problem of this line means, and what to do about it.
fn advice(problem: &CartProblem, of: &LineId) -> Option<String> {
    let (line, text) = match problem {
        CartProblem::PriceChanged { line, old, new, .. } => (
            line,
            format!(
                "The price changed from {} to {}.",
                money::show(*old),
                money::show(*new)
            ),
        ),
        CartProblem::ShortStock {
            line, available, ..
        } if *available > 0 => (
            line,
            format!("Only {available} left. Please lower the quantity."),
        ),
        CartProblem::ShortStock { line, .. } => (
            line,
            "Sold out at the moment. Please remove it, or come back later.".into(),
        ),
        CartProblem::Unpublished { line, .. } | CartProblem::UnknownSku { line, .. } => (
            line,
            "This is not for sale any more. Please remove it.".into(),
        ),
        CartProblem::NoPrice { line, currency, .. } => (
            line,
            format!("This is not sold in {currency} any more. Please remove it."),
        ),
        // Of the cart as a whole, not of a line.
        CartProblem::CouponNotApplied { .. } | CartProblem::ShippingNotChosen { .. } => {
            return None;
        }
    };
    (line == of).then_some(text)
}
