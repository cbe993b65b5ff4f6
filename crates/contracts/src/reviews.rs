//! What reviews publishes, and the types of its API.

use kernel::{event_set, id};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

id!(
    /// Names one review.
    ReviewId, "rev"
);

/// A new review.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ReviewCreated {
    /// Its id.
    pub id: ReviewId,
    /// Its name, 1 to 200 characters.
    pub name: String,
}

event_set! {
    /// The life of a review.
    pub enum ReviewEvent {
        /// Created.
        Created(ReviewCreated) = "reviews.review.created.v1",
    }
}

/// What it takes to create a review.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewReview {
    /// Its name, 1 to 200 characters.
    #[schema(min_length = 1, max_length = 200)]
    pub name: String,
}

/// A review as the API shows it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ReviewView {
    /// Its id.
    pub id: ReviewId,
    /// Its name.
    pub name: String,
}
