//! Where a review stands, and why it came there.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Where a review stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReviewStatus {
    /// Waits for a moderator; only its author and staff see it.
    Pending,
    /// Everyone sees it, and it counts in the product's rating.
    Published,
    /// A moderator refused it (or took it down).
    Rejected,
    /// Taken back by its author, removed by staff, or its author was erased.
    Withdrawn,
}

impl ReviewStatus {
    /// As in JSON and in read models.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Published => "published",
            Self::Rejected => "rejected",
            Self::Withdrawn => "withdrawn",
        }
    }

    /// Reads what [`as_str`](Self::as_str) wrote.
    pub fn parse(text: &str) -> Option<Self> {
        let all = [
            Self::Pending,
            Self::Published,
            Self::Rejected,
            Self::Withdrawn,
        ];
        all.into_iter().find(|status| status.as_str() == text)
    }
}

/// Why a review is refused, or reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Objection {
    /// Advertising, or the same text again and again.
    Spam,
    /// Insults, hate, obscenity.
    Offensive,
    /// Not about the product.
    OffTopic,
    /// Names or describes a private person.
    PersonalData,
    /// Not the experience of a buyer.
    Fake,
    /// Something else; the note says what.
    Other,
}

impl Objection {
    /// As in JSON and in read models.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Spam => "spam",
            Self::Offensive => "offensive",
            Self::OffTopic => "off_topic",
            Self::PersonalData => "personal_data",
            Self::Fake => "fake",
            Self::Other => "other",
        }
    }

    /// Reads what [`as_str`](Self::as_str) wrote.
    pub fn parse(text: &str) -> Option<Self> {
        let all = [
            Self::Spam,
            Self::Offensive,
            Self::OffTopic,
            Self::PersonalData,
            Self::Fake,
            Self::Other,
        ];
        all.into_iter().find(|reason| reason.as_str() == text)
    }
}

/// Who ended a review.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WithdrawnBy {
    /// Its author.
    Author,
    /// Staff.
    Staff,
    /// Nobody: the author was erased.
    Erasure,
}
