//! The end of a person's data: decided, then done.

use contracts::{
    customers::{PersonErased, PersonEvent, PersonKeyDeleted},
    identity::CustomerId,
};
use kernel::{Decider, PersonId, Rejection, Timestamp};
use serde::{Deserialize, Serialize};

/// How far the erasure of a person is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Person {
    /// It was decided.
    pub erased: bool,
    /// The key is deleted.
    pub key_deleted: bool,
}

/// What can be asked about a person.
#[derive(Clone, Debug)]
pub enum PersonCommand {
    /// Forget them.
    Erase {
        /// Whom.
        person: PersonId,
        /// Their account, when they had one.
        customer_id: Option<CustomerId>,
        /// When.
        at: Timestamp,
    },
    /// Their key is deleted.
    KeyDeleted {
        /// Whose.
        person: PersonId,
        /// When.
        at: Timestamp,
    },
}

/// The rules of erasure.
pub struct Persons;

impl Decider for Persons {
    const CATEGORY: &'static str = "person";
    type State = Person;
    type Command = PersonCommand;
    type Event = PersonEvent;

    fn decide(state: &Person, command: &PersonCommand) -> Result<Vec<PersonEvent>, Rejection> {
        Ok(match command {
            PersonCommand::Erase {
                person,
                customer_id,
                at,
            } if !state.erased => vec![
                PersonErased {
                    person: person.clone(),
                    customer_id: customer_id.clone(),
                    at: *at,
                }
                .into(),
            ],
            PersonCommand::KeyDeleted { person, at } if state.erased && !state.key_deleted => vec![
                PersonKeyDeleted {
                    person: person.clone(),
                    at: *at,
                }
                .into(),
            ],
            _ => vec![],
        })
    }

    fn evolve(state: &mut Person, event: &PersonEvent) {
        match event {
            PersonEvent::Erased(_) => state.erased = true,
            PersonEvent::KeyDeleted(_) => state.key_deleted = true,
        }
    }
}
