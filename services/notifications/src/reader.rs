//! What is known of a customer: where to write to, in which language, and whether they want more
//! than what is due to them.

use contracts::{
    identity::CustomerId,
    notifications::{ReaderConsentChanged, ReaderEvent, ReaderLocaleNoted, ReaderNoted},
};
use kernel::{Decider, Personal, Rejection};
use serde::{Deserialize, Serialize};

/// What is known of a customer.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct ReaderState {
    /// Their e-mail address.
    pub email: Option<Personal<String>>,
    /// Whether they agreed to marketing. Not unless they said so.
    pub consent: bool,
    /// Their language.
    pub locale: Option<String>,
}

/// What can be asked.
#[derive(Clone, Debug)]
pub enum ReaderCommand {
    /// Remember the address.
    Note(CustomerId, Personal<String>),
    /// Consent was given or withdrawn, and where.
    Consent(CustomerId, bool, &'static str),
    /// Remember the language.
    Locale(CustomerId, String),
}

/// The rules.
pub struct Reader;

impl Decider for Reader {
    const CATEGORY: &'static str = "reader";
    type State = ReaderState;
    type Command = ReaderCommand;
    type Event = ReaderEvent;

    fn decide(state: &ReaderState, command: &ReaderCommand) -> Result<Vec<ReaderEvent>, Rejection> {
        Ok(match command.clone() {
            ReaderCommand::Note(customer_id, email) if state.email.as_ref() != Some(&email) => {
                vec![ReaderNoted { customer_id, email }.into()]
            }
            ReaderCommand::Consent(customer_id, granted, source) if state.consent != granted => {
                vec![
                    ReaderConsentChanged {
                        customer_id,
                        granted,
                        source: source.into(),
                    }
                    .into(),
                ]
            }
            ReaderCommand::Locale(customer_id, locale)
                if state.locale.as_ref() != Some(&locale) =>
            {
                vec![
                    ReaderLocaleNoted {
                        customer_id,
                        locale,
                    }
                    .into(),
                ]
            }
            _ => vec![],
        })
    }

    fn evolve(state: &mut ReaderState, event: &ReaderEvent) {
        match event {
            ReaderEvent::Noted(noted) => state.email = Some(noted.email.clone()),
            ReaderEvent::ConsentChanged(changed) => state.consent = changed.granted,
            ReaderEvent::LocaleNoted(noted) => state.locale = Some(noted.locale.clone()),
        }
    }
}
