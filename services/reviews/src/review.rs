//! The rules of one review.

use contracts::reviews::{ReviewCreated, ReviewEvent, ReviewId};
use kernel::{Decider, Rejection};
use serde::{Deserialize, Serialize};

/// Longest name, in characters.
pub const NAME_LIMIT: usize = 200;

/// Decides what may happen to a review.
pub struct Review;

/// What the rules need to know.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct State {
    /// Its name; `None` before it is created.
    pub name: Option<String>,
}

/// What can be asked of a review.
#[derive(Clone, Debug)]
pub enum Command {
    /// Creates it under an id that is not in use.
    Create {
        /// Its id.
        id: ReviewId,
        /// Its name.
        name: String,
    },
}

impl Decider for Review {
    const CATEGORY: &'static str = "review";
    type State = State;
    type Command = Command;
    type Event = ReviewEvent;

    fn decide(state: &State, command: &Command) -> Result<Vec<ReviewEvent>, Rejection> {
        match command {
            Command::Create { .. } if state.name.is_some() => Err(Rejection::conflict(
                "already-exists",
                "there is a review with this id already",
            )),
            Command::Create { id, name } => {
                let name = checked_name(name)?;
                let id = id.clone();
                Ok(vec![ReviewCreated { id, name }.into()])
            }
        }
    }

    fn evolve(state: &mut State, event: &ReviewEvent) {
        match event {
            ReviewEvent::Created(created) => state.name = Some(created.name.clone()),
        }
    }
}

fn checked_name(name: &str) -> Result<String, Rejection> {
    let name = name.trim();
    let length = name.chars().count();
    if length == 0 || length > NAME_LIMIT || name.chars().any(char::is_control) {
        let detail = format!("must have 1 to {NAME_LIMIT} characters and no control characters");
        return Err(Rejection::invalid("name", detail));
    }
    Ok(name.to_owned())
}

#[cfg(test)]
mod tests {
    use kernel::testing::{assert_golden, given};

    use super::*;

    fn create(name: &str) -> Command {
        Command::Create {
            id: "rev_1".parse().expect("an id"),
            name: name.into(),
        }
    }

    #[test]
    fn given_nothing_when_created_then_it_has_its_name() {
        let mut it = given::<Review>([]);
        let events = it.when(create(" First ")).expect("accepted");
        assert_eq!(events.len(), 1);
        assert_eq!(it.state.name.as_deref(), Some("First"));
    }

    #[test]
    fn given_one_when_created_again_then_refused() {
        let mut it = given::<Review>([]);
        it.when(create("First")).expect("accepted");
        let refused = it.when(create("Second")).expect_err("refused");
        assert_eq!(refused.code, "already-exists");
        assert_eq!(it.state.name.as_deref(), Some("First"));
    }

    #[test]
    fn a_name_that_cannot_be_shown_is_refused() {
        let long = "x".repeat(NAME_LIMIT + 1);
        for bad in ["", "   ", "a\u{0}b", &long] {
            let refused = given::<Review>([]).when(create(bad)).expect_err("refused");
            assert_eq!(refused.field.as_deref(), Some("name"), "{bad:?}");
        }
    }

    #[test]
    fn its_events_are_written_as_their_golden_files_say() {
        assert_golden::<ReviewEvent>(concat!(env!("CARGO_MANIFEST_DIR"), "/golden"));
    }
}
