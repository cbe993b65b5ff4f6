//! What reviews publishes, and the types of its API.

use kernel::{PersonId, Personal, Timestamp, event_set, id};
use serde::{Deserialize, Serialize};

use crate::{catalog::ProductId, identity::CustomerId};

pub mod api;
mod standing;

pub use standing::{Objection, ReviewStatus, WithdrawnBy};

id!(
    /// A review. That of a customer is named by a keyed hash of customer and product, so that there
    /// is one of each.
    ReviewId, "rev"
);

/// What a review says. Plain text, and personal data: people write about themselves.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ReviewContent {
    /// One line; may be empty.
    pub title: String,
    /// The review.
    pub text: String,
    /// What the author wants to be called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
}

impl std::fmt::Debug for ReviewContent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ReviewContent(***)")
    }
}

/// A review was written, or replaced by its author; it waits for moderation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ReviewSubmitted {
    /// Which.
    pub review_id: ReviewId,
    /// Of what.
    pub product_id: ProductId,
    /// Whose; absent for imported ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer_id: Option<CustomerId>,
    /// 1 to 5.
    pub rating: u8,
    /// Title, text and name.
    pub content: Personal<ReviewContent>,
    /// Whether the author bought the product here (or the source said so).
    pub verified: bool,
    /// 1 for the first, one more with every change.
    pub edition: i64,
    /// Where an imported one comes from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// When it was written.
    pub at: Timestamp,
}

/// A review is to be seen by everyone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ReviewPublished {
    /// Which.
    pub review_id: ReviewId,
    /// Of what.
    pub product_id: ProductId,
    /// As it was written then.
    pub edition: i64,
    /// 1 to 5.
    pub rating: u8,
    /// Whether no moderator looked at it.
    pub automatic: bool,
    /// When.
    pub at: Timestamp,
}

/// A moderator refused a review, or took it down.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ReviewRejected {
    /// Which.
    pub review_id: ReviewId,
    /// Of what.
    pub product_id: ProductId,
    /// As it was written then.
    pub edition: i64,
    /// Why.
    pub reason: Objection,
    /// For the author; may quote the review, hence sealed like it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Personal<String>>,
    /// When.
    pub at: Timestamp,
}

/// A review is gone. Its author may write another one of the same product.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ReviewWithdrawn {
    /// Which.
    pub review_id: ReviewId,
    /// Of what.
    pub product_id: ProductId,
    /// By whom.
    pub by: WithdrawnBy,
    /// When.
    pub at: Timestamp,
}

/// The shop answered a review.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ReviewReplied {
    /// Which.
    pub review_id: ReviewId,
    /// The answer; it may name the author, hence sealed for them.
    pub text: Personal<String>,
    /// When.
    pub at: Timestamp,
}

/// The shop's answer was taken away.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ReviewReplyRemoved {
    /// Of which.
    pub review_id: ReviewId,
}

event_set! {
    /// The life of a review.
    pub enum ReviewEvent {
        /// Written or replaced.
        Submitted(ReviewSubmitted) = "reviews.review.submitted.v1",
        /// Published.
        Published(ReviewPublished) = "reviews.review.published.v1",
        /// Rejected.
        Rejected(ReviewRejected) = "reviews.review.rejected.v1",
        /// Gone.
        Withdrawn(ReviewWithdrawn) = "reviews.review.withdrawn.v1",
        /// Answered.
        Replied(ReviewReplied) = "reviews.review.replied.v1",
        /// The answer taken away.
        ReplyRemoved(ReviewReplyRemoved) = "reviews.review.reply_removed.v1",
    }
}

/// A product's rating is this now: of its published reviews and no others.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RatingChanged {
    /// Which product.
    pub product_id: ProductId,
    /// How many reviews.
    pub count: i64,
    /// The sum of their ratings; the average is `sum / count`, exactly.
    pub sum: i64,
    /// How many of each rating, from 1 to 5.
    pub histogram: [i64; 5],
}

event_set! {
    /// What a product's rating comes to.
    pub enum RatingEvent {
        /// Changed.
        Changed(RatingChanged) = "reviews.rating.changed.v1",
    }
}

/// A person wrote a review: so that all of theirs are found when they are erased.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AuthorWrote {
    /// Who.
    pub person: PersonId,
    /// Which.
    pub review_id: ReviewId,
}

/// A person was erased: their reviews are withdrawn, and they write no more.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AuthorErased {
    /// Who.
    pub person: PersonId,
}

event_set! {
    /// What one person wrote.
    pub enum AuthorEvent {
        /// A review.
        Wrote(AuthorWrote) = "reviews.author.wrote.v1",
        /// Erased.
        Erased(AuthorErased) = "reviews.author.erased.v1",
    }
}

/// A customer says whether a review helped them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct VoteCast {
    /// Which review.
    pub review_id: ReviewId,
    /// Who.
    pub customer_id: CustomerId,
    /// Whether it helped.
    pub helpful: bool,
    /// What they said before, if they did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<bool>,
}

/// A customer took their vote back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct VoteWithdrawn {
    /// Which review.
    pub review_id: ReviewId,
    /// Who.
    pub customer_id: CustomerId,
    /// What they had said.
    pub before: bool,
}

/// A customer asks staff to look at a review.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AbuseReported {
    /// Which review.
    pub review_id: ReviewId,
    /// As it was written then.
    pub edition: i64,
    /// Who.
    pub customer_id: CustomerId,
    /// What is wrong with it.
    pub reason: Objection,
    /// In their words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Personal<String>>,
    /// When.
    pub at: Timestamp,
}

event_set! {
    /// What one customer thinks of one review.
    pub enum OpinionEvent {
        /// Voted.
        Voted(VoteCast) = "reviews.opinion.voted.v1",
        /// Took the vote back.
        VoteWithdrawn(VoteWithdrawn) = "reviews.opinion.vote_withdrawn.v1",
        /// Reported.
        Reported(AbuseReported) = "reviews.opinion.reported.v1",
    }
}
