//! What one customer thinks of one review: a vote that can be changed, and a report per edition.

use contracts::{
    identity::CustomerId,
    reviews::{AbuseReported, Objection, OpinionEvent, ReviewId, VoteCast, VoteWithdrawn},
};
use kernel::{Decider, PersonId, Personal, Rejection, Timestamp};
use serde::{Deserialize, Serialize};

/// Keeps an opinion.
pub struct Opinion;

/// The stream of `customer`'s opinion of `review`.
pub fn id(review: &ReviewId, customer: &CustomerId) -> String {
    format!("{review}.{customer}")
}

/// What it is.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct State {
    /// Whether it helped, if they said so.
    pub helpful: Option<bool>,
    /// The edition they reported last.
    pub reported: Option<i64>,
}

/// What they say.
#[derive(Clone)]
pub enum Say {
    /// It helped or it did not; `None` takes that back.
    Helpful(Option<bool>),
    /// It is abuse.
    Report {
        /// The edition they read.
        edition: i64,
        /// Their person, who the note belongs to.
        person: PersonId,
        /// What is wrong.
        reason: Objection,
        /// In their words.
        note: Option<String>,
    },
}

/// Who says what of which review, and when.
#[derive(Clone)]
pub struct Command {
    /// Which review.
    pub review: ReviewId,
    /// Who.
    pub customer: CustomerId,
    /// What.
    pub say: Say,
    /// Now.
    pub at: Timestamp,
}

impl Decider for Opinion {
    const CATEGORY: &'static str = "opinion";
    type State = State;
    type Command = Command;
    type Event = OpinionEvent;

    fn decide(state: &State, command: &Command) -> Result<Vec<OpinionEvent>, Rejection> {
        let (review_id, customer_id) = (command.review.clone(), command.customer.clone());
        Ok(match (&command.say, state.helpful) {
            (Say::Helpful(now), before) if *now == before => Vec::new(),
            (Say::Helpful(Some(helpful)), before) => vec![
                VoteCast {
                    review_id,
                    customer_id,
                    helpful: *helpful,
                    before,
                }
                .into(),
            ],
            (Say::Helpful(None), Some(before)) => vec![
                VoteWithdrawn {
                    review_id,
                    customer_id,
                    before,
                }
                .into(),
            ],
            (Say::Helpful(None), None) => Vec::new(),
            (Say::Report { edition, .. }, _) if state.reported == Some(*edition) => Vec::new(),
            (
                Say::Report {
                    edition,
                    person,
                    reason,
                    note,
                },
                _,
            ) => vec![
                AbuseReported {
                    review_id,
                    edition: *edition,
                    customer_id,
                    reason: *reason,
                    note: crate::text::note(*reason, note.as_deref())?
                        .map(|note| Personal::new(person.clone(), note)),
                    at: command.at,
                }
                .into(),
            ],
        })
    }

    fn evolve(state: &mut State, event: &OpinionEvent) {
        match event {
            OpinionEvent::Voted(cast) => state.helpful = Some(cast.helpful),
            OpinionEvent::VoteWithdrawn(_) => state.helpful = None,
            OpinionEvent::Reported(report) => state.reported = Some(report.edition),
        }
    }
}
