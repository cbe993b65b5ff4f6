//! Who showed that an e-mail address is theirs. The stream is named by the address's keyed hash.

use contracts::{
    customers::{MailboxClaimed, MailboxEvent, MailboxReleased},
    identity::CustomerId,
};
use kernel::{Decider, Rejection, blinded};
use serde::{Deserialize, Serialize};

/// What the keyed hashes of this service are for.
pub const PURPOSE: &str = "customers-email";

/// Whose an address is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Mailbox {
    /// The customer, once shown.
    pub customer: Option<CustomerId>,
}

/// What can be asked of an address.
#[derive(Clone, Debug)]
pub enum MailboxCommand {
    /// It is this customer's; whoever had it before has it no more.
    Claim(CustomerId),
    /// It is not this customer's any more.
    Release(CustomerId),
}

/// The rules of addresses.
pub struct Mailboxes;

impl Decider for Mailboxes {
    const CATEGORY: &'static str = "mailbox";
    type State = Mailbox;
    type Command = MailboxCommand;
    type Event = MailboxEvent;

    fn decide(state: &Mailbox, command: &MailboxCommand) -> Result<Vec<MailboxEvent>, Rejection> {
        Ok(match command {
            MailboxCommand::Claim(customer) if state.customer.as_ref() != Some(customer) => {
                let customer_id = customer.clone();
                vec![MailboxClaimed { customer_id }.into()]
            }
            MailboxCommand::Release(customer) if state.customer.as_ref() == Some(customer) => {
                let customer_id = customer.clone();
                vec![MailboxReleased { customer_id }.into()]
            }
            _ => vec![],
        })
    }

    fn evolve(state: &mut Mailbox, event: &MailboxEvent) {
        state.customer = match event {
            MailboxEvent::Claimed(claimed) => Some(claimed.customer_id.clone()),
            MailboxEvent::Released(_) => None,
        };
    }
}

/// The form in which two spellings of an address are equal: trimmed, in lower case.
pub fn normal(email: &str) -> String {
    email.trim().to_lowercase()
}

/// The keyed hash of an address, by the key ring in scope; empty for an empty one.
pub fn hash(email: &str) -> Result<String, Rejection> {
    match normal(email).as_str() {
        "" => Ok(String::new()),
        email => blinded(PURPOSE, email).map_err(|_| {
            Rejection::conflict(
                "no-keys",
                "internal: a keyed hash was made without the key ring",
            )
        }),
    }
}
