//! What notifications publishes, and the types of its API: messages to people about their orders,
//! accounts and wishes.

mod api;
mod memory;
mod message;

pub use api::*;
pub use memory::*;
pub use message::*;

use kernel::id;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

id!(
    /// Somebody's wish to hear when something is in stock again.
    RestockRequestId, "bsr"
);

/// What a message is about. Each has a folder of templates of the same name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum MessageKind {
    /// The shop owes the goods.
    OrderConfirmed,
    /// The order was given up.
    OrderCancelled,
    /// The buyer must act before the payment can go on.
    PaymentActionRequired,
    /// Money was taken.
    PaymentCaptured,
    /// Money was given back.
    PaymentRefunded,
    /// Goods are on their way.
    OrderShipped,
    /// Goods wait at the counter.
    ReadyToCollect,
    /// Goods have arrived.
    OrderDelivered,
    /// The carrier lost them.
    ShipmentLost,
    /// They could not be delivered and came back.
    ShipmentReturned,
    /// A cart was left alone.
    AbandonedCart,
    /// What somebody asked for can be bought again.
    BackInStock,
    /// An account was opened.
    Welcome,
    /// Proof is wanted that an e-mail address is the customer's.
    EmailVerification,
    /// Somebody joined the staff.
    StaffInvited,
}

/// Whether a message needs its reader's leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum MessageClass {
    /// Part of a contract or an account: always goes.
    Transactional,
    /// Was asked for: goes unless the address was unsubscribed or sends mail back.
    Requested,
    /// Goes only with consent.
    Marketing,
}

impl MessageKind {
    /// All there are.
    pub const ALL: [Self; 15] = [
        Self::OrderConfirmed,
        Self::OrderCancelled,
        Self::PaymentActionRequired,
        Self::PaymentCaptured,
        Self::PaymentRefunded,
        Self::OrderShipped,
        Self::ReadyToCollect,
        Self::OrderDelivered,
        Self::ShipmentLost,
        Self::ShipmentReturned,
        Self::AbandonedCart,
        Self::BackInStock,
        Self::Welcome,
        Self::EmailVerification,
        Self::StaffInvited,
    ];

    /// As in JSON, in read models and as a folder's name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::OrderConfirmed => "order_confirmed",
            Self::OrderCancelled => "order_cancelled",
            Self::PaymentActionRequired => "payment_action_required",
            Self::PaymentCaptured => "payment_captured",
            Self::PaymentRefunded => "payment_refunded",
            Self::OrderShipped => "order_shipped",
            Self::ReadyToCollect => "ready_to_collect",
            Self::OrderDelivered => "order_delivered",
            Self::ShipmentLost => "shipment_lost",
            Self::ShipmentReturned => "shipment_returned",
            Self::AbandonedCart => "abandoned_cart",
            Self::BackInStock => "back_in_stock",
            Self::Welcome => "welcome",
            Self::EmailVerification => "email_verification",
            Self::StaffInvited => "staff_invited",
        }
    }

    /// Reads what [`as_str`](Self::as_str) wrote.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }

    /// Whether it needs its reader's leave.
    pub fn class(self) -> MessageClass {
        match self {
            Self::AbandonedCart => MessageClass::Marketing,
            Self::BackInStock => MessageClass::Requested,
            _ => MessageClass::Transactional,
        }
    }
}

/// How a message reaches its reader.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// E-mail.
    #[default]
    Email,
    /// Text message.
    Sms,
    /// Push notification.
    Push,
}

impl Channel {
    /// As in JSON and in read models.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Sms => "sms",
            Self::Push => "push",
        }
    }
}

/// Where a message stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum MessageStatus {
    /// About to be sent.
    #[default]
    Queued,
    /// Handed over to the channel's provider.
    Sent,
    /// It did not go out and will be tried again.
    Retrying,
    /// It was given up; staff may send it again.
    Failed,
    /// It was not sent: no consent, unsubscribed, or the address sends mail back.
    Suppressed,
    /// It was sent and came back.
    Bounced,
}

impl MessageStatus {
    /// All there are.
    pub const ALL: [Self; 6] = [
        Self::Queued,
        Self::Sent,
        Self::Retrying,
        Self::Failed,
        Self::Suppressed,
        Self::Bounced,
    ];

    /// As in JSON and in read models.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Sent => "sent",
            Self::Retrying => "retrying",
            Self::Failed => "failed",
            Self::Suppressed => "suppressed",
            Self::Bounced => "bounced",
        }
    }

    /// Reads what [`as_str`](Self::as_str) wrote.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == text)
    }
}
