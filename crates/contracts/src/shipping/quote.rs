//! Quotes: offers to ship, signed by shipping, shown by frontends, accepted by the cart. Nobody
//! asks shipping at checkout: the signature, the cart, its lines and the destination must fit.

use kernel::{Money, Personal, Timestamp, event_set};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{QuoteId, ShippingOptionId};
use crate::{
    address::Address,
    cart::CartId,
    inventory::LocationId,
    orders::{Adjustment, TaxLine},
};

/// What a quote's signature covers (the payload of a JWS, RFC 7515, signed with Ed25519). Holds
/// no personal data: the destination is there as a hash.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ShippingQuote {
    /// Its id.
    pub id: QuoteId,
    /// For which cart.
    pub cart_id: CartId,
    /// SHA-256, hex, of [`items_text`] over the cart's lines.
    pub items_hash: String,
    /// SHA-256, hex, of [`destination_text`].
    pub destination_hash: String,
    /// ISO 3166-1 alpha-2 of the destination.
    pub country: String,
    /// Which way of shipping.
    pub option_id: ShippingOptionId,
    /// For shoppers, such as `Standard delivery`.
    pub label: String,
    /// What it costs, before promotions; tax included or not as all prices of the cart.
    pub amount: Money,
    /// Tax class of the service; `standard` unless the option names another.
    pub tax_class: String,
    /// Where it is collected, when it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub collect_from: Option<LocationId>,
    /// Earliest delivery, whole days from dispatch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_days: Option<i64>,
    /// Latest delivery, whole days from dispatch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_days: Option<i64>,
    /// Not accepted from here on, microseconds UTC.
    pub expires_at: Timestamp,
}

/// A quote's lines in one text: SKUs with their quantities summed, in the order of the SKUs.
pub fn items_text<'a>(lines: impl IntoIterator<Item = (&'a str, i64)>) -> String {
    let mut sums = std::collections::BTreeMap::<&str, i64>::new();
    for (sku, quantity) in lines {
        let sum = sums.entry(sku).or_default();
        *sum = sum.saturating_add(quantity);
    }
    let lines: Vec<String> = sums.iter().map(|(s, q)| format!("{q}\t{s}")).collect();
    lines.join("\n")
}

/// What of an address decides the price of shipping, in one text: country, province and postcode,
/// the latter two without spaces and dashes and in capital letters.
pub fn destination_text(address: &Address) -> String {
    let plain = |text: &str| -> String {
        let kept = text.chars().filter(|c| !c.is_whitespace() && *c != '-');
        kept.flat_map(char::to_uppercase).collect()
    };
    let (province, postcode) = (plain(&address.province), plain(&address.postcode));
    format!("{}\t{province}\t{postcode}", address.country)
}

/// The shipping of an order, its price frozen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct OrderShipping {
    /// The quote that was accepted.
    pub quote_id: QuoteId,
    /// Which way.
    pub option_id: ShippingOptionId,
    /// For shoppers.
    pub label: String,
    /// As quoted, before promotions.
    pub amount: Money,
    /// Discounts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub adjustments: Vec<Adjustment>,
    /// Taxes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub taxes: Vec<TaxLine>,
    /// What it comes to.
    pub total: Money,
    /// Where it is collected, when it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub collect_from: Option<LocationId>,
    /// Earliest delivery, whole days from dispatch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_days: Option<i64>,
    /// Latest delivery, whole days from dispatch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_days: Option<i64>,
}

/// A key that quotes will be signed with: published before its first use.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct QuoteKeyPublished {
    /// The signature header's `kid`.
    pub kid: String,
    /// Ed25519 public key, base64url without padding.
    pub x: String,
    /// First moment it may sign.
    #[serde(default)]
    pub not_before: Timestamp,
}

/// The private part of a quote key, for shipping alone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct QuoteKeySealed {
    /// Which.
    pub kid: String,
    /// Ed25519 seed, base64url, sealed under the shop's own reserved person.
    pub private: Personal<String>,
}

/// The next quote key is wanted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct QuoteKeyRotationDue {
    /// How many keys were published so far.
    pub published: i64,
}

/// No quote of this key is accepted any more.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct QuoteKeyRetired {
    /// Which.
    pub kid: String,
}

event_set! {
    /// The life of quote keys, as those see it who verify quotes.
    pub enum QuoteKeyEvent {
        /// Published.
        Published(QuoteKeyPublished) = "shipping.quote_key.published.v1",
        /// Retired.
        Retired(QuoteKeyRetired) = "shipping.quote_key.retired.v1",
    }
}

event_set! {
    /// The life of quote keys, as shipping itself records it.
    pub enum QuoteKeysEvent {
        /// Published.
        Published(QuoteKeyPublished) = "shipping.quote_key.published.v1",
        /// Private part.
        Sealed(QuoteKeySealed) = "shipping.quote_key.sealed.v1",
        /// A successor is wanted.
        RotationDue(QuoteKeyRotationDue) = "shipping.quote_key.rotation_due.v1",
        /// Retired.
        Retired(QuoteKeyRetired) = "shipping.quote_key.retired.v1",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_read_the_same_in_any_order_and_however_they_are_split() {
        let whole = items_text([("b", 3), ("a", 1)]);
        assert_eq!(whole, items_text([("b", 1), ("a", 1), ("b", 2)]));
        assert_ne!(whole, items_text([("b", 2), ("a", 1)]));
    }

    #[test]
    fn a_destination_reads_the_same_however_its_postcode_is_written() {
        let at = |postcode: &str| Address {
            postcode: postcode.into(),
            country: "GB".into(),
            ..Address::default()
        };
        assert_eq!(
            destination_text(&at("sw1a 1aa")),
            destination_text(&at("SW1A1AA"))
        );
        assert_ne!(
            destination_text(&at("SW1A1AA")),
            destination_text(&at("SW1A1AB"))
        );
    }
}
