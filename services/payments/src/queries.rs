//! The read side: typed functions over read-only SQL. Lists are asked for one row more than the
//! page, which tells whether there is more.

use contracts::payments::{
    LedgerAccount, LedgerEntry, LedgerSummary, PaymentSummary, PaymentTrouble,
    ProviderEventUnmatched,
};
use kernel::{App, AppError, Currency, Money, Row, Statement, serde_json, sql};
use web::Page;

/// Lists payments by id, that is by age; both filters are optional.
pub async fn payments(
    app: &App,
    order: Option<&str>,
    status: Option<&str>,
    page: &Page,
) -> Result<Vec<PaymentSummary>, AppError> {
    let after = page.after.as_deref().unwrap_or("");
    let limit = page.limit + 1;
    let statement = match (order, status) {
        (None, None) => sql!(
            "SELECT id, order_id, status, amount, currency, captured, refunded, at
             FROM payments WHERE id > $1 ORDER BY id LIMIT $2",
            after,
            limit
        ),
        (None, Some(status)) => sql!(
            "SELECT id, order_id, status, amount, currency, captured, refunded, at
             FROM payments WHERE id > $1 AND status = $3 ORDER BY id LIMIT $2",
            after,
            limit,
            status
        ),
        (Some(order), None) => sql!(
            "SELECT id, order_id, status, amount, currency, captured, refunded, at
             FROM payments WHERE id > $1 AND order_id = $3 ORDER BY id LIMIT $2",
            after,
            limit,
            order
        ),
        (Some(order), Some(status)) => sql!(
            "SELECT id, order_id, status, amount, currency, captured, refunded, at
             FROM payments WHERE id > $1 AND order_id = $3 AND status = $4 ORDER BY id LIMIT $2",
            after,
            limit,
            order,
            status
        ),
    };
    read(app, statement, |row| {
        let currency = currency(row, 4)?;
        Some(PaymentSummary {
            id: row.get::<String>(0).parse().ok()?,
            order_id: row.get::<String>(1).parse().ok()?,
            status: row.get(2),
            amount: Money::new(row.get(3), currency),
            captured: Money::new(row.get(5), currency),
            refunded: Money::new(row.get(6), currency),
            at: row.get(7),
        })
    })
    .await
}

/// The cursor of a ledger entry: its key.
pub fn ledger_cursor(entry: &LedgerEntry) -> String {
    format!("{} {} {}", entry.payment_id, entry.version, entry.line)
}

/// Reads a [`ledger_cursor`].
pub fn parse_ledger_cursor(text: &str) -> Option<(String, i64, i64)> {
    let mut parts = text.split(' ');
    let id = parts.next()?.to_owned();
    let version = parts.next()?.parse().ok()?;
    let line = parts.next()?.parse().ok()?;
    parts.next().is_none().then_some((id, version, line))
}

/// Lists the ledger, payment by payment, the oldest first.
pub async fn ledger(
    app: &App,
    after: (String, i64, i64),
    limit: i64,
) -> Result<Vec<LedgerEntry>, AppError> {
    let statement = sql!(
        "SELECT payment_id, version, line, account, currency, amount, order_id, at
         FROM ledger_entries
         WHERE (payment_id, version, line) > ($1, $2, $3)
         ORDER BY payment_id, version, line LIMIT $4",
        after.0,
        after.1,
        after.2,
        limit + 1
    );
    read(app, statement, |row| {
        Some(LedgerEntry {
            payment_id: row.get::<String>(0).parse().ok()?,
            version: row.get(1),
            line: row.get(2),
            account: row.get(3),
            amount: Money::new(row.get(5), currency(row, 4)?),
            order_id: row.get::<String>(6).parse().ok()?,
            at: row.get(7),
        })
    })
    .await
}

/// The sums of all accounts: a handful of rows, however long the ledger.
pub async fn ledger_summary(app: &App) -> Result<LedgerSummary, AppError> {
    let statement = sql!(
        "SELECT account, currency, debit, credit FROM ledger_accounts ORDER BY currency, account"
    );
    let accounts = read(app, statement, |row| {
        let (debit, credit): (i64, i64) = (row.get(2), row.get(3));
        Some(LedgerAccount {
            account: row.get(0),
            currency: currency(row, 1)?,
            debit,
            credit,
            balance: debit - credit,
        })
    })
    .await?;
    let balanced = accounts
        .chunk_by(|a, b| a.currency == b.currency)
        .all(|of_one| of_one.iter().map(|account| account.balance).sum::<i64>() == 0);
    Ok(LedgerSummary { accounts, balanced })
}

/// Lists operations that need patience or a person.
pub async fn troubles(app: &App, page: &Page) -> Result<Vec<PaymentTrouble>, AppError> {
    let (payment, operation, code) = page
        .after
        .as_deref()
        .and_then(parse_trouble_cursor)
        .unwrap_or_default();
    let statement = sql!(
        "SELECT payment_id, operation, problem, code, again_at, since FROM troubles
         WHERE (payment_id, operation, code) > ($1, $2, $3)
         ORDER BY payment_id, operation, code LIMIT $4",
        payment,
        operation,
        code,
        page.limit + 1
    );
    read(app, statement, |row| {
        Some(PaymentTrouble {
            payment_id: row.get::<String>(0).parse().ok()?,
            operation: row.get(1),
            problem: row.get(2),
            code: row.get(3),
            again_at: row.get(4),
            since: row.get(5),
        })
    })
    .await
}

/// The cursor of a trouble. No two of one operation share a code: an operation without an answer
/// has none, a refused one the provider's.
pub fn trouble_cursor(trouble: &PaymentTrouble) -> String {
    let PaymentTrouble {
        payment_id,
        operation,
        code,
        ..
    } = trouble;
    format!("{payment_id} {operation} {code}")
}

fn parse_trouble_cursor(text: &str) -> Option<(String, i64, String)> {
    let mut parts = text.splitn(3, ' ');
    let id = parts.next()?.to_owned();
    Some((id, parts.next()?.parse().ok()?, parts.next()?.to_owned()))
}

/// Lists webhooks that belong to no payment.
pub async fn unmatched(
    app: &App,
    page: &Page,
) -> Result<Vec<(String, ProviderEventUnmatched)>, AppError> {
    let statement = sql!(
        "SELECT id, body FROM unmatched_events WHERE id > $1 ORDER BY id LIMIT $2",
        page.after.as_deref().unwrap_or(""),
        page.limit + 1
    );
    read(app, statement, |row| {
        let body = serde_json::from_str(&row.get::<String>(1)).ok()?;
        Some((row.get(0), body))
    })
    .await
}

async fn read<T>(
    app: &App,
    statement: Statement,
    make: impl Fn(&Row) -> Option<T>,
) -> Result<Vec<T>, AppError> {
    let rows = app.query(statement).await?;
    let unreadable = || AppError::Internal("a row of a read model cannot be read".into());
    let made = rows.iter().map(|row| make(row).ok_or_else(unreadable));
    made.collect()
}

fn currency(row: &Row, column: usize) -> Option<Currency> {
    row.get::<String>(column).parse().ok()
}
