//! What other services' events mean for an order's fulfilments: commands over the order's stream
//! and those of its fulfilments, committed together.

use contracts::{
    inventory::{ReservationEvent, ReservedLine},
    orders::{OrderEvent, OrderId, OrderPlaced},
    shipping::{DispatchAllocated, DispatchNoted, FulfilmentLine},
};
use kernel::{
    Command, Decider, Poison, Reaction, Recorded, Rejection, StreamId, Subscription, UnitOfWork,
};

use crate::{
    dispatch::{Dispatch, DispatchCommand, Dispatches},
    fulfilment::{Fulfilments, Step},
    on_fulfilment::OnFulfilment,
    patience::Patience,
};

/// What was heard of an order.
#[derive(Clone)]
pub enum Heard {
    /// Placed, with goods to be shipped.
    Placed(Box<DispatchNoted>),
    /// Its goods are there.
    Allocated(Vec<ReservedLine>),
    /// Given up.
    Cancelled,
}

/// Takes in what was heard of an order.
pub struct OnOrder {
    /// Which order.
    pub order_id: OrderId,
    /// What.
    pub heard: Heard,
    /// How patient to be with carriers.
    pub patience: Patience,
}

impl Command for OnOrder {
    type Output = ();

    fn streams(&self) -> Vec<StreamId> {
        vec![StreamId::new(Dispatches::CATEGORY, self.order_id.as_str())]
    }

    fn handle(&self, work: &mut UnitOfWork<'_>) -> Result<(), Rejection> {
        let (id, at) = (self.order_id.as_str(), work.now());
        let before = work.state::<Dispatches>(id)?.clone();
        match &self.heard {
            Heard::Placed(noted) => {
                let lines = before.allocated.clone().unwrap_or_default();
                work.decide::<Dispatches>(id, &DispatchCommand::Note(noted.clone()))?;
                self.create(work, &before, &lines)
            }
            Heard::Allocated(lines) => {
                let allocated = DispatchAllocated {
                    order_id: self.order_id.clone(),
                    lines: lines.clone(),
                };
                work.decide::<Dispatches>(id, &DispatchCommand::Allocate(allocated))?;
                self.create(work, &before, lines)
            }
            Heard::Cancelled => {
                let cancel = DispatchCommand::Cancel(self.order_id.clone(), at);
                work.decide::<Dispatches>(id, &cancel)?;
                for fulfilment_id in before.fulfilments {
                    let cancel = OnFulfilment {
                        id: fulfilment_id,
                        step: Step::Cancel,
                        patience: self.patience,
                    };
                    cancel.handle(work)?;
                }
                Ok(())
            }
        }
    }
}

impl OnOrder {
    /// Makes the fulfilments that were planned just now.
    fn create(
        &self,
        work: &mut UnitOfWork<'_>,
        before: &Dispatch,
        lines: &[ReservedLine],
    ) -> Result<(), Rejection> {
        let at = work.now();
        let state = work.state::<Dispatches>(self.order_id.as_str())?.clone();
        if state.fulfilments.len() == before.fulfilments.len() {
            return Ok(());
        }
        for created in state.plan(lines, at) {
            let id = created.fulfilment_id.as_str().to_owned();
            let step = Step::Create(Box::new(created)).at(at, self.patience);
            work.decide::<Fulfilments>(&id, &step)?;
        }
        Ok(())
    }
}

/// Placed → kept, cancelled → nothing more is sent.
pub fn from_orders(patience: Patience) -> Subscription {
    Subscription::new("orders", &["orders"], move |recorded| {
        // Looked at by name first: an order's other events need not be decoded for this.
        if !matches!(
            &*recorded.kind,
            "orders.order.placed.v1" | "orders.order.cancelled.v1"
        ) {
            return Ok(Reaction::none());
        }
        let Some(event) = recorded.decode::<OrderEvent>()? else {
            return Ok(Reaction::none());
        };
        Ok(match &*event {
            OrderEvent::Placed(placed) => match noted(placed) {
                Some(noted) => on_order(&placed.order_id, Heard::Placed(Box::new(noted)), patience),
                None => Reaction::none(),
            },
            OrderEvent::Cancelled(e) => on_order(&e.order_id, Heard::Cancelled, patience),
            _ => Reaction::none(),
        })
    })
}

/// Allocated (which follows the order's confirmation) → fulfilments.
pub fn from_inventory(patience: Patience) -> Subscription {
    Subscription::new("allocations", &["inventory"], move |recorded: &Recorded| {
        if &*recorded.kind != "inventory.reservation.allocated.v1" {
            return Ok::<_, Poison>(Reaction::none());
        }
        Ok(match recorded.decode::<ReservationEvent>()?.as_deref() {
            Some(ReservationEvent::Allocated(e)) => {
                on_order(&e.order_id, Heard::Allocated(e.lines.clone()), patience)
            }
            _ => Reaction::none(),
        })
    })
}

fn on_order(order_id: &OrderId, heard: Heard, patience: Patience) -> Reaction {
    Reaction::command(OnOrder {
        order_id: order_id.clone(),
        heard,
        patience,
    })
}

/// What is kept of an order; nothing if nothing of it is shipped.
pub fn noted(placed: &OrderPlaced) -> Option<DispatchNoted> {
    let shipped = placed.lines.iter().filter(|line| line.requires_shipping);
    let lines: Vec<FulfilmentLine> = shipped
        .map(|line| FulfilmentLine {
            line_id: line.id.clone(),
            sku: line.sku.clone(),
            title: line.title.clone(),
            quantity: line.quantity,
        })
        .collect();
    let shipping = placed.shipping.as_ref();
    (!lines.is_empty()).then(|| DispatchNoted {
        order_id: placed.order_id.clone(),
        number: placed.number.clone(),
        person: placed.person.clone(),
        recipient: placed.contact.clone(),
        lines,
        option_id: shipping.map(|s| s.option_id.clone()),
        collect_from: shipping.and_then(|s| s.collect_from.clone()),
        customer_id: placed.customer_id.clone(),
        access_token_hash: placed.access_token_hash.clone(),
    })
}
