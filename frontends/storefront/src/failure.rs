//! Pages for when something is not there or does not work: what happened, and what to do now.

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::Response,
};
use serde::Serialize;

use crate::{
    client::{Failure, Refusal},
    pages::Page,
    visit::Visit,
};

/// A page with a message and ways on.
#[derive(Clone, Debug, Serialize)]
pub struct Message {
    /// Heading.
    pub title: String,
    /// What happened, and what to do.
    pub text: String,
    /// A way on besides the start page: label and address.
    pub link: Option<(String, String)>,
}

impl Message {
    /// A message.
    pub fn new(title: impl Into<String>, text: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            text: text.into(),
            link: None,
        }
    }

    /// With a way on.
    pub fn link(mut self, label: &str, address: impl Into<String>) -> Self {
        self.link = Some((label.to_owned(), address.into()));
        self
    }

    /// As a page.
    pub fn show(self, visit: &Visit, status: StatusCode) -> Response {
        let mut response = Page::new("message.html", self).status(status).show(visit);
        if status == StatusCode::SERVICE_UNAVAILABLE {
            let soon = HeaderValue::from_static("5");
            response.headers_mut().insert(header::RETRY_AFTER, soon);
        }
        response
    }
}

/// Addresses this shop does not have.
pub async fn no_such_page(visit: Visit) -> Response {
    missing(
        &visit,
        "There is no such page",
        "The address may be mistyped, or what was here is gone.",
    )
}

/// A page's address used in another way than it is meant to.
pub async fn wrong_method(visit: Visit) -> Response {
    Message::new(
        "That does not work here",
        "This page cannot be used in that way. Go back and try again with the buttons of the shop.",
    )
    .show(&visit, StatusCode::METHOD_NOT_ALLOWED)
}

/// Something that is not there.
pub fn missing(visit: &Visit, title: &str, text: &str) -> Response {
    Message::new(title, text).show(visit, StatusCode::NOT_FOUND)
}

/// A form that is not one of ours.
pub fn bad_form(visit: &Visit) -> Response {
    Message::new(
        "That form could not be read",
        "Something in it is missing or of the wrong kind. Go back, reload the page, and try again.",
    )
    .show(visit, StatusCode::BAD_REQUEST)
}

/// A failure no page has something better to say about.
pub fn show(visit: &Visit, failure: &Failure) -> Response {
    match failure {
        Failure::Down { service } => down(visit, service),
        Failure::Refused(refusal) if refusal.status == 429 => Message::new(
            "One moment, please",
            "There were a lot of requests from your side. Wait a few seconds and try again.",
        )
        .show(visit, StatusCode::TOO_MANY_REQUESTS),
        Failure::Refused(refusal) => {
            let status = StatusCode::from_u16(refusal.status).unwrap_or(StatusCode::BAD_REQUEST);
            Message::new("That did not work", sentence(refusal)).show(visit, status)
        }
    }
}

/// A service that is not there: say which part of the shop that is, and what still works.
fn down(visit: &Visit, service: &str) -> Response {
    let message = match service {
        "catalog" => Message::new(
            "Our shelves are out of reach for a moment",
            "We cannot show products right now. Your cart is safe and you can still check out. Please try again in a minute.",
        )
        .link("Go to your cart", "/cart"),
        "cart" => Message::new(
            "Carts are out of reach for a moment",
            "Nothing in your cart is lost. You can look around meanwhile; please try again in a minute.",
        ),
        "orders" => Message::new(
            "We cannot look up orders right now",
            "Orders that were placed are safe. Please try again in a minute.",
        ),
        _ => Message::new(
            "Something is out of reach for a moment",
            "Please try again in a minute.",
        ),
    };
    message.show(visit, StatusCode::SERVICE_UNAVAILABLE)
}

/// A refusal's reason as a sentence.
pub fn sentence(refusal: &Refusal) -> String {
    let detail = refusal.detail.trim().trim_end_matches('.');
    let mut letters = detail.chars();
    match letters.next() {
        Some(first) => format!("{}{}.", first.to_uppercase(), letters.as_str()),
        None => "The shop could not do that.".into(),
    }
}
