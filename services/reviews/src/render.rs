//! Rows of the read model as the API shows them: what is sealed is opened here.

use contracts::reviews::{
    Objection, ReviewContent, ReviewStatus,
    api::{Moderation, ReviewView},
};
use kernel::{App, Personal, Row, with_keys};
use serde::de::DeserializeOwned;

/// Who is going to see a review.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Eyes {
    /// Anyone.
    Everyone,
    /// Its author.
    Author,
    /// Moderators.
    Staff,
}

/// A row of the lists of reviews, as `eyes` may see it. Nothing of what was written is left once its
/// author was erased.
pub fn view(app: &App, row: &Row, eyes: Eyes) -> Option<ReviewView> {
    // Nothing once its author was erased; the event that withdraws it is then on its way.
    let content: ReviewContent = open(app, row.get(8)).unwrap_or_default();
    Some(ReviewView {
        id: row.get::<String>(0).parse().ok()?,
        product_id: row.get::<String>(1).parse().ok()?,
        rating: u8::try_from(row.get::<i64>(3)).ok()?,
        title: content.title,
        text: content.text,
        display_name: content.display_name,
        verified: row.get(5),
        helpful: row.get(12),
        unhelpful: row.get(13),
        reply: open(app, row.get(11)),
        written_at: row.get(15),
        updated_at: row.get(16),
        moderation: match eyes {
            Eyes::Everyone => None,
            Eyes::Author | Eyes::Staff => Some(moderation(app, row, eyes)?),
        },
    })
}

fn moderation(app: &App, row: &Row, eyes: Eyes) -> Option<Moderation> {
    let staff = eyes == Eyes::Staff;
    let customer = row.get::<Option<String>>(2);
    Some(Moderation {
        status: ReviewStatus::parse(&row.get::<String>(4))?,
        edition: row.get(6),
        reason: row
            .get::<Option<String>>(9)
            .and_then(|reason| Objection::parse(&reason)),
        note: open(app, row.get(10)),
        customer_id: customer.filter(|_| staff).and_then(|id| id.parse().ok()),
        reports: staff.then(|| row.get(14)),
        source: row.get(7),
    })
}

/// What a sealed column says; `None` when it is empty or its person was erased.
pub fn open<T: DeserializeOwned + Clone>(app: &App, sealed: Option<String>) -> Option<T> {
    let sealed = sealed.filter(|text| !text.is_empty())?;
    let opened = with_keys(app.keys(), || serde_json::from_str::<Personal<T>>(&sealed));
    opened.ok()?.get().cloned()
}
