//! Order history.

use axum::{Json as Answer, extract::State};
use contracts::{List, customers::api::HistoryEntry};
use kernel::App;
use web::{Access, Page, Problem, Routes};

use super::{READ, subject::Subject};
use crate::queries;

/// The routes.
pub fn routes(routes: Routes) -> Routes {
    let mut routes = routes;
    for (path, access) in [
        ("/api/customers/me/orders", Access::Customer),
        ("/api/customers/{id}/orders", Access::Permission(READ)),
    ] {
        routes = routes.get(path, access, orders, |d| {
            d.summary("Order history, the newest first, with orders claimed from guest checkouts")
                .paged()
                .answer::<List<HistoryEntry>>(200, "A page of orders")
        });
    }
    routes
}

async fn orders(
    State(app): State<App>,
    subject: Subject,
    page: Page,
) -> Result<Answer<List<HistoryEntry>>, Problem> {
    subject.state(&app).await?;
    let before = page.after.as_deref();
    let found = queries::orders(&app, &subject.id, before, page.limit).await?;
    Ok(Answer(page.list(found, |entry| entry.order_id.to_string())))
}
