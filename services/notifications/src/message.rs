//! A message's rules. It is queued once under its business name, tried until it is sent, given up
//! or not to be sent, and may be sent again by staff.

use std::sync::Arc;

use contracts::notifications::{
    MessageBounced, MessageDue, MessageEvent, MessageFailed, MessageQueued, MessageSent,
    MessageStatus, MessageSuppressed,
};
use kernel::{Decider, Rejection, Timestamp};
use serde::{Deserialize, Serialize};

/// What is known of a message.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct MessageState {
    /// What it says and to whom; none before it was queued.
    pub queued: Option<Arc<MessageQueued>>,
    /// Where it stands.
    pub status: MessageStatus,
    /// The attempt that is to be made now.
    pub pending: Option<i64>,
    /// How often it was tried.
    pub attempts: i64,
    /// How often it had been tried when staff last asked for it: patience begins anew.
    pub patience_from: i64,
    /// How often staff asked for it.
    pub resends: i64,
    /// When it is tried again.
    pub retry_at: Option<Timestamp>,
    /// Why it did not go out, the last time.
    pub reason: Option<String>,
    /// Who took it.
    pub provider: Option<String>,
    /// Their name for it.
    pub provider_id: Option<String>,
    /// Last change.
    pub updated_at: Timestamp,
}

/// What can be asked of a message.
#[derive(Clone, Debug)]
pub enum Ask {
    /// Exist; nothing if it does.
    Queue(Arc<MessageQueued>),
    /// The attempt went well: who took it, and their name for it.
    Sent(i64, String, String),
    /// The attempt failed: when it is tried again, and why.
    Failed(i64, Option<Timestamp>, String),
    /// It is not to be sent, and why.
    Suppress(i64, String),
    /// The clock says it is time for this attempt.
    Due(i64),
    /// Staff want it sent (again).
    Resend(String),
    /// It came back: for good or not, with a status code.
    Bounce(bool, Option<String>),
}

/// Something asked, and when.
#[derive(Clone, Debug)]
pub struct MessageCommand {
    /// When.
    pub at: Timestamp,
    /// What.
    pub ask: Ask,
}

/// The rules.
pub struct Message;

impl Decider for Message {
    const CATEGORY: &'static str = "message";
    type State = MessageState;
    type Command = MessageCommand;
    type Event = MessageEvent;

    fn decide(
        state: &MessageState,
        command: &MessageCommand,
    ) -> Result<Vec<MessageEvent>, Rejection> {
        let at = command.at;
        let Some(queued) = state.queued.as_deref() else {
            return match &command.ask {
                Ask::Queue(message) => Ok(vec![MessageQueued::clone(message).into()]),
                Ask::Resend(_) | Ask::Bounce(..) => Err(Rejection::not_found("message")),
                _ => Ok(vec![]),
            };
        };
        let message_id = queued.message_id.clone();
        let pending = |attempt: &i64| state.pending == Some(*attempt);
        Ok(match &command.ask {
            Ask::Sent(attempt, provider, provider_id) if pending(attempt) => vec![
                MessageSent {
                    message_id,
                    attempt: *attempt,
                    provider: provider.clone(),
                    provider_id: provider_id.clone(),
                    at,
                }
                .into(),
            ],
            Ask::Failed(attempt, retry_at, reason) if pending(attempt) => vec![
                MessageFailed {
                    message_id,
                    attempt: *attempt,
                    retry_at: *retry_at,
                    reason: reason.clone(),
                    at,
                }
                .into(),
            ],
            Ask::Suppress(attempt, reason) if pending(attempt) => vec![
                MessageSuppressed {
                    message_id,
                    reason: reason.clone(),
                    at,
                }
                .into(),
            ],
            Ask::Due(attempt)
                if state.status == MessageStatus::Retrying && *attempt == state.attempts + 1 =>
            {
                vec![state.due(message_id, None, at)]
            }
            Ask::Resend(_) if state.pending.is_some() => {
                let detail = "it is on its way right now; look again in a moment";
                return Err(Rejection::conflict("under-way", detail));
            }
            Ask::Resend(by) => vec![state.due(message_id, Some(by.clone()), at)],
            Ask::Bounce(permanent, code) if state.status == MessageStatus::Sent => vec![
                MessageBounced {
                    message_id,
                    permanent: *permanent,
                    code: code.clone(),
                    at,
                }
                .into(),
            ],
            // It exists already, the attempt is over, or it came back before.
            _ => vec![],
        })
    }

    fn evolve(state: &mut MessageState, event: &MessageEvent) {
        match event {
            MessageEvent::Queued(queued) => {
                state.queued = Some(Arc::new(queued.clone()));
                state.status = MessageStatus::Queued;
                state.pending = Some(1);
                state.updated_at = queued.at;
            }
            MessageEvent::Due(due) => {
                state.pending = Some(due.attempt);
                state.status = MessageStatus::Queued;
                state.retry_at = None;
                state.updated_at = due.at;
                if due.by.is_some() {
                    state.resends += 1;
                    state.patience_from = state.attempts;
                }
            }
            MessageEvent::Sent(sent) => {
                state.over(sent.attempt, MessageStatus::Sent, sent.at);
                state.reason = None;
                state.provider = Some(sent.provider.clone());
                state.provider_id = Some(sent.provider_id.clone());
            }
            MessageEvent::Failed(failed) => {
                let status = match failed.retry_at {
                    Some(_) => MessageStatus::Retrying,
                    None => MessageStatus::Failed,
                };
                state.over(failed.attempt, status, failed.at);
                state.retry_at = failed.retry_at;
                state.reason = Some(failed.reason.clone());
            }
            MessageEvent::Suppressed(suppressed) => {
                let attempt = state.pending.unwrap_or(state.attempts);
                state.over(attempt, MessageStatus::Suppressed, suppressed.at);
                state.reason = Some(suppressed.reason.clone());
            }
            MessageEvent::Bounced(bounced) => {
                state.status = MessageStatus::Bounced;
                state.reason = Some(bounced.code.clone().unwrap_or_else(|| "bounced".into()));
                state.updated_at = bounced.at;
            }
        }
    }
}

impl MessageState {
    fn due(&self, message_id: String, by: Option<String>, at: Timestamp) -> MessageEvent {
        MessageEvent::Due(MessageDue {
            message_id,
            attempt: self.attempts + 1,
            by,
            at,
        })
    }

    fn over(&mut self, attempt: i64, status: MessageStatus, at: Timestamp) {
        self.attempts = attempt;
        self.pending = None;
        self.retry_at = None;
        self.status = status;
        self.updated_at = at;
    }
}
