//! The read side: lists from the read models.

use contracts::notifications::{Channel, MessageKind, MessageStatus, MessageSummary};
use kernel::{App, AppError, Row, sql};

/// Which messages a list holds.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Only these.
    pub status: Option<MessageStatus>,
    /// Only of this kind.
    pub kind: Option<MessageKind>,
    /// Only about this order.
    pub order: Option<String>,
}

/// Where a page of messages ended: `<queued at>:<id>`.
pub fn cursor(message: &MessageSummary) -> String {
    format!("{}:{}", message.queued_at.0, message.id)
}

/// Up to `limit` messages, the newest first, behind the cursor.
pub async fn messages(
    app: &App,
    filter: &Filter,
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<MessageSummary>, AppError> {
    let (at, id) = after
        .and_then(|cursor| cursor.split_once(':'))
        .and_then(|(at, id)| Some((at.parse().ok()?, id)))
        .unwrap_or((i64::MAX, ""));
    let status = filter.status.map_or("", MessageStatus::as_str);
    let kind = filter.kind.map_or("", MessageKind::as_str);
    let statement = match &filter.order {
        Some(order) => sql!(
            "SELECT id, kind, channel, status, order_id, customer_id, attempts, reason, retry_at,
               queued_at, updated_at
             FROM messages WHERE order_id = $1 AND (queued_at < $2 OR (queued_at = $2 AND id < $3))
               AND ($4 = '' OR status = $4) AND ($5 = '' OR kind = $5)
             ORDER BY queued_at DESC, id DESC LIMIT $6",
            order,
            at,
            id,
            status,
            kind,
            limit
        ),
        None if filter.status.is_some() => sql!(
            "SELECT id, kind, channel, status, order_id, customer_id, attempts, reason, retry_at,
               queued_at, updated_at
             FROM messages WHERE status = $1 AND (queued_at < $2 OR (queued_at = $2 AND id < $3))
               AND ($4 = '' OR kind = $4)
             ORDER BY queued_at DESC, id DESC LIMIT $5",
            status,
            at,
            id,
            kind,
            limit
        ),
        None => sql!(
            "SELECT id, kind, channel, status, order_id, customer_id, attempts, reason, retry_at,
               queued_at, updated_at
             FROM messages WHERE (queued_at < $1 OR (queued_at = $1 AND id < $2))
               AND ($3 = '' OR kind = $3)
             ORDER BY queued_at DESC, id DESC LIMIT $4",
            at,
            id,
            kind,
            limit
        ),
    };
    let rows = app.query(statement).await?;
    Ok(rows.iter().filter_map(summary).collect())
}

fn summary(row: &Row) -> Option<MessageSummary> {
    let channel: String = row.get(2);
    let channels = [Channel::Email, Channel::Sms, Channel::Push];
    Some(MessageSummary {
        id: row.get(0),
        kind: MessageKind::parse(&row.get::<String>(1))?,
        channel: channels.into_iter().find(|c| c.as_str() == channel)?,
        status: MessageStatus::parse(&row.get::<String>(3))?,
        order_id: row.get::<Option<String>>(4).and_then(|id| id.parse().ok()),
        customer_id: row.get::<Option<String>>(5).and_then(|id| id.parse().ok()),
        attempts: row.get(6),
        reason: row.get(7),
        retry_at: row.get(8),
        queued_at: row.get(9),
        updated_at: row.get(10),
    })
}

/// A SKU's name and its product's handle, if it is on sale.
pub async fn product(app: &App, sku: &str) -> Result<Option<(String, String)>, AppError> {
    let statement = sql!(
        "SELECT title, handle FROM products WHERE sku = $1 AND published = 1 LIMIT 1",
        sku
    );
    let rows = app.query(statement).await?;
    Ok(rows.first().map(|row| (row.get(0), row.get(1))))
}
