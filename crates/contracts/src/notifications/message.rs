//! The life of a message.

use kernel::{PersonId, Personal, Timestamp, event_set, serde_json::Value};
use serde::{Deserialize, Serialize};

use super::{Channel, MessageKind};
use crate::{identity::CustomerId, orders::OrderId};

/// A message is to be sent. It is named by what it is about (`order_confirmed-ord_…`), so that an
/// event that is told twice leads to one message.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MessageQueued {
    /// Which.
    pub message_id: String,
    /// What it is about.
    pub kind: MessageKind,
    /// How it goes.
    #[serde(default)]
    pub channel: Channel,
    /// Whose data it holds.
    pub person: PersonId,
    /// The address or number it goes to.
    pub to: Personal<String>,
    /// The language it is written in, BCP 47; absent: the shop's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub locale: Option<String>,
    /// What its template needs.
    pub data: Personal<Value>,
    /// The order it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order_id: Option<OrderId>,
    /// The reader's account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer_id: Option<CustomerId>,
    /// When.
    #[serde(default)]
    pub at: Timestamp,
}

/// It is time for another attempt.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MessageDue {
    /// Which message.
    pub message_id: String,
    /// Number of the attempt, from 2.
    pub attempt: i64,
    /// The member of staff who asked for it; absent when the clock did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// When.
    #[serde(default)]
    pub at: Timestamp,
}

/// It was handed over to the channel's provider.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MessageSent {
    /// Which message.
    pub message_id: String,
    /// Number of the attempt, from 1.
    pub attempt: i64,
    /// Who took it: `smtp`, `outbox`, `log`, `files`.
    pub provider: String,
    /// The provider's name for it; for mail its Message-ID.
    pub provider_id: String,
    /// When.
    #[serde(default)]
    pub at: Timestamp,
}

/// It could not be sent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MessageFailed {
    /// Which message.
    pub message_id: String,
    /// Number of the attempt, from 1.
    pub attempt: i64,
    /// When it is tried again; absent: it was given up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_at: Option<Timestamp>,
    /// Why, such as `refused:451`. Never the provider's own words: they may name the reader.
    pub reason: String,
    /// When.
    #[serde(default)]
    pub at: Timestamp,
}

/// It is not sent at all.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MessageSuppressed {
    /// Which message.
    pub message_id: String,
    /// Why: `no_consent`, `unsubscribed`, `bounced`, `erased`.
    pub reason: String,
    /// When.
    #[serde(default)]
    pub at: Timestamp,
}

/// It came back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MessageBounced {
    /// Which message.
    pub message_id: String,
    /// Whether the address is bad for good.
    pub permanent: bool,
    /// Enhanced status code (RFC 3463), such as `5.1.1`, if known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// When.
    #[serde(default)]
    pub at: Timestamp,
}

event_set! {
    /// The life of a message.
    pub enum MessageEvent {
        /// To be sent.
        Queued(MessageQueued) = "notifications.message.queued.v1",
        /// To be tried again now.
        Due(MessageDue) = "notifications.message.due.v1",
        /// Sent.
        Sent(MessageSent) = "notifications.message.sent.v1",
        /// Not sent.
        Failed(MessageFailed) = "notifications.message.failed.v1",
        /// Not to be sent.
        Suppressed(MessageSuppressed) = "notifications.message.suppressed.v1",
        /// Came back.
        Bounced(MessageBounced) = "notifications.message.bounced.v1",
    }
}
