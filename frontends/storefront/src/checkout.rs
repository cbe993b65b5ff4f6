//! Checkout: who, where to, and how to pay. Card numbers never come here: the page's script gives
//! them to the payment provider, and this form carries the token it got for them.

use axum::{
    Form,
    extract::rejection::FormRejection,
    http::{HeaderValue, Method, StatusCode, header},
    response::Response,
};
use contracts::{
    cart::{CartId, CartStatus, CartView, CheckoutPayment, CheckoutRequest},
    orders::CheckoutAnswer,
};
use serde::Serialize;

use crate::{
    cart::{self, Line},
    checkout_form::{Entered, FieldError, key_of},
    client::{Failure, Refusal},
    cookies,
    countries::COUNTRIES,
    failure::{self, Message},
    links, money,
    pages::{Page, see_other},
    visit::Visit,
};

/// The payment provider that tokens are for.
const PROVIDER: &str = "sandbox";

/// The provider's well-known tokens, for trying out what happens, also without JavaScript.
const TEST_CARDS: [(&str, &str); 5] = [
    ("tok_visa", "Test Visa: works"),
    ("tok_mastercard", "Test Mastercard: works"),
    ("tok_3ds", "Test card that asks to confirm (3-D Secure)"),
    ("tok_declined", "Test card that is declined"),
    ("tok_insufficient_funds", "Test card without enough money"),
];

/// The checkout form, for `checkout.html`.
#[derive(Serialize)]
struct View<'a> {
    entered: &'a Entered,
    errors: Vec<FieldError>,
    /// Sent with the order, so that a second click is the same order.
    key: String,
    lines: Vec<Line>,
    total: String,
    countries: &'static [(&'static str, &'static str)],
    test_cards: [(&'static str, &'static str); 5],
    provider_url: &'a str,
    publishable_key: &'a str,
}

/// `GET /checkout`
pub async fn show(visit: Visit) -> Response {
    let entered = Entered::new(&visit.shop.config.country);
    form(&visit, StatusCode::OK, &entered, Vec::new()).await
}

/// The form with what was entered so far and what is wrong with it. A cart that cannot be checked
/// out is shown instead: it says what to do.
async fn form(
    visit: &Visit,
    status: StatusCode,
    entered: &Entered,
    errors: Vec<FieldError>,
) -> Response {
    let cart = match cart::current(visit).await {
        Ok(Some(cart)) if is_ready(&cart) => cart,
        Ok(_) => return see_other("/cart"),
        Err(failure) => return failure::show(visit, &failure),
    };
    let config = &visit.shop.config;
    let view = View {
        entered,
        errors,
        key: key_of(&cart),
        lines: cart::lines(&cart),
        total: money::show(cart.totals.total),
        countries: COUNTRIES,
        test_cards: TEST_CARDS,
        provider_url: &config.provider_url,
        publishable_key: &config.publishable_key,
    };
    Page::new("checkout.html", view).status(status).show(visit)
}

fn is_ready(cart: &CartView) -> bool {
    cart.status == CartStatus::Open && !cart.lines.is_empty() && !cart::is_blocked(cart)
}

/// `POST /checkout`: the order is placed, and shown.
pub async fn place(visit: Visit, sent: Result<Form<Entered>, FormRejection>) -> Response {
    let Ok(Form(sent)) = sent else {
        return failure::bad_form(&visit);
    };
    let entered = sent.tidied();
    let Some(cart) = visit.cart() else {
        return see_other("/cart");
    };
    let errors = entered.errors();
    if !errors.is_empty() {
        return form(&visit, StatusCode::UNPROCESSABLE_ENTITY, &entered, errors).await;
    }
    match check_out(&visit, &cart, &entered).await {
        Ok(answer) => placed(&visit, &answer),
        Err(Failure::Refused(refusal)) => refused(&visit, &entered, &refusal).await,
        Err(Failure::Down { .. }) => unsure(&visit, &entered).await,
    }
}

/// Whether there is an order is not known. The form is shown again, with the same key; when not even
/// the cart can be had, the browser still has the form.
async fn unsure(visit: &Visit, entered: &Entered) -> Response {
    let status = StatusCode::SERVICE_UNAVAILABLE;
    let title = "We could not tell whether your order went through";
    let safe = "it will not be ordered or charged twice.";
    if cart::current(visit).await.is_err() {
        let text = format!("Please go back in a minute and press the button again: {safe}");
        return Message::new(title, text).show(visit, status);
    }
    let text = format!("{title}. Please press the button again: {safe}");
    form(visit, status, entered, vec![FieldError::general(&text)]).await
}

async fn check_out(
    visit: &Visit,
    cart: &CartId,
    entered: &Entered,
) -> Result<CheckoutAnswer, Failure> {
    let request = CheckoutRequest {
        email: entered.email.clone(),
        shipping_address: entered.address(),
        payment: Some(CheckoutPayment {
            provider: PROVIDER.into(),
            token: entered.token().into(),
        }),
        shipping_quote: None,
        vat_number: None,
        gift_cards: Vec::new(),
        use_store_credit: false,
        expected_total: None,
        locale: None,
    };
    let send = async |key: Option<&str>| {
        let call = visit.call("cart", Method::POST, format!("/api/carts/{cart}/checkout"));
        call.json(&request).idempotent(key).read().await
    };
    match send(entered.key()).await {
        // Whether it went through is not known; the same key asks safely.
        Err(Failure::Down { .. }) => send(entered.key()).await,
        // The form was sent before and has been changed since. If that made an order, the cart
        // answers with the same order, key or not.
        Err(Failure::Refused(refusal)) if refusal.code == "idempotency-key-reused" => {
            send(None).await
        }
        answer => answer,
    }
}

/// On to the order's page, which alone gets the right to show it.
fn placed(visit: &Visit, answer: &CheckoutAnswer) -> Response {
    let page = links::order(answer.order.id.as_str());
    let secure = visit.shop.config.secure();
    let mut response = see_other(&page);
    let set = [
        cookies::set(cookies::ORDER, &answer.access_token, &page, secure),
        // The cart's cookie stays: sending the form again then finds the same order.
        cookies::set(cookies::COUNT, "0", "/", secure),
    ];
    let headers = response.headers_mut();
    for line in set.into_iter().flatten() {
        headers.append(header::SET_COOKIE, line);
    }
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

async fn refused(visit: &Visit, entered: &Entered, refusal: &Refusal) -> Response {
    let status = StatusCode::from_u16(refusal.status).unwrap_or(StatusCode::BAD_REQUEST);
    let about_the_cart = matches!(
        refusal.code.as_str(),
        "price-changed" | "unpublished" | "unknown-sku" | "no-price" | "short-stock" | "empty-cart"
    );
    // The cart's page shows each problem and what to do about it.
    if about_the_cart || matches!(status, StatusCode::NOT_FOUND | StatusCode::GONE) {
        return see_other("/cart");
    }
    form(visit, status, entered, vec![FieldError::of(refusal)]).await
}
