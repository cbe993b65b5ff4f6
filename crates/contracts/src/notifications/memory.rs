//! What notifications remembers of orders, customers, addresses, and of who waits for what.

use kernel::{PersonId, Personal, Timestamp, event_set};
use serde::{Deserialize, Serialize};

use super::RestockRequestId;
use crate::{
    address::Contact,
    cart::CartId,
    identity::CustomerId,
    orders::{CancelReason, OrderId, OrderLine, Totals},
    shipping::{FulfilmentLine, OrderShipping, Tracking},
};

/// What later messages need of an order was noted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OrderNoted {
    /// Which order.
    pub order_id: OrderId,
    /// The number people use.
    pub number: String,
    /// The cart it came from: the guest's right to see the order is derived from it.
    pub cart_id: CartId,
    /// Whose personal data it holds.
    pub person: PersonId,
    /// The account, when the buyer was signed in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer_id: Option<CustomerId>,
    /// E-mail and address.
    pub contact: Personal<Contact>,
    /// Lines.
    pub lines: Vec<OrderLine>,
    /// Sums.
    pub totals: Totals,
    /// How it is shipped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shipping: Option<OrderShipping>,
    /// The buyer's language.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub locale: Option<String>,
    /// SHA-256 of the guest's access token, hex.
    pub access_token_hash: String,
    /// When it was placed.
    #[serde(default)]
    pub placed_at: Timestamp,
}

/// Something about an order that its buyer is told.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum OrderNotice {
    /// Confirmed.
    Confirmed,
    /// Given up.
    Cancelled {
        /// Why.
        reason: CancelReason,
    },
    /// The buyer must act.
    ActionRequired,
    /// Money was taken.
    Captured {
        /// This time.
        amount: kernel::Money,
        /// In all.
        captured: kernel::Money,
    },
    /// Money was given back.
    Refunded {
        /// This time.
        amount: kernel::Money,
        /// In all.
        refunded: kernel::Money,
    },
    /// Goods left.
    Shipped {
        /// Which fulfilment.
        fulfilment: String,
        /// What.
        lines: Vec<FulfilmentLine>,
        /// How it can be followed.
        tracking: Option<Tracking>,
    },
    /// Goods wait at the counter.
    ReadyToCollect {
        /// Which fulfilment.
        fulfilment: String,
        /// What.
        lines: Vec<FulfilmentLine>,
    },
    /// Goods arrived.
    Delivered {
        /// Which fulfilment.
        fulfilment: String,
    },
    /// Goods were lost.
    Lost {
        /// Which fulfilment.
        fulfilment: String,
    },
    /// Goods came back.
    Returned {
        /// Which fulfilment.
        fulfilment: String,
    },
}

/// News of an order came before the order itself; its buyer is told once it is known.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OrderNoticeHeld {
    /// Which order.
    pub order_id: OrderId,
    /// What.
    pub notice: OrderNotice,
}

event_set! {
    /// What notifications remembers of an order.
    pub enum KnownOrderEvent {
        /// Noted.
        Noted(OrderNoted) = "notifications.order.noted.v1",
        /// News that is kept until it is noted.
        Held(OrderNoticeHeld) = "notifications.order.notice_held.v1",
    }
}

/// A customer's e-mail address was noted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ReaderNoted {
    /// The account.
    pub customer_id: CustomerId,
    /// Where to write to.
    pub email: Personal<String>,
}

/// A customer's consent to marketing changed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ReaderConsentChanged {
    /// The account.
    pub customer_id: CustomerId,
    /// Whether there is consent from now on.
    pub granted: bool,
    /// Where it came from: `customers`, `unsubscribe`.
    pub source: String,
}

/// A customer's language was noted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ReaderLocaleNoted {
    /// The account.
    pub customer_id: CustomerId,
    /// BCP 47.
    pub locale: String,
}

event_set! {
    /// What notifications knows of a customer.
    pub enum ReaderEvent {
        /// Address noted.
        Noted(ReaderNoted) = "notifications.reader.noted.v1",
        /// Consent changed.
        ConsentChanged(ReaderConsentChanged) = "notifications.reader.consent_changed.v1",
        /// Language noted.
        LocaleNoted(ReaderLocaleNoted) = "notifications.reader.locale_noted.v1",
    }
}

/// Mail to an address came back. The stream is named by a keyed hash of the address.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AddressBounced {
    /// Whether it is bad for good.
    pub permanent: bool,
    /// When.
    #[serde(default)]
    pub at: Timestamp,
}

/// The reader at an address wants nothing but what is due to them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AddressUnsubscribed {
    /// The message whose link was followed.
    pub message_id: String,
    /// When.
    #[serde(default)]
    pub at: Timestamp,
}

event_set! {
    /// What is known of an address.
    pub enum AddressEvent {
        /// Mail came back.
        Bounced(AddressBounced) = "notifications.address.bounced.v1",
        /// No more, please.
        Unsubscribed(AddressUnsubscribed) = "notifications.address.unsubscribed.v1",
    }
}

/// A SKU can be bought again, or no longer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RestockAvailabilityChanged {
    /// Which SKU.
    pub sku: String,
    /// Whether there is any.
    pub available: bool,
}

/// Somebody wants to hear when a SKU is in stock again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RestockRequested {
    /// Which request.
    pub request_id: RestockRequestId,
    /// Which SKU.
    pub sku: String,
    /// Its name at the time.
    pub title: String,
    /// The product's handle, for a link.
    pub handle: String,
    /// Equal for the same address: a keyed hash.
    pub address_key: String,
    /// Whose data it holds.
    pub person: PersonId,
    /// Where to write to.
    pub email: Personal<String>,
    /// The account, when signed in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer_id: Option<CustomerId>,
    /// The reader's language.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub locale: Option<String>,
    /// When.
    #[serde(default)]
    pub at: Timestamp,
}

/// Those who waited longest were told.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RestockAnnounced {
    /// Which SKU.
    pub sku: String,
    /// Whose requests were answered.
    pub requests: Vec<RestockRequestId>,
}

event_set! {
    /// Who waits for a SKU.
    pub enum RestockEvent {
        /// There is some, or none.
        AvailabilityChanged(RestockAvailabilityChanged) = "notifications.restock.availability_changed.v1",
        /// Somebody waits.
        Requested(RestockRequested) = "notifications.restock.requested.v1",
        /// Some were told.
        Announced(RestockAnnounced) = "notifications.restock.announced.v1",
    }
}
