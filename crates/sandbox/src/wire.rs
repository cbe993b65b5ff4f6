//! The JSON that leaves the provider.

use serde::Serialize;

use crate::ids::{Ids, Kind};
use crate::payment::{DeclineCode, Status};
use crate::store::{OperationSummary, PaymentRow, StatusTotals};

/// A payment as merchants see it.
#[derive(Serialize)]
pub struct PaymentView {
    id: String,
    reference: String,
    status: Status,
    amount: u64,
    currency: String,
    captured: u64,
    refunded: u64,
    card: CardView,
    /// Unix microseconds.
    created: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    decline_code: Option<DeclineCode>,
    #[serde(skip_serializing_if = "Option::is_none")]
    action_url: Option<String>,
    /// Only in the answer that opened the payment: what its webhooks refer to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operation_id: Option<String>,
    /// Only when the payment itself is read: all that was done to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    operations: Option<Vec<OperationView>>,
}

#[derive(Serialize)]
struct CardView {
    brand: String,
    last4: String,
}

#[derive(Serialize)]
struct OperationView {
    operation_id: String,
    #[serde(rename = "type")]
    kind: String,
    amount: u64,
}

/// The answer to a capture, a void or a refund.
#[derive(Serialize)]
pub struct OperationAnswer<'a> {
    pub operation_id: &'a str,
    #[serde(rename = "type")]
    pub kind: &'static str,
    pub amount: u64,
    pub payment: &'a PaymentView,
}

/// The body of a webhook.
#[derive(Serialize)]
pub struct EventBody<'a> {
    pub id: String,
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// Unix microseconds.
    pub created: i64,
    pub operation_id: &'a str,
    pub amount: u64,
    pub payment: &'a PaymentView,
}

/// A page of payments, oldest first.
#[derive(Serialize)]
pub struct PaymentList {
    pub items: Vec<PaymentView>,
    /// Pass as `after` to read on; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_after: Option<String>,
}

/// The sums over all payments.
#[derive(Serialize)]
pub struct Balance {
    pub payments: u64,
    pub currencies: Vec<CurrencyBalance>,
}

/// The sums of one currency, in its minor units.
#[derive(Default, Serialize)]
pub struct CurrencyBalance {
    currency: String,
    /// Of all payments the bank said yes to and nobody voided.
    authorised: u64,
    captured: u64,
    refunded: u64,
    voided: u64,
    counts: Counts,
}

#[derive(Default, Serialize)]
struct Counts {
    requires_action: u64,
    authorised: u64,
    captured: u64,
    declined: u64,
    voided: u64,
}

impl PaymentView {
    /// The view of a stored payment. `public_url` has no slash at its end.
    pub fn of(row: &PaymentRow, ids: &Ids, public_url: &str) -> Self {
        let id = ids.mint(Kind::Payment, row.n);
        let waiting = row.state.status == Status::RequiresAction;
        Self {
            action_url: waiting.then(|| format!("{public_url}/3ds/{id}")),
            id,
            reference: row.reference.clone(),
            status: row.state.status,
            amount: row.state.amount,
            currency: row.currency.clone(),
            captured: row.state.captured,
            refunded: row.state.refunded,
            card: CardView {
                brand: row.brand.clone(),
                last4: row.last4.clone(),
            },
            created: row.created,
            decline_code: row.state.decline_code,
            operation_id: None,
            operations: None,
        }
    }

    /// Adds what was done to the payment.
    pub fn with_operations(mut self, operations: Vec<OperationSummary>, ids: &Ids) -> Self {
        let view = |operation: OperationSummary| OperationView {
            operation_id: ids.mint(Kind::Operation, operation.n),
            kind: operation.kind,
            amount: operation.amount,
        };
        self.operations = Some(operations.into_iter().map(view).collect());
        self
    }
}

impl Balance {
    /// Adds up rows that are ordered by currency.
    pub fn of(rows: &[StatusTotals]) -> Self {
        let mut currencies: Vec<CurrencyBalance> = Vec::new();
        for row in rows {
            if currencies
                .last()
                .is_none_or(|last| last.currency != row.currency)
            {
                currencies.push(CurrencyBalance {
                    currency: row.currency.clone(),
                    ..Default::default()
                });
            }
            let Some(sums) = currencies.last_mut() else {
                continue;
            };
            sums.captured += row.captured;
            sums.refunded += row.refunded;
            match row.status {
                Status::RequiresAction => sums.counts.requires_action = row.count,
                Status::Declined => sums.counts.declined = row.count,
                Status::Authorised => {
                    sums.counts.authorised = row.count;
                    sums.authorised += row.amount;
                }
                Status::Captured => {
                    sums.counts.captured = row.count;
                    sums.authorised += row.amount;
                }
                Status::Voided => {
                    sums.counts.voided = row.count;
                    sums.voided += row.amount;
                }
            }
        }
        Self {
            payments: rows.iter().map(|row| row.count).sum(),
            currencies,
        }
    }
}
