//! The types of the API of carts.

use kernel::{Currency, Money, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{CartDestination, CartId, CartStatus, LineId};
use crate::{
    orders::{Adjustment, OrderId, TaxLine, Totals},
    pricing::{AppliedPromotion, CouponAnswer, PriceListId, TaxBasis},
    shipping::OrderShipping,
};

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
    /// What the price is compared with ("was"), if that is more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compare_at: Option<Money>,
    /// Discounts, in the order they were applied.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub adjustments: Vec<Adjustment>,
    /// Its taxes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub taxes: Vec<TaxLine>,
    /// What it comes to; one that says nothing comes to its subtotal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total: Option<Money>,
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
    /// A coupon code that was entered takes nothing off. At checkout it must be taken out first.
    CouponNotApplied {
        /// The code.
        coupon: String,
        /// Why, for the shopper.
        detail: String,
    },
    /// Goods are to be shipped and no way of shipping is chosen, or the one that was no longer fits
    /// the cart, the address or the time: get a new quote.
    ShippingNotChosen {
        /// Why, for the shopper.
        detail: String,
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
    /// Code of the channel it was opened in.
    #[serde(default = "crate::cart::web")]
    pub channel: String,
    /// Where the goods are to go, as far as it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub destination: Option<CartDestination>,
    /// The way of shipping that was chosen, with its price.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shipping: Option<OrderShipping>,
    /// Promotions that took something off, in the order they were applied, and why.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub promotions: Vec<AppliedPromotion>,
    /// What became of each coupon code.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub coupons: Vec<CouponAnswer>,
    /// By which rules tax was taken; absent once checked out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tax: Option<TaxBasis>,
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
    /// Code of the channel; `web` unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<String>,
    /// Where the goods are to go. Its region's currency is the cart's unless one is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub destination: Option<CartDestination>,
}

/// `POST /api/carts/{id}/coupons`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewCoupon {
    /// The code, in any case.
    pub code: String,
}

/// `PUT /api/carts/{id}/shipping`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ShippingChoice {
    /// The token of a quote of `POST /api/shipping/quotes` for this cart.
    pub quote: String,
}

/// `POST /api/carts/price`: what would come to what, without a cart.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PriceRequest {
    /// ISO 4217; the destination's region's or the shop's own unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "GBP")]
    pub currency: Option<Currency>,
    /// Code of the channel; `web` unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<String>,
    /// Where the goods are to go.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub destination: Option<CartDestination>,
    /// Postal code of the destination.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub postcode: Option<String>,
    /// VAT identification number of a business.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vat_number: Option<String>,
    /// Codes of customer groups; only staff may say them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<String>,
    /// Coupon codes, at most 20.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub coupons: Vec<String>,
    /// What is bought, 1 to 2,000 lines.
    pub lines: Vec<NewLine>,
    /// What shipping costs, before promotions; none unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shipping: Option<Money>,
}

/// What a hypothetical cart comes to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PriceAnswer {
    /// Of all its prices.
    #[schema(value_type = String, example = "GBP")]
    pub currency: Currency,
    /// Lines, in the order given.
    pub lines: Vec<PricedLineView>,
    /// Shipping, if it was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shipping: Option<PricedPart>,
    /// Promotions that took something off, in the order they were applied, and why.
    pub promotions: Vec<AppliedPromotion>,
    /// What became of each coupon code.
    pub coupons: Vec<CouponAnswer>,
    /// By which rules tax was taken.
    pub tax: TaxBasis,
    /// Sums.
    pub totals: Totals,
}

/// A line of a hypothetical cart.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PricedLineView {
    /// What.
    pub sku: String,
    /// Its name.
    pub title: String,
    /// How many.
    pub quantity: i64,
    /// Price of one.
    pub unit_price: Money,
    /// What the price is compared with ("was"), if that is more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compare_at: Option<Money>,
    /// The price list it is from; absent: the catalogue.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price_list: Option<PriceListId>,
    /// The rest.
    #[serde(flatten)]
    pub price: PricedPart,
}

/// What a line or shipping comes to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PricedPart {
    /// Before adjustments.
    pub subtotal: Money,
    /// Discounts, in the order they were applied.
    pub adjustments: Vec<Adjustment>,
    /// Taxes, in the order they were computed.
    pub taxes: Vec<TaxLine>,
    /// What it comes to.
    pub total: Money,
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
    /// How to pay what gift cards and store credit leave; may be left out if they leave nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment: Option<CheckoutPayment>,
    /// The token of a shipping quote for this cart and address; left out: the one chosen before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shipping_quote: Option<String>,
    /// VAT identification number of a business.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vat_number: Option<String>,
    /// Codes of gift cards to pay with first, at most 10, used in this order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gift_cards: Vec<String>,
    /// Whether to pay with the customer's store credit, before gift cards.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub use_store_credit: bool,
    /// What the buyer was shown; another total is refused instead of charged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected_total: Option<Money>,
    /// The buyer's language, BCP 47, such as `de`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub locale: Option<String>,
}
