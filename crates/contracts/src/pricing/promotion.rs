//! Promotions: what is taken off, of what, for whom, and how often.

use kernel::{Money, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{CampaignId, PromotionId};

/// Which lines are meant: those that match one of each list that is not empty, and none of the
/// excluded SKUs. All lists empty: all lines.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct LineFilter {
    /// SKUs.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub skus: Vec<String>,
    /// Product ids.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub products: Vec<String>,
    /// Category paths; `clothing` means `clothing/shirts` too.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub categories: Vec<String>,
    /// SKUs that are never meant.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub except_skus: Vec<String>,
}

/// What must hold for a promotion to apply; all of them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum Condition {
    /// The lines meant come to at least this before promotions. Another currency never holds.
    Subtotal {
        /// At least.
        at_least: Money,
        /// Which lines.
        #[serde(default)]
        of: LineFilter,
    },
    /// At least so many units of the lines meant.
    Quantity {
        /// At least.
        at_least: i64,
        /// Which lines.
        #[serde(default)]
        of: LineFilter,
    },
    /// The buyer is in one of these customer groups.
    Groups {
        /// Their codes.
        any_of: Vec<String>,
    },
    /// The cart is of one of these channels.
    Channels {
        /// Their codes.
        any_of: Vec<String>,
    },
    /// The goods go to one of these countries.
    Countries {
        /// ISO 3166-1 alpha-2.
        any_of: Vec<String>,
    },
    /// The buyer has never ordered before.
    FirstOrder {},
}

/// What a promotion does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum Benefit {
    /// A share off each of the lines meant.
    PercentOff {
        /// In millionths, 1 to 1,000,000: 15 % is 150000.
        ppm: i64,
        /// Which lines.
        #[serde(default)]
        of: LineFilter,
    },
    /// An amount off the lines meant together, shared out by their value; never more than they cost.
    AmountOff {
        /// How much.
        amount: Money,
        /// Which lines.
        #[serde(default)]
        of: LineFilter,
    },
    /// An amount off each unit of the lines meant.
    AmountOffEach {
        /// How much off one.
        amount: Money,
        /// Which lines.
        #[serde(default)]
        of: LineFilter,
    },
    /// Each unit of the lines meant costs this, if that is less.
    FixedPrice {
        /// Price of one.
        price: Money,
        /// Which lines.
        #[serde(default)]
        of: LineFilter,
    },
    /// For every `buy_quantity` units of one kind, `get_quantity` units of another (or the same)
    /// kind, the cheapest ones, are reduced. A unit counts once: as bought or as got.
    BuyGet {
        /// What must be bought.
        #[serde(default)]
        buy: LineFilter,
        /// How many of it.
        buy_quantity: i64,
        /// What is reduced.
        #[serde(default)]
        get: LineFilter,
        /// How many of it.
        get_quantity: i64,
        /// By how much, in millionths: free is 1,000,000.
        ppm: i64,
        /// How often in one cart; absent: as often as it fits.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        at_most: Option<i64>,
    },
    /// Of every so many units of the lines meant, the cheapest one is free.
    CheapestFree {
        /// Of how many, at least 2.
        of_every: i64,
        /// Which lines.
        #[serde(default)]
        of: LineFilter,
    },
    /// A share off shipping: free is 1,000,000.
    ShippingOff {
        /// In millionths.
        ppm: i64,
        /// Not above this price of shipping; absent: any.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        up_to: Option<Money>,
    },
}

/// How promotions get along with each other. They are tried in order of priority.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Stacking {
    /// With any other, of what the earlier ones left.
    #[default]
    Stackable,
    /// At most one of each group of this name applies: the first that fits.
    OneOf(String),
    /// If it applies, no other does; it does not apply after another has.
    Exclusive,
}

/// A promotion, whole.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Promotion {
    /// Its id.
    pub id: PromotionId,
    /// For staff, and the code of its adjustments (`promotion:summer-sale`): lower-case letters,
    /// digits and dashes.
    pub name: String,
    /// For shoppers, such as `Summer sale`.
    pub label: String,
    /// What it does.
    pub benefit: Benefit,
    /// When it applies.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<Condition>,
    /// Whether the buyer must give one of its coupon codes.
    #[serde(default)]
    pub needs_coupon: bool,
    /// Higher ones are tried first; then the older one (by id).
    #[serde(default)]
    pub priority: i64,
    /// How it gets along with others.
    #[serde(default)]
    pub stacking: Stacking,
    /// First moment, microseconds UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub starts_at: Option<Timestamp>,
    /// First moment it no longer holds, microseconds UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends_at: Option<Timestamp>,
    /// How many orders may use it; absent: any number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<i64>,
    /// How many orders of one buyer may use it; absent: any number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit_per_buyer: Option<i64>,
    /// Whose budget it draws on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub campaign: Option<CampaignId>,
    /// Whether it is in force at all.
    #[serde(default = "crate::pricing::yes")]
    pub active: bool,
}

impl Promotion {
    /// Whether its uses must be claimed from pricing before an order is charged: it is given by
    /// coupon, or limited, or draws on a budget.
    pub fn is_scarce(&self) -> bool {
        self.needs_coupon
            || self.limit.is_some()
            || self.limit_per_buyer.is_some()
            || self.campaign.is_some()
    }
}

/// Promotions that share a budget.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Campaign {
    /// Its id.
    pub id: CampaignId,
    /// For staff.
    pub name: String,
    /// How many orders may use its promotions, all together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uses: Option<i64>,
    /// How much its promotions may take off, all together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spend: Option<Money>,
}

/// A code that gives a promotion to who enters it. Compared as [`coupon_code`] writes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Coupon {
    /// As [`coupon_code`] writes it.
    pub code: String,
    /// What it gives.
    pub promotion_id: PromotionId,
    /// How many orders may use this very code; absent: any number (the promotion's limits hold
    /// beside it).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<i64>,
    /// Whether it may still be used.
    #[serde(default = "crate::pricing::yes")]
    pub active: bool,
}

/// The one way to write a coupon code: without the spaces around it, full-width and other
/// compatibility forms of ASCII letters and digits made plain, in capital letters. `None` if what is
/// left is not 1 to 64 letters, digits (of any script), dashes or underscores.
pub fn coupon_code(entered: &str) -> Option<String> {
    let plain = entered.trim().chars().map(|c| match c {
        // Full-width forms (U+FF01 to U+FF5E) stand 0xFEE0 above the ASCII they mean.
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(c as u32 - 0xfee0).unwrap_or(c),
        '\u{2010}'..='\u{2015}' | '\u{2212}' => '-',
        other => other,
    });
    let code: String = plain.flat_map(char::to_uppercase).collect();
    let fine = |c: char| c.is_alphanumeric() || c == '-' || c == '_';
    let count = code.chars().count();
    ((1..=64).contains(&count) && code.chars().all(fine)).then_some(code)
}

#[cfg(test)]
mod tests {
    use super::coupon_code;

    #[test]
    fn a_code_is_the_same_however_it_is_typed() {
        for typed in [
            "summer-10",
            " SUMMER-10 ",
            "Ｓｕｍｍｅｒ－１０",
            "summer\u{2013}10",
        ] {
            assert_eq!(coupon_code(typed).as_deref(), Some("SUMMER-10"), "{typed}");
        }
        assert_eq!(coupon_code("straße").as_deref(), Some("STRASSE"));
        for bad in ["", "  ", "a b", "a\u{0}b", "a\u{301}", &"x".repeat(65)] {
            assert_eq!(coupon_code(bad), None, "{bad}");
        }
    }
}
