//! Sessions: someone signed in, until they sign out, are cut off, or the time is up.

use contracts::identity::{AccountId, SessionEnded, SessionEvent, SessionStarted};
use kernel::{Decider, Rejection, Timestamp};
use serde::{Deserialize, Serialize};

/// A session.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Session {
    /// As it was started.
    pub started: Option<SessionStarted>,
    /// Whether they signed out.
    pub ended: bool,
}

impl Session {
    /// Whose session it is and of which epoch, if `secret_hash` is its secret's and it has not
    /// ended by `now`. Whether the epoch is still the account's is for the caller to see.
    pub fn redeem(&self, secret_hash: &str, now: Timestamp) -> Option<(&AccountId, i64)> {
        let session = self.started.as_ref()?;
        (!self.ended && session.secret_hash == secret_hash && now < session.expires_at)
            .then_some((&session.account, session.epoch))
    }
}

/// What can be asked of a session.
pub enum SessionCommand {
    /// Start it.
    Start(SessionStarted),
    /// End it; only who has its secret may.
    End {
        /// Of the token that was sent.
        secret_hash: String,
    },
}

/// The rules of sessions.
pub struct Sessions;

impl Decider for Sessions {
    const CATEGORY: &'static str = "session";
    type State = Session;
    type Command = SessionCommand;
    type Event = SessionEvent;

    fn decide(state: &Session, command: &SessionCommand) -> Result<Vec<SessionEvent>, Rejection> {
        Ok(match (command, &state.started) {
            (SessionCommand::Start(session), None) => vec![session.clone().into()],
            (SessionCommand::Start(_), Some(_)) => Vec::new(),
            (SessionCommand::End { secret_hash }, Some(session))
                if !state.ended && *secret_hash == session.secret_hash =>
            {
                vec![
                    SessionEnded {
                        session_id: session.session_id.clone(),
                        secret_hash: session.secret_hash.clone(),
                    }
                    .into(),
                ]
            }
            // Ended before, never begun, or not theirs: either way they are signed out.
            (SessionCommand::End { .. }, _) => Vec::new(),
        })
    }

    fn evolve(state: &mut Session, event: &SessionEvent) {
        match event {
            SessionEvent::Started(session) => state.started = Some(session.clone()),
            SessionEvent::Ended(_) => state.ended = true,
        }
    }
}

#[cfg(test)]
mod tests {
    use kernel::testing::given;

    use super::*;

    #[test]
    fn a_session_lasts_until_signed_out_or_expired() {
        let mut session = given::<Sessions>([]);
        let start = SessionStarted {
            session_id: "ses_1".parse().expect("an id"),
            account: AccountId::Customer("cus_1".parse().expect("an id")),
            secret_hash: "abc".into(),
            epoch: 1,
            expires_at: Timestamp(100),
        };
        session.when(SessionCommand::Start(start)).expect("started");
        assert!(session.state.redeem("abc", Timestamp(99)).is_some());
        assert!(session.state.redeem("abd", Timestamp(99)).is_none());
        assert!(session.state.redeem("abc", Timestamp(100)).is_none());
        let end = |hash: &str| SessionCommand::End {
            secret_hash: hash.into(),
        };
        assert!(session.when(end("abd")).expect("nothing").is_empty());
        assert!(session.state.redeem("abc", Timestamp(99)).is_some());
        assert_eq!(session.when(end("abc")).expect("ended").len(), 1);
        assert!(session.state.redeem("abc", Timestamp(99)).is_none());
        assert!(session.when(end("abc")).expect("nothing").is_empty());
    }
}
