//! The decider of quote keys: one stream for all of them, so that "which key signs now" has one
//! answer.

use contracts::shipping::{
    QuoteKeyPublished, QuoteKeyRetired, QuoteKeyRotationDue, QuoteKeySealed, QuoteKeysEvent,
};
use kernel::{Decider, Personal, Rejection, Timestamp};
use serde::{Deserialize, Serialize};

/// The one stream's id.
pub const ALL_KEYS: &str = "shop";

/// A key that is in use, will be, or has lately been.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct QuoteKey {
    /// The signature header's `kid`.
    pub kid: String,
    /// First moment it may sign.
    pub not_before: Timestamp,
    /// Ed25519 seed, base64url.
    pub private: Option<Personal<String>>,
}

/// Every key that is not retired, in the order they were published.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct KeyRoll {
    /// The keys.
    pub keys: Vec<QuoteKey>,
    /// How many were ever published.
    pub published: i64,
    /// For which number of published keys a rotation was last called for.
    pub due: i64,
}

impl KeyRoll {
    /// The key that signs at `now`: the latest whose time has come. Before the first one's time
    /// (a clock that was set back) the first.
    pub fn signing(&self, now: Timestamp) -> Option<&QuoteKey> {
        let begun = self.keys.iter().filter(|key| key.not_before <= now);
        begun
            .max_by_key(|key| key.not_before)
            .or_else(|| self.keys.first())
    }
}

/// What can be asked of the quote keys.
#[derive(Clone, Debug)]
pub enum KeyCommand {
    /// Take this key in, if it is still the one that follows the first `after` keys.
    Publish {
        /// How many keys had been published when it was made.
        after: i64,
        /// Its public part.
        public: QuoteKeyPublished,
        /// Its private part.
        private: Personal<String>,
    },
    /// Call for the key after the first `published`.
    CallFor {
        /// How many there are.
        published: i64,
    },
    /// Let no quote of this key be accepted any more, provided another signs at `now`.
    Retire {
        /// Which.
        kid: String,
        /// The moment of the decision.
        now: Timestamp,
    },
}

/// The rules of quote keys.
pub struct QuoteKeys;

impl Decider for QuoteKeys {
    const CATEGORY: &'static str = "quote_keys";
    const SNAPSHOT_EVERY: Option<i64> = Some(200);
    type State = KeyRoll;
    type Command = KeyCommand;
    type Event = QuoteKeysEvent;

    fn decide(state: &KeyRoll, command: &KeyCommand) -> Result<Vec<QuoteKeysEvent>, Rejection> {
        Ok(match command {
            KeyCommand::Publish {
                after,
                public,
                private,
            } if *after == state.published => vec![
                public.clone().into(),
                QuoteKeySealed {
                    kid: public.kid.clone(),
                    private: private.clone(),
                }
                .into(),
            ],
            KeyCommand::CallFor { published }
                if *published == state.published && state.due < *published =>
            {
                let published = *published;
                vec![QuoteKeyRotationDue { published }.into()]
            }
            KeyCommand::Retire { kid, now }
                if state.keys.iter().any(|key| key.kid == *kid)
                    && state.signing(*now).is_some_and(|key| key.kid != *kid) =>
            {
                vec![QuoteKeyRetired { kid: kid.clone() }.into()]
            }
            // Asked before, or overtaken by what happened since.
            _ => Vec::new(),
        })
    }

    fn evolve(state: &mut KeyRoll, event: &QuoteKeysEvent) {
        match event {
            QuoteKeysEvent::Published(key) => {
                state.published += 1;
                state.keys.push(QuoteKey {
                    kid: key.kid.clone(),
                    not_before: key.not_before,
                    private: None,
                });
            }
            QuoteKeysEvent::Sealed(sealed) => {
                if let Some(key) = state.keys.iter_mut().find(|key| key.kid == sealed.kid) {
                    key.private = Some(sealed.private.clone());
                }
            }
            QuoteKeysEvent::RotationDue(due) => state.due = due.published,
            QuoteKeysEvent::Retired(retired) => state.keys.retain(|key| key.kid != retired.kid),
        }
    }
}

#[cfg(test)]
mod tests {
    use kernel::{Event, testing::given};

    use super::*;

    fn publish(after: i64, kid: &str, not_before: i64) -> KeyCommand {
        KeyCommand::Publish {
            after,
            public: QuoteKeyPublished {
                kid: kid.into(),
                x: "eA".into(),
                not_before: Timestamp(not_before),
            },
            private: Personal::new("per_souk".parse().expect("an id"), "cw".into()),
        }
    }

    fn names(events: &[QuoteKeysEvent]) -> Vec<&str> {
        events.iter().map(Event::wire_name).collect()
    }

    #[test]
    fn a_key_is_published_before_its_private_part_and_signs_from_its_time_on() {
        let mut keys = given::<QuoteKeys>([]);
        let events = keys.when(publish(0, "a", 10)).expect("published");
        assert_eq!(
            names(&events),
            [
                "shipping.quote_key.published.v1",
                "shipping.quote_key.sealed.v1"
            ]
        );
        keys.when(publish(1, "b", 100)).expect("published");
        let kid = |now| {
            let key = keys.state.signing(Timestamp(now));
            key.map(|key| key.kid.clone())
        };
        assert_eq!(kid(99).as_deref(), Some("a"));
        assert_eq!(kid(100).as_deref(), Some("b"));
        assert_eq!(kid(5).as_deref(), Some("a"), "a clock set back");
    }

    #[test]
    fn two_makers_of_the_same_successor_make_one_and_it_is_called_for_once() {
        let mut keys = given::<QuoteKeys>([]);
        keys.when(publish(0, "a", 0)).expect("published");
        assert!(keys.when(publish(0, "b", 0)).expect("nothing").is_empty());
        let call = KeyCommand::CallFor { published: 1 };
        assert_eq!(keys.when(call.clone()).expect("called").len(), 1);
        assert!(keys.when(call).expect("nothing").is_empty());
    }

    #[test]
    fn the_key_that_signs_is_never_retired() {
        let mut keys = given::<QuoteKeys>([]);
        keys.when(publish(0, "a", 0)).expect("published");
        keys.when(publish(1, "b", 100)).expect("published");
        let retire = |kid: &str, now| KeyCommand::Retire {
            kid: kid.into(),
            now: Timestamp(now),
        };
        assert!(keys.when(retire("a", 50)).expect("nothing").is_empty());
        let events = keys.when(retire("a", 150)).expect("retired");
        assert_eq!(names(&events), ["shipping.quote_key.retired.v1"]);
        assert!(keys.when(retire("b", 150)).expect("nothing").is_empty());
    }
}
