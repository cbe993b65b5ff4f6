//! The types of the API of reviews.

use kernel::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Objection, ReviewId, ReviewStatus};
use crate::{catalog::ProductId, identity::CustomerId};

/// A new review.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewReview {
    /// 1 to 5.
    #[schema(minimum = 1, maximum = 5)]
    pub rating: u8,
    /// At most 120 characters.
    #[serde(default)]
    #[schema(max_length = 120)]
    pub title: String,
    /// 1 to 5,000 characters of plain text.
    #[schema(min_length = 1, max_length = 5_000)]
    pub text: String,
    /// What the author wants to be called, at most 60 characters.
    #[serde(default)]
    #[schema(max_length = 60)]
    pub display_name: Option<String>,
}

/// What is to be changed; what is absent stays.
#[derive(Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReviewChange {
    /// 1 to 5.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 5)]
    pub rating: Option<u8>,
    /// At most 120 characters.
    #[serde(default)]
    pub title: Option<String>,
    /// 1 to 5,000 characters.
    #[serde(default)]
    pub text: Option<String>,
    /// At most 60 characters; empty takes the name away.
    #[serde(default)]
    pub display_name: Option<String>,
}

/// A vote.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Vote {
    /// Whether the review helped.
    pub helpful: bool,
}

/// A report of abuse.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewReport {
    /// What is wrong with the review.
    pub reason: Objection,
    /// At most 1,000 characters; wanted with `other`.
    #[serde(default)]
    pub note: Option<String>,
}

/// A report as staff see it.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
pub struct ReportView {
    /// Who reported.
    pub customer_id: CustomerId,
    /// What is wrong.
    pub reason: Objection,
    /// In their words; absent once they were erased.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// Microseconds UTC.
    pub at: Timestamp,
}

/// A moderator lets a review be seen.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Approval {
    /// The edition that was read: one that the author changed meanwhile is not published unseen.
    pub edition: i64,
}

/// A moderator refuses a review or takes it down.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Refusal {
    /// The edition that was read.
    pub edition: i64,
    /// Why.
    pub reason: Objection,
    /// For the author, at most 1,000 characters; wanted with `other`.
    #[serde(default)]
    pub note: Option<String>,
}

/// The shop's answer to a review.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Reply {
    /// 1 to 2,000 characters.
    #[schema(min_length = 1, max_length = 2_000)]
    pub text: String,
}

/// A review from elsewhere.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ImportedReview {
    /// Its id there: one that was imported before is left as it is. 1 to 100 characters.
    pub external_id: String,
    /// The product.
    pub product_id: ProductId,
    /// 1 to 5.
    pub rating: u8,
    /// At most 120 characters.
    #[serde(default)]
    pub title: String,
    /// 1 to 5,000 characters.
    pub text: String,
    /// At most 60 characters.
    #[serde(default)]
    pub display_name: Option<String>,
    /// Whether the source says that its author bought the product.
    #[serde(default)]
    pub verified: bool,
    /// When it was written, microseconds UTC; now unless given.
    #[serde(default)]
    pub written_at: Option<Timestamp>,
}

/// Reviews from elsewhere.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ImportRequest {
    /// Where from: 1 to 40 lower-case letters, digits or dashes.
    pub source: String,
    /// Whether they are published at once; otherwise they wait for a moderator.
    #[serde(default)]
    pub publish: bool,
    /// 1 to 200.
    pub reviews: Vec<ImportedReview>,
}

/// What became of an import.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ImportAnswer {
    /// How many were new.
    pub imported: i64,
    /// How many were there already.
    pub known: i64,
    /// Their ids, in the order of the request.
    pub ids: Vec<ReviewId>,
}

/// A review as the API shows it.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
pub struct ReviewView {
    /// Its id.
    pub id: ReviewId,
    /// Of what.
    pub product_id: ProductId,
    /// 1 to 5.
    pub rating: u8,
    /// One line; may be empty.
    pub title: String,
    /// Plain text: to be escaped where it is shown.
    pub text: String,
    /// What the author wants to be called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// Whether the author bought the product.
    pub verified: bool,
    /// How many it helped.
    pub helpful: i64,
    /// How many it did not help.
    pub unhelpful: i64,
    /// The shop's answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply: Option<String>,
    /// When it was written first, microseconds UTC.
    pub written_at: Timestamp,
    /// When its author changed it last.
    pub updated_at: Timestamp,
    /// For its author and for staff only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub moderation: Option<Moderation>,
}

/// What only the author and staff see of a review.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
pub struct Moderation {
    /// Where it stands.
    pub status: ReviewStatus,
    /// Which edition this is.
    pub edition: i64,
    /// Why it was rejected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Objection>,
    /// What the moderator said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// Its author's account (staff only).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer_id: Option<CustomerId>,
    /// How often it was reported since a moderator looked (staff only).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reports: Option<i64>,
    /// Where it was imported from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
}

/// A product's rating.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RatingView {
    /// The product.
    pub product_id: ProductId,
    /// How many published reviews.
    pub count: i64,
    /// The sum of their ratings.
    pub sum: i64,
    /// The average in hundredths, rounded half up (437 is 4.37); 0 without reviews.
    pub average_hundredths: i64,
    /// How many of each rating, from 1 to 5.
    pub histogram: [i64; 5],
}
