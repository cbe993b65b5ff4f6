//! What the cart publishes, and the types of its API. The cart's inner events (lines added and so
//! on) are part of the same set: anyone may listen.

use kernel::{Currency, Money, PersonId, Personal, Timestamp, event_set, id};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    address::Contact,
    credit::CreditUse,
    identity::CustomerId,
    orders::{OrderId, OrderLine, Totals},
    pricing::{CaptureMode, PromotionUse},
    shipping::OrderShipping,
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

/// A line of a cart as the API shows it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CartLineView {
    /// Its id.
    pub id: LineId,
    /// What.
    pub sku: String,
    /// Its name.
    pub title: String,
    /// The product's handle, for links; empty once checked out.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub handle: String,
    /// How many.
    pub quantity: i64,
    /// Price of one, as last agreed.
    pub unit_price: Money,
    /// Unit price × quantity.
    pub subtotal: Money,
}

/// Something about a line that the shopper should know. All but `short-stock` stand in the way of
/// a checkout; `short-stock` is an early warning from a copy that may be a moment old, since stock
/// is decided when the order is reserved.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "code", rename_all = "kebab-case")]
pub enum CartProblem {
    /// The catalogue's price is another now: `POST …/reprice` accepts it.
    PriceChanged {
        /// Which line.
        line: LineId,
        /// Of what.
        sku: String,
        /// As agreed before.
        old: Money,
        /// As it is now.
        new: Money,
    },
    /// Fewer are there than the cart wants.
    ShortStock {
        /// Which line.
        line: LineId,
        /// Of what.
        sku: String,
        /// How many the cart wants.
        wanted: i64,
        /// How many could be sold.
        available: i64,
    },
    /// It was taken off sale.
    Unpublished {
        /// Which line.
        line: LineId,
        /// Of what.
        sku: String,
    },
    /// The catalogue has no such SKU (any more).
    UnknownSku {
        /// Which line.
        line: LineId,
        /// Of what.
        sku: String,
    },
    /// It has no price in the cart's currency.
    NoPrice {
        /// Which line.
        line: LineId,
        /// Of what.
        sku: String,
        /// The cart's currency.
        #[schema(value_type = String, example = "GBP")]
        currency: Currency,
    },
}

/// A cart as the API shows it. It holds no personal data.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CartView {
    /// Its id: keep it secret, it is the right to use the cart.
    pub id: CartId,
    /// Where it stands.
    pub status: CartStatus,
    /// Of all its prices.
    #[schema(value_type = String, example = "GBP")]
    pub currency: Currency,
    /// Lines, in the order they were added.
    pub lines: Vec<CartLineView>,
    /// Sums.
    pub totals: Totals,
    /// What stands in the way of a checkout, and warnings. A change answers those of the lines it
    /// touched, `GET` those of all lines.
    pub problems: Vec<CartProblem>,
    /// The order it became.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order_id: Option<OrderId>,
    /// That order's number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order_number: Option<String>,
    /// Microseconds UTC.
    pub created_at: Timestamp,
    /// Last change, microseconds UTC.
    pub updated_at: Timestamp,
    /// When it closes if nothing changes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
}

/// `POST /api/carts`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewCart {
    /// ISO 4217; the shop's own unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "GBP")]
    pub currency: Option<Currency>,
}

/// A SKU and how many of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewLine {
    /// What.
    pub sku: String,
    /// 1 to 100,000.
    pub quantity: i64,
}

/// `POST /api/carts/{id}/lines`: either one line (`sku`, `quantity`) or several (`lines`).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewLines {
    /// What, when it is one line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sku: Option<String>,
    /// 1 to 100,000, when it is one line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quantity: Option<i64>,
    /// Several lines, all or none; at most 2,000.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lines: Option<Vec<NewLine>>,
}

/// `PATCH /api/carts/{id}/lines/{line}`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LineChange {
    /// 1 to 100,000.
    pub quantity: i64,
}

/// How to pay.
#[derive(Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CheckoutPayment {
    /// Which provider.
    #[schema(example = "sandbox")]
    pub provider: String,
    /// The provider's token; never a card number.
    pub token: String,
}

/// `POST /api/carts/{id}/checkout`.
#[derive(Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CheckoutRequest {
    /// E-mail address for the order.
    pub email: String,
    /// Where the goods go.
    pub shipping_address: crate::address::Address,
    /// How to pay.
    pub payment: CheckoutPayment,
}
