//! The lists of one person: counted, and found when they are erased.

use contracts::wishlists::{ShelfErased, ShelfEvent, ShelfListAdded, ShelfListRemoved, WishlistId};
use kernel::{Decider, PersonId, Rejection, RejectionKind};
use serde::{Deserialize, Serialize};

/// How many lists a person may have.
pub const MOST_LISTS: usize = 50;

/// Keeps a person's lists.
pub struct Shelf;

/// What is known of them.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct State {
    /// Their lists.
    pub lists: Vec<WishlistId>,
    /// Whether they were erased.
    pub erased: bool,
}

/// What can be asked.
#[derive(Clone, Debug)]
pub enum Change {
    /// One more list.
    Add(WishlistId),
    /// One less.
    Remove(WishlistId),
    /// They are erased.
    Erase,
}

/// Whose shelf, and what is asked of it.
#[derive(Clone, Debug)]
pub struct Command {
    /// Whose.
    pub person: PersonId,
    /// What.
    pub change: Change,
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

impl Decider for Shelf {
    const CATEGORY: &'static str = "shelf";
    const SNAPSHOT_EVERY: Option<i64> = Some(100);
    type State = State;
    type Command = Command;
    type Event = ShelfEvent;

    fn decide(state: &State, command: &Command) -> Result<Vec<ShelfEvent>, Rejection> {
        let person = command.person.clone();
        Ok(match &command.change {
            Change::Add(id) => {
                still_there(state)?;
                if state.lists.len() >= MOST_LISTS {
                    let detail = format!("nobody may have more than {MOST_LISTS} lists");
                    return Err(Rejection::unprocessable("too-many-lists", detail));
                }
                let wishlist_id = id.clone();
                vec![
                    ShelfListAdded {
                        person,
                        wishlist_id,
                    }
                    .into(),
                ]
            }
            Change::Remove(id) if state.lists.contains(id) => {
                let wishlist_id = id.clone();
                vec![
                    ShelfListRemoved {
                        person,
                        wishlist_id,
                    }
                    .into(),
                ]
            }
            Change::Erase if !state.erased => vec![ShelfErased { person }.into()],
            Change::Remove(_) | Change::Erase => Vec::new(),
        })
    }

    fn evolve(state: &mut State, event: &ShelfEvent) {
        match event {
            ShelfEvent::ListAdded(added) => state.lists.push(added.wishlist_id.clone()),
            ShelfEvent::ListRemoved(gone) => state.lists.retain(|id| *id != gone.wishlist_id),
            ShelfEvent::Erased(_) => state.erased = true,
        }
    }
}
