//! Events as NATS messages, and back: structured mode, which is what CloudEvents' NATS binding
//! (1.0.2) has. Attributes in headers would cost several times as much: the client keeps headers in
//! hash maps.

use std::sync::Arc;

use async_nats::{HeaderMap, header::NATS_MESSAGE_ID};
use bytes::Bytes;
use kernel::Recorded;

use super::NatsBroker;
use crate::cloudevents::{self, Attributes, Decoder, Malformed, percent_decode, percent_encode};

/// The names that headers with CloudEvents attributes begin with.
const CE: &str = "ce-";

impl NatsBroker {
    /// The name of a topic's stream.
    pub(super) fn stream_name(&self, topic: &str) -> String {
        format!("{}_{topic}", self.config.prefix)
    }

    /// The subject of an event; `None` when its type cannot be part of one.
    pub(super) fn subject(&self, topic: &str, event: &Recorded) -> Option<String> {
        let fits = |part: &str| !part.is_empty() && part.bytes().all(fits_token);
        let kind = &event.kind;
        (kind.len() <= 200 && kind.split('.').all(fits))
            .then(|| format!("{}.{topic}.{}.{kind}", self.config.prefix, event.partition))
    }

    /// All subjects of a topic's events: partition, and a type of one or more parts.
    pub(super) fn subjects(&self, topic: &str) -> String {
        format!("{}.{topic}.*.>", self.config.prefix)
    }

    /// Where a topic's head is announced.
    pub(super) fn heads(&self, topic: &str) -> String {
        format!("{}.heads.{topic}", self.config.prefix)
    }
}

fn fits_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_'
}

/// The headers and the payload of an event.
pub(super) fn write(event: &Recorded, incarnation: &str) -> (HeaderMap, Bytes) {
    let mut headers = HeaderMap::new();
    // What the server knows repeats by: a restored log's events are no repeats.
    let id = format!("{}:{}:{}", event.topic, incarnation, event.position);
    headers.insert(NATS_MESSAGE_ID, percent_encode(&id).as_ref());
    headers.insert("content-type", "application/cloudevents+json");
    (headers, cloudevents::write_one(event, incarnation).into())
}

/// The attributes in a message's headers: programs outside may use binary mode.
pub(super) fn attributes(headers: &HeaderMap) -> Result<Attributes<'_>, Malformed> {
    let mut found = Attributes::default();
    for (name, values) in headers.iter() {
        let name: &str = name.as_ref();
        let prefix = name.get(..CE.len());
        if !prefix.is_some_and(|prefix| prefix.eq_ignore_ascii_case(CE)) {
            continue;
        }
        let Some(value) = values.first() else {
            continue;
        };
        let value = percent_decode(value.as_str()).ok_or(Malformed::Invalid("header"))?;
        match name.get(CE.len()..) {
            Some(name) if name.bytes().any(|b| b.is_ascii_uppercase()) => {
                found.set(&name.to_ascii_lowercase(), value)?;
            }
            Some(name) => found.set(name, value)?,
            None => {}
        }
    }
    Ok(found)
}

/// The event in a message, and the incarnation of its log.
pub(super) fn event(
    decoder: &mut Decoder,
    payload: &[u8],
) -> Result<(Recorded, Arc<str>), Malformed> {
    let (found, data) = cloudevents::read_one(payload)?;
    decoder.event(&found, data.as_bytes())
}
