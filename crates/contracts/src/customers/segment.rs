//! Groups that staff fill by hand, and segments that a rule fills. Their codes share one namespace.

use kernel::{Money, Timestamp, event_set};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How a rule's conditions are joined.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Combine {
    /// Every condition must hold.
    #[default]
    All,
    /// One is enough.
    Any,
}

/// One thing that must be true of a customer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Condition {
    /// Confirmed orders less refunds, in this currency alone, come to at least so much.
    SpentAtLeast {
        /// How much.
        amount: Money,
    },
    /// At least so many confirmed orders, in all currencies.
    OrdersAtLeast {
        /// How many.
        count: i64,
    },
    /// They did order, but not within the last so many days.
    LastOrderBefore {
        /// Days of 24 hours.
        days: i64,
    },
    /// They ordered within the last so many days.
    LastOrderWithin {
        /// Days of 24 hours.
        days: i64,
    },
    /// Their default delivery address, or else their newest order, is in one of these.
    Country {
        /// ISO 3166-1 alpha-2.
        countries: Vec<String>,
    },
    /// The account was opened then or later.
    RegisteredSince {
        /// Microseconds UTC.
        at: Timestamp,
    },
    /// The account was opened within the last so many days.
    RegisteredWithin {
        /// Days of 24 hours.
        days: i64,
    },
}

impl Condition {
    /// Whether it may begin or cease to hold by the mere passing of time.
    pub fn is_timed(&self) -> bool {
        matches!(
            self,
            Self::LastOrderBefore { .. }
                | Self::LastOrderWithin { .. }
                | Self::RegisteredWithin { .. }
        )
    }
}

/// Who belongs to a segment.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SegmentRule {
    /// How the conditions are joined.
    #[serde(default)]
    pub combine: Combine,
    /// 1 to 20 of them.
    pub conditions: Vec<Condition>,
}

/// There is a group of this code, or it has another name now.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GroupDefined {
    /// Its code.
    pub code: String,
    /// For people.
    pub name: String,
}

/// A group is gone; nobody is in it any more.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GroupRemoved {
    /// Its code.
    pub code: String,
}

/// There is a segment of this code, or it has another name or rule now.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SegmentDefined {
    /// Its code.
    pub code: String,
    /// For people.
    pub name: String,
    /// Who belongs to it.
    pub rule: SegmentRule,
}

/// A segment is gone; nobody is in it any more.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SegmentRemoved {
    /// Its code.
    pub code: String,
}

/// A day has passed: who meets a rule that depends on time is looked at again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SegmentReviewDue {
    /// When it fell due.
    pub at: Timestamp,
}

event_set! {
    /// All groups and segments: one stream, so that a code means one thing.
    pub enum DirectoryEvent {
        /// A group.
        GroupDefined(GroupDefined) = "customers.group.defined.v1",
        /// A group no more.
        GroupRemoved(GroupRemoved) = "customers.group.removed.v1",
        /// A segment.
        SegmentDefined(SegmentDefined) = "customers.segment.defined.v1",
        /// A segment no more.
        SegmentRemoved(SegmentRemoved) = "customers.segment.removed.v1",
        /// Rules that depend on time are to be looked at.
        ReviewDue(SegmentReviewDue) = "customers.segment.review_due.v1",
    }
}
