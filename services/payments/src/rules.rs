//! The rules of a payment: what each command leads to. Pure.
//!
//! What the provider tells is believed once per operation and never twice, in whatever order it
//! comes; what it does not tell is unknown, never assumed.

use contracts::{
    orders::OrderId,
    payments::{
        OperationKind, PaymentAbandoned, PaymentAuthorised, PaymentDeclined, PaymentEvent,
        PaymentId, PaymentInquiryRequested, PaymentIntended, PaymentOperationRequested,
        PaymentOperationUnknown,
    },
};
use kernel::{Decider as _, Money, Personal, Rejection};

use crate::{
    card_number::looks_like_card_number,
    patience::Moment,
    payment::{Hold, Payment},
    provider::{ProviderPayment, Receipt},
    requests,
};

/// What can be asked of a payment.
#[derive(Clone, Debug)]
pub enum Command {
    /// An order asks for its money to be held.
    Intend(PaymentIntended),
    /// The order was cancelled: hold nothing and keep nothing, now or later.
    Abandon {
        /// Which payment.
        payment_id: PaymentId,
        /// Which order.
        order_id: OrderId,
    },
    /// The order asks that so much be captured in all, of what is held and wanted.
    CaptureUpTo(Money),
    /// Staff ask for a capture, a void or a refund.
    Request(Request),
    /// The provider told where the payment stands: in an answer, when asked, or by a webhook.
    Seen {
        /// What it told.
        payment: ProviderPayment,
        /// Set when it was asked for: if this settles nothing it is asked again later.
        asked: Option<Moment>,
    },
    /// The provider carried out operation `operation` (from 1).
    Answered {
        /// Which.
        operation: i64,
        /// Its receipt.
        receipt: Receipt,
    },
    /// The provider refused operation `operation` for good.
    Refused {
        /// Which; 0 is the authorisation.
        operation: i64,
        /// Why.
        code: String,
        /// Now.
        moment: Moment,
    },
    /// No answer came to operation `operation`.
    Unknown {
        /// Which; 0 is the authorisation.
        operation: i64,
        /// Now.
        moment: Moment,
    },
    /// The provider was asked and has never heard of the payment, which is not to be sent again.
    NeverHappened {
        /// Now.
        moment: Moment,
    },
    /// The time to ask about an operation has come.
    Ask {
        /// Which.
        operation: i64,
        /// The attempt the timer was set after; an older timer is void.
        attempt: i64,
    },
    /// The time to try a refused compensation again has come.
    RetryCompensation,
}

/// A capture, void or refund asked for by staff.
#[derive(Clone, Debug)]
pub struct Request {
    /// Which of them; never an authorisation.
    pub kind: OperationKind,
    /// How much; all that is possible unless given.
    pub amount: Option<Money>,
    /// Why.
    pub note: Option<String>,
}

/// After so many unanswered asks, a provider that has never heard of an abandoned payment is
/// believed: by then a request still on its way would have arrived.
const SURE_AFTER: i64 = 3;

/// Decides `command`.
pub fn decide(state: &Payment, command: &Command) -> Result<Vec<PaymentEvent>, Rejection> {
    let mut draft = Draft::new(state);
    match command {
        Command::Intend(intended) => draft.intend(intended),
        Command::Abandon {
            payment_id,
            order_id,
        } => draft.abandon(payment_id, order_id),
        Command::CaptureUpTo(up_to) => draft.capture_up_to(*up_to),
        Command::Request(request) => requests::request(&mut draft, request)?,
        Command::Seen { payment, asked } => draft.seen(payment, *asked),
        Command::Answered { operation, receipt } => draft.answered(*operation, receipt),
        Command::Refused {
            operation,
            code,
            moment,
        } => draft.refused(*operation, code, *moment),
        Command::Unknown { operation, moment } => draft.unknown(*operation, *moment),
        Command::NeverHappened { moment } => draft.never_happened(*moment),
        Command::Ask { operation, attempt } => draft.ask(*operation, *attempt),
        Command::RetryCompensation if draft.state.retry_pending => draft.compensate(),
        Command::RetryCompensation => {}
    }
    draft.book_heard();
    if !draft.state.retry_pending {
        draft.compensate();
    }
    Ok(draft.events)
}

/// A decision in the making: the events so far, and the state they lead to.
pub struct Draft {
    /// The state with the events folded in.
    pub state: Payment,
    events: Vec<PaymentEvent>,
}

impl Draft {
    fn new(state: &Payment) -> Self {
        Self {
            state: state.clone(),
            events: Vec::new(),
        }
    }

    pub(crate) fn push(&mut self, event: impl Into<PaymentEvent>) {
        let event = event.into();
        Payment::evolve(&mut self.state, &event);
        self.events.push(event);
    }

    /// The payment's and the order's id; everything but `intend` and `abandon` needs them.
    pub(crate) fn ids(&self) -> Option<(PaymentId, OrderId)> {
        let intent = self.state.intent.as_ref()?;
        Some((intent.payment_id.clone(), intent.order_id.clone()))
    }

    fn intend(&mut self, intended: &PaymentIntended) {
        if self.state.intent.is_some() || self.state.unwanted {
            return;
        }
        let (payment_id, order_id) = (intended.payment_id.clone(), intended.order_id.clone());
        let amount = intended.amount;
        let token = intended.method.token.get();
        let card_number = token.is_some_and(|token| looks_like_card_number(token));
        let mut intended = intended.clone();
        if card_number {
            // It must not even be kept sealed.
            let person = intended.method.token.person().clone();
            intended.method.token = Personal::new(person, String::new());
        }
        self.push(intended);
        let declined = |code: &str| PaymentDeclined {
            payment_id: payment_id.clone(),
            order_id: order_id.clone(),
            code: code.to_owned(),
        };
        match amount.amount {
            _ if card_number => self.push(declined("card_number_refused")),
            ..0 => self.push(declined("invalid_amount")),
            // Nothing to pay: no provider is needed to hold nothing.
            0 => self.push(PaymentAuthorised {
                payment_id,
                order_id,
                amount,
                provider_reference: String::new(),
            }),
            _ => {}
        }
    }

    fn abandon(&mut self, payment_id: &PaymentId, order_id: &OrderId) {
        if !self.state.unwanted && self.state.hold != Hold::Voided {
            self.push(PaymentAbandoned {
                payment_id: payment_id.clone(),
                order_id: order_id.clone(),
            });
        }
    }

    /// What is captured or being captured counts: asked twice, it is taken once.
    fn capture_up_to(&mut self, up_to: Money) {
        let taken = self.state.captured + self.state.under_way(OperationKind::Capture);
        let amount = self.state.capturable().min(up_to.amount - taken);
        let same = up_to.currency == self.state.money(0).currency;
        if amount > 0 && same && !self.state.unwanted {
            self.operate(OperationKind::Capture, amount, None, false);
        }
    }

    /// Asks the worker for an operation.
    pub fn operate(
        &mut self,
        kind: OperationKind,
        amount: i64,
        note: Option<String>,
        compensation: bool,
    ) {
        let reference = self.state.provider_reference.clone();
        let (Some((payment_id, order_id)), Some(intent)) = (self.ids(), &self.state.intent) else {
            return;
        };
        let provider = intent.method.provider.clone();
        self.push(PaymentOperationRequested {
            payment_id,
            order_id,
            operation: self.state.next_number(),
            kind,
            amount: self.state.money(amount),
            provider_reference: reference.as_deref().unwrap_or_default().to_owned(),
            provider,
            note,
            compensation,
        });
    }

    pub(crate) fn unknown(&mut self, operation: i64, moment: Moment) {
        let Some((payment_id, _)) = self.ids() else {
            return;
        };
        if !self.state.waits_for(operation) {
            return;
        }
        let asked = self.state.asks_of(operation);
        let mut ask_at = moment.again_at(payment_id.as_str(), asked);
        if operation == 0 && self.state.hold == Hold::ActionRequired {
            // People take their time, and the webhook usually tells first.
            ask_at = ask_at.max(moment.after(moment.patience.buyer));
        }
        self.push(PaymentOperationUnknown {
            payment_id,
            operation,
            attempt: asked + 1,
            ask_at,
        });
    }

    fn never_happened(&mut self, moment: Moment) {
        let pending = self.state.hold == Hold::Pending && self.state.waits_for(0);
        let sure = self.state.unwanted && self.state.asks >= SURE_AFTER;
        match (pending, sure) {
            (true, true) => self.refused(0, "abandoned", moment),
            (true, false) => self.unknown(0, moment),
            (false, _) => {}
        }
    }

    fn ask(&mut self, operation: i64, attempt: i64) {
        let due = self.state.waits_for(operation) && self.state.asks_of(operation) == attempt;
        if let Some((payment_id, _)) = self.ids().filter(|_| due) {
            self.push(PaymentInquiryRequested {
                payment_id,
                operation,
                attempt,
            });
        }
    }

    /// Undoes what an unwanted payment holds or took. Waits for what is under way: only its
    /// outcome tells what is left to undo.
    fn compensate(&mut self) {
        let state = &self.state;
        let under_way = state.operations.iter().any(|operation| operation.open());
        if !state.unwanted || state.intent.is_none() || under_way {
            return;
        }
        let note = Some("the order was given up".to_owned());
        let left = state.captured - state.refunded;
        let holds = match state.hold {
            Hold::Authorised | Hold::ActionRequired => state.captured == 0,
            // Declined by us, though the provider holds money.
            Hold::Declined => self.mismatched(),
            Hold::Pending | Hold::Voided => false,
        };
        if left > 0 {
            self.operate(OperationKind::Refund, left, note, true);
        } else if holds && self.held_amount() == 0 {
            self.voided();
        } else if holds {
            self.operate(OperationKind::Void, self.held_amount(), note, true);
        }
    }
}
