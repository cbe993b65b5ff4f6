//! What each transition of the state machine records.

use contracts::{
    inventory::Shortage,
    orders::{
        CancelReason, OrderCancelled, OrderConfirmed, OrderEvent, OrderId,
        OrderPaymentActionRequired, OrderPaymentCaptured, OrderPaymentRefunded,
        OrderPaymentRequested, OrderPlaced, OrderStatus,
    },
    payments::PaymentId,
    pricing::CaptureMode,
};
use kernel::{Money, Rejection, Timestamp};

use crate::{order::Canceller, state::OrderState};

/// The payment of an order: the same hex, so that asking twice asks for the same payment.
pub fn payment_of(order: &OrderId) -> Result<PaymentId, Rejection> {
    let hex = order.as_str().trim_start_matches("ord_");
    let id = format!("pay_{hex}").parse();
    id.map_err(|_| Rejection::unprocessable("bad-order-id", "no payment id can be made from it"))
}

/// An order that was placed, and the moment of the decision.
pub(crate) struct Known<'a> {
    pub state: &'a OrderState,
    pub placed: &'a OrderPlaced,
    pub at: Timestamp,
}

impl Known<'_> {
    pub fn id(&self) -> OrderId {
        self.placed.order_id.clone()
    }

    /// Whether `payment` is the one this order asked for.
    pub fn is_paid_by(&self, payment: &PaymentId) -> bool {
        self.state.payment_id.as_ref() == Some(payment)
    }

    /// Asks for the money that credit leaves to pay. An order that leaves none is confirmed.
    pub fn payment(&self) -> Result<Vec<OrderEvent>, Rejection> {
        let payment_id = payment_of(&self.placed.order_id)?;
        let amount = self.due()?;
        if amount.amount == 0 {
            return self.confirmed(&payment_id);
        }
        Ok(vec![OrderEvent::PaymentRequested(OrderPaymentRequested {
            order_id: self.id(),
            number: self.placed.number.clone(),
            payment_id,
            amount,
            method: self.placed.payment.clone(),
            deadline: self.placed.deadline,
            access_token_hash: self.placed.access_token_hash.clone(),
            customer_id: self.placed.customer_id.clone(),
        })])
    }

    /// Reserved and paid for. Where the money is taken at once, payments is asked for it; where it
    /// is taken with the goods and there are none to ship, too.
    pub fn confirmed(&self, payment: &PaymentId) -> Result<Vec<OrderEvent>, Rejection> {
        let mut events = vec![OrderEvent::Confirmed(OrderConfirmed {
            order_id: self.id(),
            number: self.placed.number.clone(),
            payment_id: payment.clone(),
            total: self.placed.totals.total,
            at: self.at,
        })];
        let at_once = match self.placed.capture {
            CaptureMode::Manual => false,
            CaptureMode::OnConfirmation => true,
            CaptureMode::OnShipment => !self.placed.lines.iter().any(|l| l.requires_shipping),
        };
        if at_once {
            events.extend(self.capture(payment, self.due()?));
        }
        Ok(events)
    }

    pub fn action_required(&self, url: &str) -> Vec<OrderEvent> {
        vec![OrderEvent::PaymentActionRequired(
            OrderPaymentActionRequired {
                order_id: self.id(),
                url: url.to_owned(),
                at: self.at,
            },
        )]
    }

    pub fn captured(&self, amount: Money, captured: Money) -> Vec<OrderEvent> {
        vec![OrderEvent::PaymentCaptured(OrderPaymentCaptured {
            order_id: self.id(),
            amount,
            captured,
            at: self.at,
        })]
    }

    pub fn refunded(&self, amount: Money, refunded: Money) -> Vec<OrderEvent> {
        vec![OrderEvent::PaymentRefunded(OrderPaymentRefunded {
            order_id: self.id(),
            amount,
            refunded,
            at: self.at,
        })]
    }

    /// The order is given up: inventory releases and payments voids on hearing it.
    pub fn cancelled(
        &self,
        reason: CancelReason,
        by: Option<String>,
        shortages: Vec<Shortage>,
    ) -> Vec<OrderEvent> {
        vec![OrderEvent::Cancelled(OrderCancelled {
            order_id: self.id(),
            number: self.placed.number.clone(),
            reason,
            shortages,
            payment_id: self.state.payment_id.clone(),
            by,
            at: self.at,
        })]
    }

    /// A person asks. Staff may always; a buyer until it is confirmed, and for a while after.
    pub fn cancel(&self, canceller: &Canceller) -> Result<Vec<OrderEvent>, Rejection> {
        if !self.state.shipments.is_empty() {
            let detail = "goods of this order have left; what comes back is a return";
            return Err(Rejection::conflict("already-shipped", detail));
        }
        match canceller {
            Canceller::Staff { actor } => {
                Ok(self.cancelled(CancelReason::Staff, Some(actor.clone()), vec![]))
            }
            Canceller::Buyer { actor, within } => {
                let confirmed = self.state.confirmed_at;
                let confirmed = confirmed.filter(|_| self.state.status == OrderStatus::Confirmed);
                if confirmed.is_some_and(|since| self.at >= since.plus_seconds(*within)) {
                    let detail = "the order is being prepared; ask the shop to cancel it";
                    return Err(Rejection::conflict("too-late-to-cancel", detail));
                }
                Ok(self.cancelled(CancelReason::Customer, Some(actor.clone()), vec![]))
            }
        }
    }
}
