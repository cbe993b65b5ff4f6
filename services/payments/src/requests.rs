//! What staff may ask of a payment, and what they are told when it is not possible.

use contracts::payments::OperationKind;
use kernel::{Money, Rejection};

use crate::{
    payment::{Hold, Payment},
    rules::{Draft, Request},
};

/// More operations than any honest order needs; keeps one payment's state small.
pub const MAX_OPERATIONS: usize = 500;

/// Decides a request.
pub fn request(draft: &mut Draft, request: &Request) -> Result<(), Rejection> {
    let state = &draft.state;
    if state.intent.is_none() {
        return Err(Rejection::not_found("payment"));
    }
    if state.operations.len() >= MAX_OPERATIONS {
        let detail = format!("a payment takes at most {MAX_OPERATIONS} operations");
        return Err(Rejection::unprocessable("too-many-operations", detail));
    }
    let amount = match request.kind {
        OperationKind::Capture => capture(state, request.amount)?,
        OperationKind::Refund => refund(state, request.amount)?,
        OperationKind::Void => match void(state)? {
            Some(amount) => amount,
            None => return Ok(()),
        },
        OperationKind::Authorise => return Ok(()),
    };
    draft.operate(request.kind, amount, request.note.clone(), false);
    Ok(())
}

fn capture(state: &Payment, wanted: Option<Money>) -> Result<i64, Rejection> {
    if state.unwanted && state.hold == Hold::Authorised {
        let detail = "the order was cancelled: what is held is being given up";
        return Err(Rejection::conflict("order-cancelled", detail));
    }
    if state.hold != Hold::Authorised || state.has_open(OperationKind::Void) {
        let detail = "nothing is held: only an authorised payment can be captured";
        return Err(Rejection::conflict("not-authorised", detail));
    }
    portion(state, wanted, state.capturable(), "captured")
}

fn refund(state: &Payment, wanted: Option<Money>) -> Result<i64, Rejection> {
    portion(state, wanted, state.refundable(), "refunded")
}

/// `None` when it was done or asked for before.
fn void(state: &Payment) -> Result<Option<i64>, Rejection> {
    if state.hold == Hold::Voided || state.has_open(OperationKind::Void) {
        return Ok(None);
    }
    if !matches!(state.hold, Hold::Authorised | Hold::ActionRequired) {
        let detail = "nothing is held that could be given up";
        return Err(Rejection::conflict("not-authorised", detail));
    }
    if state.captured > 0 || state.has_open(OperationKind::Capture) {
        let detail = "money was captured: refund it instead";
        return Err(Rejection::conflict("captured", detail));
    }
    let asked = state.intent.as_ref().map_or(0, |i| i.amount.amount);
    Ok(Some(asked))
}

/// The part of `left` that is wanted: all of it unless an amount was named.
fn portion(
    state: &Payment,
    wanted: Option<Money>,
    left: i64,
    verb: &str,
) -> Result<i64, Rejection> {
    let refuse = |code, detail: String, field: &str| {
        let extra = kernel::serde_json::json!({ "left": state.money(left) });
        Err(Rejection::unprocessable(code, detail)
            .field(field)
            .extra(extra))
    };
    let none_left = || {
        refuse(
            "amount-too-large",
            format!("nothing is left to be {verb}"),
            "amount",
        )
    };
    match wanted {
        None if left > 0 => Ok(left),
        None => none_left(),
        Some(wanted) if wanted.currency != state.currency() => {
            let detail = format!("the payment is in {}", state.currency());
            refuse("wrong-currency", detail, "amount.currency")
        }
        Some(wanted) if wanted.amount <= 0 => {
            let detail = "must be at least 1 minor unit".to_owned();
            refuse("invalid-amount", detail, "amount.amount")
        }
        Some(_) if left <= 0 => none_left(),
        Some(wanted) if wanted.amount > left => {
            let detail = format!("at most {} can still be {verb}", state.money(left));
            refuse("amount-too-large", detail, "amount.amount")
        }
        Some(wanted) => Ok(wanted.amount),
    }
}
