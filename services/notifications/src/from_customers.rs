//! What customers say: consents, languages, and addresses that are to be verified.

use contracts::{
    customers::{ConsentEvent, CustomerEvent, Purpose},
    notifications::{Channel, MessageKind, MessageQueued},
};
use kernel::{From, Personal, Reaction, Subscription, Timestamp};

use crate::{
    commands::{OnReader, QueueMessage},
    content,
    reader::ReaderCommand,
};

const TOPIC: &[&str] = &["customers"];

/// Remembers consents and languages: of all customers.
pub fn readers() -> Subscription {
    Subscription::new("consents", TOPIC, |event| {
        let (customer, command) = if let Some(event) = event.decode::<ConsentEvent>()? {
            let ConsentEvent::Changed(changed) = &*event;
            // Mail goes to accounts; a consent without one is customers' to keep.
            let Some(customer) = &changed.customer_id else {
                return Ok(Reaction::none());
            };
            if changed.purpose != Purpose::MarketingEmail {
                return Ok(Reaction::none());
            }
            let consent = ReaderCommand::Consent(customer.clone(), changed.granted, "customers");
            (customer.clone(), consent)
        } else if let Some(event) = event.decode::<CustomerEvent>()?
            && let CustomerEvent::ProfileChanged(changed) = &*event
            && let Some(profile) = changed.profile.get()
            && !profile.locale.is_empty()
        {
            let customer = changed.customer_id.clone();
            let locale = ReaderCommand::Locale(customer.clone(), profile.locale.clone());
            (customer, locale)
        } else {
            return Ok(Reaction::none());
        };
        Ok(Reaction::command(OnReader {
            id: customer.to_string(),
            command,
        }))
    })
}

/// Writes to addresses that are to be verified from now on.
pub fn news() -> Subscription {
    let heard = Subscription::new("customer-news", TOPIC, |event| {
        let Some(decoded) = event.decode::<CustomerEvent>()? else {
            return Ok(Reaction::none());
        };
        let CustomerEvent::VerificationRequested(asked) = &*decoded else {
            return Ok(Reaction::none());
        };
        let Some(token) = asked.token.get() else {
            return Ok(Reaction::none());
        };
        let kind = MessageKind::EmailVerification;
        let person = asked.email.person().clone();
        let data = content::verification(token, Some(asked.expires_at));
        Ok(Reaction::command(QueueMessage(MessageQueued {
            // Each request has a token of its own, and a message of its own.
            message_id: format!("{}-{}-{}", kind.as_str(), asked.customer_id, event.version),
            kind,
            channel: Channel::Email,
            person: person.clone(),
            to: asked.email.clone(),
            locale: None,
            data: Personal::new(person, data),
            order_id: None,
            customer_id: Some(asked.customer_id.clone()),
            at: Timestamp(0),
        })))
    });
    Subscription {
        from: From::Now,
        ..heard
    }
}
