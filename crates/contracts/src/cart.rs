//! What the cart publishes, and the types of its API. The cart's inner events (lines added and so
//! on) are part of the same set: anyone may listen.

use kernel::{Currency, Money, PersonId, Personal, Timestamp, event_set, id};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    address::Contact,
    identity::CustomerId,
    orders::{OrderId, OrderLine, Totals},
};

id!(
    /// A cart. Unguessable: knowing it is the right to use it.
    CartId, "crt"
);
id!(
    /// A line of a cart, and later of the order.
    LineId, "lin"
);

/// How the buyer will pay, as checkout hands it on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PaymentMethod {
    /// Which provider.
    pub provider: String,
    /// The provider's token; a secret, so sealed like personal data. Never a card number.
    pub token: Personal<String>,
}

/// A cart was checked out: from here on there is an order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CartCheckedOut {
    /// The cart.
    pub cart_id: CartId,
    /// The order it becomes; fixed here, so that completing twice gives the same order.
    pub order_id: OrderId,
    /// The number people use.
    pub number: String,
    /// Whose personal data it holds.
    pub person: PersonId,
    /// The account, when the buyer was signed in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer_id: Option<CustomerId>,
    /// E-mail and address.
    pub contact: Personal<Contact>,
    /// Lines with frozen prices.
    pub lines: Vec<OrderLine>,
    /// Sums.
    pub totals: Totals,
    /// How to pay.
    pub payment: PaymentMethod,
    /// SHA-256 of the guest's access token, hex.
    pub access_token_hash: String,
    /// When the order is given up unless it is confirmed.
    pub deadline: Timestamp,
}

/// A cart was opened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CartCreated {
    /// Which.
    pub cart_id: CartId,
    /// All its prices are in this currency.
    pub currency: Currency,
    /// Whose, when signed in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer_id: Option<CustomerId>,
}

/// A line of a cart.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CartLine {
    /// Its id.
    pub id: LineId,
    /// What.
    pub sku: String,
    /// Its name when it was added.
    pub title: String,
    /// The product's handle, for links.
    pub handle: String,
    /// How many, at least 1.
    pub quantity: i64,
    /// Price of one, as last agreed.
    pub unit_price: Money,
}

/// Lines were added; a line already in the cart on the same SKU has its quantity raised instead.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CartLinesAdded {
    /// Lines new to the cart, or (same id) with their new quantity and price.
    pub lines: Vec<CartLine>,
}

/// The quantity of a line changed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CartLineChanged {
    /// Which line.
    pub line: LineId,
    /// How many now.
    pub quantity: i64,
}

/// A line was taken out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CartLineRemoved {
    /// Which line.
    pub line: LineId,
}

/// Prices were brought up to date with the catalogue, and the shopper was told.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CartRepriced {
    /// Line → its price now.
    pub prices: Vec<(LineId, Money)>,
}

/// Nothing happened to the cart for a while.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CartAbandoned {
    /// Which.
    pub cart_id: CartId,
    /// Whose, when signed in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer_id: Option<CustomerId>,
    /// What was in it.
    pub lines: Vec<CartLine>,
}

/// The cart is closed; it can no longer be used.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CartExpired {
    /// Which.
    pub cart_id: CartId,
}

event_set! {
    /// The life of a cart.
    pub enum CartEvent {
        /// Opened.
        Created(CartCreated) = "cart.cart.created.v1",
        /// Lines added.
        LinesAdded(CartLinesAdded) = "cart.lines.added.v1",
        /// A quantity changed.
        LineChanged(CartLineChanged) = "cart.line.changed.v1",
        /// A line removed.
        LineRemoved(CartLineRemoved) = "cart.line.removed.v1",
        /// Prices brought up to date.
        Repriced(CartRepriced) = "cart.cart.repriced.v1",
        /// Checked out.
        CheckedOut(CartCheckedOut) = "cart.cart.checked_out.v1",
        /// Left alone.
        Abandoned(CartAbandoned) = "cart.cart.abandoned.v1",
        /// Closed.
        Expired(CartExpired) = "cart.cart.expired.v1",
    }
}
