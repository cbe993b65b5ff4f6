//! An order as customers remembers it: who placed it, where it stands, what it contributes.

use contracts::{
    customers::{ClaimedBy, OrderClaimed, OrderRecordChanged, OrderRecordEvent, OrderRecorded},
    identity::CustomerId,
    orders::{OrderId, OrderStatus},
};
use kernel::{Decider, Money, Rejection, Timestamp};
use serde::{Deserialize, Serialize};

use crate::statistics::Counted;

/// What is remembered of an order.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// As it was placed; `None` before that.
    pub recorded: Option<OrderRecorded>,
    /// Where it stands.
    pub status: OrderStatus,
    /// What was refunded so far, in its currency.
    pub refunded: i64,
    /// Who claimed it later.
    pub claimed_by: Option<CustomerId>,
}

impl Record {
    /// Whose it is, as far as this record knows (profiles may have been merged since).
    pub fn owner(&self) -> Option<&CustomerId> {
        let placed_by = self.recorded.as_ref()?.customer_id.as_ref();
        placed_by.or(self.claimed_by.as_ref())
    }

    /// What it contributes to its owner's statistics.
    pub fn counted(&self) -> Option<Counted> {
        let recorded = self.recorded.as_ref()?;
        (self.status == OrderStatus::Confirmed).then(|| Counted {
            order_id: recorded.order_id.clone(),
            at: recorded.placed_at,
            amount: Money::new(
                recorded.total.amount.saturating_sub(self.refunded),
                recorded.total.currency,
            ),
        })
    }
}

/// What can be asked of a record.
#[derive(Clone, Debug)]
pub enum RecordCommand {
    /// Remember a placed order.
    Record(OrderRecorded),
    /// It was confirmed, or cancelled.
    Stands(OrderStatus),
    /// So much was refunded in all.
    Refunded(Money),
    /// It is this customer's.
    Claim {
        /// Whose.
        customer_id: CustomerId,
        /// When.
        at: Timestamp,
    },
}

/// The rules of records.
pub struct Records;

impl Decider for Records {
    const CATEGORY: &'static str = "order";
    type State = Record;
    type Command = RecordCommand;
    type Event = OrderRecordEvent;

    fn decide(state: &Record, command: &RecordCommand) -> Result<Vec<OrderRecordEvent>, Rejection> {
        let Some(recorded) = &state.recorded else {
            return Ok(match command {
                RecordCommand::Record(recorded) => vec![recorded.clone().into()],
                // An order whose beginning was never heard of.
                _ => vec![],
            });
        };
        let currency = recorded.total.currency;
        let change = |status: OrderStatus, refunded: i64| OrderRecordChanged {
            order_id: recorded.order_id.clone(),
            status,
            refunded: Money::new(refunded, currency),
        };
        Ok(match command {
            RecordCommand::Stands(status) if *status != state.status => {
                vec![change(*status, state.refunded).into()]
            }
            RecordCommand::Refunded(sum) if sum.amount != state.refunded => {
                vec![change(state.status, sum.amount).into()]
            }
            RecordCommand::Claim { customer_id, at } if state.owner().is_none() => vec![
                OrderClaimed {
                    order_id: recorded.order_id.clone(),
                    customer_id: customer_id.clone(),
                    person: recorded.person.clone(),
                    by: ClaimedBy::VerifiedEmail,
                    at: *at,
                }
                .into(),
            ],
            _ => vec![],
        })
    }

    fn evolve(state: &mut Record, event: &OrderRecordEvent) {
        match event {
            OrderRecordEvent::Recorded(recorded) => state.recorded = Some(recorded.clone()),
            OrderRecordEvent::Changed(changed) => {
                state.status = changed.status;
                state.refunded = changed.refunded.amount;
            }
            OrderRecordEvent::Claimed(claimed) => {
                state.claimed_by = Some(claimed.customer_id.clone());
            }
        }
    }
}

/// The stream of an order's record.
pub fn stream(order: &OrderId) -> kernel::StreamId {
    kernel::StreamId::new(Records::CATEGORY, order.as_str())
}
