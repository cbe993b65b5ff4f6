//! Callers who wait for the outcome of an operation: woken by the service's own events.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use contracts::payments::PaymentEvent;
use kernel::{Event as _, Recorded};
use tokio::sync::Notify;

/// The events that end an operation.
const OUTCOMES: [&str; 4] = [
    "payments.payment.captured.v1",
    "payments.payment.refunded.v1",
    "payments.payment.voided.v1",
    "payments.payment.operation_failed.v1",
];

/// Who waits for which payment.
#[derive(Default)]
pub struct Waiting {
    payments: Mutex<HashMap<String, Bell>>,
}

struct Bell {
    waiters: usize,
    notify: Arc<Notify>,
}

/// A place in the queue; leaves it when dropped.
pub struct Ticket {
    waiting: Arc<Waiting>,
    payment: String,
    /// Rung at each outcome of the payment.
    pub notify: Arc<Notify>,
}

impl Waiting {
    fn lock(&self) -> MutexGuard<'_, HashMap<String, Bell>> {
        self.payments.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for outcomes of `payment` from now on.
    pub fn join(self: &Arc<Self>, payment: &str) -> Ticket {
        let mut payments = self.lock();
        let bell = payments.entry(payment.to_owned()).or_insert_with(|| Bell {
            waiters: 0,
            notify: Arc::new(Notify::new()),
        });
        bell.waiters += 1;
        Ticket {
            waiting: self.clone(),
            payment: payment.to_owned(),
            notify: bell.notify.clone(),
        }
    }

    /// Hears every event of the service: wakes those it concerns, and counts what needs a look.
    pub fn hear(&self, recorded: &Recorded) {
        if OUTCOMES.contains(&&*recorded.kind)
            && let Some(bell) = self.lock().get(recorded.stream.id())
        {
            bell.notify.notify_waiters();
        }
        if let Some(counter) = counted(recorded) {
            metrics::counter!(counter).increment(1);
        }
    }
}

/// The counter that an event of trouble moves.
fn counted(recorded: &Recorded) -> Option<&'static str> {
    match &*recorded.kind {
        "payments.payment.operation_unknown.v1" => Some("souk_payments_unknown_total"),
        "payments.provider_event.unmatched.v1" => Some("souk_payments_unmatched_webhooks_total"),
        "payments.payment.operation_failed.v1" => {
            let event = PaymentEvent::decode(&recorded.kind, &recorded.data).ok()?;
            let refused = matches!(event, PaymentEvent::OperationFailed(e) if e.retry_at.is_some());
            refused.then_some("souk_payments_compensations_refused_total")
        }
        _ => None,
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let mut payments = self.waiting.lock();
        if let Some(bell) = payments.get_mut(&self.payment) {
            bell.waiters -= 1;
            if bell.waiters == 0 {
                payments.remove(&self.payment);
            }
        }
    }
}
