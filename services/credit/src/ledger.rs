//! The ledger: double entry, derived from events alone. Every posting sums to nothing. `<kind>` is
//! `gift_cards` or `store_credit`; each ledger account has a book per currency.
//!
//! | account | debit | credit |
//! |---|---|---|
//! | `liability:<kind>` | held, expired, taken away | issued, given back, refunded, added |
//! | `liability:held` | spent, given back | held for an order |
//! | `issued:<kind>` | sold or given away | |
//! | `refunds:orders` | refunded as credit | |
//! | `adjusted:staff` | added | taken away |
//! | `spent:orders` | given back after it was spent | spent |
//! | `expired:<kind>` | | expired |
//!
//! So the liabilities are always what was issued, refunded and added, less what was spent, expired
//! and taken away; and what may be spent plus what is held is all the shop owes.

use contracts::{
    credit::{
        CreditAccountEvent, CreditAccountId, CreditChanged, CreditHoldEvent, CreditKind,
        CreditReason, CreditUse,
    },
    orders::OrderId,
};
use kernel::Money;

/// What is held for orders.
pub const HELD: &str = "liability:held";
/// What orders were paid with.
pub const SPENT: &str = "spent:orders";
/// What was given back of orders' money.
pub const REFUNDS: &str = "refunds:orders";
/// Corrections.
pub const ADJUSTED: &str = "adjusted:staff";

/// One line of a posting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// The ledger account.
    pub account: String,
    /// Positive is a debit, negative a credit.
    pub amount: Money,
    /// The gift card or store credit concerned.
    pub account_id: CreditAccountId,
    /// The order concerned.
    pub order_id: Option<OrderId>,
}

/// What the shop owes to holders of accounts of `kind`.
pub fn liability(kind: CreditKind) -> String {
    format!("liability:{}", kind_name(kind))
}

/// The name of a kind in the ledger.
pub fn kind_name(kind: CreditKind) -> &'static str {
    match kind {
        CreditKind::GiftCard => "gift_cards",
        CreditKind::StoreCredit => "store_credit",
    }
}

/// The lines an account's event is booked with. They sum to nothing.
pub fn of_account(event: &CreditAccountEvent) -> Vec<Line> {
    let CreditAccountEvent::Changed(changed) = event else {
        return Vec::new();
    };
    let kind = kind_name(changed.kind);
    let other = match changed.reason {
        CreditReason::Issued => format!("issued:{kind}"),
        CreditReason::Held | CreditReason::Released => HELD.into(),
        CreditReason::Refunded => REFUNDS.into(),
        CreditReason::Adjusted => ADJUSTED.into(),
        CreditReason::Expired => format!("expired:{kind}"),
    };
    let CreditChanged {
        account_id,
        order_id,
        ..
    } = changed;
    // What comes to the account is owed: a credit of the liability.
    let lines = posting(other, liability(changed.kind), changed.amount);
    lines
        .map(|line| line.of(account_id, order_id.as_ref()))
        .into()
}

/// The lines an order's event is booked with. They sum to nothing.
pub fn of_hold(event: &CreditHoldEvent) -> Vec<Line> {
    let (uses, order_id, debit, credit) = match event {
        CreditHoldEvent::Spent(e) => (&e.uses, &e.order_id, HELD, SPENT),
        // Not spent after all: held for the moment between, since the accounts take it from there.
        CreditHoldEvent::Released(e) if e.spent => (&e.uses, &e.order_id, SPENT, HELD),
        _ => return Vec::new(),
    };
    uses.iter()
        .flat_map(|CreditUse { account_id, amount }| {
            let lines = posting(debit.into(), credit.into(), *amount);
            lines.map(|line| line.of(account_id, Some(order_id)))
        })
        .collect()
}

struct Side(String, Money);

impl Side {
    fn of(self, account_id: &CreditAccountId, order_id: Option<&OrderId>) -> Line {
        Line {
            account: self.0,
            amount: self.1,
            account_id: account_id.clone(),
            order_id: order_id.cloned(),
        }
    }
}

fn posting(debit: String, credit: String, amount: Money) -> [Side; 2] {
    let credited = Money::new(-amount.amount, amount.currency);
    [Side(debit, amount), Side(credit, credited)]
}
