//! The read side: lists from the read model, whole orders from their streams.

use contracts::{
    identity::CustomerId,
    orders::{OrderId, OrderStatus, OrderSummary},
};
use kernel::{App, AppError, Command, Context, Decider, Rejection, Row, StreamId, UnitOfWork, sql};

use crate::{order::Order, render::order_view, state::OrderState};

/// Sorts behind every order's id.
const NEWEST: &str = "ord_z";

/// Which orders a list holds.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Only these.
    pub status: Option<OrderStatus>,
    /// Only theirs.
    pub customer: Option<CustomerId>,
}

/// Up to `limit` orders, the newest first, older than `before`.
pub async fn orders(
    app: &App,
    filter: &Filter,
    before: Option<&str>,
    limit: i64,
) -> Result<Vec<OrderSummary>, AppError> {
    let before = before.unwrap_or(NEWEST);
    let status = filter.status.map_or("", OrderStatus::as_str);
    let statement = match &filter.customer {
        None => sql!(
            "SELECT id, number, status, customer_id, total, currency, placed_at, updated_at
             FROM orders WHERE id < $1 AND ($2 = '' OR status = $2)
             ORDER BY id DESC LIMIT $3",
            before,
            status,
            limit
        ),
        Some(customer) => sql!(
            "SELECT id, number, status, customer_id, total, currency, placed_at, updated_at
             FROM orders WHERE customer_id = $1 AND id < $2 AND ($3 = '' OR status = $3)
             ORDER BY id DESC LIMIT $4",
            customer,
            before,
            status,
            limit
        ),
    };
    let rows = app.query(statement).await?;
    Ok(rows.iter().filter_map(summary).collect())
}

fn summary(row: &Row) -> Option<OrderSummary> {
    Some(OrderSummary {
        id: row.get::<String>(0).parse().ok()?,
        number: row.get(1),
        status: OrderStatus::parse(&row.get::<String>(2))?,
        customer_id: row.get::<Option<String>>(3).and_then(|id| id.parse().ok()),
        total: row.money(4, 5)?,
        placed_at: row.get(6),
        updated_at: row.get(7),
        order: None,
    })
}

/// Orders with this number, the newest first; more than one only if two share it (see the cart).
pub async fn by_number(app: &App, number: &str) -> Result<Vec<OrderId>, AppError> {
    let statement = sql!(
        "SELECT id FROM orders WHERE number = $1 ORDER BY id DESC LIMIT 10",
        number
    );
    let rows = app.query(statement).await?;
    Ok(rows
        .iter()
        .filter_map(|row| row.get::<String>(0).parse().ok())
        .collect())
}

/// Adds the whole order to each summary, in one trip.
pub async fn with_orders(app: &App, page: &mut [OrderSummary]) -> Result<(), AppError> {
    let ids = page.iter().map(|summary| summary.id.clone()).collect();
    let states = app.execute(&Context::default(), ReadMany(ids)).await?;
    for (summary, state) in page.iter_mut().zip(states) {
        summary.order = order_view(&state);
    }
    Ok(())
}

/// Reads the states of several orders at once.
struct ReadMany(Vec<OrderId>);

impl Command for ReadMany {
    type Output = Vec<OrderState>;

    fn streams(&self) -> Vec<StreamId> {
        let stream = |id: &OrderId| StreamId::new(Order::CATEGORY, id.as_str());
        self.0.iter().map(stream).collect()
    }

    fn handle(&self, work: &mut UnitOfWork<'_>) -> Result<Vec<OrderState>, Rejection> {
        let state = |id: &OrderId| work.state::<Order>(id.as_str()).cloned();
        self.0.iter().map(state).collect()
    }
}
