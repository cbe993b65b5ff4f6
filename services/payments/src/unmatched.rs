//! Webhooks that belong to no payment: each kept once, for a person to look at.

use contracts::payments::{ProviderEventEvent, ProviderEventUnmatched};
use kernel::{Decider, Rejection};
use serde::{Deserialize, Serialize};

/// One such webhook; the stream's id is provider, provider's reference and kind.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Unmatched {
    kept: bool,
}

impl Decider for Unmatched {
    const CATEGORY: &'static str = "provider_event";
    type State = Self;
    type Command = ProviderEventUnmatched;
    type Event = ProviderEventEvent;

    fn decide(
        state: &Self,
        told: &ProviderEventUnmatched,
    ) -> Result<Vec<ProviderEventEvent>, Rejection> {
        Ok(match state.kept {
            true => Vec::new(),
            false => vec![told.clone().into()],
        })
    }

    fn evolve(state: &mut Self, _: &ProviderEventEvent) {
        state.kept = true;
    }
}
