//! What moderators decide about a review.

use contracts::reviews::{
    Objection, ReviewEvent, ReviewRejected, ReviewReplied, ReviewStatus, ReviewSubmitted,
};
use kernel::{Personal, Rejection, RejectionKind, Timestamp};

use crate::{review::State, text};

/// Refused, or taken down.
pub(crate) fn reject(
    state: &State,
    at: Timestamp,
    edition: i64,
    reason: Objection,
    note: Option<&str>,
) -> Result<Vec<ReviewEvent>, Rejection> {
    let written = seen(state, edition)?;
    let note = text::note(reason, note)?;
    if state.status == Some(ReviewStatus::Rejected) {
        return Ok(Vec::new());
    }
    let person = written.content.person();
    Ok(vec![
        ReviewRejected {
            review_id: written.review_id.clone(),
            product_id: written.product_id.clone(),
            edition,
            reason,
            note: note.map(|note| Personal::new(person.clone(), note)),
            at,
        }
        .into(),
    ])
}

/// The shop answers.
pub(crate) fn reply(
    state: &State,
    at: Timestamp,
    text: &str,
) -> Result<Vec<ReviewEvent>, Rejection> {
    let written = state.there()?;
    if state.status != Some(ReviewStatus::Published) {
        let detail = "only a published review can be answered";
        return Err(Rejection::conflict("not-published", detail));
    }
    written.content.get().ok_or_else(erased)?;
    let text = text::lines("text", text, text::REPLY)?;
    let text = Personal::new(written.content.person().clone(), text);
    if state.reply.as_ref() == Some(&text) {
        return Ok(Vec::new());
    }
    let review_id = written.review_id.clone();
    Ok(vec![
        ReviewReplied {
            review_id,
            text,
            at,
        }
        .into(),
    ])
}

/// The review, if a moderator who read `edition` has read all of it.
pub(crate) fn seen(state: &State, edition: i64) -> Result<&ReviewSubmitted, Rejection> {
    let written = state.there()?;
    written.content.get().ok_or_else(erased)?;
    if written.edition != edition {
        let detail = "the author has changed it meanwhile; read it again";
        return Err(Rejection::conflict("edited-meanwhile", detail).field("edition"));
    }
    Ok(written)
}

/// Refuses what cannot be read any more.
pub(crate) fn erased() -> Rejection {
    let detail = "the author's data was erased";
    Rejection::new(RejectionKind::Gone, "erased", detail)
}
