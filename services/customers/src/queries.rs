//! The read side: ids and narrow rows from the read models; profiles are read from their streams.

use std::str::FromStr;

use contracts::{
    customers::{
        CompanyId, ConsentChanged,
        api::{ConsentView, HistoryEntry},
    },
    identity::CustomerId,
    orders::{OrderId, OrderStatus},
};
use kernel::{
    App, AppError, Command, Context, Decider, PersonId, Rejection, Row, Rows, StreamId, Timestamp,
    UnitOfWork, sql,
};
use serde_json::Value;
use web::Page;

use crate::{
    company::{Companies, Company},
    customer::{CustomerState, Customers},
    profile::customer,
};

/// Sorts behind every order's id.
const NEWEST: &str = "ord_z";

/// Ids of customers, `limit + 1` of them after the cursor; of a group, or with an address, if asked.
pub async fn customers(
    app: &App,
    page: &Page,
    group: Option<&str>,
    email_hash: Option<&str>,
) -> Result<Vec<CustomerId>, AppError> {
    let after = page.after.as_deref().unwrap_or_default();
    let limit = page.limit + 1;
    let statement = match (email_hash, group) {
        (Some(hash), _) => sql!(
            "SELECT id FROM customers WHERE email_hash = $1 AND id > $2 ORDER BY id LIMIT $3",
            hash,
            after,
            limit
        ),
        (None, Some(group)) => sql!(
            "SELECT customer_id FROM customer_groups
             WHERE code = $1 AND customer_id > $2 ORDER BY customer_id LIMIT $3",
            group,
            after,
            limit
        ),
        (None, None) => sql!(
            "SELECT id FROM customers WHERE id > $1 ORDER BY id LIMIT $2",
            after,
            limit
        ),
    };
    parsed(&app.query(statement).await?)
}

/// Customers whose profile is in use, `limit` of them after an id.
pub async fn open_customers(
    app: &App,
    after: &str,
    limit: i64,
) -> Result<Vec<CustomerId>, AppError> {
    let statement = sql!(
        "SELECT id FROM customers WHERE id > $1 AND status = 'open' ORDER BY id LIMIT $2",
        after,
        limit
    );
    parsed(&app.query(statement).await?)
}

/// Profiles of these customers, in one trip.
pub async fn states(app: &App, ids: Vec<CustomerId>) -> Result<Vec<CustomerState>, AppError> {
    app.execute(&Context::default(), ReadCustomers(ids)).await
}

struct ReadCustomers(Vec<CustomerId>);

impl Command for ReadCustomers {
    type Output = Vec<CustomerState>;

    fn streams(&self) -> Vec<StreamId> {
        self.0.iter().map(customer).collect()
    }

    fn handle(&self, work: &mut UnitOfWork<'_>) -> Result<Self::Output, Rejection> {
        let ids = self.0.iter();
        ids.map(|id| work.state::<Customers>(id.as_str()).cloned())
            .collect()
    }
}

/// Orders of a customer and of their duplicates, the newest first, `limit + 1` of them.
pub async fn orders(
    app: &App,
    id: &CustomerId,
    before: Option<&str>,
    limit: i64,
) -> Result<Vec<HistoryEntry>, AppError> {
    let statement = sql!(
        "SELECT id, number, status, total, refunded, currency, placed_at, claimed
         FROM order_history
         WHERE (customer_id = $1
                OR customer_id IN (SELECT id FROM customers WHERE merged_into = $1))
           AND id < $2
         ORDER BY id DESC LIMIT $3",
        id,
        before.unwrap_or(NEWEST),
        limit + 1
    );
    let rows = app.query(statement).await?;
    Ok(rows.iter().filter_map(entry).collect())
}

fn entry(row: &Row) -> Option<HistoryEntry> {
    Some(HistoryEntry {
        order_id: row.get::<String>(0).parse().ok()?,
        number: row.get(1),
        status: OrderStatus::parse(&row.get::<String>(2))?,
        total: row.money(3, 5)?,
        refunded: row.money(4, 5)?,
        placed_at: row.get(6),
        claimed: row.get(7),
    })
}

/// Orders placed with an address as a guest that are nobody's yet, `limit` of them after an id.
pub async fn guest_orders(
    app: &App,
    email_hash: &str,
    after: &str,
    limit: i64,
) -> Result<Vec<OrderId>, AppError> {
    let statement = sql!(
        "SELECT id FROM order_history
         WHERE email_hash = $1 AND customer_id IS NULL AND id > $2 ORDER BY id LIMIT $3",
        email_hash,
        after,
        limit
    );
    parsed(&app.query(statement).await?)
}

/// Orders with this number.
pub async fn orders_numbered(app: &App, number: &str) -> Result<Vec<OrderId>, AppError> {
    let statement = sql!(
        "SELECT id FROM order_history WHERE number = $1 ORDER BY id LIMIT 10",
        number
    );
    parsed(&app.query(statement).await?)
}

/// Number of an order of these customers or persons that is neither confirmed nor cancelled, and
/// younger than `since`.
pub async fn under_way(
    app: &App,
    id: &CustomerId,
    since: Timestamp,
) -> Result<Option<String>, AppError> {
    let statement = sql!(
        "SELECT number FROM order_history
         WHERE customer_id = $1 AND status = 'placed' AND placed_at > $2 ORDER BY id LIMIT 1",
        id,
        since
    );
    let rows = app.query(statement).await?;
    Ok(rows.first().map(|row| row.get(0)))
}

/// What a person agreed to, the newest first, 200 at most.
pub async fn consents(app: &App, person: &PersonId) -> Result<Vec<ConsentView>, AppError> {
    let statement = sql!(
        "SELECT document FROM consents WHERE person = $1 ORDER BY version DESC LIMIT 200",
        person
    );
    let rows = app.query(statement).await?;
    Ok(rows.iter().filter_map(consent).collect())
}

fn consent(row: &Row) -> Option<ConsentView> {
    let changed: ConsentChanged = serde_json::from_str(&row.get::<String>(0)).ok()?;
    Some(consent_view(&changed))
}

/// A consent as it is shown.
pub fn consent_view(changed: &ConsentChanged) -> ConsentView {
    ConsentView {
        purpose: changed.purpose,
        granted: changed.granted,
        source: changed.source,
        policy_version: changed.policy_version.clone(),
        at: changed.at,
    }
}

/// Companies a customer acts for.
pub async fn companies_of(app: &App, id: &CustomerId) -> Result<Vec<CompanyId>, AppError> {
    let statement = sql!(
        "SELECT company_id FROM company_members WHERE customer_id = $1
         ORDER BY company_id LIMIT 500",
        id
    );
    parsed(&app.query(statement).await?)
}

/// Companies, `limit + 1` of them after the cursor.
pub async fn companies(app: &App, page: &Page) -> Result<Vec<CompanyId>, AppError> {
    let statement = sql!(
        "SELECT id FROM companies WHERE id > $1 ORDER BY id LIMIT $2",
        page.after.as_deref().unwrap_or_default(),
        page.limit + 1
    );
    parsed(&app.query(statement).await?)
}

/// These companies, in one trip.
pub async fn company_states(app: &App, ids: Vec<CompanyId>) -> Result<Vec<Company>, AppError> {
    app.execute(&Context::default(), ReadCompanies(ids)).await
}

struct ReadCompanies(Vec<CompanyId>);

impl Command for ReadCompanies {
    type Output = Vec<Company>;

    fn streams(&self) -> Vec<StreamId> {
        let ids = self.0.iter();
        ids.map(|id| StreamId::new(Companies::CATEGORY, id.as_str()))
            .collect()
    }

    fn handle(&self, work: &mut UnitOfWork<'_>) -> Result<Self::Output, Rejection> {
        let ids = self.0.iter();
        ids.map(|id| work.state::<Companies>(id.as_str()).cloned())
            .collect()
    }
}

/// Other services' documents about an order: topic and (sealed) text.
pub async fn documents(app: &App, order: &OrderId) -> Result<Vec<(String, String)>, AppError> {
    let statement = sql!(
        "SELECT topic, document FROM parts WHERE order_id = $1 ORDER BY topic, id",
        order
    );
    let rows = app.query(statement).await?;
    Ok(rows.iter().map(|row| (row.get(0), row.get(1))).collect())
}

fn parsed<T: FromStr>(rows: &Rows) -> Result<Vec<T>, AppError> {
    let parse = |row: &Row| row.get::<String>(0).parse();
    let ids: Result<Vec<T>, _> = rows.iter().map(parse).collect();
    ids.map_err(|_| AppError::Internal("a read model holds an id of another kind".into()))
}

/// What is shown of a document; `None` once the person was erased.
pub fn opened(app: &App, text: &str) -> Option<Value> {
    kernel::with_keys(app.keys(), || crate::export::opened(text))
}
