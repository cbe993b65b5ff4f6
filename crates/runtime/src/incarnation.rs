//! A log that was restored is another one, with an incarnation of its own. Whoever has heard more
//! of it than was restored must not go on: as many new events as are missing would be skipped in
//! silence.

use eventlog::LogHead;
use kernel::AppError;
use store::sharing;

use crate::consumer::{Surround, query};

/// Marks an incarnation that this service was ahead of: it stays so, however far the log grows.
const AHEAD_OF: &str = "ahead of ";

/// Checks that this service may go on with the topic as it is now, and notes its incarnation.
pub(crate) async fn check(around: &Surround, topic: &str, head: &LogHead) -> Result<(), AppError> {
    let seen = query(around, sharing::seen_incarnation(topic)).await?;
    let seen: Option<String> = seen.first().map(|row| row.get(0));
    if seen.as_ref() == Some(&head.incarnation) {
        return Ok(());
    }
    let furthest = query(around, sharing::furthest(topic)).await?;
    let furthest: Option<i64> = furthest.first().and_then(|row| row.get(0));
    let furthest = furthest.unwrap_or(0);
    let refused = format!("{AHEAD_OF}{}", head.incarnation);
    let restored_at = head.restored_at();
    let is_ahead = furthest > restored_at;
    if seen.as_ref() == Some(&refused) {
        return Err(ahead(topic, furthest, restored_at));
    }
    let note = match is_ahead {
        true => &refused,
        false => &head.incarnation,
    };
    around
        .inlet
        .write(vec![sharing::see_incarnation(topic, note)])
        .await?;
    match is_ahead {
        true => Err(ahead(topic, furthest, restored_at)),
        false => Ok(()),
    }
}

/// What to tell the operator.
pub(crate) fn ahead(topic: &str, position: i64, restored_at: i64) -> AppError {
    AppError::Unavailable(format!(
        "this service is at position {position} of {topic}, which tells the same as before only up to {restored_at}: \
         {topic} was restored to an earlier moment than this service; restore both together"
    ))
}
