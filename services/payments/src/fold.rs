//! A payment's state, folded from its events. Total: what has happened is never refused.

use std::sync::Arc;

use contracts::payments::{OperationKind, OperationStatus, PaymentEvent};
use kernel::{Decider, Rejection};

use crate::{
    payment::{Heard, Hold, Operation, Payment},
    rules::{self, Command},
};

impl Decider for Payment {
    const CATEGORY: &'static str = "payment";
    type State = Self;
    type Command = Command;
    type Event = PaymentEvent;

    fn decide(state: &Self, command: &Command) -> Result<Vec<PaymentEvent>, Rejection> {
        rules::decide(state, command)
    }

    fn evolve(state: &mut Self, event: &PaymentEvent) {
        match event {
            PaymentEvent::Intended(e) => state.intent = Some(Arc::new(e.clone())),
            PaymentEvent::Authorised(e) => {
                state.hold = Hold::Authorised;
                state.authorised = e.amount.amount;
                state.provider_reference = Some(e.provider_reference.as_str().into());
                state.action_url = None;
            }
            PaymentEvent::Declined(e) => {
                state.hold = Hold::Declined;
                state.unwanted = true;
                state.decline_code = Some(e.code.as_str().into());
                state.action_url = None;
                state.close_voids();
            }
            PaymentEvent::ActionRequired(e) => {
                state.hold = Hold::ActionRequired;
                state.action_url = Some(e.url.as_str().into());
                state.provider_reference = Some(e.provider_reference.as_str().into());
            }
            PaymentEvent::OperationRequested(e) => {
                let reference = e.provider_reference.as_str();
                state.provider_reference.get_or_insert(reference.into());
                state.retry_pending &= !e.compensation;
                state.operations.push(Operation {
                    number: e.operation,
                    kind: e.kind,
                    amount: e.amount.amount,
                    status: OperationStatus::Requested,
                    asks: 0,
                    compensation: e.compensation,
                    provider_operation: None,
                    code: None,
                    note: e.note.clone(),
                });
            }
            PaymentEvent::OperationUnknown(e) => match state.operation_mut(e.operation) {
                Some(operation) => {
                    operation.status = OperationStatus::Unknown;
                    operation.asks = e.attempt;
                }
                None => state.asks = e.attempt,
            },
            PaymentEvent::InquiryRequested(_) => {}
            PaymentEvent::Captured(e) => {
                state.captured = e.captured.amount;
                let id = e.provider_operation.as_deref();
                state.done(OperationKind::Capture, e.operation, e.amount.amount, id);
            }
            PaymentEvent::Refunded(e) => {
                state.refunded = e.refunded.amount;
                let id = e.provider_operation.as_deref();
                state.done(OperationKind::Refund, e.operation, e.amount.amount, id);
            }
            PaymentEvent::Voided(_) => {
                state.hold = Hold::Voided;
                state.action_url = None;
                state.close_voids();
            }
            PaymentEvent::OperationFailed(e) => {
                state.retry_pending |= e.retry_at.is_some();
                state.refusals += i64::from(e.retry_at.is_some());
                if let Some(operation) = state.operation_mut(e.operation) {
                    operation.status = OperationStatus::Failed;
                    operation.code = Some(e.code.clone());
                }
            }
            PaymentEvent::Abandoned(_) => state.unwanted = true,
            PaymentEvent::ProviderEventNoted(e) => state.heard.push(Heard {
                provider_operation: e.provider_operation.clone(),
                kind: e.kind,
                amount: e.amount.amount,
            }),
        }
    }
}

impl Payment {
    fn operation_mut(&mut self, number: i64) -> Option<&mut Operation> {
        let index = usize::try_from(number.checked_sub(1)?).ok()?;
        self.operations.get_mut(index)
    }

    /// Closes operation `number`, or adds one that was not ours.
    fn done(&mut self, kind: OperationKind, number: i64, amount: i64, id: Option<&str>) {
        self.heard
            .retain(|heard| Some(heard.provider_operation.as_str()) != id);
        let id = id.map(str::to_owned);
        match self.operation_mut(number) {
            Some(operation) => {
                operation.status = OperationStatus::Succeeded;
                operation.amount = amount;
                operation.provider_operation = id;
            }
            None => self.operations.push(Operation {
                number,
                kind,
                amount,
                status: OperationStatus::Succeeded,
                asks: 0,
                compensation: false,
                provider_operation: id,
                code: None,
                note: None,
            }),
        }
    }

    fn close_voids(&mut self) {
        for operation in &mut self.operations {
            if operation.kind == OperationKind::Void && operation.open() {
                operation.status = OperationStatus::Succeeded;
            }
        }
    }
}
