//! Accounts: where customers are written to, and a word of welcome.

use contracts::{
    identity::{CustomerEvent, CustomerId, StaffEvent},
    notifications::{Channel, MessageKind, MessageQueued},
};
use kernel::{
    DecodeError, From, Personal, Reaction, Recorded, Subscription, Timestamp, serde_json::Value,
};

use crate::{
    commands::{OnReader, QueueMessage},
    content,
    reader::ReaderCommand,
};

/// Remembers customers' addresses: of all there are.
pub fn readers() -> Subscription {
    Subscription::new("readers", &["identity"], |event| {
        let Some(event) = event.decode::<CustomerEvent>()? else {
            return Ok(Reaction::none());
        };
        let command = match &*event {
            CustomerEvent::Registered(e) => {
                ReaderCommand::Note(e.customer_id.clone(), e.email.clone())
            }
            // Nothing is sent to a closed account unless it is asked for again.
            CustomerEvent::Closed(e) => {
                ReaderCommand::Consent(e.customer_id.clone(), false, "closed")
            }
        };
        let customer = match &*event {
            CustomerEvent::Registered(e) => &e.customer_id,
            CustomerEvent::Closed(e) => &e.customer_id,
        };
        Ok(Reaction::command(OnReader {
            id: customer.to_string(),
            command,
        }))
    })
}

/// Welcomes those who come from now on.
pub fn news() -> Subscription {
    let heard = Subscription::new("identity-news", &["identity"], |event| {
        let message = match welcome(event)? {
            Some(message) => Some(message),
            None => invited(event)?,
        };
        Ok(message.map_or_else(Reaction::none, |message| {
            Reaction::command(QueueMessage(message))
        }))
    });
    Subscription {
        from: From::Now,
        ..heard
    }
}

fn welcome(event: &Recorded) -> Result<Option<MessageQueued>, DecodeError> {
    let event = event.decode::<CustomerEvent>()?;
    let Some(CustomerEvent::Registered(registered)) = event.as_deref() else {
        return Ok(None);
    };
    let id = registered.customer_id.as_str();
    let data = Value::Object(kernel::serde_json::Map::new());
    let customer = Some(registered.customer_id.clone());
    Ok(Some(message(
        MessageKind::Welcome,
        id,
        &registered.email,
        data,
        customer,
    )))
}

fn invited(event: &Recorded) -> Result<Option<MessageQueued>, DecodeError> {
    // The first account is made by the shop itself, with an address that nobody reads yet.
    if event.meta.actor.as_deref() == Some("system") {
        return Ok(None);
    }
    let event = event.decode::<StaffEvent>()?;
    let Some(StaffEvent::Added(added)) = event.as_deref() else {
        return Ok(None);
    };
    let id = added.user_id.as_str();
    let name = added.name.get().map_or("", String::as_str);
    let data = content::staff(name);
    Ok(Some(message(
        MessageKind::StaffInvited,
        id,
        &added.email,
        data,
        None,
    )))
}

fn message(
    kind: MessageKind,
    id: &str,
    to: &Personal<String>,
    data: Value,
    customer_id: Option<CustomerId>,
) -> MessageQueued {
    MessageQueued {
        message_id: format!("{}-{id}", kind.as_str()),
        kind,
        channel: Channel::Email,
        person: to.person().clone(),
        to: to.clone(),
        locale: None,
        data: Personal::new(to.person().clone(), data),
        order_id: None,
        customer_id,
        at: Timestamp(0),
    }
}
