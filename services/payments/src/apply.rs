//! Commands of the service: a rule of [`crate::rules`] on one payment, with the durable timers its
//! events call for, in one commit.

use contracts::payments::{PaymentEvent, PaymentId, ProviderEventUnmatched};
use kernel::{Decider, Rejection, StreamId, Timer, UnitOfWork, serde_json};
use serde::{Deserialize, Serialize};

use crate::{
    patience::{Moment, Patience},
    payment::Payment,
    provider::ProviderEvent,
    rules::Command,
    unmatched::Unmatched,
};

/// Timer: an operation without an answer is to be asked about.
pub const ASK: &str = "ask";
/// Timer: a refused compensation is to be tried again.
pub const COMPENSATE: &str = "compensate";

/// What a timer carries.
#[derive(Debug, Serialize, Deserialize)]
pub struct Due {
    /// Which payment.
    pub payment_id: PaymentId,
    /// Which operation.
    #[serde(default)]
    pub operation: i64,
    /// After how many asks the timer was set.
    #[serde(default)]
    pub attempt: i64,
}

/// Lets one payment decide.
pub struct Apply {
    /// Which payment.
    pub payment_id: PaymentId,
    /// How patient to be with the provider.
    pub patience: Patience,
    /// What is asked.
    pub ask: Ask,
}

/// What is asked: a command, or one that needs to know the moment of its decision.
pub enum Ask {
    /// Whatever the moment.
    Now(Command),
    /// At the moment of the decision.
    At(fn(Moment) -> Command),
    /// No answer came to an operation.
    Unknown(i64),
    /// The provider refused an operation, with this code.
    Refused(i64, String),
    /// The provider was asked where the payment stands, and told this.
    Asked(crate::provider::ProviderPayment),
}

/// What came of it.
#[derive(Clone, Copy, Debug)]
pub struct Applied {
    /// The number of the operation that was requested, if one was.
    pub requested: Option<i64>,
}

impl Ask {
    fn command(&self, moment: Moment) -> Command {
        match self {
            Self::Now(command) => command.clone(),
            Self::At(make) => make(moment),
            Self::Unknown(operation) => Command::Unknown {
                operation: *operation,
                moment,
            },
            Self::Refused(operation, code) => Command::Refused {
                operation: *operation,
                code: code.clone(),
                moment,
            },
            Self::Asked(payment) => Command::Seen {
                payment: payment.clone(),
                asked: Some(moment),
            },
        }
    }
}

impl kernel::Command for Apply {
    type Output = Applied;

    fn streams(&self) -> Vec<StreamId> {
        vec![StreamId::new(Payment::CATEGORY, self.payment_id.as_str())]
    }

    fn handle(&self, work: &mut UnitOfWork<'_>) -> Result<Applied, Rejection> {
        let moment = Moment {
            at: work.now(),
            patience: self.patience,
        };
        let command = self.ask.command(moment);
        let id = self.payment_id.as_str();
        let before = work.state::<Payment>(id)?;
        let events = Payment::decide(before, &command)?;
        let mut requested = None;
        for event in events {
            if let PaymentEvent::OperationRequested(e) = &event {
                requested.get_or_insert(e.operation);
            }
            let timer = timer_for(work.state::<Payment>(id)?, &event, moment);
            match timer {
                TimerChange::None => {}
                TimerChange::Set(timer) => work.set_timer(timer),
                TimerChange::Cancel(key) => work.cancel_timer(key),
            }
            work.append::<Payment>(id, event)?;
        }
        Ok(Applied { requested })
    }
}

enum TimerChange {
    None,
    Set(Timer),
    Cancel(String),
}

/// The timer that `event`, about to happen to `before`, calls for or makes needless.
fn timer_for(before: &Payment, event: &PaymentEvent, moment: Moment) -> TimerChange {
    let ask = |payment_id: &PaymentId, operation: i64, attempt: i64, due| {
        let due_data = Due {
            payment_id: payment_id.clone(),
            operation,
            attempt,
        };
        set(
            ASK,
            format!("{ASK}:{payment_id}:{operation}"),
            due,
            &due_data,
        )
    };
    match event {
        PaymentEvent::OperationUnknown(e) => ask(&e.payment_id, e.operation, e.attempt, e.ask_at),
        PaymentEvent::ActionRequired(e) => {
            let due = moment.after(moment.patience.buyer);
            ask(&e.payment_id, 0, before.asks, due)
        }
        // In case the inquiry itself gets lost.
        PaymentEvent::InquiryRequested(e) => {
            let due = moment.after(moment.patience.lost);
            ask(&e.payment_id, e.operation, e.attempt, due)
        }
        PaymentEvent::OperationFailed(e) if e.retry_at.is_some() => {
            let due = e.retry_at.unwrap_or_default();
            let data = Due {
                payment_id: e.payment_id.clone(),
                operation: e.operation,
                attempt: 0,
            };
            set(
                COMPENSATE,
                format!("{COMPENSATE}:{}", e.payment_id),
                due,
                &data,
            )
        }
        PaymentEvent::Authorised(e) => settled(before, &e.payment_id, 0),
        PaymentEvent::Declined(e) => settled(before, &e.payment_id, 0),
        PaymentEvent::Voided(e) => settled(before, &e.payment_id, 0),
        PaymentEvent::Captured(e) => settled(before, &e.payment_id, e.operation),
        PaymentEvent::Refunded(e) => settled(before, &e.payment_id, e.operation),
        PaymentEvent::OperationFailed(e) => settled(before, &e.payment_id, e.operation),
        _ => TimerChange::None,
    }
}

/// The timer of an operation that has its outcome now. Most never had one: no write for them.
fn settled(before: &Payment, payment_id: &PaymentId, operation: i64) -> TimerChange {
    let buyer = operation == 0 && before.action_url.is_some();
    match before.asks_of(operation) > 0 || buyer {
        true => TimerChange::Cancel(format!("{ASK}:{payment_id}:{operation}")),
        false => TimerChange::None,
    }
}

fn set(kind: &str, key: String, due: kernel::Timestamp, data: &Due) -> TimerChange {
    TimerChange::Set(Timer {
        key,
        due,
        kind: kind.to_owned(),
        data: serde_json::to_string(data).unwrap_or_default(),
    })
}

/// Records a provider's webhook: in its payment, or, if there is none, by itself.
pub struct RecordWebhook {
    /// Which provider sent it.
    pub provider: String,
    /// What it says.
    pub event: ProviderEvent,
    /// How patient to be with the provider.
    pub patience: Patience,
}

impl RecordWebhook {
    fn payment_id(&self) -> Option<PaymentId> {
        self.event.reference.parse().ok()
    }

    /// Recorded once by provider, its reference, and what happened.
    fn unmatched_id(&self) -> String {
        let operation = self.event.payment.operations.first().map(|o| &o.id);
        let what = operation.unwrap_or(&self.event.payment.provider_reference);
        format!("{}:{what}:{}", self.provider, self.event.kind)
    }
}

impl kernel::Command for RecordWebhook {
    /// Whether it belongs to a payment.
    type Output = bool;

    fn streams(&self) -> Vec<StreamId> {
        let id = self.payment_id();
        id.map(|id| StreamId::new(Payment::CATEGORY, id.as_str()))
            .into_iter()
            .collect()
    }

    fn handle(&self, work: &mut UnitOfWork<'_>) -> Result<bool, Rejection> {
        if let Some(payment_id) = self.payment_id()
            && work
                .state::<Payment>(payment_id.as_str())?
                .is_at(&self.provider, &self.event.payment.provider_reference)
        {
            let payment = self.event.payment.clone();
            let command = Command::Seen {
                payment,
                asked: None,
            };
            let apply = Apply {
                payment_id,
                patience: self.patience,
                ask: Ask::Now(command),
            };
            apply.handle(work)?;
            return Ok(true);
        }
        let operation = self.event.payment.operations.first();
        let unmatched = ProviderEventUnmatched {
            provider: self.provider.clone(),
            event_id: self.event.id.clone(),
            kind: self.event.kind.clone(),
            reference: self.event.reference.clone(),
            provider_reference: self.event.payment.provider_reference.clone(),
            provider_operation: operation.map(|o| o.id.clone()),
            amount: operation.map_or(self.event.payment.amount, |o| o.amount),
        };
        work.decide::<Unmatched>(&self.unmatched_id(), &unmatched)?;
        Ok(false)
    }
}
