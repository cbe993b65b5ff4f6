//! What a person agreed to. Kept per person, so that somebody without an account has consents too.

use std::collections::BTreeMap;

use contracts::customers::{ConsentChanged, ConsentEvent, Purpose};
use kernel::{Decider, Rejection};
use serde::{Deserialize, Serialize};

/// Consents of a person as they stand.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Consents {
    /// By purpose; one that is missing was never asked about.
    pub current: BTreeMap<Purpose, ConsentChanged>,
}

/// The rules of consents.
pub struct ConsentBook;

impl Decider for ConsentBook {
    const CATEGORY: &'static str = "consent";
    type State = Consents;
    type Command = ConsentChanged;
    type Event = ConsentEvent;

    fn decide(state: &Consents, change: &ConsentChanged) -> Result<Vec<ConsentEvent>, Rejection> {
        let version = &change.policy_version;
        if version.chars().count() > 50 || version.contains(char::is_control) {
            let detail = "must have at most 50 characters and no control characters";
            return Err(Rejection::invalid("policy_version", detail));
        }
        let same = |old: &ConsentChanged| {
            // Withdrawing twice is withdrawing once, whatever text was on the page.
            old.granted == change.granted && (!old.granted || old.policy_version == *version)
        };
        match state.current.get(&change.purpose) {
            Some(old) if same(old) => Ok(vec![]),
            // Nothing to withdraw, but what was said is kept: it stands against older consents
            // that may be brought along later.
            _ => Ok(vec![change.clone().into()]),
        }
    }

    fn evolve(state: &mut Consents, event: &ConsentEvent) {
        let ConsentEvent::Changed(change) = event;
        state.current.insert(change.purpose, change.clone());
    }
}

/// What must be changed of `target` so that of two profiles' consents the stricter ones stand: a
/// withdrawn one wins, and one that only `source` has is taken over.
pub fn stricter(target: &Consents, source: &Consents) -> Vec<ConsentChanged> {
    let wins = |theirs: &&ConsentChanged| match target.current.get(&theirs.purpose) {
        None => true,
        Some(ours) => ours.granted && !theirs.granted,
    };
    source.current.values().filter(wins).cloned().collect()
}
