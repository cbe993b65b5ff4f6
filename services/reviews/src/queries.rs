//! The read side: statements over the read model, and what their rows mean.

use contracts::reviews::ReviewView;
use kernel::{Row, Statement, sql};

/// One page in the order of creation (ids are time-ordered), and one row more, to know whether
/// there is another page.
pub fn page(after: Option<&str>, limit: i64) -> Statement {
    sql!(
        "SELECT id, name FROM reviews_list WHERE id > $1 ORDER BY id LIMIT $2",
        after.unwrap_or_default(),
        limit + 1
    )
}

/// A row of [`page`].
pub fn view(row: &Row) -> Option<ReviewView> {
    Some(ReviewView {
        id: row.get::<String>(0).parse().ok()?,
        name: row.get(1),
    })
}
