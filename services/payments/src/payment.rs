//! The state of one payment, and what can be read off it. [`crate::fold`] makes it from events, the
//! rules are in [`crate::rules`].

use std::sync::Arc;

use contracts::payments::{
    OperationKind, OperationStatus, OperationView, PaymentId, PaymentIntended, PaymentStatus,
    PaymentView,
};
use kernel::{Currency, Money};
use serde::{Deserialize, Serialize};

/// Where the hold on the buyer's money stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Hold {
    /// No definite answer yet.
    #[default]
    Pending,
    /// The buyer must act first.
    ActionRequired,
    /// The provider holds the money, or held it until it was captured.
    Authorised,
    /// Refused.
    Declined,
    /// Given up.
    Voided,
}

/// A capture, void or refund.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Operation {
    /// From 1, without gaps; part of the idempotency key sent to the provider.
    pub number: i64,
    /// What.
    pub kind: OperationKind,
    /// Minor units of the payment's currency.
    pub amount: i64,
    /// How far it has come.
    pub status: OperationStatus,
    /// How often it was left without an answer.
    pub asks: i64,
    /// Undoes what a cancelled order holds: must succeed in the end.
    pub compensation: bool,
    /// The provider's own id, once done.
    pub provider_operation: Option<String>,
    /// Why the provider refused.
    pub code: Option<String>,
    /// Why it was asked for.
    pub note: Option<String>,
}

impl Operation {
    /// Whether its outcome is not known yet.
    pub fn open(&self) -> bool {
        matches!(
            self.status,
            OperationStatus::Requested | OperationStatus::Unknown
        )
    }
}

/// An operation the provider told of that is not booked yet.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Heard {
    /// The provider's own id of it.
    pub provider_operation: String,
    /// What.
    pub kind: OperationKind,
    /// Minor units.
    pub amount: i64,
}

/// One order's money at one provider. Always: `0 ≤ refunded ≤ captured ≤ authorised`, also when
/// everything that is still open succeeds.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Payment {
    /// What was asked for; absent while only a cancellation has come.
    pub intent: Option<Arc<PaymentIntended>>,
    /// Where the hold stands.
    pub hold: Hold,
    /// The order was cancelled, or was told that the payment was declined: nothing may be kept.
    pub unwanted: bool,
    /// The provider's own id.
    pub provider_reference: Option<Arc<str>>,
    /// Where the buyer must go.
    pub action_url: Option<Arc<str>>,
    /// Why it was declined.
    pub decline_code: Option<Arc<str>>,
    /// Minor units held at most.
    pub authorised: i64,
    /// Minor units taken.
    pub captured: i64,
    /// Minor units given back.
    pub refunded: i64,
    /// How often the authorisation was left without an answer.
    pub asks: i64,
    /// Captures, voids, refunds.
    pub operations: Vec<Operation>,
    /// Told by the provider, not booked yet.
    pub heard: Vec<Heard>,
    /// A refused compensation waits for its timer.
    pub retry_pending: bool,
    /// How often a compensation was refused.
    pub refusals: i64,
}

impl Payment {
    /// The payment's currency.
    pub fn currency(&self) -> Currency {
        let amount = self.intent.as_ref().map(|intent| intent.amount.currency);
        amount.unwrap_or(Currency::GBP)
    }

    /// `amount` minor units in the payment's currency.
    pub fn money(&self, amount: i64) -> Money {
        Money::new(amount, self.currency())
    }

    /// The operation with this number.
    pub fn operation(&self, number: i64) -> Option<&Operation> {
        let index = usize::try_from(number.checked_sub(1)?).ok()?;
        self.operations.get(index)
    }

    /// The number of the next operation.
    pub fn next_number(&self) -> i64 {
        self.operations.len() as i64 + 1
    }

    /// Whether the outcome of operation `number` (0 is the authorisation) is still to come.
    pub fn waits_for(&self, number: i64) -> bool {
        match number {
            0 => self.intent.is_some() && matches!(self.hold, Hold::Pending | Hold::ActionRequired),
            _ => self.operation(number).is_some_and(Operation::open),
        }
    }

    /// How often operation `number` was left without an answer.
    pub fn asks_of(&self, number: i64) -> i64 {
        match number {
            0 => self.asks,
            _ => self.operation(number).map_or(0, |operation| operation.asks),
        }
    }

    /// Whether an operation of this kind has no outcome yet.
    pub fn has_open(&self, kind: OperationKind) -> bool {
        self.operations.iter().any(|o| o.kind == kind && o.open())
    }

    /// Minor units that operations of this kind without an outcome may still move.
    pub(crate) fn under_way(&self, kind: OperationKind) -> i64 {
        let open = self
            .operations
            .iter()
            .filter(|o| o.kind == kind && o.open());
        open.map(|operation| operation.amount).sum()
    }

    /// Minor units that can still be captured, whatever comes of what is under way.
    pub fn capturable(&self) -> i64 {
        match self.hold {
            Hold::Authorised => {
                self.authorised - self.captured - self.under_way(OperationKind::Capture)
            }
            _ => 0,
        }
    }

    /// Minor units that can still be refunded, whatever comes of what is under way.
    pub fn refundable(&self) -> i64 {
        self.captured - self.refunded - self.under_way(OperationKind::Refund)
    }

    /// Whether this is the payment that `provider` calls `reference`, as far as is known.
    pub fn is_at(&self, provider: &str, reference: &str) -> bool {
        let intent = self.intent.as_ref();
        let known = self.provider_reference.as_deref();
        intent.is_some_and(|intent| intent.method.provider == provider)
            && known.is_none_or(|known| known == reference)
    }

    /// Whether this operation of the provider was booked or noted before.
    pub fn knows(&self, provider_operation: &str) -> bool {
        let booked = self
            .operations
            .iter()
            .any(|o| o.provider_operation.as_deref() == Some(provider_operation));
        booked
            || self
                .heard
                .iter()
                .any(|h| h.provider_operation == provider_operation)
    }

    /// Where the payment stands, in one word.
    pub fn status(&self) -> PaymentStatus {
        match self.hold {
            Hold::Pending if self.asks > 0 => PaymentStatus::Unknown,
            Hold::Pending => PaymentStatus::Pending,
            Hold::ActionRequired => PaymentStatus::ActionRequired,
            Hold::Declined => PaymentStatus::Declined,
            Hold::Voided => PaymentStatus::Voided,
            Hold::Authorised if self.refunded > 0 && self.refunded >= self.captured => {
                PaymentStatus::Refunded
            }
            Hold::Authorised if self.refunded > 0 => PaymentStatus::PartiallyRefunded,
            Hold::Authorised if self.captured == 0 => PaymentStatus::Authorised,
            Hold::Authorised if self.captured >= self.authorised => PaymentStatus::Captured,
            Hold::Authorised => PaymentStatus::PartiallyCaptured,
        }
    }

    /// The payment as the API shows it; `None` when it was never asked for.
    pub fn view(&self) -> Option<PaymentView> {
        let intent = self.intent.as_ref()?;
        let operation = |o: &Operation| OperationView {
            number: o.number,
            kind: o.kind,
            amount: self.money(o.amount),
            status: o.status,
            code: o.code.clone(),
            note: o.note.clone(),
        };
        Some(PaymentView {
            id: intent.payment_id.clone(),
            order_id: intent.order_id.clone(),
            status: self.status(),
            amount: intent.amount,
            captured: self.money(self.captured),
            refunded: self.money(self.refunded),
            provider: intent.method.provider.clone(),
            provider_reference: self.provider_reference.as_deref().map(str::to_owned),
            action_url: self.action_url.as_deref().map(str::to_owned),
            decline_code: self.decline_code.as_deref().map(str::to_owned),
            operations: self.operations.iter().map(operation).collect(),
            operation: None,
        })
    }
}

/// What an idempotency key sent to the provider is made of. Business ids only: an event recorded
/// again must not charge again.
pub fn idempotency_key(payment: &PaymentId, operation: i64) -> String {
    format!("{payment}-{operation}")
}
