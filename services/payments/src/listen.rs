//! What payments hears: orders' events, and its own timers.

use contracts::orders::OrderEvent;
use kernel::{AnyCommand, Poison, Reaction, Recorded, Subscription, Timer, serde_json};

use contracts::payments::{PaymentId, PaymentIntended};

use crate::{
    apply::{Apply, Ask, Due},
    patience::Patience,
    rules::Command,
};

/// Orders ask for payments and give them up. The order's own event is trusted for the amount:
/// only orders can publish it.
pub fn to_orders(patience: Patience) -> Subscription {
    Subscription::new("orders", &["orders"], move |recorded| {
        let heard = matches!(
            &*recorded.kind,
            "orders.order.payment_requested.v1"
                | "orders.order.cancelled.v1"
                | "orders.order.capture_requested.v1"
        );
        if !heard {
            return Ok(Reaction::none());
        }
        Ok(match command(recorded)? {
            Some((payment_id, command)) => Reaction::command(Apply {
                payment_id,
                patience,
                ask: Ask::Now(command),
            }),
            None => Reaction::none(),
        })
    })
}

fn command(recorded: &Recorded) -> Result<Option<(PaymentId, Command)>, Poison> {
    let Some(event) = recorded.decode::<OrderEvent>()? else {
        return Ok(None);
    };
    Ok(match &*event {
        OrderEvent::PaymentRequested(e) => {
            let intended = PaymentIntended {
                payment_id: e.payment_id.clone(),
                order_id: e.order_id.clone(),
                amount: e.amount,
                method: e.method.clone(),
                deadline: e.deadline,
                access_token_hash: e.access_token_hash.clone(),
                customer_id: e.customer_id.clone(),
            };
            Some((e.payment_id.clone(), Command::Intend(intended)))
        }
        OrderEvent::Cancelled(e) => e.payment_id.clone().map(|payment_id| {
            let command = Command::Abandon {
                payment_id: payment_id.clone(),
                order_id: e.order_id.clone(),
            };
            (payment_id, command)
        }),
        OrderEvent::CaptureRequested(e) => {
            Some((e.payment_id.clone(), Command::CaptureUpTo(e.up_to)))
        }
        _ => None,
    })
}

/// It is time to ask about an operation.
pub fn ask_due(patience: Patience, timer: &Timer) -> Result<Box<dyn AnyCommand>, Poison> {
    timed(patience, timer, |due| Command::Ask {
        operation: due.operation,
        attempt: due.attempt,
    })
}

/// It is time to try a refused compensation again.
pub fn compensation_due(patience: Patience, timer: &Timer) -> Result<Box<dyn AnyCommand>, Poison> {
    timed(patience, timer, |_| Command::RetryCompensation)
}

fn timed(
    patience: Patience,
    timer: &Timer,
    command: impl Fn(&Due) -> Command,
) -> Result<Box<dyn AnyCommand>, Poison> {
    let due: Due = serde_json::from_str(&timer.data).map_err(|e| Poison(e.to_string()))?;
    Ok(Box::new(Apply {
        ask: Ask::Now(command(&due)),
        payment_id: due.payment_id,
        patience,
    }))
}
