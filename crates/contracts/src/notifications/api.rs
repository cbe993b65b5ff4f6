//! The types of the API of notifications.

use kernel::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Channel, MessageClass, MessageKind, MessageStatus};
use crate::{identity::CustomerId, orders::OrderId};

/// A message in a list: without personal data.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct MessageSummary {
    /// Its id.
    pub id: String,
    /// What it is about.
    pub kind: MessageKind,
    /// How it goes.
    pub channel: Channel,
    /// Where it stands.
    pub status: MessageStatus,
    /// The order it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order_id: Option<OrderId>,
    /// The reader's account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer_id: Option<CustomerId>,
    /// How often it was tried.
    pub attempts: i64,
    /// Why it did not go out, the last time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// When it is tried again, microseconds UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_at: Option<Timestamp>,
    /// Microseconds UTC.
    pub queued_at: Timestamp,
    /// Last change, microseconds UTC.
    pub updated_at: Timestamp,
}

/// A message as its reader sees it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RenderedMessage {
    /// In one line.
    pub subject: String,
    /// Plain text.
    pub text: String,
    /// HTML; absent on channels that have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub html: Option<String>,
}

/// A message as staff see it. Written anew from what is kept of it each time it is looked at.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct MessageView {
    /// Where it stands.
    #[serde(flatten)]
    pub summary: MessageSummary,
    /// Whether it needed its reader's leave.
    pub class: MessageClass,
    /// Where it goes; absent once the person was erased.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// Who took it, once it was sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    /// The provider's name for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider_id: Option<String>,
    /// What it says; absent once the person was erased.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rendered: Option<RenderedMessage>,
}

/// `POST /api/notifications/back-in-stock`.
#[derive(Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RestockWish {
    /// Which SKU.
    pub sku: String,
    /// Where to write to; a signed-in customer's own address unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// The reader's language, BCP 47.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub locale: Option<String>,
}

/// The answer to a wish: the same whether the address was on the list before or not.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RestockNoted {
    /// Which SKU.
    pub sku: String,
}

/// `POST /api/notifications/bounces`: of a message, or of an address.
#[derive(Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BounceReport {
    /// Which message came back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message_id: Option<String>,
    /// Or which address sends mail back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Whether the address is bad for good.
    pub permanent: bool,
    /// Enhanced status code (RFC 3463), such as `5.1.1`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
}

/// A kind of message and its templates.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TemplateSet {
    /// The kind.
    pub kind: MessageKind,
    /// Whether it needs its reader's leave.
    pub class: MessageClass,
    /// The languages it is written in.
    pub locales: Vec<String>,
    /// What is wrong with the shop's own templates; the built-in ones stand in for those.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<String>,
}

/// `POST /api/notifications/templates/{kind}/preview`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PreviewRequest {
    /// The language; the shop's own unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub locale: Option<String>,
}

/// A template filled with sample data.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TemplatePreview {
    /// The language that was found.
    pub locale: String,
    /// What it says.
    pub rendered: RenderedMessage,
    /// What is wrong with the shop's own template, when the built-in one had to stand in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}
