//! Read models: pure functions from events to statements.

use contracts::payments::{PaymentEvent, PaymentStatus, ProviderEventEvent};
use kernel::{DecodeError, Projection, Recorded, Statement, sql};

use crate::ledger::postings;

/// One narrow row per payment.
pub fn payments() -> Projection {
    let schema = "
        CREATE TABLE payments (
            id TEXT PRIMARY KEY,
            order_id TEXT NOT NULL,
            status TEXT NOT NULL,
            amount BIGINT NOT NULL,
            currency TEXT NOT NULL,
            captured BIGINT NOT NULL,
            refunded BIGINT NOT NULL,
            at BIGINT NOT NULL
        );
        CREATE INDEX payments_order ON payments (order_id, id);";
    Projection::own("payments", 1, &["payments"], schema, |recorded, out| {
        if let Some(event) = event(recorded)? {
            out.extend(payment_row(recorded, &event));
        }
        Ok(())
    })
}

/// The ledger's lines, and the running sum of each account.
pub fn ledger() -> Projection {
    let schema = "
        CREATE TABLE ledger_entries (
            payment_id TEXT NOT NULL,
            version BIGINT NOT NULL,
            line BIGINT NOT NULL,
            account TEXT NOT NULL,
            currency TEXT NOT NULL,
            amount BIGINT NOT NULL,
            order_id TEXT NOT NULL,
            at BIGINT NOT NULL,
            PRIMARY KEY (payment_id, version, line)
        );
        CREATE TABLE ledger_accounts (
            account TEXT NOT NULL,
            currency TEXT NOT NULL,
            debit BIGINT NOT NULL,
            credit BIGINT NOT NULL,
            PRIMARY KEY (account, currency)
        );";
    let tables = &["ledger_entries", "ledger_accounts"];
    Projection::own("ledger", 1, tables, schema, |recorded, out| {
        if let Some(event) = event(recorded)? {
            ledger_rows(recorded, &event, out);
        }
        Ok(())
    })
}

/// What needs patience or a person.
pub fn troubles() -> Projection {
    let schema = "
        CREATE TABLE troubles (
            payment_id TEXT NOT NULL,
            operation BIGINT NOT NULL,
            problem TEXT NOT NULL,
            code TEXT NOT NULL,
            again_at BIGINT,
            since BIGINT NOT NULL,
            PRIMARY KEY (payment_id, operation, problem, code)
        );
        CREATE TABLE unmatched_events (
            id TEXT PRIMARY KEY,
            body TEXT NOT NULL,
            at BIGINT NOT NULL
        );";
    let tables = &["troubles", "unmatched_events"];
    Projection::own("troubles", 1, tables, schema, |recorded, out| {
        if let Some(event) = event(recorded)? {
            trouble_rows(recorded, &event, out);
        } else if let Some(event) = recorded.decode::<ProviderEventEvent>()? {
            let ProviderEventEvent::Unmatched(_) = &*event;
            out.push(sql!(
                "INSERT INTO unmatched_events (id, body, at) VALUES ($1, $2, $3)
                 ON CONFLICT (id) DO NOTHING",
                recorded.stream.id(),
                &recorded.data,
                recorded.at,
            ));
        }
        Ok(())
    })
}

fn event(recorded: &Recorded) -> Result<Option<std::sync::Arc<PaymentEvent>>, DecodeError> {
    recorded.decode::<PaymentEvent>()
}

fn payment_row(recorded: &Recorded, event: &PaymentEvent) -> Option<Statement> {
    let status = |id, status: PaymentStatus| {
        sql!(
            "UPDATE payments SET status = $2 WHERE id = $1",
            id,
            status.as_str()
        )
    };
    Some(match event {
        PaymentEvent::Intended(e) => sql!(
            "INSERT INTO payments (id, order_id, status, amount, currency, captured, refunded, at)
             VALUES ($1, $2, 'pending', $3, $4, 0, 0, $5)",
            &e.payment_id,
            &e.order_id,
            e.amount.amount,
            e.amount.currency,
            recorded.at,
        ),
        PaymentEvent::Authorised(e) => status(&e.payment_id, PaymentStatus::Authorised),
        PaymentEvent::Declined(e) => status(&e.payment_id, PaymentStatus::Declined),
        PaymentEvent::ActionRequired(e) => status(&e.payment_id, PaymentStatus::ActionRequired),
        PaymentEvent::Voided(e) => status(&e.payment_id, PaymentStatus::Voided),
        PaymentEvent::OperationUnknown(e) if e.operation == 0 => sql!(
            "UPDATE payments SET status = 'unknown' WHERE id = $1 AND status = 'pending'",
            &e.payment_id
        ),
        PaymentEvent::Captured(e) => sql!(
            "UPDATE payments SET captured = $2, status = CASE
                 WHEN refunded > 0 THEN 'partially_refunded'
                 WHEN $2 >= amount THEN 'captured'
                 ELSE 'partially_captured' END
             WHERE id = $1",
            &e.payment_id,
            e.captured.amount,
        ),
        PaymentEvent::Refunded(e) => sql!(
            "UPDATE payments SET refunded = $2, status = CASE
                 WHEN $2 >= captured THEN 'refunded'
                 ELSE 'partially_refunded' END
             WHERE id = $1",
            &e.payment_id,
            e.refunded.amount,
        ),
        _ => return None,
    })
}

fn ledger_rows(recorded: &Recorded, event: &PaymentEvent, out: &mut Vec<Statement>) {
    let (payment_id, order_id) = match event {
        PaymentEvent::Captured(e) => (&e.payment_id, &e.order_id),
        PaymentEvent::Refunded(e) => (&e.payment_id, &e.order_id),
        _ => return,
    };
    for (line, number) in postings(event).into_iter().zip(1i64..) {
        out.push(sql!(
            "INSERT INTO ledger_entries
                 (payment_id, version, line, account, currency, amount, order_id, at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
            payment_id,
            recorded.version,
            number,
            &line.account,
            line.amount.currency,
            line.amount.amount,
            order_id,
            recorded.at,
        ));
        out.push(sql!(
            "INSERT INTO ledger_accounts (account, currency, debit, credit)
             VALUES ($1, $2, $3, $4)
             ON CONFLICT (account, currency) DO UPDATE SET
                 debit = ledger_accounts.debit + excluded.debit,
                 credit = ledger_accounts.credit + excluded.credit",
            line.account,
            line.amount.currency,
            line.amount.amount.max(0),
            (-line.amount.amount).max(0),
        ));
    }
}

const SETTLED: &str = "DELETE FROM troubles WHERE payment_id = $1
     AND ((problem = 'unknown' AND operation = $2) OR (problem = 'unexplained' AND code = $3))";
const COMPENSATED: &str = "DELETE FROM troubles WHERE payment_id = $1 AND problem = 'refused'";

fn trouble_rows(recorded: &Recorded, event: &PaymentEvent, out: &mut Vec<Statement>) {
    let trouble = |id, operation: i64, problem: &str, code: &str, again_at| {
        sql!(
            "INSERT INTO troubles (payment_id, operation, problem, code, again_at, since)
             VALUES ($1, $2, $3, $4, $5, $6)
             ON CONFLICT (payment_id, operation, problem, code)
             DO UPDATE SET again_at = excluded.again_at",
            id,
            operation,
            problem,
            code,
            again_at,
            recorded.at,
        )
    };
    match event {
        // An authorisation without an answer shows in the payment's status.
        PaymentEvent::OperationUnknown(e) if e.operation > 0 => {
            let again = Some(e.ask_at);
            out.push(trouble(&e.payment_id, e.operation, "unknown", "", again));
        }
        PaymentEvent::ProviderEventNoted(e) => {
            let code = &e.provider_operation;
            out.push(trouble(&e.payment_id, 0, "unexplained", code, None));
        }
        PaymentEvent::Captured(e) => {
            let id = e.provider_operation.as_deref().unwrap_or_default();
            out.push(sql!(SETTLED, &e.payment_id, e.operation, id));
        }
        PaymentEvent::Refunded(e) => {
            let id = e.provider_operation.as_deref().unwrap_or_default();
            out.push(sql!(SETTLED, &e.payment_id, e.operation, id));
            out.push(sql!(COMPENSATED, &e.payment_id));
        }
        PaymentEvent::Voided(e) => out.push(sql!(
            "DELETE FROM troubles WHERE payment_id = $1 AND problem IN ('refused', 'unknown')",
            &e.payment_id
        )),
        PaymentEvent::OperationFailed(e) => {
            out.push(sql!(SETTLED, &e.payment_id, e.operation, ""));
            if e.retry_at.is_some() {
                out.push(sql!(COMPENSATED, &e.payment_id));
                let (id, code) = (&e.payment_id, &e.code);
                out.push(trouble(id, e.operation, "refused", code, e.retry_at));
            }
        }
        _ => {}
    }
}
