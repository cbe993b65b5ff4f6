//! How often scarce promotions were used, as events of small counters.

use std::str::FromStr;

use kernel::{Money, event_set};
use serde::{Deserialize, Serialize};

use super::{CampaignId, PromotionId};
use crate::orders::OrderId;

/// What uses are counted of. Written `promotion:prm_…`, `coupon:CODE`, `campaign:cmp_…`,
/// `buyer:prm_…:<buyer key>`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum UsageSubject {
    /// A promotion.
    Promotion(PromotionId),
    /// A coupon, by its code.
    Coupon(String),
    /// A campaign.
    Campaign(CampaignId),
    /// A promotion, by one buyer.
    Buyer(PromotionId, String),
}

impl std::fmt::Display for UsageSubject {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Promotion(id) => write!(f, "promotion:{id}"),
            Self::Coupon(code) => write!(f, "coupon:{code}"),
            Self::Campaign(id) => write!(f, "campaign:{id}"),
            Self::Buyer(id, key) => write!(f, "buyer:{id}:{key}"),
        }
    }
}

impl FromStr for UsageSubject {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let unknown = || "expected promotion:…, coupon:…, campaign:… or buyer:…:…".to_owned();
        let (kind, rest) = text.split_once(':').ok_or_else(unknown)?;
        match kind {
            "promotion" => rest.parse().map(Self::Promotion),
            "coupon" => Ok(Self::Coupon(rest.to_owned())),
            "campaign" => rest.parse().map(Self::Campaign),
            "buyer" => {
                let (promotion, key) = rest.split_once(':').ok_or_else(unknown)?;
                Ok(Self::Buyer(promotion.parse()?, key.to_owned()))
            }
            _ => Err(unknown()),
        }
    }
}

impl From<UsageSubject> for String {
    fn from(subject: UsageSubject) -> Self {
        subject.to_string()
    }
}

impl TryFrom<String> for UsageSubject {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

/// An order's use was counted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct UsageCounted {
    /// Of what.
    pub subject: UsageSubject,
    /// For which order.
    pub order_id: OrderId,
    /// How many orders use it now.
    pub uses: i64,
    /// What it takes off this order.
    pub amount: Money,
    /// What it takes off all orders of this currency together.
    pub spent: Money,
}

/// An order's use was given back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct UsageGivenBack {
    /// Of what.
    pub subject: UsageSubject,
    /// By which order.
    pub order_id: OrderId,
    /// How many orders use it now.
    pub uses: i64,
    /// What it took off this order.
    pub amount: Money,
    /// What it takes off all orders of this currency together.
    pub spent: Money,
}

event_set! {
    /// A counter of uses: one stream per subject, each event with the new count.
    pub enum UsageEvent {
        /// One more.
        Counted(UsageCounted) = "pricing.usage.counted.v1",
        /// One less.
        GivenBack(UsageGivenBack) = "pricing.usage.given_back.v1",
    }
}

/// A promotion draws on a campaign's budget from now on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CampaignJoined {
    /// Whose budget.
    pub campaign_id: CampaignId,
    /// Which promotion.
    pub promotion_id: PromotionId,
}

/// A promotion does not draw on a campaign's budget any more.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CampaignLeft {
    /// Whose budget.
    pub campaign_id: CampaignId,
    /// Which promotion.
    pub promotion_id: PromotionId,
}

event_set! {
    /// Which promotions a campaign has: a stream beside the campaign's own, so that one that is
    /// still drawn on is not removed.
    pub enum CampaignMemberEvent {
        /// In.
        Joined(CampaignJoined) = "pricing.campaign_member.joined.v1",
        /// Out.
        Left(CampaignLeft) = "pricing.campaign_member.left.v1",
    }
}
