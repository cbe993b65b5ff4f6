//! The rules of one change of a balance.

use contracts::{
    credit::{
        CreditAccountEvent, CreditAccountId, CreditAccountOpened, CreditChanged, CreditExpirySet,
        CreditReason,
    },
    orders::OrderId,
};
use kernel::{Money, Rejection, Timestamp};

use crate::account::AccountState;

/// Most that may be on an account after money was issued, granted, refunded or added by staff, in
/// minor units.
pub const MAX_BALANCE: i64 = 1_000_000_000_000;
/// Money that comes back to an account whose time is over can be spent for so long.
pub const GRACE_SECONDS: i64 = 30 * 24 * 60 * 60;

/// A change of a balance.
#[derive(Clone, Debug)]
pub struct Change {
    /// The stream's id.
    pub account_id: CreditAccountId,
    /// Why.
    pub reason: CreditReason,
    /// How much comes (positive) or goes (negative).
    pub amount: Money,
    /// The order, when one is the cause.
    pub order_id: Option<OrderId>,
    /// A remark.
    pub note: Option<String>,
    /// When.
    pub at: Timestamp,
}

/// What the change leads to: nothing, or the change, and with it another end.
pub fn change(
    state: &AccountState,
    opened: &CreditAccountOpened,
    wanted: &Change,
) -> Result<Vec<CreditAccountEvent>, Rejection> {
    let currency = opened.balance.currency;
    if wanted.amount.currency != currency {
        let detail = format!("the account is in {currency}");
        return Err(Rejection::unprocessable("wrong-currency", detail).field("amount.currency"));
    }
    let by = wanted.amount.amount;
    let balance = state.balance.saturating_add(by);
    check(state, wanted, balance)?;
    if by == 0 {
        return Ok(vec![]);
    }
    let mut events = Vec::with_capacity(2);
    if comes_back(wanted.reason) && state.expired(wanted.at) {
        // The buyer did not ask for it to come back so late, and can spend it for a while.
        events.push(
            CreditExpirySet {
                account_id: wanted.account_id.clone(),
                expires_at: Some(wanted.at.plus_seconds(GRACE_SECONDS)),
                at: wanted.at,
            }
            .into(),
        );
    }
    events.push(
        CreditChanged {
            account_id: wanted.account_id.clone(),
            kind: opened.kind,
            reason: wanted.reason,
            amount: wanted.amount,
            balance: Money::new(balance, currency),
            order_id: wanted.order_id.clone(),
            note: wanted.note.clone(),
            at: wanted.at,
        }
        .into(),
    );
    Ok(events)
}

fn check(state: &AccountState, wanted: &Change, balance: i64) -> Result<(), Rejection> {
    if balance < 0 {
        return Err(Rejection::conflict(
            "too-little-credit",
            format!("there are {} minor units on the account", state.balance),
        )
        .field("amount.amount"));
    }
    // What was held goes back whatever came in meanwhile.
    let comes = wanted.amount.amount > 0 && wanted.reason != CreditReason::Released;
    if comes && balance > MAX_BALANCE {
        let detail = format!("an account holds at most {MAX_BALANCE} minor units");
        return Err(Rejection::conflict("too-much-credit", detail).field("amount.amount"));
    }
    if comes && !comes_back(wanted.reason) && state.expired(wanted.at) {
        let detail = "the account's time is over; move its end first";
        return Err(Rejection::conflict("credit-expired", detail));
    }
    Ok(())
}

fn comes_back(reason: CreditReason) -> bool {
    matches!(reason, CreditReason::Released | CreditReason::Refunded)
}
