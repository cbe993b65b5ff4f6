//! The rules of one review.

use std::sync::Arc;

use contracts::{
    catalog::ProductId,
    identity::CustomerId,
    reviews::{
        Objection, ReviewContent, ReviewEvent, ReviewId, ReviewPublished, ReviewReplyRemoved,
        ReviewStatus, ReviewSubmitted, ReviewWithdrawn, WithdrawnBy, api::ReviewChange,
    },
};
use kernel::{Decider, PersonId, Personal, Rejection, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{
    moderating::{erased, reject, reply, seen},
    text,
};

/// Decides what may happen to a review.
pub struct Review;

/// What the rules need to know.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct State {
    /// The review as its author wrote it last; `None` before.
    pub written: Option<Box<ReviewSubmitted>>,
    /// Where it stands; means nothing before it is written.
    pub status: Option<ReviewStatus>,
    /// Whether the shop answered, and what.
    pub reply: Option<Personal<String>>,
}

impl State {
    /// What it adds to its product's rating.
    pub fn counts(&self) -> Option<(ProductId, u8)> {
        match (&self.written, self.status) {
            (Some(written), Some(ReviewStatus::Published)) => {
                Some((written.product_id.clone(), written.rating))
            }
            _ => None,
        }
    }

    /// The review, unless it is withdrawn (or was never written).
    pub(crate) fn there(&self) -> Result<&ReviewSubmitted, Rejection> {
        match (&self.written, self.status) {
            (Some(written), Some(status)) if status != ReviewStatus::Withdrawn => Ok(written),
            _ => Err(Rejection::not_found("review")),
        }
    }
}

/// A review as it is to be: checked, its facts looked up.
#[derive(Clone, Debug)]
pub struct NewText {
    /// Of what.
    pub product: ProductId,
    /// Whose; `None` for an imported one.
    pub customer: Option<CustomerId>,
    /// Whose key seals it.
    pub person: PersonId,
    /// 1 to 5.
    pub rating: u8,
    /// What it says.
    pub content: ReviewContent,
    /// Whether they bought it.
    pub verified: bool,
    /// Where it comes from.
    pub source: Option<String>,
    /// When it was written, if not now.
    pub at: Option<Timestamp>,
    /// Whether it is published at once.
    pub publish: bool,
}

/// What can be asked of a review.
#[derive(Clone)]
pub enum Ask {
    /// A first review, or one after another was withdrawn.
    Submit(Box<NewText>),
    /// Another text or rating, by its author.
    Edit {
        /// Who asks.
        customer: CustomerId,
        /// What is to be changed.
        change: ReviewChange,
        /// Whether they have bought the product, as is known now.
        verified: bool,
        /// Whether a verified one is published at once.
        publish_verified: bool,
    },
    /// Let everyone see it.
    Publish {
        /// The edition that was read.
        edition: i64,
    },
    /// Refuse it, or take it down.
    Reject {
        /// The edition that was read.
        edition: i64,
        /// Why.
        reason: Objection,
        /// For its author.
        note: Option<String>,
    },
    /// Take it back, by its author or by staff.
    Withdraw(WithdrawnBy),
    /// The shop answers.
    Reply(String),
    /// The shop's answer goes.
    RemoveReply,
}

/// What is asked, of which review, and when.
#[derive(Clone)]
pub struct Command {
    /// Which.
    pub id: ReviewId,
    /// What.
    pub ask: Arc<Ask>,
    /// Now.
    pub at: Timestamp,
}

impl Decider for Review {
    const CATEGORY: &'static str = "review";
    type State = State;
    type Command = Command;
    type Event = ReviewEvent;

    fn decide(state: &State, command: &Command) -> Result<Vec<ReviewEvent>, Rejection> {
        let at = command.at;
        match &*command.ask {
            Ask::Submit(new) => submit(state, command, new),
            Ask::Edit {
                customer,
                change,
                verified,
                publish_verified,
            } => edit(state, at, customer, change, *verified, *publish_verified),
            // Also of a published one: a moderator looked again, and its reports are dealt with.
            Ask::Publish { edition } => {
                let written = seen(state, *edition)?;
                Ok(vec![published(written, false, at)])
            }
            Ask::Reject {
                edition,
                reason,
                note,
            } => reject(state, at, *edition, *reason, note.as_deref()),
            Ask::Withdraw(by) => Ok(match state.there() {
                Ok(written) => vec![withdrawn(written, *by, at)],
                Err(_) if *by == WithdrawnBy::Erasure => Vec::new(),
                Err(unknown) => return Err(unknown),
            }),
            Ask::Reply(text) => reply(state, at, text),
            Ask::RemoveReply => {
                let review_id = state.there()?.review_id.clone();
                Ok(match state.reply {
                    Some(_) => vec![ReviewReplyRemoved { review_id }.into()],
                    None => Vec::new(),
                })
            }
        }
    }

    fn evolve(state: &mut State, event: &ReviewEvent) {
        match event {
            ReviewEvent::Submitted(written) => {
                state.written = Some(Box::new(written.clone()));
                state.status = Some(ReviewStatus::Pending);
            }
            ReviewEvent::Published(_) => state.status = Some(ReviewStatus::Published),
            ReviewEvent::Rejected(_) => state.status = Some(ReviewStatus::Rejected),
            ReviewEvent::Withdrawn(_) => {
                state.status = Some(ReviewStatus::Withdrawn);
                state.reply = None;
            }
            ReviewEvent::Replied(replied) => state.reply = Some(replied.text.clone()),
            ReviewEvent::ReplyRemoved(_) => state.reply = None,
        }
    }
}

fn submit(state: &State, command: &Command, new: &NewText) -> Result<Vec<ReviewEvent>, Rejection> {
    if state.there().is_ok() {
        let detail = "you have reviewed this product already; change that review instead";
        let extra = serde_json::json!({ "review_id": command.id.as_str() });
        return Err(Rejection::conflict("already-reviewed", detail).extra(extra));
    }
    let edition = state.written.as_ref().map_or(0, |old| old.edition) + 1;
    let submitted = ReviewSubmitted {
        review_id: command.id.clone(),
        product_id: new.product.clone(),
        customer_id: new.customer.clone(),
        rating: text::rating(new.rating)?,
        content: Personal::new(new.person.clone(), new.content.clone()),
        verified: new.verified,
        edition,
        source: new.source.clone(),
        at: new.at.unwrap_or(command.at),
    };
    Ok(with_publication(submitted, new.publish, command.at))
}

fn edit(
    state: &State,
    at: Timestamp,
    customer: &CustomerId,
    change: &ReviewChange,
    verified: bool,
    publish_verified: bool,
) -> Result<Vec<ReviewEvent>, Rejection> {
    let old = state.there()?;
    if old.customer_id.as_ref() != Some(customer) {
        return Err(Rejection::not_found("review"));
    }
    let content = text::changed(old.content.get().ok_or_else(erased)?, change)?;
    let rating = text::rating(change.rating.unwrap_or(old.rating))?;
    if old.content.get() == Some(&content) && rating == old.rating {
        return Ok(Vec::new());
    }
    let verified = old.verified || verified;
    let submitted = ReviewSubmitted {
        rating,
        content: Personal::new(old.content.person().clone(), content),
        verified,
        edition: old.edition + 1,
        at,
        ..old.clone()
    };
    Ok(with_publication(
        submitted,
        verified && publish_verified,
        at,
    ))
}

fn with_publication(submitted: ReviewSubmitted, publish: bool, at: Timestamp) -> Vec<ReviewEvent> {
    let published = publish.then(|| published(&submitted, true, at));
    let mut events = vec![submitted.into()];
    events.extend(published);
    events
}

fn published(written: &ReviewSubmitted, automatic: bool, at: Timestamp) -> ReviewEvent {
    ReviewPublished {
        review_id: written.review_id.clone(),
        product_id: written.product_id.clone(),
        edition: written.edition,
        rating: written.rating,
        automatic,
        at,
    }
    .into()
}

fn withdrawn(written: &ReviewSubmitted, by: WithdrawnBy, at: Timestamp) -> ReviewEvent {
    ReviewWithdrawn {
        review_id: written.review_id.clone(),
        product_id: written.product_id.clone(),
        by,
        at,
    }
    .into()
}
