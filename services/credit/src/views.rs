//! Read models: pure functions from events to statements.

use contracts::credit::{
    CreditAccountEvent, CreditAccountOpened, CreditChanged, CreditHoldEvent, CreditHoldStatus,
    CreditReason,
};
use kernel::{DecodeError, Projection, Recorded, Statement, sql};

use crate::ledger::{Line, kind_name, of_account, of_hold};

/// One narrow row per account.
pub fn accounts() -> Projection {
    let schema = "
        CREATE TABLE credit_accounts (
            id TEXT NOT NULL PRIMARY KEY,
            kind TEXT NOT NULL,
            customer_id TEXT,
            currency TEXT NOT NULL,
            balance BIGINT NOT NULL,
            expires_at BIGINT,
            disabled BIGINT NOT NULL,
            opened_at BIGINT NOT NULL
        );
        CREATE INDEX credit_accounts_customer ON credit_accounts (customer_id, id) WHERE customer_id IS NOT NULL";
    Projection::own(
        "accounts",
        1,
        &["credit_accounts"],
        schema,
        |recorded, out| {
            if let Some(event) = recorded.decode::<CreditAccountEvent>()? {
                out.push(account(&event));
            }
            Ok(())
        },
    )
}

fn account(event: &CreditAccountEvent) -> Statement {
    let set_disabled = |id, disabled: bool| {
        sql!(
            "UPDATE credit_accounts SET disabled = $2 WHERE id = $1",
            id,
            disabled
        )
    };
    match event {
        CreditAccountEvent::Opened(e) => opened(e),
        CreditAccountEvent::Changed(e) => sql!(
            "UPDATE credit_accounts SET balance = $2 WHERE id = $1",
            &e.account_id,
            e.balance.amount
        ),
        CreditAccountEvent::Disabled(e) => set_disabled(&e.account_id, true),
        CreditAccountEvent::Enabled(e) => set_disabled(&e.account_id, false),
        CreditAccountEvent::ExpirySet(e) => sql!(
            "UPDATE credit_accounts SET expires_at = $2 WHERE id = $1",
            &e.account_id,
            e.expires_at
        ),
    }
}

fn opened(e: &CreditAccountOpened) -> Statement {
    sql!(
        "INSERT INTO credit_accounts (id, kind, customer_id, currency, balance, expires_at, disabled, opened_at)
         VALUES ($1, $2, $3, $4, $5, $6, 0, $7)",
        &e.account_id,
        kind_name(e.kind),
        e.customer_id.as_ref(),
        e.balance.currency,
        e.balance.amount,
        e.expires_at,
        e.at
    )
}

/// The history of each account.
pub fn movements() -> Projection {
    let schema = "
        CREATE TABLE credit_movements (
            account_id TEXT NOT NULL,
            number BIGINT NOT NULL,
            reason TEXT NOT NULL,
            currency TEXT NOT NULL,
            amount BIGINT NOT NULL,
            balance BIGINT NOT NULL,
            order_id TEXT,
            note TEXT,
            at BIGINT NOT NULL,
            PRIMARY KEY (account_id, number)
        )";
    Projection::own(
        "movements",
        1,
        &["credit_movements"],
        schema,
        |recorded, out| {
            if let Some(event) = recorded.decode::<CreditAccountEvent>()?
                && let CreditAccountEvent::Changed(changed) = event.as_ref()
            {
                out.push(movement(recorded.version, changed));
            }
            Ok(())
        },
    )
}

fn movement(number: i64, e: &CreditChanged) -> Statement {
    sql!(
        "INSERT INTO credit_movements
             (account_id, number, reason, currency, amount, balance, order_id, note, at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        &e.account_id,
        number,
        reason_name(e.reason),
        e.amount.currency,
        e.amount.amount,
        e.balance.amount,
        e.order_id.as_ref(),
        e.note.as_ref(),
        e.at
    )
}

const REASONS: [(CreditReason, &str); 6] = [
    (CreditReason::Issued, "issued"),
    (CreditReason::Held, "held"),
    (CreditReason::Released, "released"),
    (CreditReason::Refunded, "refunded"),
    (CreditReason::Adjusted, "adjusted"),
    (CreditReason::Expired, "expired"),
];

fn reason_name(reason: CreditReason) -> &'static str {
    let found = REASONS.iter().find(|(known, _)| *known == reason);
    found.map_or("", |(_, name)| *name)
}

/// Reads what [`movements`] wrote.
pub fn reason_of(name: &str) -> Option<CreditReason> {
    let found = REASONS.iter().find(|(_, known)| *known == name);
    found.map(|(reason, _)| *reason)
}

/// Where holds stand; the partial index lists those that wait.
pub fn holds() -> Projection {
    let schema = "
        CREATE TABLE credit_holds (
            order_id TEXT NOT NULL PRIMARY KEY,
            status TEXT NOT NULL,
            currency TEXT NOT NULL,
            amount BIGINT NOT NULL,
            since BIGINT NOT NULL
        );
        CREATE INDEX credit_holds_waiting ON credit_holds (order_id) WHERE status = 'held'";
    Projection::own("holds", 1, &["credit_holds"], schema, |recorded, out| {
        if let Some(event) = recorded.decode::<CreditHoldEvent>()? {
            out.extend(hold(recorded, &event));
        }
        Ok(())
    })
}

fn hold(recorded: &Recorded, event: &CreditHoldEvent) -> Option<Statement> {
    let status = |id, status: CreditHoldStatus| {
        sql!(
            "UPDATE credit_holds SET status = $2 WHERE order_id = $1",
            id,
            status.as_str()
        )
    };
    match event {
        CreditHoldEvent::Held(e) => {
            let currency = e.uses.first()?.amount.currency;
            Some(sql!(
                "INSERT INTO credit_holds (order_id, status, currency, amount, since)
                 VALUES ($1, 'held', $2, $3, $4)",
                &e.order_id,
                currency,
                e.uses.iter().map(|used| used.amount.amount).sum::<i64>(),
                recorded.at
            ))
        }
        CreditHoldEvent::Spent(e) => Some(status(&e.order_id, CreditHoldStatus::Spent)),
        CreditHoldEvent::Released(e) => Some(status(&e.order_id, CreditHoldStatus::Released)),
        CreditHoldEvent::Refused(_)
        | CreditHoldEvent::RefundMade(_)
        | CreditHoldEvent::RefundRefused(_) => None,
    }
}

/// The ledger's lines, numbered without gaps by its one writer, and the running sum of each book.
pub fn ledger() -> Projection {
    let schema = "
        CREATE TABLE credit_ledger (
            number BIGINT NOT NULL PRIMARY KEY,
            posting TEXT NOT NULL,
            account TEXT NOT NULL,
            currency TEXT NOT NULL,
            amount BIGINT NOT NULL,
            account_id TEXT NOT NULL,
            order_id TEXT,
            at BIGINT NOT NULL
        );
        CREATE TABLE credit_books (
            account TEXT NOT NULL,
            currency TEXT NOT NULL,
            debit BIGINT NOT NULL,
            credit BIGINT NOT NULL,
            PRIMARY KEY (account, currency)
        )";
    let tables = &["credit_ledger", "credit_books"];
    Projection::own("ledger", 1, tables, schema, ledger_rows)
}

fn ledger_rows(recorded: &Recorded, out: &mut Vec<Statement>) -> Result<(), DecodeError> {
    let lines = if let Some(event) = recorded.decode::<CreditAccountEvent>()? {
        of_account(&event)
    } else if let Some(event) = recorded.decode::<CreditHoldEvent>()? {
        of_hold(&event)
    } else {
        return Ok(());
    };
    let posting = format!("{}/{}", recorded.stream, recorded.version);
    for line in lines {
        out.extend(ledger_line(recorded, &posting, &line));
    }
    Ok(())
}

fn ledger_line(recorded: &Recorded, posting: &str, line: &Line) -> [Statement; 2] {
    let Line {
        account,
        amount,
        account_id,
        order_id,
    } = line;
    [
        sql!(
            "INSERT INTO credit_ledger
                 (number, posting, account, currency, amount, account_id, order_id, at)
             VALUES ((SELECT COALESCE(MAX(number), 0) + 1 FROM credit_ledger),
                     $1, $2, $3, $4, $5, $6, $7)",
            posting,
            account,
            amount.currency,
            amount.amount,
            account_id,
            order_id.as_ref(),
            recorded.at
        ),
        sql!(
            "INSERT INTO credit_books (account, currency, debit, credit) VALUES ($1, $2, $3, $4)
             ON CONFLICT (account, currency) DO UPDATE SET
                 debit = credit_books.debit + excluded.debit,
                 credit = credit_books.credit + excluded.credit",
            account,
            amount.currency,
            amount.amount.max(0),
            (-amount.amount).max(0)
        ),
    ]
}
