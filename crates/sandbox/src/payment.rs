//! The rules of a payment, as a pure decider: no clock, no storage, no network.
//!
//! Amounts are integer minor units of the payment's one currency. What always holds:
//! `captured <= amount`, `refunded <= captured`, and nothing is captured from a payment that is
//! declined, voided or still waiting for its cardholder.

use serde::{Deserialize, Serialize};

/// The largest amount of one payment, in minor units. Far above any purchase, far below overflow.
pub const MAX_AMOUNT: u64 = 1_000_000_000_000;

/// Where a payment stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// The cardholder must approve or refuse first (3-D Secure).
    RequiresAction,
    /// The amount is held on the card; nothing is captured yet.
    Authorised,
    /// Something was captured, perhaps not everything.
    Captured,
    /// The card's bank or the cardholder said no. Final.
    Declined,
    /// The hold was given up before anything was captured. Final.
    Voided,
}

/// Why a payment was declined.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeclineCode {
    /// The bank refuses without saying why.
    CardDeclined,
    /// There is not enough money on the account.
    InsufficientFunds,
    /// The cardholder refused, or failed, the 3-D Secure step.
    AuthenticationFailed,
}

/// What the card's bank says when asked for the money.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Yes.
    Approve,
    /// No, and why.
    Decline(DeclineCode),
    /// Ask the cardholder.
    Challenge,
}

/// One payment, as far as the rules care.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Payment {
    /// What was asked for, in minor units; at least 1.
    pub amount: u64,
    /// What was taken so far.
    pub captured: u64,
    /// What was given back so far.
    pub refunded: u64,
    /// Where it stands.
    pub status: Status,
    /// Take the whole amount as soon as it is authorised.
    pub capture_at_once: bool,
    /// Set when `status` is `Declined`.
    pub decline_code: Option<DeclineCode>,
}

/// What a merchant, or the cardholder, may ask of a payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    /// Take this much of what is held; `None` takes all that is left.
    Capture(Option<u64>),
    /// Give the hold up.
    Void,
    /// Give this much back; `None` gives back all that is left.
    Refund(Option<u64>),
    /// The cardholder approved the 3-D Secure step.
    Approve,
    /// The cardholder refused it.
    Refuse,
}

/// Something that happened to a payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// The cardholder must act.
    ActionRequired,
    /// The whole amount is held.
    Authorised,
    /// The payment was refused.
    Declined(DeclineCode),
    /// This much was taken.
    Captured(u64),
    /// The hold is gone.
    Voided,
    /// This much was given back.
    Refunded(u64),
}

/// Why a command was refused. Nothing changes then.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The amount is zero.
    #[error("the amount must be at least 1")]
    ZeroAmount,
    /// More than is left to capture or to refund.
    #[error("at most {left} is left")]
    TooMuch {
        /// What would have been possible, in minor units.
        left: u64,
    },
    /// The payment is in a state in which this cannot be done.
    #[error("the payment does not allow this in its present state")]
    WrongState(Status),
}

/// Opens a payment with the bank's verdict. `amount` must lie in `1..=MAX_AMOUNT`.
pub fn open(amount: u64, capture_at_once: bool, verdict: Verdict) -> (Payment, Vec<Change>) {
    let mut payment = Payment {
        amount,
        captured: 0,
        refunded: 0,
        status: Status::RequiresAction,
        capture_at_once,
        decline_code: None,
    };
    let changes = match verdict {
        Verdict::Approve => payment.authorisation(),
        Verdict::Decline(code) => vec![Change::Declined(code)],
        Verdict::Challenge => vec![Change::ActionRequired],
    };
    changes.iter().for_each(|change| payment.apply(*change));
    (payment, changes)
}

/// Decides a command. Never changes `payment`; [`Payment::apply`] does.
pub fn decide(payment: &Payment, command: Command) -> Result<Vec<Change>, Refusal> {
    use Status::{Authorised, Captured, RequiresAction};
    match (command, payment.status) {
        (Command::Capture(wanted), Authorised | Captured) => {
            let taken = portion(wanted, payment.amount - payment.captured)?;
            Ok(vec![Change::Captured(taken)])
        }
        (Command::Void, Authorised | RequiresAction) => Ok(vec![Change::Voided]),
        (Command::Refund(wanted), Captured) => {
            let given = portion(wanted, payment.captured - payment.refunded)?;
            Ok(vec![Change::Refunded(given)])
        }
        (Command::Approve, RequiresAction) => Ok(payment.authorisation()),
        (Command::Refuse, RequiresAction) => {
            Ok(vec![Change::Declined(DeclineCode::AuthenticationFailed)])
        }
        (_, status) => Err(Refusal::WrongState(status)),
    }
}

/// The part of `left` that is wanted: all of it unless an amount was named.
fn portion(wanted: Option<u64>, left: u64) -> Result<u64, Refusal> {
    match wanted {
        Some(0) => Err(Refusal::ZeroAmount),
        Some(amount) if amount <= left => Ok(amount),
        None if left > 0 => Ok(left),
        _ => Err(Refusal::TooMuch { left }),
    }
}

impl Payment {
    fn authorisation(&self) -> Vec<Change> {
        if self.capture_at_once {
            vec![Change::Authorised, Change::Captured(self.amount)]
        } else {
            vec![Change::Authorised]
        }
    }

    /// Applies something that was decided before. Total: it never fails.
    pub fn apply(&mut self, change: Change) {
        match change {
            Change::ActionRequired => self.status = Status::RequiresAction,
            Change::Authorised => self.status = Status::Authorised,
            Change::Declined(code) => {
                self.status = Status::Declined;
                self.decline_code = Some(code);
            }
            Change::Captured(amount) => {
                self.status = Status::Captured;
                self.captured += amount;
            }
            Change::Voided => self.status = Status::Voided,
            Change::Refunded(amount) => self.refunded += amount,
        }
    }
}

impl Change {
    /// The event type that webhooks carry.
    pub fn event_type(self) -> &'static str {
        match self {
            Self::ActionRequired => "payment.requires_action",
            Self::Authorised => "payment.authorised",
            Self::Declined(_) => "payment.declined",
            Self::Captured(_) => "payment.captured",
            Self::Voided => "payment.voided",
            Self::Refunded(_) => "payment.refunded",
        }
    }

    /// The amount the event is about: the part captured or refunded, else the whole payment.
    pub fn amount(self, payment: &Payment) -> u64 {
        match self {
            Self::Captured(amount) | Self::Refunded(amount) => amount,
            _ => payment.amount,
        }
    }
}

#[cfg(test)]
#[path = "payment_tests.rs"]
mod tests;
