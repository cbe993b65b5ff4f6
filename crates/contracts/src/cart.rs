//! What the cart publishes, and the types of its API. The cart's inner events (lines added and so
//! on) are part of the same set: anyone may listen.

mod api;

pub use api::*;

use kernel::{Currency, Money, PersonId, Personal, Timestamp, event_set, id};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    address::Contact,
    credit::CreditUse,
    identity::CustomerId,
    orders::{OrderId, OrderLine, Totals},
    pricing::{CaptureMode, PromotionUse},
    shipping::{OrderShipping, ShippingQuote},
};

id!(
    /// A cart. Unguessable: knowing it is the right to use it.
    CartId, "crt"
);
id!(
    /// A line of a cart, and later of the order: a number within its cart (`lin_1`), never used
    /// again there.
    LineId, "lin"
);

/// The channel of carts that name none.
pub fn web() -> String {
    "web".into()
}

/// Whether it is that channel.
pub(crate) fn is_web(channel: &str) -> bool {
    channel == "web"
}

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
    /// How it is shipped; absent when nothing is, or the shop offers no ways of shipping.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shipping: Option<OrderShipping>,
    /// Code of the channel it was sold in.
    #[serde(
        default = "crate::cart::web",
        skip_serializing_if = "crate::cart::is_web"
    )]
    pub channel: String,
    /// Uses of scarce promotions, to be claimed before it is charged.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub redemptions: Vec<PromotionUse>,
    /// Gift cards and store credit to be used before a card is charged.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub credits: Vec<CreditUse>,
    /// Equal for the same buyer: a keyed hash of the account or the e-mail address. For limits per
    /// buyer.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub buyer_key: String,
    /// When the money is taken.
    #[serde(default, skip_serializing_if = "CaptureMode::is_manual")]
    pub capture: CaptureMode,
    /// The buyer's language, BCP 47, such as `de`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub locale: Option<String>,
    /// SHA-256 of the guest's access token, hex.
    pub access_token_hash: String,
    /// When the order is given up unless it is confirmed.
    pub deadline: Timestamp,
    /// When.
    #[serde(default)]
    pub at: Timestamp,
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
    /// Code of the channel it is opened in.
    #[serde(
        default = "crate::cart::web",
        skip_serializing_if = "crate::cart::is_web"
    )]
    pub channel: String,
    /// When.
    #[serde(default)]
    pub at: Timestamp,
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
    /// What the catalogue said of it when it was added, so that the cart can be priced from itself.
    #[serde(default, skip_serializing_if = "CartItem::is_plain")]
    pub item: CartItem,
}

/// What promotions and taxes go by.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CartItem {
    /// Id of its product; empty: not known.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub product_id: String,
    /// Category paths of its product.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub categories: Vec<String>,
    /// Tax class; absent: `standard`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tax_class: Option<String>,
    /// Whether it is shipped.
    #[serde(
        default = "crate::pricing::yes",
        skip_serializing_if = "crate::pricing::is_yes"
    )]
    pub requires_shipping: bool,
}

impl Default for CartItem {
    fn default() -> Self {
        Self {
            product_id: String::new(),
            categories: Vec::new(),
            tax_class: None,
            requires_shipping: true,
        }
    }
}

impl CartItem {
    /// Whether nothing is known of it.
    pub fn is_plain(&self) -> bool {
        *self == Self::default()
    }
}

/// Lines were added; a line already in the cart on the same SKU has its quantity raised instead.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CartLinesAdded {
    /// Lines new to the cart, or (same id) with their new quantity and price.
    pub lines: Vec<CartLine>,
    /// When.
    #[serde(default)]
    pub at: Timestamp,
}

/// The quantity of a line changed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CartLineChanged {
    /// Which line.
    pub line: LineId,
    /// How many now.
    pub quantity: i64,
    /// When.
    #[serde(default)]
    pub at: Timestamp,
}

/// A line was taken out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CartLineRemoved {
    /// Which line.
    pub line: LineId,
    /// When.
    #[serde(default)]
    pub at: Timestamp,
}

/// Prices were brought up to date with the catalogue, and the shopper was told.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CartRepriced {
    /// Line → its price now.
    pub prices: Vec<(LineId, Money)>,
    /// When.
    #[serde(default)]
    pub at: Timestamp,
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
    /// When.
    #[serde(default)]
    pub at: Timestamp,
}

/// The cart is closed; it can no longer be used.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CartExpired {
    /// Which.
    pub cart_id: CartId,
    /// When.
    #[serde(default)]
    pub at: Timestamp,
}

/// Where the goods are to go, as far as prices need it before there is an address.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CartDestination {
    /// ISO 3166-1 alpha-2.
    #[schema(example = "DE")]
    pub country: String,
    /// ISO 3166-2 without the country.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub province: String,
}

/// The shopper said where the goods are to go.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CartDestinationSet {
    /// Where.
    pub destination: CartDestination,
    /// When.
    #[serde(default)]
    pub at: Timestamp,
}

/// A coupon code was entered. Whether it takes something off is decided with each price.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CartCouponAdded {
    /// As [`coupon_code`](crate::pricing::coupon_code) writes it.
    pub code: String,
    /// When.
    #[serde(default)]
    pub at: Timestamp,
}

/// A coupon code was taken out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CartCouponRemoved {
    /// As [`coupon_code`](crate::pricing::coupon_code) writes it.
    pub code: String,
    /// When.
    #[serde(default)]
    pub at: Timestamp,
}

/// A way of shipping was chosen: a quote whose signature was good.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CartShippingChosen {
    /// What was quoted.
    pub quote: ShippingQuote,
    /// When.
    #[serde(default)]
    pub at: Timestamp,
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
        /// Where it is to go.
        DestinationSet(CartDestinationSet) = "cart.cart.destination_set.v1",
        /// A code entered.
        CouponAdded(CartCouponAdded) = "cart.coupon.added.v1",
        /// A code taken out.
        CouponRemoved(CartCouponRemoved) = "cart.coupon.removed.v1",
        /// A way of shipping chosen.
        ShippingChosen(CartShippingChosen) = "cart.shipping.chosen.v1",
    }
}

/// Where a cart stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CartStatus {
    /// It can be filled and checked out.
    #[default]
    Open,
    /// It was checked out: see the order.
    Completed,
    /// It was left alone too long; start a new one.
    Expired,
}
