//! Uses of scarce promotions: claimed for an order before it is charged, and given back with it.

use kernel::{Money, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{CampaignId, PromotionId};
use crate::orders::OrderId;

/// One order's use of a promotion that is limited, given by coupon, or draws on a budget.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PromotionUse {
    /// Which promotion.
    pub promotion_id: PromotionId,
    /// By which code, as [`coupon_code`](super::coupon_code) writes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub coupon: Option<String>,
    /// Whose budget it draws on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub campaign: Option<CampaignId>,
    /// How much it takes off, positive.
    pub amount: Money,
}

/// Why a use was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RedemptionRefusal {
    /// The promotion or its coupon is unknown or no longer in force.
    NotInForce,
    /// As many orders as may use the promotion have used it.
    UsedUp,
    /// As many orders as may use the coupon have used it.
    CouponUsedUp,
    /// This buyer has used it as often as they may.
    BuyerLimit,
    /// The campaign's budget is spent.
    BudgetSpent,
}

/// All uses of an order were counted, at once.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RedemptionMade {
    /// Which order.
    pub order_id: OrderId,
    /// What was counted.
    pub uses: Vec<PromotionUse>,
    /// The buyer they were counted for, as in the order; empty: nobody.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub buyer_key: String,
    /// When.
    #[serde(default)]
    pub at: Timestamp,
}

/// A use could not be counted; none of the order's was.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RedemptionRefused {
    /// Which order.
    pub order_id: OrderId,
    /// Which promotion was the first in the way.
    pub promotion_id: PromotionId,
    /// By which code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub coupon: Option<String>,
    /// Why.
    pub reason: RedemptionRefusal,
}

/// The order was given up: its uses count no more.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RedemptionReleased {
    /// Which order.
    pub order_id: OrderId,
}

kernel::event_set! {
    /// The life of one order's uses of promotions.
    pub enum RedemptionEvent {
        /// Counted.
        Made(RedemptionMade) = "pricing.redemption.made.v1",
        /// Refused.
        Refused(RedemptionRefused) = "pricing.redemption.refused.v1",
        /// Given back.
        Released(RedemptionReleased) = "pricing.redemption.released.v1",
    }
}
