//! The ledger: double entry, derived from events alone. Every posting sums to nothing.
//!
//! | account | debit | credit |
//! |---|---|---|
//! | `provider:<name>:receivable` | captured: the provider owes it to us | refunded |
//! | `orders:revenue` | | captured |
//! | `orders:refunds` | refunded | |
//!
//! So the receivables, and equally revenue less refunds, are always what was captured and not
//! refunded. Holds move no money and are not booked.

use contracts::payments::PaymentEvent;
use kernel::Money;

/// Sales, before refunds.
pub const REVENUE: &str = "orders:revenue";
/// Refunds, which lessen the revenue.
pub const REFUNDS: &str = "orders:refunds";

/// One line of a posting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// The account.
    pub account: String,
    /// Positive is a debit, negative a credit.
    pub amount: Money,
}

/// The lines `event` is booked with: two, or none. They sum to nothing.
pub fn postings(event: &PaymentEvent) -> Vec<Line> {
    match event {
        PaymentEvent::Captured(e) => posting(receivable(&e.provider), REVENUE.into(), e.amount),
        PaymentEvent::Refunded(e) => posting(REFUNDS.into(), receivable(&e.provider), e.amount),
        _ => Vec::new(),
    }
}

fn receivable(provider: &str) -> String {
    format!("provider:{provider}:receivable")
}

fn posting(debit: String, credit: String, amount: Money) -> Vec<Line> {
    let line = |account, amount| Line { account, amount };
    let credited = Money::new(-amount.amount, amount.currency);
    vec![line(debit, amount), line(credit, credited)]
}
