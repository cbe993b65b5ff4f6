//! What a provider tells, and what of it is believed: each thing once, in whatever order it comes.

use contracts::payments::{
    OperationKind, PaymentActionRequired, PaymentAuthorised, PaymentCaptured, PaymentDeclined,
    PaymentOperationFailed, PaymentProviderEventNoted, PaymentRefunded, PaymentVoided,
};

use crate::{
    patience::Moment,
    payment::Hold,
    provider::{ProviderOperation, ProviderPayment, ProviderStatus, Receipt},
    rules::Draft,
};

/// The reason for declining what the provider holds, when it is not what was asked for.
const MISMATCH: &str = "amount_mismatch";

impl Draft {
    pub(crate) fn seen(&mut self, seen: &ProviderPayment, asked: Option<Moment>) {
        let Some((payment_id, order_id)) = self.ids() else {
            return;
        };
        let other = self.state.provider_reference.as_deref();
        if other.is_some_and(|known| known != seen.provider_reference) {
            return;
        }
        let before = self.state.hold;
        let undecided = matches!(before, Hold::Pending | Hold::ActionRequired);
        let voiding = self.state.has_open(OperationKind::Void);
        match &seen.status {
            ProviderStatus::Authorised | ProviderStatus::Captured
                if undecided || (before == Hold::Declined && !self.mismatched()) =>
            {
                self.held(seen);
            }
            ProviderStatus::Declined { code } if undecided => self.push(PaymentDeclined {
                payment_id,
                order_id,
                code: code.clone(),
            }),
            ProviderStatus::ActionRequired { url } if before == Hold::Pending => {
                self.push(PaymentActionRequired {
                    payment_id,
                    order_id,
                    url: url.clone(),
                    provider_reference: seen.provider_reference.clone(),
                });
            }
            ProviderStatus::Voided if undecided || before == Hold::Authorised || voiding => {
                self.voided();
            }
            _ => {}
        }
        for operation in &seen.operations {
            self.hear(operation);
        }
        if let Some(moment) = asked
            && before == self.state.hold
        {
            self.unknown(0, moment);
        }
    }

    /// Whether the provider held another amount than was asked for: declined to the order, and to
    /// be let go.
    pub(crate) fn mismatched(&self) -> bool {
        self.state.hold == Hold::Declined && self.state.decline_code.as_deref() == Some(MISMATCH)
    }

    /// The provider holds money for us: what was asked for, or something that must be let go.
    fn held(&mut self, seen: &ProviderPayment) {
        let (Some((payment_id, order_id)), Some(intent)) = (self.ids(), &self.state.intent) else {
            return;
        };
        if seen.amount == intent.amount {
            return self.push(PaymentAuthorised {
                payment_id,
                order_id,
                amount: seen.amount,
                provider_reference: seen.provider_reference.clone(),
            });
        }
        self.push(PaymentDeclined {
            payment_id,
            order_id,
            code: MISMATCH.into(),
        });
        let reference = seen.provider_reference.as_str();
        self.state
            .provider_reference
            .get_or_insert(reference.into());
        self.operate(OperationKind::Void, seen.amount.amount, None, true);
    }

    pub(crate) fn voided(&mut self) {
        let Some((payment_id, order_id)) = self.ids() else {
            return;
        };
        if self.state.captured == 0 {
            let amount = self.state.money(self.held_amount());
            self.push(PaymentVoided {
                payment_id,
                order_id,
                amount,
            });
        }
    }

    /// What the provider holds or would hold.
    pub(crate) fn held_amount(&self) -> i64 {
        let asked = self.state.intent.as_ref().map_or(0, |i| i.amount.amount);
        match self.state.authorised {
            0 => asked,
            authorised => authorised,
        }
    }

    /// Notes an operation the provider tells of, unless it is known.
    pub(crate) fn hear(&mut self, told: &ProviderOperation) {
        let Some((payment_id, _)) = self.ids() else {
            return;
        };
        let moves = matches!(told.kind, OperationKind::Capture | OperationKind::Refund);
        let ours = told.amount.amount > 0 && told.amount.currency == self.state.currency();
        if moves && ours && !self.state.knows(&told.id) {
            self.push(PaymentProviderEventNoted {
                payment_id,
                kind: told.kind,
                amount: told.amount,
                provider_operation: told.id.clone(),
            });
        }
    }

    /// Books what was noted, as soon as it cannot be one of our own operations (none of its kind
    /// is without an answer) and what it builds on is booked.
    pub(crate) fn book_heard(&mut self) {
        loop {
            let bookable = self.state.heard.iter().find(|heard| {
                let possible = match heard.kind {
                    OperationKind::Capture => self.state.capturable(),
                    _ => self.state.refundable(),
                };
                !self.state.has_open(heard.kind) && heard.amount <= possible
            });
            let Some(heard) = bookable.cloned() else {
                return;
            };
            let id = heard.provider_operation;
            self.moved(heard.kind, self.state.next_number(), heard.amount, id);
        }
    }

    /// Money moved: books it.
    fn moved(&mut self, kind: OperationKind, operation: i64, amount: i64, id: String) {
        let (Some((payment_id, order_id)), Some(intent)) = (self.ids(), &self.state.intent) else {
            return;
        };
        let provider = intent.method.provider.clone();
        match kind {
            OperationKind::Capture => self.push(PaymentCaptured {
                payment_id,
                order_id,
                operation,
                amount: self.state.money(amount),
                captured: self.state.money(self.state.captured + amount),
                provider,
                provider_operation: Some(id),
            }),
            OperationKind::Refund => self.push(PaymentRefunded {
                payment_id,
                order_id,
                operation,
                amount: self.state.money(amount),
                refunded: self.state.money(self.state.refunded + amount),
                provider,
                provider_operation: Some(id),
            }),
            OperationKind::Authorise | OperationKind::Void => {}
        }
    }

    pub(crate) fn answered(&mut self, number: i64, receipt: &Receipt) {
        let Some(operation) = self.state.operation(number).cloned() else {
            return;
        };
        let id = &receipt.provider_operation;
        if !operation.open() {
            // The same answer again, or one to an operation that was closed in another way.
            return self.hear(&ProviderOperation {
                id: id.clone(),
                kind: operation.kind,
                amount: receipt.amount,
            });
        }
        match operation.kind {
            OperationKind::Void if self.state.captured == 0 => self.voided(),
            OperationKind::Void => self.failed(number, "captured_meanwhile", None),
            kind => {
                let booked = self.state.operations.iter();
                let mut booked = booked.filter_map(|o| o.provider_operation.as_deref());
                if booked.any(|known| known == id) {
                    return self.failed(number, "answered_for_another", None);
                }
                let amount = match receipt.amount.amount {
                    moved @ 1.. => moved.min(operation.amount),
                    _ => operation.amount,
                };
                self.moved(kind, number, amount, id.clone());
            }
        }
    }

    pub(crate) fn refused(&mut self, number: i64, code: &str, moment: Moment) {
        if !self.state.waits_for(number) {
            return;
        }
        let Some((payment_id, order_id)) = self.ids() else {
            return;
        };
        if number == 0 {
            return self.push(PaymentDeclined {
                payment_id,
                order_id,
                code: code.to_owned(),
            });
        }
        let again = self
            .state
            .operation(number)
            .is_some_and(|o| o.compensation)
            .then(|| moment.retry_at(payment_id.as_str(), self.state.refusals));
        self.failed(number, code, again);
    }

    fn failed(&mut self, number: i64, code: &str, retry_at: Option<kernel::Timestamp>) {
        let kind = self.state.operation(number).map(|o| o.kind);
        let (Some((payment_id, order_id)), Some(kind)) = (self.ids(), kind) else {
            return;
        };
        self.push(PaymentOperationFailed {
            payment_id,
            order_id,
            operation: number,
            kind,
            code: code.to_owned(),
            retry_at,
        });
    }
}
