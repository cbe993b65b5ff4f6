//! What is known of an address, under its keyed hash: whether mail comes back from it, and whether
//! whoever reads there wants no more.

use contracts::notifications::{AddressBounced, AddressEvent, AddressUnsubscribed};
use kernel::{App, Decider, Rejection};
use serde::{Deserialize, Serialize};

/// What is known of an address.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct AddressState {
    /// It is bad for good.
    pub bounced: bool,
    /// Nothing but what is due, please.
    pub unsubscribed: bool,
}

/// What can be asked.
#[derive(Clone, Debug)]
pub enum AddressCommand {
    /// Mail came back.
    Bounce(AddressBounced),
    /// No more, please.
    Unsubscribe(AddressUnsubscribed),
}

/// The rules.
pub struct Address;

impl Decider for Address {
    const CATEGORY: &'static str = "address";
    type State = AddressState;
    type Command = AddressCommand;
    type Event = AddressEvent;

    fn decide(
        state: &AddressState,
        command: &AddressCommand,
    ) -> Result<Vec<AddressEvent>, Rejection> {
        Ok(match command {
            // A mailbox that is full today is none that is gone.
            AddressCommand::Bounce(bounce) if bounce.permanent && !state.bounced => {
                vec![bounce.clone().into()]
            }
            AddressCommand::Unsubscribe(wish) if !state.unsubscribed => vec![wish.clone().into()],
            _ => vec![],
        })
    }

    fn evolve(state: &mut AddressState, event: &AddressEvent) {
        match event {
            AddressEvent::Bounced(bounced) => state.bounced |= bounced.permanent,
            AddressEvent::Unsubscribed(_) => state.unsubscribed = true,
        }
    }
}

/// The keyed hash under which an address is kept; two spellings that differ by case are one.
pub fn key(app: &App, address: &str) -> String {
    let address = address.trim().to_lowercase();
    app.keys().blind("notifications-address", &address)
}
