//! The read side: lists from the read model, several whole fulfilments from their streams.

use contracts::shipping::{FulfilmentId, FulfilmentStatus, FulfilmentSummary};
use kernel::{App, AppError, Command, Context, Decider, Rejection, Row, StreamId, UnitOfWork, sql};

use crate::fulfilment::{Fulfilment, Fulfilments};

/// Sorts behind every fulfilment's id.
const NEWEST: &str = "ful_z";

/// Which fulfilments a list holds.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Only these.
    pub status: Option<FulfilmentStatus>,
    /// Only from there.
    pub location: Option<String>,
    /// Only those with a label that needs a look.
    pub trouble: bool,
}

/// Up to `limit` fulfilments, the newest first, older than `before`.
pub async fn fulfilments(
    app: &App,
    filter: &Filter,
    before: Option<&str>,
    limit: i64,
) -> Result<Vec<FulfilmentSummary>, AppError> {
    let statement = sql!(
        "SELECT id, order_id, number, status, location, units, collect, trouble, created_at,
           updated_at
         FROM fulfilments
         WHERE id < $1 AND ($2 = '' OR status = $2) AND ($3 = '' OR location = $3)
           AND trouble >= $4
         ORDER BY id DESC LIMIT $5",
        before.unwrap_or(NEWEST),
        filter.status.map_or("", FulfilmentStatus::as_str),
        filter.location.as_deref().unwrap_or_default(),
        filter.trouble,
        limit
    );
    let rows = app.query(statement).await?;
    Ok(rows.iter().filter_map(summary).collect())
}

fn summary(row: &Row) -> Option<FulfilmentSummary> {
    Some(FulfilmentSummary {
        id: row.get::<String>(0).parse().ok()?,
        order_id: row.get::<String>(1).parse().ok()?,
        number: row.get(2),
        status: FulfilmentStatus::parse(&row.get::<String>(3))?,
        location: row.get::<String>(4).parse().ok()?,
        units: row.get(5),
        collect: row.get(6),
        trouble: row.get(7),
        created_at: row.get(8),
        updated_at: row.get(9),
    })
}

/// The states of several fulfilments, in one trip.
pub async fn states(app: &App, ids: Vec<FulfilmentId>) -> Result<Vec<Fulfilment>, AppError> {
    app.execute(&Context::default(), ReadMany(ids)).await
}

struct ReadMany(Vec<FulfilmentId>);

impl Command for ReadMany {
    type Output = Vec<Fulfilment>;

    fn streams(&self) -> Vec<StreamId> {
        let stream = |id: &FulfilmentId| StreamId::new(Fulfilments::CATEGORY, id.as_str());
        self.0.iter().map(stream).collect()
    }

    fn handle(&self, work: &mut UnitOfWork<'_>) -> Result<Vec<Fulfilment>, Rejection> {
        let state = |id: &FulfilmentId| work.state::<Fulfilments>(id.as_str()).cloned();
        self.0.iter().map(state).collect()
    }
}
