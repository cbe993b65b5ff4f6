//! What is done in one commit, over the streams and timers it takes.

use std::sync::Arc;

use contracts::notifications::{
    AddressBounced, AddressUnsubscribed, MessageKind, MessageQueued, OrderNoted, OrderNoticeHeld,
};
use kernel::{
    AnyCommand, Command, Decider, Poison, Rejection, StreamId, Timer, UnitOfWork, serde_json,
};
use serde::{Deserialize, Serialize};

use crate::{
    address::{Address, AddressCommand},
    known_order::{KnownOrder, KnownOrderCommand},
    message::{Ask, Message, MessageCommand, MessageState},
    notices,
    reader::{Reader, ReaderCommand},
};

/// The kind of the timer for the next attempt.
pub const RETRY: &str = "message-retry";

/// Puts a message into the unit of work; nothing if there is one of that name.
pub fn queue(work: &mut UnitOfWork<'_>, mut message: MessageQueued) -> Result<(), Rejection> {
    message.at = work.now();
    let id = message.message_id.clone();
    let command = MessageCommand {
        at: work.now(),
        ask: Ask::Queue(Arc::new(message)),
    };
    work.decide::<Message>(&id, &command).map(drop)
}

/// Queues one message.
pub struct QueueMessage(pub MessageQueued);

impl Command for QueueMessage {
    type Output = ();

    fn streams(&self) -> Vec<StreamId> {
        vec![StreamId::new(Message::CATEGORY, &self.0.message_id)]
    }

    fn handle(&self, work: &mut UnitOfWork<'_>) -> Result<(), Rejection> {
        queue(work, self.0.clone())
    }
}

/// A step of one message; the timer of its next attempt is set and removed in the same commit.
pub struct OnMessage {
    /// Which.
    pub id: String,
    /// What it meets.
    pub ask: Ask,
}

#[derive(Serialize, Deserialize)]
struct Retry {
    id: String,
    attempt: i64,
}

impl Command for OnMessage {
    type Output = MessageState;

    fn streams(&self) -> Vec<StreamId> {
        vec![StreamId::new(Message::CATEGORY, &self.id)]
    }

    fn handle(&self, work: &mut UnitOfWork<'_>) -> Result<MessageState, Rejection> {
        let before = work.state::<Message>(&self.id)?.retry_at;
        let command = MessageCommand {
            at: work.now(),
            ask: self.ask.clone(),
        };
        work.decide::<Message>(&self.id, &command)?;
        let after = work.state::<Message>(&self.id)?.clone();
        let key = format!("{RETRY}:{}", self.id);
        match after.retry_at {
            Some(due) if before != Some(due) => {
                let retry = Retry {
                    id: self.id.clone(),
                    attempt: after.attempts + 1,
                };
                let data = serde_json::to_string(&retry);
                work.set_timer(Timer {
                    key,
                    due,
                    kind: RETRY.into(),
                    data: data.unwrap_or_default(),
                });
            }
            None if before.is_some() => work.cancel_timer(key),
            _ => {}
        }
        Ok(after)
    }
}

/// It is time for another attempt.
pub fn retry_due(timer: &Timer) -> Result<Box<dyn AnyCommand>, Poison> {
    let retry: Retry = serde_json::from_str(&timer.data).map_err(|e| Poison(e.to_string()))?;
    Ok(Box::new(OnMessage {
        id: retry.id,
        ask: Ask::Due(retry.attempt),
    }))
}

/// Remembers an order, and tells its buyer what was heard of it before.
pub struct NoteOrder {
    /// The order.
    pub order: Arc<OrderNoted>,
    /// Kinds that go as a text message too.
    pub sms_for: Arc<[MessageKind]>,
}

impl Command for NoteOrder {
    type Output = ();

    fn streams(&self) -> Vec<StreamId> {
        let id = self.order.order_id.as_str();
        vec![StreamId::new(KnownOrder::CATEGORY, id)]
    }

    fn handle(&self, work: &mut UnitOfWork<'_>) -> Result<(), Rejection> {
        let id = self.order.order_id.as_str();
        let held = work.state::<KnownOrder>(id)?.held.clone();
        let note = KnownOrderCommand::Note(self.order.clone());
        if work.decide::<KnownOrder>(id, &note)? == 0 {
            return Ok(());
        }
        for notice in &held {
            for message in notices::messages(&self.order, notice, &self.sms_for) {
                queue(work, message)?;
            }
        }
        Ok(())
    }
}

/// Tells the buyer of an order, now or once the order is known.
pub struct Tell {
    /// Which order, and what.
    pub news: OrderNoticeHeld,
    /// Kinds that go as a text message too.
    pub sms_for: Arc<[MessageKind]>,
}

impl Command for Tell {
    type Output = ();

    fn streams(&self) -> Vec<StreamId> {
        let (order, notice) = (&self.news.order_id, &self.news.notice);
        let message = notices::message_id(order, notice);
        vec![
            StreamId::new(KnownOrder::CATEGORY, order.as_str()),
            StreamId::new(Message::CATEGORY, &message),
        ]
    }

    fn handle(&self, work: &mut UnitOfWork<'_>) -> Result<(), Rejection> {
        let id = self.news.order_id.as_str();
        let Some(order) = work.state::<KnownOrder>(id)?.noted.clone() else {
            let hold = KnownOrderCommand::Hold(self.news.clone());
            return work.decide::<KnownOrder>(id, &hold).map(drop);
        };
        for message in notices::messages(&order, &self.news.notice, &self.sms_for) {
            queue(work, message)?;
        }
        Ok(())
    }
}

/// Notes something of a customer.
pub struct OnReader {
    /// The account's id.
    pub id: String,
    /// What.
    pub command: ReaderCommand,
}

impl Command for OnReader {
    type Output = ();

    fn streams(&self) -> Vec<StreamId> {
        vec![StreamId::new(Reader::CATEGORY, &self.id)]
    }

    fn handle(&self, work: &mut UnitOfWork<'_>) -> Result<(), Rejection> {
        work.decide::<Reader>(&self.id, &self.command).map(drop)
    }
}

/// A link to unsubscribe was followed: a customer withdraws their consent; anybody else's address
/// is left in peace.
pub struct Unsubscribe {
    /// The message it was in.
    pub message_id: String,
    /// Keyed hash of the address it went to.
    pub address_key: String,
}

impl Command for Unsubscribe {
    type Output = ();

    fn streams(&self) -> Vec<StreamId> {
        vec![
            StreamId::new(Message::CATEGORY, &self.message_id),
            StreamId::new(Address::CATEGORY, &self.address_key),
        ]
    }

    fn handle(&self, work: &mut UnitOfWork<'_>) -> Result<(), Rejection> {
        let message = work.state::<Message>(&self.message_id)?.queued.clone();
        let customer = message.and_then(|message| message.customer_id.clone());
        if let Some(customer) = customer {
            let id = customer.to_string();
            let withdraw = ReaderCommand::Consent(customer, false, "unsubscribe");
            return work.decide::<Reader>(&id, &withdraw).map(drop);
        }
        let wish = AddressCommand::Unsubscribe(AddressUnsubscribed {
            message_id: self.message_id.clone(),
            at: work.now(),
        });
        work.decide::<Address>(&self.address_key, &wish).map(drop)
    }
}

/// Mail came back.
pub struct Bounce {
    /// The message, if it is known.
    pub message_id: Option<String>,
    /// Keyed hash of the address, if it is known (an erased person's is not).
    pub address_key: Option<String>,
    /// Whether the address is bad for good.
    pub permanent: bool,
    /// Status code.
    pub code: Option<String>,
}

impl Command for Bounce {
    type Output = ();

    fn streams(&self) -> Vec<StreamId> {
        let message = self.message_id.iter();
        let message = message.map(|id| StreamId::new(Message::CATEGORY, id));
        let address = self.address_key.iter();
        let address = address.map(|key| StreamId::new(Address::CATEGORY, key));
        message.chain(address).collect()
    }

    fn handle(&self, work: &mut UnitOfWork<'_>) -> Result<(), Rejection> {
        let at = work.now();
        if let Some(id) = &self.message_id {
            let ask = Ask::Bounce(self.permanent, self.code.clone());
            work.decide::<Message>(id, &MessageCommand { at, ask })?;
        }
        if let Some(key) = &self.address_key {
            let permanent = self.permanent;
            let bounce = AddressCommand::Bounce(AddressBounced { permanent, at });
            work.decide::<Address>(key, &bounce)?;
        }
        Ok(())
    }
}
