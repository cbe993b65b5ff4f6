//! The table of routes; the handlers are in the modules below.

mod dev_mail;
mod messages;
mod restock;
mod templates;
mod unsubscribe;

use std::sync::Arc;

use axum::{
    Extension,
    http::{HeaderValue, header},
    response::{Html, IntoResponse, Response},
};
use contracts::{
    List,
    notifications::{
        BounceReport, MessageSummary, MessageView, PreviewRequest, RestockNoted, RestockWish,
        TemplatePreview, TemplateSet,
    },
};
use web::{Access, Routes};

use crate::Shared;

pub(crate) const READ: &str = "notifications:read";
pub(crate) const WRITE: &str = "notifications:write";

/// What handlers share.
pub(crate) type Common = Extension<Arc<Shared>>;

/// The routes of notifications.
pub fn routes(shared: &Arc<Shared>) -> Routes {
    let routes = staff_routes(Routes::new());
    let routes = public_routes(routes);
    let routes = match shared.config.dev_mail {
        true => dev_routes(routes),
        false => routes,
    };
    routes.share(shared.clone())
}

fn staff_routes(routes: Routes) -> Routes {
    routes
        .get("/api/notifications/messages", Access::Permission(READ), messages::list, |d| {
            d.summary("Messages, the newest first")
                .description("Without personal data.")
                .paged()
                .query("status", "queued, sent, retrying, failed, suppressed or bounced")
                .query("kind", "Only of this kind, such as order_confirmed")
                .query("order", "Only about this order (`ord_…`)")
                .answer::<List<MessageSummary>>(200, "A page of messages")
        })
        .get("/api/notifications/messages/{id}", Access::Permission(READ), messages::get, |d| {
            d.summary("A message as its reader sees it")
                .description("Written anew from what is kept of it, with the templates of today.")
                .answer::<MessageView>(200, "The message")
        })
        .post(
            "/api/notifications/messages/{id}/resend",
            Access::Permission(WRITE),
            messages::resend,
            |d| {
                d.summary("Send a message again")
                    .description("One that was given up, came back or got lost. One that needs its reader's leave still does.")
                    .answer::<MessageSummary>(202, "It is about to be sent")
            },
        )
        .post("/api/notifications/bounces", Access::Permission(WRITE), messages::bounce, |d| {
            d.summary("Report that mail came back")
                .description("Of a message, or of an address. An address that is bad for good gets only what is due to it from then on.")
                .body::<BounceReport>()
                .answer_empty(204, "Noted")
        })
        .get("/api/notifications/templates", Access::Permission(READ), templates::list, |d| {
            d.summary("The kinds of messages and what is wrong with the shop's own templates")
                .answer::<Vec<TemplateSet>>(200, "All kinds")
        })
        .post(
            "/api/notifications/templates/{kind}/preview",
            Access::Permission(READ),
            templates::preview,
            |d| {
                d.summary("A template filled with sample data")
                    .body::<PreviewRequest>()
                    .answer::<TemplatePreview>(200, "So it reads")
            },
        )
}

fn public_routes(routes: Routes) -> Routes {
    routes
        .post("/api/notifications/back-in-stock", Access::Public, restock::wish, |d| {
            d.summary("Hear when something is in stock again")
                .description("One message, when it can be bought again. Asking twice is asking once.")
                .body::<RestockWish>()
                .answer::<RestockNoted>(202, "Noted")
        })
        .get("/api/notifications/unsubscribe", Access::Public, unsubscribe::ask, |d| {
            d.summary("The page behind the link to unsubscribe")
                .description("Changes nothing: programs that look at links must not unsubscribe their readers.")
                .query("message", "The message the link was in")
                .query("signature", "Of the link")
                .answer_empty(200, "A page with a button (HTML)")
        })
        .post("/api/notifications/unsubscribe", Access::Public, unsubscribe::confirm, |d| {
            d.summary("Unsubscribe")
                .description("From that page, or with one click from a mail program (RFC 8058).")
                .query("message", "The message the link was in")
                .query("signature", "Of the link")
                .answer_empty(200, "A page that says so (HTML)")
        })
}

fn dev_routes(routes: Routes) -> Routes {
    routes
        .get("/dev/mail", Access::Public, dev_mail::list, |d| {
            d.summary("Everybody's messages, for development")
                .answer_empty(200, "A page (HTML)")
        })
        .get("/dev/mail/{id}", Access::Public, dev_mail::show, |d| {
            d.summary("A message, for development")
                .answer_empty(200, "A page (HTML)")
        })
}

/// A page of the service itself: for nobody's cache, and with nothing in it that runs.
pub(crate) fn page(html: String) -> Response {
    const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; \
                          img-src https: data:; base-uri 'none'; frame-ancestors 'none'";
    let mut response = Html(html).into_response();
    let headers = response.headers_mut();
    let no_store = HeaderValue::from_static("no-store");
    headers.insert(header::CACHE_CONTROL, no_store);
    let policy = HeaderValue::from_static(POLICY);
    headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    response
}
