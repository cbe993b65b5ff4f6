//! What one person wrote: so that all of it is found when they are erased, and nobody floods the
//! shop.

use contracts::reviews::{AuthorErased, AuthorEvent, AuthorWrote, ReviewId};
use kernel::{Decider, PersonId, Rejection, RejectionKind};
use serde::{Deserialize, Serialize};

/// How many products a person may review.
pub const MOST: usize = 2_000;

/// Keeps what a person wrote.
pub struct Author;

/// What is known of them.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct State {
    /// Their reviews, withdrawn ones too.
    pub reviews: Vec<ReviewId>,
    /// Whether they were erased.
    pub erased: bool,
}

/// Refuses what would be sealed for a person who has no key any more: an access token outlives its
/// person by some minutes.
pub fn still_there(state: &State) -> Result<(), Rejection> {
    match state.erased {
        false => Ok(()),
        true => {
            let detail = "this person's data was erased";
            Err(Rejection::new(RejectionKind::Gone, "erased", detail))
        }
    }
}

/// What can be asked.
#[derive(Clone, Debug)]
pub enum Command {
    /// They write a review.
    Write(PersonId, ReviewId),
    /// They are erased.
    Erase(PersonId),
}

impl Decider for Author {
    const CATEGORY: &'static str = "author";
    type State = State;
    type Command = Command;
    type Event = AuthorEvent;

    fn decide(state: &State, command: &Command) -> Result<Vec<AuthorEvent>, Rejection> {
        match command {
            Command::Write(_, id) if state.reviews.contains(id) => {
                still_there(state).map(|()| Vec::new())
            }
            Command::Write(..) if state.reviews.len() >= MOST => {
                let detail = format!("nobody may review more than {MOST} products");
                Err(Rejection::unprocessable("too-many-reviews", detail))
            }
            Command::Write(person, id) => {
                still_there(state)?;
                Ok(vec![
                    AuthorWrote {
                        person: person.clone(),
                        review_id: id.clone(),
                    }
                    .into(),
                ])
            }
            Command::Erase(_) if state.erased => Ok(Vec::new()),
            Command::Erase(person) => Ok(vec![
                AuthorErased {
                    person: person.clone(),
                }
                .into(),
            ]),
        }
    }

    fn evolve(state: &mut State, event: &AuthorEvent) {
        match event {
            AuthorEvent::Wrote(wrote) => state.reviews.push(wrote.review_id.clone()),
            AuthorEvent::Erased(_) => state.erased = true,
        }
    }
}
