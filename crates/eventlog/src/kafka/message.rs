//! Events as Kafka messages, and back (CloudEvents Kafka binding, binary mode).

use std::{borrow::Cow, sync::Arc};

use kernel::Recorded;
use rdkafka::message::{Header, Headers, Message, OwnedHeaders};

use crate::cloudevents::{Attributes, Decoder, Malformed};

/// The names that headers with CloudEvents attributes begin with.
const CE: &str = "ce_";

/// The headers of an event.
pub(super) fn headers(event: &Recorded, incarnation: &str) -> OwnedHeaders {
    let mut headers = OwnedHeaders::new_with_capacity(16);
    let mut name = String::with_capacity(24);
    let mut add = |key: &str, value: &str| {
        let with = std::mem::replace(&mut headers, OwnedHeaders::new_with_capacity(0));
        let value = Some(value);
        headers = with.insert(Header { key, value });
    };
    Attributes::of(event, incarnation).each(|attribute, value| {
        // The binding has a header of its own for the payload's type.
        if attribute == "datacontenttype" {
            return add("content-type", value);
        }
        name.clear();
        name.push_str(CE);
        name.push_str(attribute);
        add(&name, value);
    });
    headers
}

/// The attributes in a message's headers.
pub(super) fn attributes<M: Message>(message: &M) -> Result<Attributes<'_>, Malformed> {
    let mut found = Attributes::default();
    for header in message.headers().iter().flat_map(|headers| headers.iter()) {
        let (Some(name), Some(value)) = (header.key.strip_prefix(CE), header.value) else {
            continue;
        };
        let value = std::str::from_utf8(value).map_err(|_| Malformed::Invalid("header"))?;
        found.set(name, Cow::Borrowed(value))?;
    }
    Ok(found)
}

/// The event in a message, and the incarnation of its log.
pub(super) fn event<M: Message>(
    decoder: &mut Decoder,
    message: &M,
) -> Result<(Recorded, Arc<str>), Malformed> {
    decoder.event(&attributes(message)?, message.payload().unwrap_or_default())
}
