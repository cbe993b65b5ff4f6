//! Events: what happened, under a versioned wire name, in a stream.

use std::{
    any::Any,
    fmt,
    sync::{Arc, OnceLock},
};

use serde::{Deserialize, Serialize};

use crate::Timestamp;

/// How many partitions a log has. Fixed when a log is created and the same in every placement, so
/// that a history can be moved between them.
pub const PARTITIONS: u16 = 8;

/// A stream's name: a category and an id, as in `order-ord_0190…` or `stock-85123A`.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StreamId(Arc<str>);

impl StreamId {
    /// The stream of `id` in `category`; the category holds no dash.
    pub fn new(category: &str, id: &str) -> Self {
        let mut name = String::with_capacity(category.len() + 1 + id.len());
        name.push_str(category);
        name.push('-');
        name.push_str(id);
        Self(name.into())
    }

    /// A stream by its whole name, as stored.
    pub fn from_name(name: &str) -> Self {
        Self(name.into())
    }

    /// The whole name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The part before the first dash.
    pub fn category(&self) -> &str {
        self.0
            .split_once('-')
            .map_or(&*self.0, |(category, _)| category)
    }

    /// The part behind the first dash.
    pub fn id(&self) -> &str {
        self.0.split_once('-').map_or("", |(_, id)| id)
    }
}

impl fmt::Display for StreamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for StreamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A map by stream: hot enough for a fast hash, and seeded per process against crafted names.
pub type StreamMap<T> = std::collections::HashMap<StreamId, T, foldhash::fast::RandomState>;

/// The partition a stream lives in: FNV-1a of its name. Part of the stored format; never change it.
pub fn partition_of(stream: &str) -> u16 {
    let hash = stream.bytes().fold(0xcbf2_9ce4_8422_2325u64, |h, b| {
        (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3)
    });
    ((hash >> 32) % u64::from(PARTITIONS)) as u16
}

/// A stored event could not be read.
#[derive(Debug, Clone, thiserror::Error)]
#[error("cannot read an event of type {kind}: {reason}")]
pub struct DecodeError {
    /// The wire name found.
    pub kind: String,
    /// What was wrong; never contains the payload.
    pub reason: String,
}

/// A set of event types: the events of one kind of stream. Declared with
/// [`event_set!`](crate::event_set) in the `contracts` crate.
pub trait Event: fmt::Debug + Send + Sync + Sized + 'static {
    /// The wire names of all versions this set reads and writes.
    const TYPES: &'static [&'static str];
    /// This event's wire name, such as `orders.order.placed.v1`.
    fn wire_name(&self) -> &'static str;
    /// The payload as JSON. Personal fields are sealed by the key ring in scope.
    fn encode(&self) -> Result<String, serde_json::Error>;
    /// Reads the payload of an event named `wire_name`.
    fn decode(wire_name: &str, data: &str) -> Result<Self, DecodeError>;
}

/// What travels with every event beside its payload.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct EventMeta {
    /// Shared by everything that one request set off.
    pub correlation: Arc<str>,
    /// The event that led to this one (`topic:position`), if an event did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub causation: Option<Arc<str>>,
    /// W3C trace context (`traceparent`), if the request carried one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trace: Option<Arc<str>>,
    /// Who did it: `staff:usr_…`, `customer:cus_…`, `guest`, `system`. Never a name or an address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<Arc<str>>,
}

/// An event as it stands in a service's log.
#[derive(Clone, Debug)]
pub struct Recorded {
    /// The producing service.
    pub topic: Arc<str>,
    /// Place in the producer's log; 0 while it is being committed. Projections must not use it.
    pub position: i64,
    /// Position of the event before it in its partition (0 for the first).
    pub prev: i64,
    /// [`partition_of`] the stream.
    pub partition: u16,
    /// The stream it belongs to.
    pub stream: StreamId,
    /// Its number in the stream, from 1.
    pub version: i64,
    /// Wire name.
    pub kind: Arc<str>,
    /// Payload: JSON with personal fields sealed.
    pub data: Arc<str>,
    /// When it was recorded.
    pub at: Timestamp,
    /// Correlation, causation, trace, actor.
    pub meta: EventMeta,
    /// The decoded payload, kept so that consumers in one process decode it once.
    pub typed: OnceLock<Arc<dyn Any + Send + Sync>>,
}

impl Recorded {
    /// The unique id of the event: `topic:position`.
    pub fn id(&self) -> String {
        format!("{}:{}", self.topic, self.position)
    }

    /// Whether `E` knows this event's type.
    pub fn is<E: Event>(&self) -> bool {
        E::TYPES.contains(&&*self.kind)
    }

    /// The payload as `E`: `Ok(None)` when it belongs to another set. Must run with the key ring
    /// in scope ([`with_keys`](crate::with_keys)) if the payload has personal fields.
    pub fn decode<E: Event>(&self) -> Result<Option<Arc<E>>, DecodeError> {
        if let Some(known) = self.typed.get()
            && let Ok(event) = known.clone().downcast::<E>()
        {
            return Ok(Some(event));
        }
        if !self.is::<E>() {
            return Ok(None);
        }
        let event = Arc::new(E::decode(&self.kind, &self.data)?);
        let _ = self.typed.set(event.clone());
        Ok(Some(event))
    }
}

/// Declares a set of events: an enum whose variants each hold one payload struct and carry a
/// versioned wire name.
///
/// ```
/// #[derive(Debug, serde::Serialize, serde::Deserialize)]
/// pub struct Opened { pub name: String }
/// kernel::event_set! {
///     /// What happens to a stall.
///     pub enum StallEvent {
///         /// It opened.
///         Opened(Opened) = "souk.stall.opened.v1",
///     }
/// }
/// ```
#[macro_export]
macro_rules! event_set {
    ($(#[$doc:meta])* pub enum $name:ident {
        $($(#[$vdoc:meta])* $variant:ident($payload:ty) = $wire:literal),+ $(,)?
    }) => {
        $(#[$doc])*
        #[derive(Debug)]
        pub enum $name { $($(#[$vdoc])* $variant($payload)),+ }

        impl $crate::Event for $name {
            const TYPES: &'static [&'static str] = &[$($wire),+];

            fn wire_name(&self) -> &'static str {
                match self { $(Self::$variant(_) => $wire),+ }
            }

            fn encode(&self) -> Result<String, $crate::serde_json::Error> {
                match self { $(Self::$variant(payload) => $crate::serde_json::to_string(payload)),+ }
            }

            fn decode(wire_name: &str, data: &str) -> Result<Self, $crate::DecodeError> {
                match wire_name {
                    $($wire => $crate::serde_json::from_str(data).map(Self::$variant)
                        .map_err(|e| $crate::DecodeError { kind: wire_name.into(), reason: e.to_string() }),)+
                    _ => Err($crate::DecodeError { kind: wire_name.into(), reason: "unknown type".into() }),
                }
            }
        }

        $(impl From<$payload> for $name {
            fn from(payload: $payload) -> Self { Self::$variant(payload) }
        })+
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn partitions_are_part_of_the_stored_format() {
        let of: Vec<u16> = ["stock-A", "stock-B", "order-ord_1", "cart-crt_9"]
            .map(partition_of)
            .to_vec();
        assert_eq!(
            of,
            ["stock-A", "stock-B", "order-ord_1", "cart-crt_9"].map(partition_of)
        );
        assert!(of.iter().all(|p| *p < PARTITIONS));
        assert_eq!(
            partition_of(""),
            ((0xcbf2_9ce4_8422_2325u64 >> 32) % 8) as u16
        );
    }

    #[test]
    fn a_stream_knows_its_category() {
        let stream = StreamId::new("stock", "A-1-B");
        assert_eq!((stream.category(), stream.id()), ("stock", "A-1-B"));
    }
}
