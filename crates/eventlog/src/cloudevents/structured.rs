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
pub fn write_batch(events: &[Recorded], incarnation: &str) -> String {
    let bytes: usize = events.iter().map(|event| event.data.len() + 600).sum();
    let mut out = String::with_capacity(bytes + 2);
    out.push('[');
    for event in events {
        out.push(if out.len() > 1 { ',' } else { ' ' });
        out.push('{');
        Attributes::of(event, incarnation).each(|name, value| {
            out.push('"');
            out.push_str(name);
            out.push_str("\":");
            // Text always can be written.
            out.push_str(&serde_json::to_string(value).unwrap_or_default());
            out.push(',');
        });
        out.push_str("\"data\":");
        out.push_str(&event.data);
        out.push('}');
    }
    out.push(']');
    out
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
