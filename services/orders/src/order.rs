//! The order's rules: an explicit state machine, and the checkout process with it. What does not
//! fit the state it meets changes nothing, so news may come twice, late, or after the end.

use std::sync::Arc;

use contracts::{
    inventory::Shortage,
    orders::{CancelReason, OrderEvent, OrderPlaced, OrderStatus},
    payments::PaymentId,
    shipping::{FulfilmentId, FulfilmentShipped},
};
use kernel::{Decider, Money, Rejection, Timestamp};

use crate::{state::OrderState, transitions::Known};

/// The rules of an order.
pub struct Order;

/// A step of an order, and when it was taken.
#[derive(Clone, Debug)]
pub struct OrderCommand {
    /// When.
    pub at: Timestamp,
    /// What.
    pub step: Step,
}

/// What an order can meet.
#[derive(Clone, Debug)]
pub enum Step {
    /// A cart was checked out.
    Place(Arc<OrderPlaced>),
    /// Inventory reserved every line.
    StockReserved,
    /// Inventory had too little of something and took nothing.
    StockRefused(Vec<Shortage>),
    /// Pricing counted every scarce promotion of it.
    PromotionsRedeemed,
    /// Pricing could not count one, and counted none.
    PromotionsRefused,
    /// Its gift cards and store credit are held.
    CreditHeld,
    /// They could not be held.
    CreditRefused,
    /// Goods of it left the building.
    Shipped(Arc<FulfilmentShipped>),
    /// The goods of a fulfilment arrived.
    Delivered(FulfilmentId),
    /// The provider holds this much for us.
    PaymentAuthorised(PaymentId, Money),
    /// The provider refused.
    PaymentDeclined(PaymentId),
    /// The buyer must go to this address.
    PaymentActionRequired(PaymentId, String),
    /// This much was taken now, and in all.
    PaymentCaptured(PaymentId, Money, Money),
    /// This much was given back now, and in all.
    PaymentRefunded(PaymentId, Money, Money),
    /// The time to confirm is over.
    DeadlinePassed,
    /// Somebody wants it cancelled.
    Cancel(Canceller),
}

/// Who cancels.
#[derive(Clone, Debug, PartialEq)]
pub enum Canceller {
    /// The buyer.
    Buyer {
        /// `customer:cus_…` or `guest`.
        actor: String,
        /// How long after the confirmation a buyer may still cancel, seconds.
        within: i64,
    },
    /// Staff, at any time.
    Staff {
        /// `staff:usr_…`.
        actor: String,
    },
}

impl Decider for Order {
    const CATEGORY: &'static str = "order";
    type State = OrderState;
    type Command = OrderCommand;
    type Event = OrderEvent;

    fn decide(state: &OrderState, command: &OrderCommand) -> Result<Vec<OrderEvent>, Rejection> {
        let Some(placed) = state.placed.as_deref() else {
            return match &command.step {
                Step::Place(placed) => Ok(vec![OrderEvent::Placed(OrderPlaced::clone(placed))]),
                Step::Cancel(_) => Err(Rejection::not_found("order")),
                _ => Ok(vec![]),
            };
        };
        let order = Known {
            state,
            placed,
            at: command.at,
        };
        Ok(match (state.status, &command.step) {
            (OrderStatus::Placed, Step::StockReserved) => order.claimed(&command.step)?,
            (OrderStatus::Placed, Step::StockRefused(shortages)) => {
                order.cancelled(CancelReason::SoldOut, None, shortages.clone())
            }
            (OrderStatus::Placed | OrderStatus::StockReserved, step) if step.is_a_claim() => {
                order.claimed(step)?
            }
            (
                OrderStatus::StockReserved | OrderStatus::PaymentActionRequired,
                Step::PaymentAuthorised(payment, amount),
            ) if order.is_paid_by(payment) && covers(*amount, order.due()?) => {
                order.confirmed(payment)?
            }
            (
                OrderStatus::StockReserved | OrderStatus::PaymentActionRequired,
                Step::PaymentDeclined(payment),
            ) if order.is_paid_by(payment) => {
                order.cancelled(CancelReason::PaymentDeclined, None, vec![])
            }
            (
                OrderStatus::StockReserved | OrderStatus::PaymentActionRequired,
                Step::PaymentActionRequired(payment, url),
            ) if order.is_paid_by(payment) && state.action_url.as_ref() != Some(url) => {
                order.action_required(url)
            }
            // Money moves on after the end too: a refund of a cancelled order is part of its story.
            (
                OrderStatus::Confirmed | OrderStatus::Cancelled,
                Step::PaymentCaptured(payment, amount, captured),
            ) if order.is_paid_by(payment) && captured.amount > state.captured => {
                order.captured(*amount, *captured)
            }
            (
                OrderStatus::Confirmed | OrderStatus::Cancelled,
                Step::PaymentRefunded(payment, amount, refunded),
            ) if order.is_paid_by(payment) && refunded.amount > state.refunded => {
                order.refunded(*amount, *refunded)
            }
            (
                OrderStatus::Placed
                | OrderStatus::StockReserved
                | OrderStatus::PaymentActionRequired,
                Step::DeadlinePassed,
            ) => order.cancelled(CancelReason::Deadline, None, vec![]),
            // What left has left, wanted or not.
            (OrderStatus::Confirmed | OrderStatus::Cancelled, Step::Shipped(shipped)) => {
                order.shipped(shipped)?
            }
            (OrderStatus::Confirmed | OrderStatus::Cancelled, Step::Delivered(fulfilment)) => {
                order.delivered(fulfilment)
            }
            (OrderStatus::Cancelled, Step::Cancel(_)) => vec![],
            (_, Step::Cancel(canceller)) => order.cancel(canceller)?,
            _ => vec![],
        })
    }

    fn evolve(state: &mut OrderState, event: &OrderEvent) {
        let system = || "system".to_owned();
        match event {
            OrderEvent::Placed(placed) => {
                state.placed = Some(Arc::new(placed.clone()));
                state.status = OrderStatus::Placed;
                state.happened(placed.at, "placed", OrderState::buyer(placed), None);
            }
            OrderEvent::StockReserved(reserved) => {
                state.status = OrderStatus::StockReserved;
                state.happened(reserved.at, "stock_reserved", system(), None);
            }
            // Asked in the same breath as the stock was reserved: no entry of its own.
            OrderEvent::PaymentRequested(requested) => {
                state.payment_id = Some(requested.payment_id.clone());
            }
            OrderEvent::PaymentActionRequired(action) => {
                state.status = OrderStatus::PaymentActionRequired;
                state.action_url = Some(action.url.clone());
                state.happened(action.at, "payment_action_required", system(), None);
            }
            OrderEvent::Confirmed(confirmed) => {
                state.status = OrderStatus::Confirmed;
                state.action_url = None;
                state.confirmed_at = Some(confirmed.at);
                state.happened(confirmed.at, "confirmed", system(), None);
            }
            OrderEvent::Cancelled(cancelled) => {
                state.status = OrderStatus::Cancelled;
                state.action_url = None;
                state.cancelled = Some(Arc::new(cancelled.clone()));
                let who = cancelled.by.clone().unwrap_or_else(system);
                let note = Some(why(cancelled.reason).to_owned());
                state.happened(cancelled.at, "cancelled", who, note);
            }
            // Of interest to nobody but the process: no entries of their own.
            OrderEvent::PromotionsRedeemed(_) => state.redeemed = true,
            OrderEvent::CreditHeld(_) => state.credit_held = true,
            OrderEvent::CaptureRequested(asked) => state.capture_asked = asked.up_to.amount,
            OrderEvent::Shipped(shipped) => state.left(shipped),
            OrderEvent::Delivered(delivered) => state.arrived(delivered),
            OrderEvent::PaymentCaptured(captured) => {
                state.captured = captured.captured.amount;
                let note = Some(captured.amount.to_string());
                state.happened(captured.at, "payment_captured", system(), note);
            }
            OrderEvent::PaymentRefunded(refunded) => {
                state.refunded = refunded.refunded.amount;
                let note = Some(refunded.amount.to_string());
                state.happened(refunded.at, "payment_refunded", system(), note);
            }
        }
    }
}

/// For people.
fn why(reason: CancelReason) -> &'static str {
    match reason {
        CancelReason::SoldOut => "sold out",
        CancelReason::PaymentDeclined => "the payment was declined",
        CancelReason::Deadline => "not confirmed in time",
        CancelReason::PromotionUsedUp => "a coupon or promotion was used up",
        CancelReason::CreditRefused => "a gift card or store credit had too little on it",
        CancelReason::Customer => "the customer asked",
        CancelReason::Staff => "staff decided",
    }
}

fn covers(amount: Money, total: Money) -> bool {
    amount.currency == total.currency && amount.amount >= total.amount
}
