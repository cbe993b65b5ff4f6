//! What carries messages: a trait, and drivers behind it.

mod local;
mod mail;
mod smtp;

use kernel::{BoxFuture, Timestamp};

pub use local::{Files, Log, Outbox};
pub use smtp::{Smtp, SmtpError, masked};

/// A message about to go out.
#[derive(Clone)]
pub struct Outgoing {
    /// Its name in the shop; the same on every attempt.
    pub message_id: String,
    /// The name by which a receiver recognises a repeat: for mail the left part of its Message-ID.
    pub reference: String,
    /// E-mail address, telephone number or device.
    pub to: String,
    /// What the reader is called.
    pub name: Option<String>,
    /// One line.
    pub subject: String,
    /// Plain text.
    pub text: String,
    /// HTML, on channels that have it.
    pub html: Option<String>,
    /// Where the reader says "no more", on messages that need their leave.
    pub unsubscribe: Option<String>,
    /// Now.
    pub at: Timestamp,
}

/// Shows nothing of what it says and to whom.
impl std::fmt::Debug for Outgoing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Outgoing({})", self.message_id)
    }
}

/// Why a message did not go out. The text is one of ours, such as `refused:451`: the other side's
/// words may hold the reader's address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotSent {
    /// It may go out later. Whether it went out nevertheless may be unknown.
    Later(String),
    /// It never will.
    Never(String),
}

/// Carries messages of one channel.
pub trait Driver: Send + Sync {
    /// Its name, as `sent` events say it.
    fn name(&self) -> &'static str;
    /// Hands a message over; answers the provider's name for it. May be called again for the same
    /// message after an unknown outcome.
    fn send<'a>(&'a self, message: &'a Outgoing) -> BoxFuture<'a, Result<String, NotSent>>;
}
