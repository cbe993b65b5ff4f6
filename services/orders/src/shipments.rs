//! Goods that leave and arrive, and the money that is taken with them.

use contracts::{
    orders::{
        OrderCaptureRequested, OrderDelivered, OrderEvent, OrderFulfilment, OrderLine,
        OrderShipment, OrderShipped, OrderStatus,
    },
    payments::PaymentId,
    pricing::CaptureMode,
    shipping::{FulfilmentId, FulfilmentShipped},
};
use kernel::{Money, Rejection};

use crate::{state::OrderState, transitions::Known};

impl Known<'_> {
    /// Goods left. Where the money is taken with them, their part of it is asked for.
    pub fn shipped(&self, news: &FulfilmentShipped) -> Result<Vec<OrderEvent>, Rejection> {
        let known = &self.state.shipments;
        if known.iter().any(|s| s.fulfilment_id == news.fulfilment_id) {
            return Ok(vec![]);
        }
        let mut after = self.state.clone();
        let mut shipped = OrderShipped {
            order_id: self.id(),
            number: self.placed.number.clone(),
            fulfilment_id: news.fulfilment_id.clone(),
            lines: news.lines.clone(),
            tracking: news.tracking.clone(),
            complete: false,
            at: news.at,
        };
        after.left(&shipped);
        shipped.complete = after.has_left(&self.placed.lines);
        let complete = shipped.complete;
        let mut events = vec![OrderEvent::Shipped(shipped)];
        let with_the_goods = self.placed.capture == CaptureMode::OnShipment
            && self.state.status == OrderStatus::Confirmed;
        if let Some(payment) = self.state.payment_id.as_ref().filter(|_| with_the_goods) {
            let due = self.due()?;
            let up_to = match complete {
                true => due,
                false => share(due, self.value_of(&after), self.placed.totals.total),
            };
            events.extend(self.capture(payment, up_to));
        }
        Ok(events)
    }

    /// Asks payments to have taken `up_to` in all, if that is more than was asked for before.
    pub fn capture(&self, payment: &PaymentId, up_to: Money) -> Option<OrderEvent> {
        (up_to.amount > self.state.capture_asked).then(|| {
            OrderEvent::CaptureRequested(OrderCaptureRequested {
                order_id: self.id(),
                payment_id: payment.clone(),
                up_to,
                at: self.at,
            })
        })
    }

    /// Goods arrived.
    pub fn delivered(&self, fulfilment: &FulfilmentId) -> Vec<OrderEvent> {
        let mut shipments = self.state.shipments.iter();
        let unknown =
            |s: &&OrderShipment| s.fulfilment_id == *fulfilment && s.delivered_at.is_none();
        if !shipments.any(|s| unknown(&s)) {
            return vec![];
        }
        let others = self.state.shipments.iter();
        let mut others = others.filter(|s| s.fulfilment_id != *fulfilment);
        let complete = self.state.fulfilment == OrderFulfilment::Shipped
            && others.all(|s| s.delivered_at.is_some());
        vec![OrderEvent::Delivered(OrderDelivered {
            order_id: self.id(),
            fulfilment_id: fulfilment.clone(),
            complete,
            at: self.at,
        })]
    }

    /// What the goods that have left cost, with what is not shipped and the shipping itself.
    fn value_of(&self, after: &OrderState) -> i64 {
        let shipping = self.placed.shipping.as_ref().map_or(0, |s| s.total.amount);
        let lines = self.placed.lines.iter().map(|line| {
            let left = after.shipped.get(&line.id).copied().unwrap_or(0);
            match line.requires_shipping {
                true => part(line.total.amount, left.min(line.quantity), line.quantity),
                false => line.total.amount,
            }
        });
        lines.fold(shipping, i64::saturating_add)
    }
}

/// `amount × numerator ÷ denominator`, rounded down.
fn part(amount: i64, numerator: i64, denominator: i64) -> i64 {
    let exact = i128::from(amount) * i128::from(numerator) / i128::from(denominator.max(1));
    i64::try_from(exact).unwrap_or(amount)
}

/// The part of `due` that goods worth `value` of `total` stand for.
fn share(due: Money, value: i64, total: Money) -> Money {
    let value = value.clamp(0, total.amount.max(0));
    Money::new(part(due.amount, value, total.amount), due.currency)
}

impl OrderState {
    /// Takes in that goods left.
    pub(crate) fn left(&mut self, shipped: &OrderShipped) {
        for line in &shipped.lines {
            *self.shipped.entry(line.line_id.clone()).or_default() += line.quantity;
        }
        self.fulfilment = match shipped.complete {
            true => OrderFulfilment::Shipped,
            false => OrderFulfilment::PartlyShipped,
        };
        self.shipments.push(OrderShipment {
            fulfilment_id: shipped.fulfilment_id.clone(),
            shipped_at: shipped.at,
            delivered_at: None,
            tracking: shipped.tracking.clone(),
        });
        let note = shipped.tracking.as_ref();
        let note = note.map(|tracking| format!("{} {}", tracking.carrier, tracking.number));
        self.happened(shipped.at, "shipped", "system".into(), note);
    }

    /// Takes in that goods arrived.
    pub(crate) fn arrived(&mut self, delivered: &OrderDelivered) {
        let mut shipments = self.shipments.iter_mut();
        if let Some(s) = shipments.find(|s| s.fulfilment_id == delivered.fulfilment_id) {
            s.delivered_at = Some(delivered.at);
        }
        if delivered.complete {
            self.fulfilment = OrderFulfilment::Delivered;
        }
        self.happened(delivered.at, "delivered", "system".into(), None);
    }

    /// Whether everything that is shipped has left.
    fn has_left(&self, lines: &[OrderLine]) -> bool {
        lines
            .iter()
            .filter(|line| line.requires_shipping)
            .all(|line| self.shipped.get(&line.id).copied().unwrap_or(0) >= line.quantity)
    }
}
