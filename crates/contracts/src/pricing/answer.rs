//! What a calculation says beside its amounts: which promotions applied and why, what became of
//! each coupon code, and by which rules tax was taken.

use kernel::{Currency, Money, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{PromotionId, TaxRounding};

/// A promotion that took something off.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AppliedPromotion {
    /// Which.
    pub promotion_id: PromotionId,
    /// Its name: its adjustments have the code `promotion:` and this.
    pub name: String,
    /// For shoppers.
    pub label: String,
    /// The coupon code that gave it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub coupon: Option<String>,
    /// What it took off in all, positive.
    pub amount: Money,
    /// Why it applied, in plain English.
    pub because: String,
}

/// What became of a coupon code.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CouponAnswer {
    /// The code, as [`coupon_code`](super::coupon_code) writes it; as entered if it cannot be one.
    pub code: String,
    /// What it would give.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub promotion_id: Option<PromotionId>,
    /// Whether it took something off.
    pub applied: bool,
    /// Why it did not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<CouponProblem>,
    /// The same in plain English.
    pub detail: String,
}

/// Why a coupon took nothing off. It names no customer groups and no channels: shoppers read it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "code", rename_all = "kebab-case")]
pub enum CouponProblem {
    /// The shop has no such code.
    Unknown,
    /// It was withdrawn, or its promotion was.
    NotInForce,
    /// Its promotion has not begun.
    NotYet {
        /// First moment it holds, microseconds UTC.
        starts_at: Timestamp,
    },
    /// Its promotion is over.
    Over {
        /// First moment it no longer held, microseconds UTC.
        ended_at: Timestamp,
    },
    /// Its promotion applies without a code.
    NotNeeded,
    /// Another code for the same promotion counts.
    SamePromotion {
        /// The code that counts.
        counts: String,
    },
    /// The lines meant come to less than it asks for.
    SubtotalTooLow {
        /// At least.
        at_least: Money,
        /// What they come to.
        now: Money,
    },
    /// There are fewer units of the lines meant than it asks for.
    TooFewUnits {
        /// At least.
        at_least: i64,
        /// How many there are.
        now: i64,
    },
    /// It is for other customers.
    OtherCustomers,
    /// It is for another channel.
    OtherChannel,
    /// It is for other countries.
    OtherCountry,
    /// It depends on the country, which is not known yet.
    CountryUnknown,
    /// It is for first orders only.
    NotFirstOrder,
    /// It is for first orders only, and it is not known yet whose order this is.
    BuyerUnknown,
    /// It does not go together with a promotion that applied.
    Excluded {
        /// That one's label.
        by: String,
    },
    /// It is in another currency than the cart.
    OtherCurrency {
        /// Its currency.
        #[schema(value_type = String, example = "EUR")]
        currency: Currency,
    },
    /// It is for shipping, which is not chosen yet.
    ShippingUnknown,
    /// It is for cheaper ways of shipping.
    ShippingTooDear {
        /// Not above this.
        up_to: Money,
    },
    /// Nothing in the cart is meant by it, or nothing is left to take off.
    NothingToReduce,
}

impl std::fmt::Display for CouponProblem {
    /// One sentence for a shopper.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Unknown => "There is no such code.",
            Self::NotInForce => "This code is no longer valid.",
            Self::NotYet { .. } => "This code is not valid yet.",
            Self::Over { .. } => "This code has expired.",
            Self::NotNeeded => "This offer needs no code: it applies by itself.",
            Self::SamePromotion { counts } => {
                return write!(f, "The code {counts} gives the same; it counts once.");
            }
            Self::SubtotalTooLow { at_least, now } => {
                return write!(
                    f,
                    "It holds from {at_least} on; what it is for comes to {now}."
                );
            }
            Self::TooFewUnits { at_least, now } => {
                return write!(
                    f,
                    "It holds from {at_least} items on; {now} are in the cart."
                );
            }
            Self::OtherCustomers => "It is not for this customer account.",
            Self::OtherChannel => "It is not valid here.",
            Self::OtherCountry => "It is not valid for this country.",
            Self::CountryUnknown => "It depends on where the goods go: give an address.",
            Self::NotFirstOrder => "It is for a first order only.",
            Self::BuyerUnknown => {
                "It is for a first order only: sign in or give an e-mail address."
            }
            Self::Excluded { by } => {
                return write!(f, "It does not go together with {by}.");
            }
            Self::OtherCurrency { currency } => {
                return write!(f, "It is for carts in {currency}.");
            }
            Self::ShippingUnknown => "It is for shipping: choose a way of shipping.",
            Self::ShippingTooDear { up_to } => {
                return write!(f, "It is for ways of shipping up to {up_to}.");
            }
            Self::NothingToReduce => "Nothing in the cart is reduced by it.",
        })
    }
}

/// By which rules the tax of a calculation was taken.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TaxBasis {
    /// The country whose rates counted, ISO 3166-1 alpha-2; absent: none was known, so no tax.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
    /// Code of the region it belongs to; absent: none, so prices are taken to contain tax.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// Whether the country is the shop's own, because it is not known yet where the goods go.
    pub estimated: bool,
    /// Whether prices contain the tax.
    pub prices_include_tax: bool,
    /// How it was rounded.
    pub rounding: TaxRounding,
    /// Whether the buyer accounts for the VAT (reverse charge).
    pub reverse_charge: bool,
    /// The same in plain English.
    pub because: String,
}
