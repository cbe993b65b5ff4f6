//! What customers say, read by wire name from the fields that matter here. Everything that is known
//! of the shape of their events is in this file.

use contracts::{
    identity::CustomerId,
    notifications::{Channel, MessageKind, MessageQueued},
};
use kernel::{From, Personal, Poison, Reaction, Recorded, Subscription, Timestamp, serde_json};
use serde::{Deserialize, de::DeserializeOwned};

use crate::{
    commands::{OnReader, QueueMessage},
    content,
    reader::ReaderCommand,
};

const TOPIC: &[&str] = &["customers"];
const VERIFY: &str = "customers.email_verification.requested.v1";
const CONSENT: &str = "customers.consent.changed.v1";
const PROFILE: &str = "customers.profile.changed.v1";
/// The purpose of a consent that messages of ours need.
const MARKETING: [&str; 2] = ["marketing", "email_marketing"];

/// Proof is wanted that an address is the customer's.
#[derive(Deserialize)]
struct VerificationRequested {
    customer_id: CustomerId,
    email: Personal<String>,
    token: Personal<String>,
    #[serde(default)]
    expires_at: Option<Timestamp>,
    #[serde(default)]
    locale: Option<String>,
}

/// Consent to a purpose was given or withdrawn.
#[derive(Deserialize)]
struct ConsentChanged {
    customer_id: CustomerId,
    purpose: String,
    granted: bool,
}

/// The profile is so from now on.
#[derive(Deserialize)]
struct ProfileChanged {
    customer_id: CustomerId,
    #[serde(default)]
    locale: Option<String>,
}

/// Remembers consents and languages: of all customers.
pub fn readers() -> Subscription {
    Subscription::new("consents", TOPIC, |event| {
        let (customer, command) = match &*event.kind {
            CONSENT => {
                let changed: ConsentChanged = read(event)?;
                if !MARKETING.contains(&changed.purpose.as_str()) {
                    return Ok(Reaction::none());
                }
                let customer = changed.customer_id;
                let consent =
                    ReaderCommand::Consent(customer.clone(), changed.granted, "customers");
                (customer, consent)
            }
            PROFILE => {
                let profile: ProfileChanged = read(event)?;
                let Some(locale) = profile.locale else {
                    return Ok(Reaction::none());
                };
                let customer = profile.customer_id;
                (customer.clone(), ReaderCommand::Locale(customer, locale))
            }
            _ => return Ok(Reaction::none()),
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
        if &*event.kind != VERIFY {
            return Ok(Reaction::none());
        }
        let asked: VerificationRequested = read(event)?;
        let Some(token) = asked.token.get() else {
            return Ok(Reaction::none());
        };
        let kind = MessageKind::EmailVerification;
        let person = asked.email.person().clone();
        let data = content::verification(token, asked.expires_at);
        Ok(Reaction::command(QueueMessage(MessageQueued {
            // Each request has a token of its own, and a message of its own.
            message_id: format!("{}-{}-{}", kind.as_str(), asked.customer_id, event.version),
            kind,
            channel: Channel::Email,
            person: person.clone(),
            to: asked.email.clone(),
            locale: asked.locale,
            data: Personal::new(person, data),
            order_id: None,
            customer_id: Some(asked.customer_id),
            at: Timestamp(0),
        })))
    });
    Subscription {
        from: From::Now,
        ..heard
    }
}

fn read<T: DeserializeOwned>(event: &Recorded) -> Result<T, Poison> {
    // The parser's message might quote a value.
    let unlike = |_| Poison(format!("{} has another shape than expected", event.kind));
    serde_json::from_str(&event.data).map_err(unlike)
}
