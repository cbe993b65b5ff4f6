//! Order history: what orders' events mean for the customers who placed them.

use contracts::{
    customers::OrderRecorded,
    identity::CustomerId,
    orders::{OrderEvent, OrderId, OrderPlaced, OrderStatus},
};
use kernel::{Command, Decider, Personal, Reaction, Rejection, StreamId, Subscription, UnitOfWork};

use crate::{
    customer::{Customers, Standing, Step},
    erasure::erase,
    mailbox::{self, Mailboxes},
    order::{self, Record, RecordCommand, Records},
    profile::{customer, directory, reassess, resolved, step},
    statistics,
};

/// The events of an order that mean something here.
const HEARD: &[&str] = &[
    "orders.order.placed.v1",
    "orders.order.confirmed.v1",
    "orders.order.cancelled.v1",
    "orders.order.payment_refunded.v1",
];

/// Remembers orders. Not exclusive: events of one order come in order, and the sums of a customer
/// are decided on the customer's own stream.
pub fn from_orders() -> Subscription {
    Subscription::new("orders", &["orders"], |event| {
        if !HEARD.contains(&&*event.kind) {
            return Ok(Reaction::none());
        }
        let Some(order) = event.decode::<OrderEvent>()? else {
            return Ok(Reaction::none());
        };
        Ok(match &*order {
            OrderEvent::Placed(placed) => Reaction::command(RecordOrder::of(placed)?),
            OrderEvent::Confirmed(e) => stands(&e.order_id, OrderStatus::Confirmed),
            OrderEvent::Cancelled(e) => stands(&e.order_id, OrderStatus::Cancelled),
            OrderEvent::PaymentRefunded(e) => {
                on_order(&e.order_id, RecordCommand::Refunded(e.refunded))
            }
            _ => Reaction::none(),
        })
    })
}

fn stands(order: &OrderId, status: OrderStatus) -> Reaction {
    on_order(order, RecordCommand::Stands(status))
}

fn on_order(order: &OrderId, command: RecordCommand) -> Reaction {
    Reaction::command(MoveOrder {
        id: order.clone(),
        command,
    })
}

/// An order was placed.
#[derive(Clone, Debug)]
pub struct RecordOrder {
    /// As it will be remembered.
    pub order: OrderRecorded,
    /// Where it goes.
    pub country: Option<Personal<String>>,
}

impl RecordOrder {
    /// What is remembered of a placed order.
    pub fn of(placed: &OrderPlaced) -> Result<Self, Rejection> {
        let contact = placed.contact.get();
        let email = contact.map_or("", |contact| contact.email.as_str());
        let country = contact.map(|contact| contact.shipping_address.country.clone());
        Ok(Self {
            country: country.map(|country| Personal::new(placed.person.clone(), country)),
            order: OrderRecorded {
                order_id: placed.order_id.clone(),
                number: placed.number.clone(),
                person: placed.person.clone(),
                customer_id: placed.customer_id.clone(),
                email_hash: mailbox::hash(email)?,
                total: placed.totals.total,
                placed_at: placed.at,
            },
        })
    }
}

impl Command for RecordOrder {
    type Output = ();

    fn streams(&self) -> Vec<StreamId> {
        let order = &self.order;
        let mut streams = vec![order::stream(&order.order_id)];
        match &order.customer_id {
            Some(id) => streams.extend([customer(id), directory()]),
            None if order.email_hash.is_empty() => {}
            None => streams.push(StreamId::new(Mailboxes::CATEGORY, &order.email_hash)),
        }
        streams
    }

    fn handle(&self, work: &mut UnitOfWork<'_>) -> Result<(), Rejection> {
        let (order, id) = (&self.order, self.order.order_id.as_str());
        let record = RecordCommand::Record(order.clone());
        if work.state::<Records>(id)?.recorded.is_some() {
            return Ok(());
        }
        work.decide::<Records>(id, &record)?;
        let owner = match &order.customer_id {
            Some(id) => Some(id.clone()),
            None if order.email_hash.is_empty() => None,
            None => work.state::<Mailboxes>(&order.email_hash)?.customer.clone(),
        };
        let Some(owner) = owner else { return Ok(()) };
        let owner = resolved(work, &owner)?;
        if work.state::<Customers>(owner.as_str())?.standing == Standing::Erased {
            // It was under way while they were erased.
            return erase(work, &order.person, Some(&owner));
        }
        if order.customer_id.is_none() {
            claim(work, &order.order_id, &owner)?;
        }
        step(work, &owner, Step::LinkPerson(order.person.clone()))?;
        if let Some(country) = &self.country {
            step(work, &owner, Step::SeeCountry(country.clone()))?;
        }
        reassess(work, &owner)
    }
}

/// An order stands elsewhere, or was refunded.
#[derive(Clone, Debug)]
pub struct MoveOrder {
    /// Which.
    pub id: OrderId,
    /// What.
    pub command: RecordCommand,
}

impl Command for MoveOrder {
    type Output = ();

    fn streams(&self) -> Vec<StreamId> {
        vec![order::stream(&self.id)]
    }

    fn handle(&self, work: &mut UnitOfWork<'_>) -> Result<(), Rejection> {
        let id = self.id.as_str();
        let before = work.state::<Records>(id)?.clone();
        if work.decide::<Records>(id, &self.command)? == 0 {
            return Ok(());
        }
        let after = work.state::<Records>(id)?.clone();
        match after.owner().cloned() {
            Some(owner) => count(work, &owner, &before, &after),
            None => Ok(()),
        }
    }
}

/// Orders placed as a guest turned out to be a customer's, who showed that the e-mail address is
/// theirs. What is not theirs, or is somebody's already, is passed over.
#[derive(Clone, Debug)]
pub struct ClaimOrders {
    /// Whose they are.
    pub customer_id: CustomerId,
    /// Which.
    pub orders: Vec<OrderId>,
}

impl Command for ClaimOrders {
    type Output = ();

    fn streams(&self) -> Vec<StreamId> {
        let orders = self.orders.iter().map(order::stream);
        let rest = [customer(&self.customer_id), directory()];
        orders.chain(rest).collect()
    }

    fn handle(&self, work: &mut UnitOfWork<'_>) -> Result<(), Rejection> {
        let state = work.state::<Customers>(self.customer_id.as_str())?;
        if !state.verified {
            return Ok(());
        }
        let email_hash = state.email_hash.clone();
        for order in &self.orders {
            let recorded = work.state::<Records>(order.as_str())?.recorded.as_ref();
            if recorded.is_some_and(|recorded| recorded.email_hash == email_hash) {
                claim(work, order, &self.customer_id)?;
            }
        }
        reassess(work, &self.customer_id)
    }
}

/// Makes an order that is nobody's this customer's, with what it contributes.
fn claim(work: &mut UnitOfWork<'_>, order: &OrderId, owner: &CustomerId) -> Result<(), Rejection> {
    let claim = RecordCommand::Claim {
        customer_id: owner.clone(),
        at: work.now(),
    };
    if work.decide::<Records>(order.as_str(), &claim)? == 0 {
        return Ok(());
    }
    let record = work.state::<Records>(order.as_str())?.clone();
    if let Some(recorded) = &record.recorded {
        step(work, owner, Step::LinkPerson(recorded.person.clone()))?;
    }
    count(work, owner, &Record::default(), &record)
}

/// Brings the owner's statistics up to date with what an order contributes now.
fn count(
    work: &mut UnitOfWork<'_>,
    owner: &CustomerId,
    before: &Record,
    after: &Record,
) -> Result<(), Rejection> {
    let (before, after) = (before.counted(), after.counted());
    if before == after {
        return Ok(());
    }
    let owner = resolved(work, owner)?;
    let statistics = &work.state::<Customers>(owner.as_str())?.statistics;
    let new = statistics::changed(statistics, before.as_ref(), after.as_ref());
    step(work, &owner, Step::Count(new))?;
    reassess(work, &owner)
}
