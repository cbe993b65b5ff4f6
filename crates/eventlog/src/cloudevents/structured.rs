//! Events as JSON: one (`application/cloudevents+json`), or many in an array
//! (`application/cloudevents-batch+json`).

use std::{borrow::Cow, fmt};

use kernel::Recorded;
use serde::{
    Deserialize, Deserializer,
    de::{self, MapAccess, Visitor},
};
use serde_json::value::RawValue;

use super::{Attributes, Malformed};

/// Writes events as a JSON array.
pub fn write_batch(events: &[Recorded], incarnation: &str) -> Vec<u8> {
    let bytes: usize = events.iter().map(length).sum();
    let mut out = Vec::with_capacity(bytes + 2);
    out.push(b'[');
    for event in events {
        if out.len() > 1 {
            out.push(b',');
        }
        write(&mut out, event, incarnation);
    }
    out.push(b']');
    out
}

/// Writes one event.
pub fn write_one(event: &Recorded, incarnation: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(length(event));
    write(&mut out, event, incarnation);
    out
}

/// About how long an event is as JSON.
fn length(event: &Recorded) -> usize {
    event.data.len() + 700
}

fn write(out: &mut Vec<u8>, event: &Recorded, incarnation: &str) {
    out.push(b'{');
    Attributes::of(event, incarnation).each(|name, value| {
        out.push(b'"');
        out.extend_from_slice(name.as_bytes());
        out.extend_from_slice(b"\":");
        // Text can always be written, and memory takes everything.
        let _ = serde_json::to_writer(&mut *out, value);
        out.push(b',');
    });
    out.extend_from_slice(b"\"data\":");
    out.extend_from_slice(event.data.as_bytes());
    out.push(b'}');
}

/// Reads an array of events: attributes and payload of each.
pub fn read_batch(json: &[u8]) -> Result<Vec<(Attributes<'_>, &str)>, Malformed> {
    let found: Vec<Found<'_>> = serde_json::from_slice(json).map_err(|_| Malformed::NotJson)?;
    found.into_iter().map(Found::checked).collect()
}

/// Reads one event: its attributes and payload.
pub fn read_one(json: &[u8]) -> Result<(Attributes<'_>, &str), Malformed> {
    let found: Found<'_> = serde_json::from_slice(json).map_err(|_| Malformed::NotJson)?;
    found.checked()
}

/// What one object holds.
struct Found<'a> {
    attributes: Attributes<'a>,
    data: Option<&'a RawValue>,
    wrong: Option<Malformed>,
}

impl<'a> Found<'a> {
    fn checked(self) -> Result<(Attributes<'a>, &'a str), Malformed> {
        match self.wrong {
            Some(wrong) => Err(wrong),
            None => Ok((self.attributes, self.data.map_or("null", RawValue::get))),
        }
    }
}

/// An attribute's value: text, or what has a text form of its own.
struct Value<'a>(Option<Cow<'a, str>>);

impl<'de: 'a, 'a> Deserialize<'de> for Value<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = <&'de RawValue>::deserialize(deserializer)?.get();
        if raw.starts_with('"') {
            let plain = raw.trim_matches('"');
            if plain.len() + 2 == raw.len() && !plain.contains('\\') {
                return Ok(Self(Some(plain.into())));
            }
            let text = serde_json::from_str::<String>(raw).map_err(de::Error::custom)?;
            return Ok(Self(Some(text.into())));
        }
        let simple = raw != "null" && !raw.starts_with(['{', '[']);
        Ok(Self(simple.then(|| raw.into())))
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Found<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;
        impl<'de> Visitor<'de> for Object {
            type Value = Found<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a CloudEvent")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Found<'de>, M::Error> {
                let mut found = Found {
                    attributes: Attributes::default(),
                    data: None,
                    wrong: None,
                };
                while let Some(Name(name)) = map.next_key()? {
                    if name == "data" {
                        found.data = Some(map.next_value()?);
                        continue;
                    }
                    let Value(value) = map.next_value()?;
                    let set = value.map_or(Ok(()), |value| found.attributes.set(&name, value));
                    found.wrong = found.wrong.or(set.err());
                }
                Ok(found)
            }
        }
        deserializer.deserialize_map(Object)
    }
}

/// A member's name, borrowed where it can be.
#[derive(Deserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);
