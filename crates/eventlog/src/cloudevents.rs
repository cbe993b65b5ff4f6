//! Events as CloudEvents 1.0 (<https://cloudevents.io>), the form in which they leave a process:
//! structured JSON over NATS (as its binding says, version 1.0.2) and HTTP, binary mode over Kafka
//! (attributes in headers, the payload as it is), and either from programs outside. Everything
//! that arrives is suspected.
//!
//! The extension attributes are `position`, `prevposition`, `partition`, `streamversion` (decimal
//! numbers as text: CloudEvents integers have 32 bits), `incarnation`, `correlationid`,
//! `causationid`, `traceparent` and `actor`.

use std::{borrow::Cow, collections::HashMap, fmt::Write, sync::Arc};

use kernel::{EventMeta, PARTITIONS, Recorded, StreamId, Timestamp, partition_of};

mod percent;
mod structured;

pub use percent::{decode as percent_decode, encode as percent_encode};
pub use structured::{read_batch, read_one, write_batch, write_one};

/// The longest payload that is read, in bytes.
pub const LONGEST_DATA: usize = 16 * 1024 * 1024;
/// The longest attribute that is read, in bytes.
pub const LONGEST_ATTRIBUTE: usize = 4 * 1024;
/// How many event types a decoder remembers.
const MOST_KINDS: usize = 1_024;

/// A message that is no event of ours, and why; never what it held.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// A required attribute is not there.
    #[error("there is no attribute `{0}`")]
    Missing(&'static str),
    /// An attribute is longer than is allowed.
    #[error("the attribute `{0}` is too long")]
    TooLong(&'static str),
    /// An attribute does not say what it should.
    #[error("the attribute `{0}` is not valid")]
    Invalid(&'static str),
    /// The payload is longer than is allowed.
    #[error("the payload has {0} bytes, which is too long")]
    TooLarge(usize),
    /// The payload is not text, or not JSON.
    #[error("the payload is not JSON in UTF-8")]
    NotJson,
}

macro_rules! attributes {
    ($($(#[$doc:meta])* $field:ident = $name:literal),+ $(,)?) => {
        /// The attributes of one event, as text, as they were found.
        #[derive(Debug, Default, Clone)]
        pub struct Attributes<'a> { $($(#[$doc])* pub $field: Option<Cow<'a, str>>),+ }

        impl<'a> Attributes<'a> {
            /// Takes an attribute in by its name; those that mean nothing here are ignored.
            pub fn set(&mut self, name: &str, value: Cow<'a, str>) -> Result<(), Malformed> {
                match name {
                    $($name => {
                        if value.len() > LONGEST_ATTRIBUTE {
                            return Err(Malformed::TooLong($name));
                        }
                        self.$field = Some(value);
                    })+
                    _ => {}
                }
                Ok(())
            }

            /// Calls `with` for each attribute that is there.
            pub fn each(&self, mut with: impl FnMut(&'static str, &str)) {
                $(if let Some(value) = &self.$field { with($name, value) })+
            }
        }
    };
}

attributes! {
    /// `1.0`.
    specversion = "specversion",
    /// Unique per source: `topic:position`.
    id = "id",
    /// Who says so: `/souk/topic`.
    source = "source",
    /// The wire name.
    kind = "type",
    /// The stream.
    subject = "subject",
    /// When it was recorded (RFC 3339).
    time = "time",
    /// `application/json`.
    datacontenttype = "datacontenttype",
    /// Place in the producer's log.
    position = "position",
    /// Position of the event before it in its partition.
    prevposition = "prevposition",
    /// Which partition its stream is in.
    partition = "partition",
    /// Its number in the stream.
    streamversion = "streamversion",
    /// Which log it is from.
    incarnation = "incarnation",
    /// Shared by all that one request set off.
    correlationid = "correlationid",
    /// The event that led to it.
    causationid = "causationid",
    /// W3C trace context.
    traceparent = "traceparent",
    /// Who did it.
    actor = "actor",
}

impl<'a> Attributes<'a> {
    /// The attributes of one of our events.
    pub fn of(event: &'a Recorded, incarnation: &'a str) -> Self {
        let number = |n: i64| Some(Cow::Owned(n.to_string()));
        let optional = |text: &'a Option<Arc<str>>| text.as_deref().map(Cow::Borrowed);
        Self {
            specversion: Some("1.0".into()),
            id: Some(event.id().into()),
            source: Some(format!("/souk/{}", event.topic).into()),
            kind: Some((&*event.kind).into()),
            subject: Some(event.stream.as_str().into()),
            time: Some(time_text(event.at).into()),
            datacontenttype: Some("application/json".into()),
            position: number(event.position),
            prevposition: number(event.prev),
            partition: number(event.partition.into()),
            streamversion: number(event.version),
            incarnation: Some(incarnation.into()),
            correlationid: Some(&*event.meta.correlation)
                .filter(|text| !text.is_empty())
                .map(Into::into),
            causationid: optional(&event.meta.causation),
            traceparent: optional(&event.meta.trace),
            actor: optional(&event.meta.actor),
        }
    }
}

/// A moment as RFC 3339 with microseconds.
fn time_text(at: Timestamp) -> String {
    let mut text = String::with_capacity(32);
    // What is beyond the years that can be written is kept as a number; ours never is.
    let _ = match jiff::Timestamp::from_microsecond(at.0) {
        Ok(time) => write!(text, "{time:.6}"),
        Err(_) => write!(text, "@{}", at.0),
    };
    text
}

fn time_from(text: &str) -> Option<Timestamp> {
    if let Some(number) = text.strip_prefix('@') {
        return number.parse().ok().map(Timestamp);
    }
    let time: jiff::Timestamp = text.parse().ok()?;
    Some(Timestamp(time.as_microsecond()))
}

/// Reads events of one topic. It remembers the texts that come again and again.
#[derive(Debug)]
pub struct Decoder {
    topic: Arc<str>,
    source: String,
    incarnation: Arc<str>,
    kinds: HashMap<Box<str>, Arc<str>>,
}

impl Decoder {
    /// For events of `topic`; others are malformed.
    pub fn new(topic: &str) -> Self {
        Self {
            topic: topic.into(),
            source: format!("/souk/{topic}"),
            incarnation: Arc::default(),
            kinds: HashMap::new(),
        }
    }

    /// The event, and the incarnation of the log it is from.
    pub fn event(
        &mut self,
        found: &Attributes<'_>,
        data: &[u8],
    ) -> Result<(Recorded, Arc<str>), Malformed> {
        if data.len() > LONGEST_DATA {
            return Err(Malformed::TooLarge(data.len()));
        }
        let data = std::str::from_utf8(data).map_err(|_| Malformed::NotJson)?;
        if text(&found.specversion, "specversion")? != "1.0" {
            return Err(Malformed::Invalid("specversion"));
        }
        if text(&found.source, "source")? != self.source {
            return Err(Malformed::Invalid("source"));
        }
        let position = number(&found.position, "position", 1)?;
        let expected = text(&found.id, "id")?.strip_prefix(&*self.topic);
        let of_id = expected.and_then(|rest| rest.strip_prefix(':')?.parse().ok());
        if of_id != Some(position) {
            return Err(Malformed::Invalid("id"));
        }
        let stream = text(&found.subject, "subject")?;
        let partition = number(&found.partition, "partition", 0)?;
        if partition >= i64::from(PARTITIONS) || partition != i64::from(partition_of(stream)) {
            return Err(Malformed::Invalid("partition"));
        }
        let prev = number(&found.prevposition, "prevposition", 0)?;
        if prev >= position {
            return Err(Malformed::Invalid("prevposition"));
        }
        let at = time_from(text(&found.time, "time")?).ok_or(Malformed::Invalid("time"))?;
        let optional = |text: &Option<Cow<'_, str>>| text.as_deref().map(Arc::from);
        let incarnation = text(&found.incarnation, "incarnation")?;
        if *self.incarnation != *incarnation {
            self.incarnation = incarnation.into();
        }
        let event = Recorded {
            topic: self.topic.clone(),
            position,
            prev,
            partition: partition as u16,
            stream: StreamId::from_name(stream),
            version: number(&found.streamversion, "streamversion", 1)?,
            kind: self.kind(text(&found.kind, "type")?),
            data: data.into(),
            at,
            meta: EventMeta {
                correlation: optional(&found.correlationid).unwrap_or_default(),
                causation: optional(&found.causationid),
                trace: optional(&found.traceparent),
                actor: optional(&found.actor),
            },
            typed: Default::default(),
        };
        Ok((event, self.incarnation.clone()))
    }

    fn kind(&mut self, kind: &str) -> Arc<str> {
        if let Some(known) = self.kinds.get(kind) {
            return known.clone();
        }
        let new: Arc<str> = kind.into();
        if self.kinds.len() < MOST_KINDS {
            self.kinds.insert(kind.into(), new.clone());
        }
        new
    }
}

fn text<'a>(found: &'a Option<Cow<'_, str>>, name: &'static str) -> Result<&'a str, Malformed> {
    match found.as_deref() {
        None => Err(Malformed::Missing(name)),
        Some("") => Err(Malformed::Invalid(name)),
        Some(text) => Ok(text),
    }
}

fn number(found: &Option<Cow<'_, str>>, name: &'static str, least: i64) -> Result<i64, Malformed> {
    let number = text(found, name)?.parse().ok();
    number
        .filter(|n| *n >= least)
        .ok_or(Malformed::Invalid(name))
}

/// What a program outside says: the attributes that Souk looks at, and the payload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Foreign {
    /// Who says so.
    pub source: String,
    /// Its id there.
    pub id: String,
    /// Its type.
    pub kind: String,
    /// JSON.
    pub data: String,
}

impl Foreign {
    /// From a message in binary mode.
    pub fn binary(found: &Attributes<'_>, data: &[u8]) -> Result<Self, Malformed> {
        if data.len() > LONGEST_DATA {
            return Err(Malformed::TooLarge(data.len()));
        }
        if text(&found.specversion, "specversion")? != "1.0" {
            return Err(Malformed::Invalid("specversion"));
        }
        let data = std::str::from_utf8(data).map_err(|_| Malformed::NotJson)?;
        serde_json::from_str::<&serde_json::value::RawValue>(data)
            .map_err(|_| Malformed::NotJson)?;
        Ok(Self {
            source: text(&found.source, "source")?.to_owned(),
            id: text(&found.id, "id")?.to_owned(),
            kind: text(&found.kind, "type")?.to_owned(),
            data: data.to_owned(),
        })
    }

    /// From a message in structured mode (`application/cloudevents+json`).
    pub fn structured(message: &[u8]) -> Result<Self, Malformed> {
        let (found, data) = read_one(message)?;
        Self::binary(&found, data.as_bytes())
    }
}

#[cfg(test)]
mod tests;
