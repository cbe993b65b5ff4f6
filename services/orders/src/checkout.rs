//! The checkout process: what other services' events, and the clock, mean for an order.

use std::sync::Arc;

use contracts::{
    cart::{CartCheckedOut, CartEvent},
    credit::CreditHoldEvent,
    inventory::ReservationEvent,
    orders::{OrderId, OrderPlaced},
    payments::PaymentEvent,
    pricing::RedemptionEvent,
    shipping::FulfilmentNews,
};
use kernel::{
    AnyCommand, Command, Decider, Poison, Reaction, Recorded, Rejection, StreamId, Subscription,
    Timer, UnitOfWork,
};

use crate::{
    order::{Order, OrderCommand, Step},
    state::OrderState,
};

/// The kind of the timer that gives an order up.
pub const DEADLINE: &str = "order-deadline";

/// A step of the order `id`; its deadline's timer is set and cancelled in the same commit.
#[derive(Clone, Debug)]
pub struct OnOrder {
    /// Which order.
    pub id: OrderId,
    /// What it meets.
    pub step: Step,
}

impl Command for OnOrder {
    type Output = OrderState;

    fn streams(&self) -> Vec<StreamId> {
        vec![StreamId::new(Order::CATEGORY, self.id.as_str())]
    }

    fn handle(&self, work: &mut UnitOfWork<'_>) -> Result<OrderState, Rejection> {
        let id = self.id.as_str();
        let was_pending = work.state::<Order>(id)?.is_pending();
        let command = OrderCommand {
            at: work.now(),
            step: self.step.clone(),
        };
        work.decide::<Order>(id, &command)?;
        let order = work.state::<Order>(id)?.clone();
        match (was_pending, &order.placed) {
            (false, Some(placed)) if order.is_pending() => work.set_timer(Timer {
                key: deadline_of(&self.id),
                due: placed.deadline,
                kind: DEADLINE.into(),
                data: self.id.to_string(),
            }),
            (true, _) if !order.is_pending() => work.cancel_timer(deadline_of(&self.id)),
            _ => {}
        }
        Ok(order)
    }
}

fn deadline_of(order: &OrderId) -> String {
    format!("{DEADLINE}:{order}")
}

/// The deadline fell due.
pub fn deadline(timer: &Timer) -> Result<Box<dyn AnyCommand>, Poison> {
    Ok(Box::new(OnOrder {
        id: timer.data.parse().map_err(Poison)?,
        step: Step::DeadlinePassed,
    }))
}

/// Checked-out carts become orders.
pub fn from_carts() -> Subscription {
    Subscription::new("carts", &["cart"], |event| {
        // Looked at by name first: a cart's other events need not be decoded for this.
        if &*event.kind != "cart.cart.checked_out.v1" {
            return Ok(Reaction::none());
        }
        let Some(cart) = event.decode::<CartEvent>()? else {
            return Ok(Reaction::none());
        };
        Ok(match &*cart {
            CartEvent::CheckedOut(checkout) => {
                let placed = Arc::new(placed(checkout, event));
                step(&checkout.order_id, Step::Place(placed))
            }
            _ => Reaction::none(),
        })
    })
}

fn placed(checkout: &CartCheckedOut, event: &Recorded) -> OrderPlaced {
    OrderPlaced {
        order_id: checkout.order_id.clone(),
        number: checkout.number.clone(),
        cart_id: checkout.cart_id.clone(),
        person: checkout.person.clone(),
        customer_id: checkout.customer_id.clone(),
        contact: checkout.contact.clone(),
        lines: checkout.lines.clone(),
        totals: checkout.totals.clone(),
        payment: checkout.payment.clone(),
        shipping: checkout.shipping.clone(),
        channel: checkout.channel.clone(),
        redemptions: checkout.redemptions.clone(),
        credits: checkout.credits.clone(),
        buyer_key: checkout.buyer_key.clone(),
        capture: checkout.capture,
        locale: checkout.locale.clone(),
        access_token_hash: checkout.access_token_hash.clone(),
        deadline: checkout.deadline,
        // When the buyer got the answer, not when this service heard of it.
        at: event.at,
    }
}

/// Inventory's answer.
pub fn from_inventory() -> Subscription {
    Subscription::new("reservations", &["inventory"], |event| {
        let Some(reservation) = event.decode::<ReservationEvent>()? else {
            return Ok(Reaction::none());
        };
        Ok(match &*reservation {
            ReservationEvent::Made(made) => match &made.order_id {
                Some(order) => step(order, Step::StockReserved),
                None => Reaction::none(),
            },
            ReservationEvent::Refused(refused) => match &refused.order_id {
                Some(order) => step(order, Step::StockRefused(refused.shortages.clone())),
                None => Reaction::none(),
            },
            ReservationEvent::Allocated(_)
            | ReservationEvent::Dispatched(_)
            | ReservationEvent::Released(_) => Reaction::none(),
        })
    })
}

/// News of the payment.
pub fn from_payments() -> Subscription {
    Subscription::new("payments", &["payments"], |event| {
        let Some(payment) = event.decode::<PaymentEvent>()? else {
            return Ok(Reaction::none());
        };
        Ok(match &*payment {
            PaymentEvent::Authorised(e) => {
                let payment = e.payment_id.clone();
                step(&e.order_id, Step::PaymentAuthorised(payment, e.amount))
            }
            PaymentEvent::Declined(e) => {
                step(&e.order_id, Step::PaymentDeclined(e.payment_id.clone()))
            }
            PaymentEvent::ActionRequired(e) => {
                let (payment, url) = (e.payment_id.clone(), e.url.clone());
                step(&e.order_id, Step::PaymentActionRequired(payment, url))
            }
            PaymentEvent::Captured(e) => {
                let payment = e.payment_id.clone();
                step(
                    &e.order_id,
                    Step::PaymentCaptured(payment, e.amount, e.captured),
                )
            }
            PaymentEvent::Refunded(e) => {
                let payment = e.payment_id.clone();
                step(
                    &e.order_id,
                    Step::PaymentRefunded(payment, e.amount, e.refunded),
                )
            }
            _ => Reaction::none(),
        })
    })
}

/// Pricing's answer to the claim on scarce promotions.
pub fn from_pricing() -> Subscription {
    Subscription::new("redemptions", &["pricing"], |event| {
        let Some(redemption) = event.decode::<RedemptionEvent>()? else {
            return Ok(Reaction::none());
        };
        Ok(match &*redemption {
            RedemptionEvent::Made(e) => step(&e.order_id, Step::PromotionsRedeemed),
            RedemptionEvent::Refused(e) => step(&e.order_id, Step::PromotionsRefused),
            RedemptionEvent::Released(_) => Reaction::none(),
        })
    })
}

/// Credit's answer to the claim on gift cards and store credit.
pub fn from_credit() -> Subscription {
    Subscription::new("credit", &["credit"], |event| {
        let Some(hold) = event.decode::<CreditHoldEvent>()? else {
            return Ok(Reaction::none());
        };
        Ok(match &*hold {
            CreditHoldEvent::Held(e) => step(&e.order_id, Step::CreditHeld),
            CreditHoldEvent::Refused(e) => step(&e.order_id, Step::CreditRefused),
            CreditHoldEvent::Spent(_)
            | CreditHoldEvent::Released(_)
            | CreditHoldEvent::RefundMade(_)
            | CreditHoldEvent::RefundRefused(_) => Reaction::none(),
        })
    })
}

/// News of the goods.
pub fn from_shipping() -> Subscription {
    Subscription::new("fulfilments", &["shipping"], |event| {
        let Some(fulfilment) = event.decode::<FulfilmentNews>()? else {
            return Ok(Reaction::none());
        };
        Ok(match &*fulfilment {
            FulfilmentNews::Shipped(e) => step(&e.order_id, Step::Shipped(Arc::new(e.clone()))),
            FulfilmentNews::Delivered(e) => {
                step(&e.order_id, Step::Delivered(e.fulfilment_id.clone()))
            }
            FulfilmentNews::Created(_)
            | FulfilmentNews::Lost(_)
            | FulfilmentNews::Returned(_)
            | FulfilmentNews::Cancelled(_) => Reaction::none(),
        })
    })
}

fn step(order: &OrderId, step: Step) -> Reaction {
    Reaction::command(OnOrder {
        id: order.clone(),
        step,
    })
}
