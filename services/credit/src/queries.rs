//! The read side: typed functions over read-only SQL. Lists are asked for one row more than the
//! page, which tells whether there is more.

use contracts::credit::{
    CreditAccount, CreditAccountId, CreditBook, CreditKind, CreditLedgerLine, CreditLiability,
    CreditMovement, CreditTrialBalance, WaitingCredit,
};
use kernel::{App, AppError, Currency, Row, Rows, Statement, sql};

use crate::{
    ledger::{HELD, kind_name, liability},
    views::reason_of,
};

/// An account, if there is one.
pub async fn account(app: &App, id: &CreditAccountId) -> Result<Option<CreditAccount>, AppError> {
    let statement = sql!(
        "SELECT id, kind, customer_id, currency, balance, expires_at, disabled, opened_at
         FROM credit_accounts WHERE id = $1",
        id
    );
    Ok(read(&app.query(statement).await?, account_row)?.pop())
}

/// All accounts of a customer, at most `limit`, by id, behind `after`.
pub async fn accounts_of(
    app: &App,
    customer: &str,
    after: &str,
    limit: i64,
) -> Result<Vec<CreditAccount>, AppError> {
    let statement = sql!(
        "SELECT id, kind, customer_id, currency, balance, expires_at, disabled, opened_at
         FROM credit_accounts WHERE customer_id = $1 AND id > $2 ORDER BY id LIMIT $3",
        customer,
        after,
        limit
    );
    read(&app.query(statement).await?, account_row)
}

/// Accounts by id, behind `after`; all kinds unless one is named.
pub async fn accounts(
    app: &App,
    kind: Option<CreditKind>,
    after: &str,
    limit: i64,
) -> Result<Vec<CreditAccount>, AppError> {
    let statement = sql!(
        "SELECT id, kind, customer_id, currency, balance, expires_at, disabled, opened_at
         FROM credit_accounts WHERE id > $1 AND ($2 = '' OR kind = $2) ORDER BY id LIMIT $3",
        after,
        kind.map(kind_name).unwrap_or_default(),
        limit
    );
    read(&app.query(statement).await?, account_row)
}

fn account_row(row: &Row) -> Option<CreditAccount> {
    let customer: Option<String> = row.get(2);
    Some(CreditAccount {
        id: row.get::<String>(0).parse().ok()?,
        kind: kind_of(&row.get::<String>(1))?,
        customer_id: customer.and_then(|id| id.parse().ok()),
        balance: row.money(4, 3)?,
        expires_at: row.get(5),
        disabled: row.get::<i64>(6) != 0,
        opened_at: row.get(7),
    })
}

fn kind_of(name: &str) -> Option<CreditKind> {
    let all = [CreditKind::GiftCard, CreditKind::StoreCredit];
    all.into_iter().find(|kind| kind_name(*kind) == name)
}

/// The history of an account, newest first, below `below`.
pub async fn movements(
    app: &App,
    id: &CreditAccountId,
    below: i64,
    limit: i64,
) -> Result<Vec<CreditMovement>, AppError> {
    let statement = sql!(
        "SELECT number, reason, currency, amount, balance, order_id, note, at FROM credit_movements
         WHERE account_id = $1 AND number < $2 ORDER BY number DESC LIMIT $3",
        id,
        below,
        limit
    );
    read(&app.query(statement).await?, |row| {
        let order: Option<String> = row.get(5);
        Some(CreditMovement {
            number: row.get(0),
            reason: reason_of(&row.get::<String>(1))?,
            amount: row.money(3, 2)?,
            balance: row.money(4, 2)?,
            order_id: order.and_then(|id| id.parse().ok()),
            note: row.get(6),
            at: row.get(7),
        })
    })
}

/// Holds that wait for their orders, by id (so by age), behind `after`.
pub async fn waiting(app: &App, after: &str, limit: i64) -> Result<Vec<WaitingCredit>, AppError> {
    let statement = sql!(
        "SELECT order_id, currency, amount, since FROM credit_holds
         WHERE status = 'held' AND order_id > $1 ORDER BY order_id LIMIT $2",
        after,
        limit
    );
    read(&app.query(statement).await?, |row| {
        Some(WaitingCredit {
            order_id: row.get::<String>(0).parse().ok()?,
            amount: row.money(2, 1)?,
            since: row.get(3),
        })
    })
}

/// The ledger, newest first, below `below`.
pub async fn ledger(app: &App, below: i64, limit: i64) -> Result<Vec<CreditLedgerLine>, AppError> {
    let statement = sql!(
        "SELECT number, posting, account, currency, amount, account_id, order_id, at
         FROM credit_ledger WHERE number < $1 ORDER BY number DESC LIMIT $2",
        below,
        limit
    );
    read(&app.query(statement).await?, |row| {
        let order: Option<String> = row.get(6);
        Some(CreditLedgerLine {
            number: row.get(0),
            posting: row.get(1),
            account: row.get(2),
            amount: row.money(4, 3)?,
            account_id: row.get::<String>(5).parse().ok(),
            order_id: order.and_then(|id| id.parse().ok()),
            at: row.get(7),
        })
    })
}

/// What the accounts themselves say: (kind, currency, sum of balances, accounts that are not empty).
type Sums = Vec<(CreditKind, Currency, i64, i64)>;

/// The sums of all books, checked against each other and against accounts and holds.
pub async fn trial_balance(app: &App) -> Result<CreditTrialBalance, AppError> {
    let (books, sums, held) = position(app).await?;
    let zero = books
        .chunk_by(|a, b| a.currency == b.currency)
        .all(|of_one| of_one.iter().map(|book| book.balance).sum::<i64>() == 0);
    let owed = |account: &str, currency| -book(&books, account, currency);
    let accounts_agree = sums
        .iter()
        .all(|(kind, currency, sum, _)| owed(&liability(*kind), *currency) == *sum);
    let holds_agree = currencies(&books)
        .iter()
        .all(|currency| owed(HELD, *currency) == sum_of(&held, *currency));
    Ok(CreditTrialBalance {
        accounts: books,
        balanced: zero && accounts_agree && holds_agree,
    })
}

/// What the shop owes, by currency.
pub async fn liabilities(app: &App) -> Result<Vec<CreditLiability>, AppError> {
    let (books, sums, _) = position(app).await?;
    let owed = |account: &str, currency| -book(&books, account, currency);
    let one = |currency: Currency| {
        let gift_cards = owed(&liability(CreditKind::GiftCard), currency);
        let store_credit = owed(&liability(CreditKind::StoreCredit), currency);
        let held = owed(HELD, currency);
        let counts = sums.iter().filter(|(_, of, ..)| *of == currency);
        CreditLiability {
            currency,
            gift_cards,
            store_credit,
            held,
            total: gift_cards + store_credit + held,
            accounts: counts.map(|(.., count)| count).sum(),
        }
    };
    Ok(currencies(&books).into_iter().map(one).collect())
}

async fn position(app: &App) -> Result<(Vec<CreditBook>, Sums, Vec<(Currency, i64)>), AppError> {
    let statements: Vec<Statement> = vec![
        sql!("SELECT account, currency, debit, credit FROM credit_books ORDER BY currency, account"),
        sql!(
            "SELECT kind, currency, CAST(SUM(balance) AS BIGINT), CAST(SUM(CASE WHEN balance > 0 THEN 1 ELSE 0 END) AS BIGINT)
             FROM credit_accounts GROUP BY kind, currency"
        ),
        sql!(
            "SELECT currency, CAST(SUM(amount) AS BIGINT) FROM credit_holds
             WHERE status = 'held' GROUP BY currency"
        ),
    ];
    let answers = app.query_all(statements).await?;
    let none = Rows::default();
    let rows = |index: usize| answers.get(index).unwrap_or(&none);
    let books = read(rows(0), book_row)?;
    let sums = read(rows(1), |row| {
        let kind = kind_of(&row.get::<String>(0))?;
        Some((kind, currency(row, 1)?, row.get(2), row.get(3)))
    })?;
    let held = read(rows(2), |row| Some((currency(row, 0)?, row.get(1))))?;
    Ok((books, sums, held))
}

fn book_row(row: &Row) -> Option<CreditBook> {
    let (debit, credit): (i64, i64) = (row.get(2), row.get(3));
    Some(CreditBook {
        account: row.get(0),
        currency: currency(row, 1)?,
        debit,
        credit,
        balance: debit - credit,
    })
}

fn currencies(books: &[CreditBook]) -> Vec<Currency> {
    let mut all: Vec<Currency> = books.iter().map(|book| book.currency).collect();
    all.dedup();
    all
}

fn book(books: &[CreditBook], account: &str, currency: Currency) -> i64 {
    let found = books
        .iter()
        .find(|book| book.account == account && book.currency == currency);
    found.map_or(0, |book| book.balance)
}

fn sum_of(sums: &[(Currency, i64)], currency: Currency) -> i64 {
    let found = sums.iter().find(|(of, _)| *of == currency);
    found.map_or(0, |(_, sum)| *sum)
}

fn currency(row: &Row, column: usize) -> Option<Currency> {
    row.get::<String>(column).parse().ok()
}

fn read<T>(rows: &Rows, make: impl Fn(&Row) -> Option<T>) -> Result<Vec<T>, AppError> {
    let unreadable = || AppError::Internal("a row of a read model cannot be read".into());
    let made = rows.iter().map(|row| make(row).ok_or_else(unreadable));
    made.collect()
}

/// The cursor of a list that is read downwards from the end.
pub fn below(cursor: Option<&str>) -> Option<i64> {
    cursor.map_or(Some(i64::MAX), |text| text.parse().ok())
}
