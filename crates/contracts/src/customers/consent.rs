//! What people agreed to, when, where and to which text.

use kernel::{PersonId, Timestamp, event_set};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::identity::CustomerId;

/// What data may be used for.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// Advertising by e-mail.
    MarketingEmail,
    /// Advertising by SMS.
    MarketingSms,
    /// Advertising by push message.
    MarketingPush,
    /// Learning from what they do what they may like.
    Profiling,
    /// Handing data to others for their advertising.
    ThirdParty,
}

impl Purpose {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::MarketingEmail,
        Self::MarketingSms,
        Self::MarketingPush,
        Self::Profiling,
        Self::ThirdParty,
    ];

    /// As in JSON and in read models.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::MarketingEmail => "marketing_email",
            Self::MarketingSms => "marketing_sms",
            Self::MarketingPush => "marketing_push",
            Self::Profiling => "profiling",
            Self::ThirdParty => "third_party",
        }
    }
}

/// Where a consent was given or withdrawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ConsentSource {
    /// While buying.
    Checkout,
    /// In the account.
    Account,
    /// By staff, on somebody's word.
    Staff,
    /// Brought along from another system.
    Import,
}

impl ConsentSource {
    /// As in JSON and in read models.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Checkout => "checkout",
            Self::Account => "account",
            Self::Staff => "staff",
            Self::Import => "import",
        }
    }
}

/// A consent was given or withdrawn.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ConsentChanged {
    /// The account, when there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer_id: Option<CustomerId>,
    /// Who.
    pub person: PersonId,
    /// For what.
    pub purpose: Purpose,
    /// Given, or withdrawn.
    pub granted: bool,
    /// Where.
    pub source: ConsentSource,
    /// Which version of the text they saw.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub policy_version: String,
    /// When.
    pub at: Timestamp,
}

event_set! {
    /// What a person agreed to.
    pub enum ConsentEvent {
        /// Given or withdrawn.
        Changed(ConsentChanged) = "customers.consent.changed.v1",
    }
}
